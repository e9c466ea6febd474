//! The document that a map is.

use std::fmt::Write;

use super::BLOCK;
use super::blocks::Mapped;

/// The map of a disk of so many bytes. `checksum` is that of the document with zeroes in its place.
pub(super) fn document(disk: u64, ranges: &[Mapped], checksum: &str) -> String {
    let blocks = disk.div_ceil(BLOCK);
    let mapped = ranges.iter().map(|one| one.blocks.end - one.blocks.start);
    let mapped: u64 = mapped.sum();
    let mut text = format!(
        r#"<?xml version="1.0" ?>
<!-- The blocks of an image that have to be copied, inclusive ranges of them; the others may be skipped. -->
<bmap version="2.0">
    <ImageSize> {disk} </ImageSize>
    <BlockSize> {BLOCK} </BlockSize>
    <BlocksCount> {blocks} </BlocksCount>
    <MappedBlocksCount> {mapped} </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> {checksum} </BmapFileChecksum>
    <BlockMap>
"#
    );
    for Mapped { blocks, digest } in ranges {
        let (first, last) = (blocks.start, blocks.end - 1);
        let range = match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            r#"        <Range chksum="{digest}"> {range} </Range>"#
        );
    }
    text + "    </BlockMap>\n</bmap>\n"
}
