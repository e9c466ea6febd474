//! What a file seems to be that is no archive, by the bytes that its kind begins with.

use super::compression::Format;
use super::header::{BLOCK, Header};

/// How many bytes from the start [`of`] looks at.
pub(super) const LEN: usize = 65_536 + 512;

/// Where, which bytes, and what has them there. The first one that fits counts.
const MAGICS: [(usize, &[u8], &str); 49] = [
    (32_769, b"CD001", "an ISO 9660 image"),
    (32_769, b"BEA01", "a UDF image"),
    (3, b"NTFS    ", "an NTFS filesystem"),
    (3, b"EXFAT   ", "an exFAT filesystem"),
    (54, b"FAT1", "a FAT filesystem"),
    (82, b"FAT32", "a FAT filesystem"),
    (1080, b"\x53\xEF", "an ext2, ext3 or ext4 filesystem"),
    (65_600, b"_BHRfS_M", "a Btrfs filesystem"),
    (1024, b"\x10\x20\xF5\xF2", "an F2FS filesystem"),
    (1024, b"\xE2\xE1\xF5\xE0", "an EROFS filesystem"),
    (0, b"XFSB", "an XFS filesystem"),
    (0, b"hsqs", "a squashfs filesystem"),
    (0, b"sqsh", "a squashfs filesystem"),
    (0, b"\x45\x3D\xCD\x28", "a cramfs filesystem"),
    (4086, b"SWAPSPACE2", "a swap area"),
    (0, b"LUKS\xBA\xBE", "a LUKS container"),
    (512, b"LABELONE", "an LVM volume"),
    (512, b"EFI PART", "a disk image with a GPT"),
    (4096, b"EFI PART", "a disk image with a GPT"),
    (510, b"\x55\xAA", "a disk image with an MBR"),
    (0, b"QFI\xFB", "a qcow2 image"),
    (0, b"KDMV", "a VMDK image"),
    (
        0,
        b"# Disk DescriptorFile",
        "the descriptor of a VMDK image",
    ),
    (64, b"\x7F\x10\xDA\xBE", "a VDI image"),
    (0, b"conectix", "a VHD image"),
    (0, b"vhdxfile", "a VHDX image"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "a zip archive without files"),
    (0, b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
    (0, b"Rar!\x1A\x07", "a RAR archive"),
    (0, b"!<arch>\n", "an ar archive or a Debian package"),
    (0, b"\xED\xAB\xEE\xDB", "an RPM package"),
    (0, b"070701", "a cpio archive"),
    (0, b"070702", "a cpio archive"),
    (0, b"070707", "a cpio archive"),
    (0, b"\xC7\x71", "a cpio archive"),
    (0, b"\x71\xC7", "a cpio archive"),
    (0, b"xar!", "a xar archive"),
    (0, b"MSCF", "a cabinet archive"),
    (0, b"MSWIM\0\0\0", "a WIM image"),
    (0, b"\x7FELF", "a program"),
    (0, b"#!", "a script"),
    (
        0,
        b"LZIP",
        "compressed with lzip, which isn't read: decompress it first",
    ),
    (
        0,
        b"\x1F\x9D",
        "compressed with compress (.Z), which isn't read: decompress it first",
    ),
    (
        0,
        b"\x1F\xA0",
        "compressed with LZH (.Z), which isn't read: decompress it first",
    ),
    (
        0,
        b"\x1F\x1E",
        "compressed with pack (.z), which isn't read: decompress it first",
    ),
    (
        0,
        b"\x89LZO\0\r\n\x1A\n",
        "compressed with lzop, which isn't read: decompress it first",
    ),
    (
        0,
        b"LRZI",
        "compressed with lrzip, which isn't read: decompress it first",
    ),
    (
        0,
        b"\x5D\0\0",
        "compressed with lzma (not xz), which isn't read: decompress it first",
    ),
];

/// Whether a tar archive begins with these bytes.
pub(super) fn is_tar(start: &[u8]) -> bool {
    let block = start.first_chunk::<BLOCK>();
    block.is_some_and(|block| Header::new(*block).is_some())
}

/// What begins with these bytes, up to [`LEN`] of them.
pub(super) fn of(start: &[u8]) -> Option<&'static str> {
    if is_tar(start) {
        return Some("a tar archive");
    }
    if let Some(format) = Format::of(start) {
        return Some(match format {
            Format::Gzip => "compressed with gzip",
            Format::Xz => "compressed with xz",
            Format::Zstd => "compressed with zstd",
            Format::Bzip2 => "compressed with bzip2",
            Format::Lz4 | Format::Skipped => "compressed with lz4",
        });
    }
    let has = |at: usize, magic: &[u8]| start.get(at..at + magic.len()) == Some(magic);
    let found = MAGICS.iter().find(|(at, magic, _)| has(*at, magic));
    found.map(|(_, _, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_by_its_bytes() {
        for (at, magic, expected) in MAGICS {
            let mut start = vec![0; LEN];
            start[at..at + magic.len()].copy_from_slice(magic);
            assert_eq!(of(&start), Some(expected));
            assert_eq!(of(&start[..at + magic.len()]), Some(expected));
            assert_eq!(of(&start[..at + magic.len() - 1]), None);
        }
        assert_eq!(of(b"\x1F\x8B\x08"), Some("compressed with gzip"));
        assert_eq!(of(b"\x04\x22\x4D\x18"), Some("compressed with lz4"));
        assert_eq!(of(b""), None);
    }
}
