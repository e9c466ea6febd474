//! The hash of a name in an indexed directory: half MD4, the bytes of a name being signed.
//!
//! "ext4 Data Structures and Algorithms", section 4.3.3 (hash tree directories). The function is a
//! round of MD4 (RFC 1320) with half of its steps, over 32 bytes of the name at a time.

use uuid::Uuid;

/// What MD4 starts from; it is used when there is no seed.
const MD4_START: Seed = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476];
/// The constants of MD4's second and third round.
const SQRT_2: u32 = 0x5A82_7999;
const SQRT_3: u32 = 0x6ED9_EBA1;
/// The highest hash means the end of a directory (`EXT4_HTREE_EOF_32BIT`).
const EXT4_HTREE_EOF: u32 = 0x7FFF_FFFF << 1;

/// The bytes of a name that are hashed at a time, as words.
const WORDS: usize = 8;
type Seed = [u32; 4];

/// Hashes the names of one filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameHash(Seed);

/// The hash of a name: what an index is sorted by, and what further tells names apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hash {
    /// An even number.
    pub major: u32,
    pub minor: u32,
}

impl NameHash {
    /// `hash_seed` is the superblock's.
    pub(super) fn new(hash_seed: Uuid) -> Self {
        let bytes = hash_seed.as_bytes();
        let seed =
            std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|j| bytes[4 * i + j])));
        Self(if hash_seed.is_nil() { MD4_START } else { seed })
    }

    pub(super) fn of(self, name: &[u8]) -> Hash {
        let mut state = self.0;
        let mut rest = name;
        while !rest.is_empty() {
            half_md4(&mut state, words(rest));
            rest = &rest[rest.len().min(4 * WORDS)..];
        }
        let major = match state[1] & !1 {
            EXT4_HTREE_EOF => EXT4_HTREE_EOF - 2,
            major => major,
        };
        Hash {
            major,
            minor: state[2],
        }
    }
}

/// The first words of a name, each of four signed bytes that are added up from the upper one. What
/// the name doesn't fill holds its remaining length in every byte.
fn words(name: &[u8]) -> [u32; WORDS] {
    let filler = u32::from(name.len() as u8) * 0x0101_0101;
    let mut words = [filler; WORDS];
    for (word, bytes) in words.iter_mut().zip(name.chunks(4)) {
        *word = bytes.iter().fold(filler, |word, byte| {
            (word << 8).wrapping_add(*byte as i8 as u32)
        });
    }
    words
}

/// The three rounds: the order of the words, the rotations, the function that mixes three words.
fn half_md4(state: &mut Seed, words: [u32; WORDS]) {
    let before = *state;
    let order = [0, 1, 2, 3, 4, 5, 6, 7];
    let choose = |x, y, z| z ^ (x & (y ^ z));
    round(state, words, order, [3, 7, 11, 19], choose);
    let order = [1, 3, 5, 7, 0, 2, 4, 6];
    let majority = |x, y, z| (x & y) | (z & (x | y));
    let more = words.map(|word| word.wrapping_add(SQRT_2));
    round(state, more, order, [3, 5, 9, 13], majority);
    let order = [3, 7, 2, 6, 1, 5, 0, 4];
    let parity = |x, y, z| x ^ y ^ z;
    let more = words.map(|word| word.wrapping_add(SQRT_3));
    round(state, more, order, [3, 9, 11, 15], parity);
    for (new, old) in state.iter_mut().zip(before) {
        *new = new.wrapping_add(old);
    }
}

/// Inlined, the order and the rotations are constants, which makes it four times as fast.
#[inline(always)]
fn round(
    state: &mut Seed,
    words: [u32; WORDS],
    order: [usize; WORDS],
    rotations: [u32; 4],
    mix: impl Fn(u32, u32, u32) -> u32,
) {
    let [mut a, mut b, mut c, mut d] = *state;
    for (step, word) in order.into_iter().enumerate() {
        let sum = mix(b, c, d).wrapping_add(words[word]).wrapping_add(a);
        (a, b, c, d) = (d, sum.rotate_left(rotations[step % 4]), b, c);
    }
    *state = [a, b, c, d];
}

#[cfg(test)]
mod tests {
    use uuid::uuid;

    use super::*;

    const SEED: Uuid = uuid!("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

    /// From `debugfs -R "dx_hash -h half_md4 -s SEED NAME"`.
    #[test]
    fn names_of_every_number_of_rounds_hash_as_debugfs_says() {
        let digits = b"012345678901234567890123456789012";
        let rows: [(Uuid, &[u8], u32, u32); 15] = [
            (SEED, b"a", 0xA7E8_B272, 0xB17C_CBDE),
            (SEED, b"file", 0x312B_4E3C, 0x223E_756F),
            (SEED, b"lost+found", 0xB9DA_ACF0, 0xEC4E_31DC),
            (SEED, &digits[..31], 0x970F_BFD0, 0xC469_4C07),
            (SEED, &digits[..32], 0x1D1C_70E2, 0xB690_158A),
            (SEED, digits, 0xD1B6_9A96, 0xEE24_2CB7),
            (SEED, &[b'n'; 255], 0x6E9F_E492, 0x536D_965A),
            (SEED, b"\xC3\xA4\xFF\x80", 0x4EBA_942C, 0x4292_0E85),
            (
                SEED,
                b"abcdefg\xC3\xA4\xFF\x80\xFE",
                0x3FD3_45A0,
                0xF93B_1E9C,
            ),
            (Uuid::nil(), b"a", 0xD5FA_7D7A, 0xACB4_8187),
            (Uuid::nil(), b"lost+found", 0x591D_E422, 0x6FFC_56E0),
            (Uuid::nil(), &digits[..31], 0xF304_DA2C, 0xE983_51FE),
            (Uuid::nil(), &digits[..32], 0x6538_762A, 0x2370_AA1F),
            (Uuid::nil(), digits, 0xB2C3_09AE, 0x30BD_9930),
            (Uuid::nil(), &[b'n'; 255], 0xC0F8_FDE8, 0xA0C4_4AEA),
        ];
        for (seed, name, major, minor) in rows {
            let hash = NameHash::new(seed).of(name);
            assert_eq!(hash, Hash { major, minor }, "{}", name.escape_ascii());
        }
    }
}
