//! The anti-forensic splitter: a key is spread over many stripes, without any of which it is gone.
//!
//! "LUKS On-Disk Format Specification", version 1.2.3, section 2.4: `AFsplit`, `AFmerge` and the
//! diffusion `H1`. LUKS2 has the same.

use zeroize::Zeroizing;

use super::hash::Hash;

/// The stripes of `key`, of which `random` gives all but the last by their numbers.
pub(super) fn split(
    key: &[u8],
    stripes: u32,
    hash: Hash,
    random: impl Fn(u32, &mut [u8]),
) -> Zeroizing<Vec<u8>> {
    let len = key.len();
    let mut split = Zeroizing::new(vec![0; len * stripes as usize]);
    let (most, last) = split.split_at_mut(len * (stripes as usize - 1));
    for (number, stripe) in (0..).zip(most.chunks_exact_mut(len)) {
        random(number, stripe);
    }
    last.copy_from_slice(&folded(most, len, hash));
    xor(last, key);
    split
}

/// The key of `len` bytes that was split into these stripes.
pub(crate) fn merge(stripes: &[u8], len: usize, hash: Hash) -> Zeroizing<Vec<u8>> {
    let (most, last) = stripes.split_at(stripes.len().saturating_sub(len));
    let mut key = folded(most, len, hash);
    xor(&mut key, last);
    key
}

/// All but the last stripe, added and diffused.
fn folded(stripes: &[u8], len: usize, hash: Hash) -> Zeroizing<Vec<u8>> {
    let mut block = Zeroizing::new(vec![0; len]);
    for stripe in stripes.chunks_exact(len) {
        xor(&mut block, stripe);
        for (number, part) in (0..).zip(block.chunks_mut(hash.len())) {
            hash.replace(number, part);
        }
    }
    block
}

fn xor(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to ^= from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_become_the_key_again_and_none_can_be_missed() {
        let key: Vec<u8> = (0..64).collect();
        for hash in Hash::ALL {
            let random = |number: u32, stripe: &mut [u8]| stripe.fill(number as u8 ^ 0x5A);
            let mut stripes = split(&key, 9, hash, random);
            assert_eq!(*merge(&stripes, 64, hash), key);
            for stripe in 0..9 {
                stripes[stripe * 64 + 7] ^= 1;
                let merged = merge(&stripes, 64, hash);
                stripes[stripe * 64 + 7] ^= 1;
                assert_ne!(*merged, key, "{hash} {stripe}");
            }
        }
    }
}
