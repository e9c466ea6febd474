//! Headers of members: "ustar Header Block" of POSIX.1-2017, pax, and sizes of 8 GiB and more as GNU
//! tar has them.

use std::io::Write;

/// Everything in an archive is in blocks of this many bytes.
pub(super) const BLOCK: u64 = 512;

/// Two blocks of zeroes end an archive.
pub(super) const END: u64 = 2 * BLOCK;

/// The longest name that a header holds in one field.
pub(super) const NAME_MAX: usize = 100;

/// A header of a regular file.
pub(super) type Header = [u8; BLOCK as usize];

const NAME: usize = 0;
const MODE: usize = 100;
const UID: usize = 108;
const GID: usize = 116;
const SIZE: usize = 124;
const MTIME: usize = 136;
const SUM: usize = 148;
const TYPE: usize = 156;
const MAGIC: usize = 257;

/// The largest size of 11 octal digits.
const OCTAL_MAX: u64 = (1 << 33) - 1;

/// Says that a size is binary.
const BINARY: u8 = 0x80;

/// The header of the file `name` of `size` bytes, which was changed at `mtime`.
pub(super) fn header(name: &str, size: u64, mtime: u64) -> Header {
    let mut header = [0; BLOCK as usize];
    put(&mut header[NAME..NAME + NAME_MAX], format_args!("{name}"));
    put(&mut header[MODE..], format_args!("{:07o}\0", 0o644));
    put(&mut header[UID..], format_args!("{:07o}\0", 0));
    put(&mut header[GID..], format_args!("{:07o}\0", 0));
    match size <= OCTAL_MAX {
        true => put(&mut header[SIZE..], format_args!("{size:011o}\0")),
        false => {
            header[SIZE] = BINARY;
            header[SIZE + 4..MTIME].copy_from_slice(&size.to_be_bytes());
        }
    }
    put(
        &mut header[MTIME..],
        format_args!("{:011o}\0", mtime.min(OCTAL_MAX)),
    );
    header[TYPE] = b'0';
    put(&mut header[MAGIC..], format_args!("ustar\x0000"));
    let sum = sum(&header);
    put(&mut header[SUM..], format_args!("{sum:06o}\0 "));
    header
}

/// Writes a text, or as much of it as has room.
fn put(mut field: &mut [u8], text: std::fmt::Arguments<'_>) {
    // What has no room is refused when it is planned.
    let _ = field.write_fmt(text);
}

/// The sum of all bytes, those of the field itself counting as spaces.
fn sum(header: &Header) -> u32 {
    let own = SUM..SUM + 8;
    let bytes = header.iter().enumerate();
    let counted = bytes.map(|(at, byte)| if own.contains(&at) { b' ' } else { *byte });
    counted.map(u32::from).sum()
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file.
    File,
    /// Records that tell of the next member.
    Records,
    /// The name of the next member, as GNU tar has long ones.
    LongName,
    /// What else is no member of its own.
    Aside,
    /// A directory, a link, and whatever else there is.
    Other,
}

impl Kind {
    const fn of(typeflag: u8) -> Self {
        match typeflag {
            b'0' | b'7' | 0 => Self::File,
            b'x' => Self::Records,
            b'L' => Self::LongName,
            b'g' | b'K' => Self::Aside,
            _ => Self::Other,
        }
    }
}

/// What a header says that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub kind: Kind,
    pub name: Vec<u8>,
    pub size: u64,
}

/// What a header says; none where it is no sound one.
pub(super) fn parse(header: &Header) -> Option<Parsed> {
    let is_sound = octal(&header[SUM..SUM + 8]) == Some(sum(header).into());
    let is_ustar = header[MAGIC..].starts_with(b"ustar");
    if !is_sound || !is_ustar {
        return None;
    }
    let name = header[NAME..NAME + NAME_MAX]
        .split(|byte| *byte == 0)
        .next()?;
    Some(Parsed {
        kind: Kind::of(header[TYPE]),
        name: name.to_vec(),
        size: number(&header[SIZE..MTIME])?,
    })
}

/// A number of 64 bits at most, in octal or binary.
fn number(field: &[u8]) -> Option<u64> {
    match field {
        [BINARY, 0, 0, 0, bytes @ ..] => Some(u64::from_be_bytes(bytes.try_into().ok()?)),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_were_written() {
        for size in [0, 511, OCTAL_MAX, OCTAL_MAX + 1, u64::MAX] {
            let header = header("a-disk1.vmdk", size, 946_684_800);
            let expected = Parsed {
                kind: Kind::File,
                name: b"a-disk1.vmdk".to_vec(),
                size,
            };
            assert_eq!(parse(&header), Some(expected));
            let mut damaged = header;
            damaged[SIZE + 11] ^= 1;
            assert_eq!(parse(&damaged), None);
        }
        assert_eq!(parse(&[0; BLOCK as usize]), None);
    }
}
