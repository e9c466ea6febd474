//! The fields of a header block: ustar (POSIX.1-1988), its forerunner of Unix version 7, and what
//! GNU tar has made of it.

use super::fault::{Fault, Result};

/// Everything in an archive is in blocks of this many bytes.
pub(super) const BLOCK: usize = 512;

/// A block as it is in the archive.
pub(super) type Block = [u8; BLOCK];

/// The places of the fields, by the names that POSIX gives them.
mod field {
    use std::ops::Range;

    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const MODE: Range<usize> = 100..108;
    pub(super) const UID: Range<usize> = 108..116;
    pub(super) const GID: Range<usize> = 116..124;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const MTIME: Range<usize> = 136..148;
    pub(super) const CHKSUM: Range<usize> = 148..156;
    pub(super) const TYPEFLAG: usize = 156;
    pub(super) const LINKNAME: Range<usize> = 157..257;
    pub(super) const MAGIC: Range<usize> = 257..263;
    pub(super) const DEVMAJOR: Range<usize> = 329..337;
    pub(super) const DEVMINOR: Range<usize> = 337..345;
    pub(super) const PREFIX: Range<usize> = 345..500;
    /// GNU tar's: the pieces of a sparse file, whether more blocks of them follow, its real size.
    pub(super) const SPARSE: Range<usize> = 386..482;
    pub(super) const IS_EXTENDED: usize = 482;
    pub(super) const REAL_SIZE: Range<usize> = 483..495;
}

/// The header of a member.
#[derive(Clone, Debug)]
pub(super) struct Header(Block);

impl Header {
    /// A block that has the checksum of a header.
    pub(super) fn new(block: Block) -> Option<Self> {
        let stored = number(&block[field::CHKSUM]).ok()?;
        let (before, rest) = block.split_at(field::CHKSUM.start);
        let after = &rest[field::CHKSUM.len()..];
        let unsigned = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let high = |bytes: &[u8]| bytes.iter().filter(|byte| **byte >= 0x80).count() as i64;
        // The field itself counts as spaces. Old programs took bytes for signed numbers.
        let sum = 8 * i64::from(b' ') + i64::from(unsigned(before) + unsigned(after));
        let is_right = stored == sum || stored == sum - 256 * (high(before) + high(after));
        is_right.then_some(Self(block))
    }

    pub(super) const fn typeflag(&self) -> u8 {
        self.0[field::TYPEFLAG]
    }

    /// The path, of which ustar has the first part in a field of its own.
    pub(super) fn path(&self) -> Vec<u8> {
        let name = text(&self.0[field::NAME]);
        let prefix = match &self.0[field::MAGIC] {
            b"ustar\0" => text(&self.0[field::PREFIX]),
            _ => b"",
        };
        match prefix {
            b"" => name.to_vec(),
            _ => [prefix, b"/", name].concat(),
        }
    }

    pub(super) fn link_path(&self) -> &[u8] {
        text(&self.0[field::LINKNAME])
    }

    /// The permission bits; old programs put the kind of file into the same field.
    pub(super) fn permissions(&self) -> Result<u16> {
        let mode = self.number("mode", field::MODE)?;
        Ok((mode & 0o7777) as u16)
    }

    pub(super) fn uid(&self) -> Result<u32> {
        self.id("uid", field::UID)
    }

    pub(super) fn gid(&self) -> Result<u32> {
        self.id("gid", field::GID)
    }

    /// The bytes of data after the header, in bytes.
    pub(super) fn size(&self) -> Result<u64> {
        self.length("size", field::SIZE)
    }

    /// Seconds since 1970, before it where negative.
    pub(super) fn mtime(&self) -> Result<i64> {
        self.number("mtime", field::MTIME)
    }

    pub(super) fn major(&self) -> Result<u32> {
        self.number32("devmajor", field::DEVMAJOR)
    }

    pub(super) fn minor(&self) -> Result<u32> {
        self.number32("devminor", field::DEVMINOR)
    }

    /// The four pieces of a sparse file that have room in a header of GNU tar.
    pub(super) fn sparse_fields(&self) -> &[u8] {
        &self.0[field::SPARSE]
    }

    /// Whether blocks with more pieces follow.
    pub(super) const fn has_more_sparse_fields(&self) -> bool {
        self.0[field::IS_EXTENDED] != 0
    }

