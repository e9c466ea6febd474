//! Names that stand in for those of attributes which only root may set.

/// An attribute of users whose name has the same length and CRC-32C as `name`, by which items are
/// found. A name of users stands for itself. `None` where there is none.
pub(super) fn stand_in(name: &[u8]) -> Option<Vec<u8>> {
    const USER: &[u8] = b"user.";
    const TAIL: usize = 4;
    if name.starts_with(USER) {
        return Some(name.to_vec());
    }
    let filling = name.len().checked_sub(USER.len() + TAIL)?;
    let mut tries = b'a'..=b'z';
    tries.find_map(|letter| {
        let mut other = USER.to_vec();
        other.extend(std::iter::repeat_n(letter, filling));
        other.extend([0; TAIL]);
        let missing = crc32c::crc32c(&other) ^ crc32c::crc32c(name);
        let tail = tail(missing);
        let at = other.len() - TAIL;
        other[at..].copy_from_slice(&tail);
        let is_name = !tail.contains(&0) && crc32c::crc32c(&other) == crc32c::crc32c(name);
        is_name.then_some(other)
    })
}

/// Four bytes which, instead of zeroes at the end, change a checksum by `wanted`: each of their
/// bits changes some bits, and those changes are independent of each other.
fn tail(wanted: u32) -> [u8; 4] {
    let change = |bits: u32| crc32c::crc32c(&bits.to_le_bytes()) ^ crc32c::crc32c(&[0; 4]);
    // What has each bit as its highest one, and what makes it.
    let mut basis = [(0_u32, 0_u32); 32];
    for bit in 0..32 {
        let (mut value, mut made) = (change(1 << bit), 1_u32 << bit);
        while value != 0 {
            let highest = value.ilog2() as usize;
            if basis[highest].0 == 0 {
                basis[highest] = (value, made);
                break;
            }
            value ^= basis[highest].0;
            made ^= basis[highest].1;
        }
    }
    let (mut rest, mut made) = (wanted, 0);
    while rest != 0 {
        let (value, by) = basis[rest.ilog2() as usize];
        rest ^= value;
        made ^= by;
        if value == 0 {
            break;
        }
    }
    made.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_have_the_same_length_and_checksum() {
        for name in [
            "security.capability",
            "security.selinux",
            "system.posix_acl_access",
            "system.posix_acl_default",
            "trusted.overlay.opaque",
            "trusted.a1",
        ] {
            let other = stand_in(name.as_bytes()).unwrap();
            assert!(
                other.starts_with(b"user.") && !other.contains(&0),
                "{other:?}"
            );
            assert_eq!(other.len(), name.len());
            assert_eq!(crc32c::crc32c(&other), crc32c::crc32c(name.as_bytes()));
        }
        assert_eq!(stand_in(b"user.a"), Some(b"user.a".to_vec()));
        assert_eq!(stand_in(b"os2.a"), None);
    }
}
