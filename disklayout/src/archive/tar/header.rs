//! A header block of ustar.

use zerocopy::{FromZeros, Immutable, IntoBytes, KnownLayout};

/// Everything in an archive is in blocks of this many bytes.
pub(super) const BLOCK: u64 = 512;
/// The bytes of the fields for a name and for what a link leads to.
pub(super) const NAME_LEN: usize = 100;

/// The largest numbers that fields hold in octal, of 7 and of 11 digits.
pub(super) const SHORT_MAX: u64 = (1 << 21) - 1;
pub(super) const LONG_MAX: u64 = (1 << 33) - 1;

/// "ustar Header Block".
#[derive(Debug, FromZeros, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Block {
    name: [u8; NAME_LEN],
    mode: [u8; 8],
    uid: [u8; 8],
    gid: [u8; 8],
    size: [u8; 12],
    mtime: [u8; 12],
    chksum: [u8; 8],
    typeflag: u8,
    linkname: [u8; NAME_LEN],
    magic: [u8; 6],
    version: [u8; 2],
    uname: [u8; 32],
    gname: [u8; 32],
    devmajor: [u8; 8],
    devminor: [u8; 8],
    prefix: [u8; 155],
    rest: [u8; 12],
}

const _: () = assert!(size_of::<Block>() == BLOCK as usize);

/// What a header tells of a member. Numbers beyond a field become the largest that it holds, and names
/// are cut off: records have them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Header<'a> {
    pub typeflag: u8,
    pub name: &'a [u8],
    pub link: &'a [u8],
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub mtime: u64,
    pub device: (u32, u32),
}

impl Header<'_> {
    /// The block, without names of owners.
    pub(super) fn bytes(&self) -> [u8; BLOCK as usize] {
        let mut block = Block::new_zeroed();
        put(&mut block.name, self.name);
        put(&mut block.linkname, self.link);
        octal(&mut block.mode, self.mode.into());
        octal(&mut block.uid, self.uid.into());
        octal(&mut block.gid, self.gid.into());
        octal(&mut block.size, self.size);
        octal(&mut block.mtime, self.mtime);
        octal(&mut block.devmajor, self.device.0.into());
        octal(&mut block.devminor, self.device.1.into());
        block.typeflag = self.typeflag;
        block.magic = *b"ustar\0";
        block.version = *b"00";
        // The field itself counts as spaces.
        block.chksum = [b' '; 8];
        let sum = block.as_bytes().iter().map(|byte| u64::from(*byte)).sum();
        octal(&mut block.chksum[..7], sum);
        block.chksum[6] = 0;
        zerocopy::transmute!(block)
    }
}

fn put(field: &mut [u8], bytes: &[u8]) {
    let len = bytes.len().min(field.len());
    field[..len].copy_from_slice(&bytes[..len]);
}

/// Digits with zeroes in front, and a NUL byte.
fn octal(field: &mut [u8], number: u64) {
    let digits = field.len() - 1;
    let max = (1 << (3 * digits)) - 1;
    put(field, format!("{:0digits$o}", number.min(max)).as_bytes());
}

/// How many bytes fill up the last block of `len` bytes.
pub(super) const fn padding(len: u64) -> u64 {
    len.wrapping_neg() % BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_octal_and_the_checksum_is_of_them() {
        let header = Header {
            typeflag: b'0',
            name: &[b'n'; 120],
            mode: 0o4755,
            uid: u32::MAX,
            size: 1 << 40,
            ..Header::default()
        };
        let bytes = header.bytes();
        assert_eq!(bytes[..101], [&[b'n'; 100][..], b"0"].concat());
        assert_eq!(
            bytes[100..132],
            *b"0004755\x007777777\x000000000\x0077777777"
        );
        let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
        let own: u32 = bytes[148..156].iter().map(|byte| u32::from(*byte)).sum();
        let expected = format!("{:06o}\0 ", sum - own + 8 * 32);
        assert_eq!(bytes[148..156], *expected.as_bytes());
        assert_eq!([0, 1, 511, 512].map(padding), [0, 511, 1, 0]);
    }
}
