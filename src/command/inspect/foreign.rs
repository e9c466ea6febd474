//! Files that are images, but not raw ones.

use anyhow::Result;
use disklayout::disk::Disk;

/// What files begin with, and what they are.
const MAGICS: &[(u64, &[u8], &str)] = &[
    (0, b"QFI\xFB", "a qcow2 image"),
    (0, b"KDMV", "a VMDK image"),
    (
        0,
        b"# Disk DescriptorFile",
        "the descriptor of a VMDK image",
    ),
    (0, b"vhdxfile", "a VHDX image"),
    (0, b"conectix", "a dynamic VHD image"),
    (64, &[0x7F, 0x10, 0xDA, 0xBE], "a VDI image"),
    (0, &[0x1F, 0x8B, 8], "compressed with gzip"),
    (0, b"\xFD7zXZ\0", "compressed with xz"),
    (0, &[0x28, 0xB5, 0x2F, 0xFD], "compressed with zstd"),
    (0, b"BZh", "compressed with bzip2"),
    (257, b"ustar", "a tar archive"),
];

/// The format, where it is known and isn't raw.
pub(super) fn format(disk: &dyn Disk) -> Result<Option<&'static str>> {
    for (at, magic, name) in MAGICS {
        let end = at + magic.len() as u64;
        let mut bytes = vec![0; magic.len()];
        if end <= disk.len() {
            disk.read_at(&mut bytes, *at)?;
        }
        if bytes == *magic {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
