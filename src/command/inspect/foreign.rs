//! Files that are images, but not raw ones, and others that are no images.

use anyhow::{Context as _, Result};
use disklayout::Bytes;
use disklayout::disk::{Disk, Window};

/// What files begin with, and what they are.
const MAGICS: &[(u64, &[u8], &str)] = &[
    (0, b"QFI\xFB", "a qcow2 image"),
    (0, b"QED\0", "a QED image"),
    (0, b"KDMV", "a VMDK image"),
    (0, b"COWD", "a VMDK image"),
    (
        0,
        b"# Disk DescriptorFile",
        "the descriptor of a VMDK image",
    ),
    (0, b"vhdxfile", "a VHDX image"),
    (0, b"conectix", "a dynamic VHD image"),
    (64, &[0x7F, 0x10, 0xDA, 0xBE], "a VDI image"),
    (0, b"WithoutFreeSpace", "a Parallels image"),
    (0, b"WithouFreSpacExt", "a Parallels image"),
    (0, b"Bochs Virtual HD Image", "a Bochs image"),
    (0, &[0x3A, 0xFF, 0x26, 0xED], "an Android sparse image"),
    (0, b"MSWIM\0\0\0", "a WIM archive"),
    (0, &[0x1F, 0x8B, 8], "compressed with gzip"),
    (0, b"\xFD7zXZ\0", "compressed with xz"),
    (0, b"LZIP\x01", "compressed with lzip"),
    (0, &[0x5D, 0, 0, 0x80, 0], "compressed with lzma"),
    (0, &[0x28, 0xB5, 0x2F, 0xFD], "compressed with zstd"),
    (0, &[0x04, 0x22, 0x4D, 0x18], "compressed with lz4"),
    (0, &[0x02, 0x21, 0x4C, 0x18], "compressed with lz4"),
    (0, b"\x89LZO\0\r\n\x1A\n", "compressed with lzop"),
    (0, b"BZh", "compressed with bzip2"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
    (0, b"Rar!\x1A\x07", "a rar archive"),
    (0, b"070701", "a cpio archive"),
    (0, b"070702", "a cpio archive"),
    (0, b"070707", "a cpio archive"),
    (0, b"!<arch>\n", "an ar archive or Debian package"),
    (0, &[0xED, 0xAB, 0xEE, 0xDB], "an RPM package"),
    (257, b"ustar", "a tar archive"),
];

/// What files end in.
const TRAILERS: &[(&[u8], &str)] = &[(b"koly", "an Apple disk image")];

/// Bytes of the trailer of a disk image: those of VHD and of Apple are as long.
const TRAILER: u64 = 512;

/// The format, where it is known and isn't raw.
pub(super) fn format(disk: &dyn Disk) -> Result<Option<&'static str>> {
    for (at, magic, name) in MAGICS {
        if has(disk, *at, magic)? {
            return Ok(Some(name));
        }
    }
    let end = disk.len().saturating_sub(TRAILER);
    for (magic, name) in TRAILERS {
        if has(disk, end, magic)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The raw image in `disk`, and what is behind it: a fixed VHD is one with a trailer.
pub(super) fn raw(disk: &dyn Disk) -> Result<(Window<'_>, Option<&'static str>)> {
    let end = disk.len().saturating_sub(TRAILER);
    let is_vhd = has(disk, end, b"conectix")?;
    let len = if is_vhd { end } else { disk.len() };
    let window = Window::new(disk, Bytes::new(0), Bytes::new(len));
    let note = "it is a fixed VHD image: its last 512 bytes don't belong to the disk";
    Ok((window.context("can't read it")?, is_vhd.then_some(note)))
}

fn has(disk: &dyn Disk, at: u64, magic: &[u8]) -> Result<bool> {
    let mut bytes = vec![0; magic.len()];
    if at + magic.len() as u64 <= disk.len() {
        disk.read_at(&mut bytes, at).context("can't read it")?;
    }
    Ok(bytes == *magic)
}