    /// The size of a sparse file with its holes.
    pub(super) fn real_size(&self) -> Result<u64> {
        self.length("realsize", field::REAL_SIZE)
    }

    fn number(&self, name: &str, range: std::ops::Range<usize>) -> Result<i64> {
        let bytes = &self.0[range];
        number(bytes).map_err(|why| not_a_number(name, bytes, why))
    }

    /// The number of a user or a group. -1 and 4294967295 both stand for nobody.
    fn id(&self, name: &str, range: std::ops::Range<usize>) -> Result<u32> {
        match self.number(name, range.clone())? {
            -1 => Ok(u32::MAX),
            _ => self.number32(name, range),
        }
    }

    fn number32(&self, name: &str, range: std::ops::Range<usize>) -> Result<u32> {
        let value = self.number(name, range)?;
        u32::try_from(value)
            .map_err(|_| Fault::corrupt(format!("{name} is {value}; the highest is {}", u32::MAX)))
    }

    fn length(&self, name: &str, range: std::ops::Range<usize>) -> Result<u64> {
        let bytes = &self.0[range];
        length(bytes).map_err(|why| not_a_number(name, bytes, why))
    }
}

fn not_a_number(name: &str, bytes: &[u8], why: &str) -> Fault {
    Fault::corrupt(format!("{name} '{}' {why}", bytes.escape_ascii()))
}

/// The bytes in front of the first NUL byte.
fn text(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number of bytes.
pub(super) fn length(bytes: &[u8]) -> std::result::Result<u64, &'static str> {
    u64::try_from(number(bytes)?).map_err(|_| "is negative")
}

/// A number in octal digits, or in GNU tar's base 256, which sets the highest bit. Blank is 0.
fn number(bytes: &[u8]) -> std::result::Result<i64, &'static str> {
    match bytes.first() {
        Some(first) if first & 0x80 != 0 => base_256(bytes).ok_or("exceeds 63 bits"),
        _ => octal(bytes),
    }
}

/// Two's complement, highest byte first, without the bit that tells of it.
fn base_256(bytes: &[u8]) -> Option<i64> {
    let (first, rest) = bytes.split_first()?;
    // The bit below the highest one is the sign.
    let sign = i64::from(((first << 1).cast_signed()) >> 1);
    rest.iter().try_fold(sign, |value, byte| {
        value.checked_mul(256)?.checked_add(i64::from(*byte))
    })
}

fn octal(bytes: &[u8]) -> std::result::Result<i64, &'static str> {
    let digits = text(bytes.trim_ascii_start()).trim_ascii_end();
    digits.iter().try_fold(0_i64, |value, digit| match digit {
        b'0'..=b'7' => Ok(value << 3 | i64::from(digit - b'0')),
        _ => Err("is no octal number"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (bytes, expected) in [
            (&b"0000644\0"[..], Ok(0o644)),
            (b"   644 \0", Ok(0o644)),
            (b"77777777777\0", Ok(0o77_777_777_777)),
            (b"777777777777", Ok(0o777_777_777_777)),
            (b"\0\0\0\0\0\0\0\0", Ok(0)),
            (b"       \0", Ok(0)),
            (b"644 junk", Err("is no octal number")),
            (b"0000648\0", Err("is no octal number")),
            (b"-0000644", Err("is no octal number")),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", Ok(0x102)),
            (b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", Ok(-2)),
            (b"\x80\0\0\0\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", Ok(i64::MAX)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", Err("exceeds 63 bits")),
            (
                b"\xBF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                Err("exceeds 63 bits"),
            ),
        ] {
            assert_eq!(number(bytes), expected, "{}", bytes.escape_ascii());
        }
        assert_eq!(length(b"\xFF\xFF\xFF\xFF"), Err("is negative"));
    }

    #[test]
    fn a_checksum_may_be_of_signed_bytes() {
        let mut block = [0; BLOCK];
        block[0] = 0xE9;
        let spaces = 8 * 32;
        for (sum, is_right) in [
            (spaces + 0xE9, true),
            (spaces + 0xE9 - 256, true),
            (spaces, false),
        ] {
            block[field::CHKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            assert_eq!(Header::new(block).is_some(), is_right, "{sum}");
        }
        assert!(Header::new([0; BLOCK]).is_none());
    }
}
