//! What a file seems to be, by the bytes that its kind begins with.

/// What can be done with a file of some kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Files packed together.
    Archive,
    /// Something else, compressed.
    Compressed,
    /// A disk in a format of its own.
    Container,
    /// An optical disc.
    Disc,
    /// A disk or a filesystem, byte for byte.
    Raw,
    /// Something else.
    Other,
}

/// Bytes that tell what a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Magic {
    at: usize,
    bytes: &'static [u8],
    /// What the file is, with its article: `a zip archive`, `compressed with lzip`.
    pub what: &'static str,
    /// What can be done with it.
    pub kind: Kind,
}

impl Magic {
    const fn new(at: usize, bytes: &'static [u8], what: &'static str, kind: Kind) -> Self {
        Self {
            at,
            bytes,
            what,
            kind,
        }
    }

    /// Whether it is too short to tell anything from boot code.
    pub const fn is_short(&self) -> bool {
        self.bytes.len() < 3
    }

    fn fits(&self, start: &[u8]) -> bool {
        start.get(self.at..self.at + self.bytes.len()) == Some(self.bytes)
    }
}

/// How many bytes from the start of a file [`of`] looks at.
pub const LEN: usize = 65_536 + 512;

/// All that are known. The first one that fits counts.
#[rustfmt::skip]
const MAGICS: [Magic; 62] = [
    Magic::new(0, b"PK\x03\x04", "a zip archive", Kind::Archive),
    Magic::new(0, b"PK\x05\x06", "a zip archive without files", Kind::Archive),
    Magic::new(0, b"7z\xBC\xAF\x27\x1C", "a 7z archive", Kind::Archive),
    Magic::new(0, b"Rar!\x1A\x07", "a RAR archive", Kind::Archive),
    Magic::new(0, b"!<arch>\n", "an ar archive or a Debian package", Kind::Archive),
    Magic::new(0, b"\xED\xAB\xEE\xDB", "an RPM package", Kind::Archive),
    Magic::new(0, b"070701", "a cpio archive", Kind::Archive),
    Magic::new(0, b"070702", "a cpio archive", Kind::Archive),
    Magic::new(0, b"070707", "a cpio archive", Kind::Archive),
    Magic::new(0, b"xar!", "a xar archive", Kind::Archive),
    Magic::new(0, b"MSCF", "a cabinet archive", Kind::Archive),
    Magic::new(0, b"MSWIM\0\0\0", "a WIM archive", Kind::Archive),
    Magic::new(257, b"ustar", "a tar archive", Kind::Archive),
    Magic::new(0, b"LZIP", "compressed with lzip", Kind::Compressed),
    Magic::new(0, b"\x89LZO\0\r\n\x1A\n", "compressed with lzop", Kind::Compressed),
    Magic::new(0, b"LRZI", "compressed with lrzip", Kind::Compressed),
    Magic::new(0, b"\x5D\0\0", "compressed with lzma (not xz)", Kind::Compressed),
    Magic::new(0, b"\x1F\x8B\x08", "compressed with gzip", Kind::Compressed),
    Magic::new(0, b"\xFD7zXZ\0", "compressed with xz", Kind::Compressed),
    Magic::new(0, b"\x28\xB5\x2F\xFD", "compressed with zstd", Kind::Compressed),
    Magic::new(0, b"\x04\x22\x4D\x18", "compressed with lz4", Kind::Compressed),
    Magic::new(0, b"\x02\x21\x4C\x18", "compressed with lz4", Kind::Compressed),
    Magic::new(0, b"BZh", "compressed with bzip2", Kind::Compressed),
    Magic::new(0, b"QFI\xFB", "a qcow2 image", Kind::Container),
    Magic::new(0, b"KDMV", "a VMDK image", Kind::Container),
    Magic::new(0, b"# Disk DescriptorFile", "the descriptor of a VMDK image", Kind::Container),
    Magic::new(64, b"\x7F\x10\xDA\xBE", "a VDI image", Kind::Container),
    Magic::new(0, b"conectix", "a VHD image", Kind::Container),
    Magic::new(0, b"vhdxfile", "a VHDX image", Kind::Container),
    Magic::new(0, b"QED\0", "a QED image", Kind::Container),
    Magic::new(0, b"COWD", "a VMDK image", Kind::Container),
    Magic::new(0, b"WithoutFreeSpace", "a Parallels image", Kind::Container),
    Magic::new(0, b"WithouFreSpacExt", "a Parallels image", Kind::Container),
    Magic::new(0, b"Bochs Virtual HD Image", "a Bochs image", Kind::Container),
    Magic::new(0, b"\x3A\xFF\x26\xED", "an Android sparse image", Kind::Container),
    Magic::new(32769, b"CD001", "an ISO 9660 image", Kind::Disc),
    Magic::new(32769, b"BEA01", "a UDF image", Kind::Disc),
    Magic::new(3, b"NTFS    ", "an NTFS filesystem", Kind::Raw),
    Magic::new(3, b"EXFAT   ", "an exFAT filesystem", Kind::Raw),
    Magic::new(54, b"FAT1", "a FAT filesystem", Kind::Raw),
    Magic::new(82, b"FAT32", "a FAT filesystem", Kind::Raw),
    Magic::new(1080, b"\x53\xEF", "an ext2, ext3 or ext4 filesystem", Kind::Raw),
    Magic::new(65600, b"_BHRfS_M", "a Btrfs filesystem", Kind::Raw),
    Magic::new(1024, b"\x10\x20\xF5\xF2", "an F2FS filesystem", Kind::Raw),
    Magic::new(1024, b"\xE2\xE1\xF5\xE0", "an EROFS filesystem", Kind::Raw),
    Magic::new(0, b"XFSB", "an XFS filesystem", Kind::Raw),
    Magic::new(0, b"hsqs", "a squashfs filesystem", Kind::Raw),
    Magic::new(0, b"sqsh", "a squashfs filesystem", Kind::Raw),
    Magic::new(0, b"\x45\x3D\xCD\x28", "a cramfs filesystem", Kind::Raw),
    Magic::new(4086, b"SWAPSPACE2", "a swap area", Kind::Raw),
    Magic::new(0, b"LUKS\xBA\xBE", "a LUKS container", Kind::Raw),
    Magic::new(512, b"LABELONE", "an LVM volume", Kind::Raw),
    Magic::new(512, b"EFI PART", "a disk image with a GPT", Kind::Raw),
    Magic::new(4096, b"EFI PART", "a disk image with a GPT", Kind::Raw),
    Magic::new(510, b"\x55\xAA", "a disk image with an MBR", Kind::Raw),
    Magic::new(0, b"\x7FELF", "a program", Kind::Other),
    Magic::new(0, b"\xC7\x71", "a cpio archive", Kind::Archive),
    Magic::new(0, b"\x71\xC7", "a cpio archive", Kind::Archive),
    Magic::new(0, b"\x1F\x9D", "compressed with compress (.Z)", Kind::Compressed),
    Magic::new(0, b"\x1F\xA0", "compressed with LZH (.Z)", Kind::Compressed),
    Magic::new(0, b"\x1F\x1E", "compressed with pack (.z)", Kind::Compressed),
    Magic::new(0, b"#!", "a script", Kind::Other),
];

/// What begins with these bytes, up to [`LEN`] of them.
pub fn of(start: &[u8]) -> Option<&'static Magic> {
    MAGICS.iter().find(|magic| magic.fits(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_by_its_bytes() {
        for magic in &MAGICS {
            let end = magic.at + magic.bytes.len();
            let mut start = vec![0; LEN];
            start[magic.at..end].copy_from_slice(magic.bytes);
            assert_eq!(of(&start), Some(magic));
            assert_eq!(of(&start[..end]), Some(magic));
            assert_eq!(of(&start[..end - 1]), None);
        }
        assert_eq!(of(b""), None);
        // Two bytes of boot code in front of a signature say less than that.
        let mut disk = vec![0; LEN];
        disk[..2].copy_from_slice(b"\x71\xC7");
        disk[510..512].copy_from_slice(b"\x55\xAA");
        assert_eq!(of(&disk).map(|magic| magic.kind), Some(Kind::Raw));
    }
}
