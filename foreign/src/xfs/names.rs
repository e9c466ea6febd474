//! Names that a prototype file can't say, and names that stand in for them.
//!
//! A stand-in has the same length and the same hash (section "Directory Hash"), so that the index
//! of a directory stays right when the name is put into its place.

/// The hash of a name in a directory's index.
pub(super) fn hash(name: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| hash.rotate_left(7) ^ u32::from(*byte);
    name.iter().fold(0, step)
}

/// Whether a prototype can say `text`, the target of a symbolic link.
pub(super) fn is_word(text: &[u8]) -> bool {
    let ends_word = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n');
    !text.iter().any(ends_word) && !text.starts_with(b":")
}

/// Whether a prototype can say `name`: words end at white space, a colon begins a comment, and
/// `$` ends a directory.
pub(super) fn is_sayable(name: &[u8]) -> bool {
    is_word(name) && name != b"$"
}

/// A sayable name of the same length and hash for which `is_free` says yes.
pub(super) fn stand_in(name: &[u8], is_free: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    match name.len() {
        0..5 => by_pairs(name, is_free),
        _ => by_tail(name, is_free),
    }
}

/// The lowest bit of a byte counts in the hash where the highest bit of the next one does: both
/// are turned over in some places.
fn by_pairs(name: &[u8], is_free: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let choices = 1_u32.checked_shl(name.len().saturating_sub(1) as u32)?;
    let turned = (1..choices).map(|choice| {
        let mut other = name.to_vec();
        for at in 1..name.len() {
            if choice >> (at - 1) & 1 == 1 {
                other[at - 1] ^= 0x01;
                other[at] ^= 0x80;
            }
        }
        other
    });
    let is_name =
        |other: &Vec<u8>| is_sayable(other) && !other.contains(&b'/') && !other.contains(&0);
    turned.filter(is_name).find(|other| is_free(other))
}

/// Bytes from 128 on are sayable. Of the last five, 7 bits each make the hash what it has to be; 3
/// of them are free to choose.
fn by_tail(name: &[u8], is_free: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    const TAIL: usize = 5;
    let wanted = hash(name);
    let base: Vec<u8> = name.iter().map(|byte| byte | 0x80).collect();
    let tries = (0..=0x7f_u8).flat_map(|first| (0..8_u8).map(move |free| (first, free)));
    let found = tries.filter_map(|(first, free)| {
        let mut other = base.clone();
        let tail = other.len() - TAIL;
        // With a name of five bytes alone, only the free bits can change.
        if tail > 0 {
            other[0] ^= first;
            other[0] |= 0x80;
        }
        other[tail..].fill(0x80);
        other[tail] |= free << 4;
        let missing = hash(&other) ^ wanted;
        for at in 0..TAIL {
            let shift = 7 * (TAIL - 1 - at) as u32;
            other[tail + at] |= (missing >> shift & 0x7f) as u8;
        }
        (hash(&other) == wanted).then_some(other)
    });
    let mut found = found;
    found.find(|other| is_free(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_have_the_same_length_and_hash() {
        for name in [
            &b"a b"[..],
            b" a",
            b": ",
            b"my file",
            b"with\nlines and\ttabs",
            b"    ",
            b"     ",
            &[b' '; 255],
            b":colon",
            b"a  b  c d e",
        ] {
            let other = stand_in(name, |_| true).unwrap();
            assert!(is_sayable(&other), "{}", other.escape_ascii());
            assert_eq!((other.len(), hash(&other)), (name.len(), hash(name)));
            let third = stand_in(name, |third| *third != *other);
            if let Some(third) = third {
                assert_ne!(third, other);
                assert_eq!((third.len(), hash(&third)), (name.len(), hash(name)));
            }
        }
    }

    #[test]
    fn single_bytes_have_none() {
        for name in [b" ", b"$", b":"] {
            assert!(!is_sayable(name));
            assert_eq!(stand_in(name, |_| true), None);
        }
    }

    #[test]
    fn most_names_need_none() {
        for name in [&b"a"[..], b"$a", b"a:", b"\xff", b"-"] {
            assert!(is_sayable(name));
        }
    }
}
