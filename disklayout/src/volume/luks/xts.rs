//! AES in the mode XTS (IEEE 1619-2007, section 5), of whole blocks.
//!
//! Tweaks of 4 KiB are made at once, so that blocks are encrypted as many side by side as the crate
//! `aes` can on this processor.

use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};

pub(super) const BLOCK: usize = 16;
/// The most bytes of a unit, and what is done at once.
pub(super) const BATCH: usize = 4096;
const BLOCKS: usize = BATCH / BLOCK;
/// The most units in a batch: of two blocks, as the standard's examples have.
const UNITS: usize = BLOCKS / 2;

type Block = Array<u8, U16>;

/// The two keys, each expanded. The crate wipes them; in a box they stay where they are until then.
pub(super) enum Xts {
    Aes128(Box<Keys<Aes128>>),
    Aes256(Box<Keys<Aes256>>),
}

pub(super) struct Keys<C> {
    data: C,
    tweak: C,
}

/// How units are numbered.
#[derive(Clone, Copy)]
pub(super) struct Units {
    /// Bytes in a unit: a divisor of [`BATCH`], two blocks at least.
    pub(super) len: usize,
    /// The number of the first.
    pub(super) first: u64,
    /// What the next one's is larger by.
    pub(super) step: u64,
}

impl Xts {
    /// The keys of 32 or 64 bytes, of which the second half is for tweaks; `None` for another length.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            32 => Keys::new(key).map(Box::new).map(Self::Aes128),
            64 => Keys::new(key).map(Box::new).map(Self::Aes256),
            _ => None,
        }
    }

    /// Encrypts `bytes`, a whole number of units.
    pub(super) fn encrypt(&self, units: Units, bytes: &mut [u8]) {
        match self {
            Self::Aes128(keys) => keys.encrypt(units, bytes),
            Self::Aes256(keys) => keys.encrypt(units, bytes),
        }
    }

    /// Decrypts `bytes`, a whole number of units.
    pub(super) fn decrypt(&self, units: Units, bytes: &mut [u8]) {
        match self {
            Self::Aes128(keys) => keys.decrypt(units, bytes),
            Self::Aes256(keys) => keys.decrypt(units, bytes),
        }
    }
}

impl<C> Keys<C>
where
    C: KeyInit + BlockCipherEncrypt<BlockSize = U16> + BlockCipherDecrypt<BlockSize = U16>,
{
    fn new(key: &[u8]) -> Option<Self> {
        let (data, tweak) = key.split_at(key.len() / 2);
        Some(Self {
            data: C::new_from_slice(data).ok()?,
            tweak: C::new_from_slice(tweak).ok()?,
        })
    }

    fn encrypt(&self, units: Units, bytes: &mut [u8]) {
        self.batches(units, bytes, |blocks| self.data.encrypt_blocks(blocks));
    }

    fn decrypt(&self, units: Units, bytes: &mut [u8]) {
        self.batches(units, bytes, |blocks| self.data.decrypt_blocks(blocks));
    }

    fn batches(&self, mut units: Units, bytes: &mut [u8], cipher: impl Fn(&mut [Block])) {
        assert!(bytes.len().is_multiple_of(units.len), "whole units only");
        let mut tweaks = [Block::default(); BLOCKS];
        let (blocks, _) = Block::slice_as_chunks_mut(bytes);
        for batch in blocks.chunks_mut(BLOCKS) {
            let per_unit = units.len / BLOCK;
            let count = batch.len() / per_unit;
            self.tweaks(units, &mut tweaks[..batch.len()]);
            xor(batch, &tweaks);
            cipher(batch);
            xor(batch, &tweaks);
            let passed = units.step.wrapping_mul(count as u64);
            units.first = units.first.wrapping_add(passed);
        }
    }

    /// The tweaks of as many units as there are blocks for.
    fn tweaks(&self, units: Units, tweaks: &mut [Block]) {
        let of_units = tweaks.chunks_exact_mut(units.len / BLOCK);
        let mut firsts = [Block::default(); UNITS];
        let firsts = &mut firsts[..of_units.len()];
        for (index, first) in (0_u64..).zip(firsts.iter_mut()) {
            let number = units.first.wrapping_add(units.step.wrapping_mul(index));
            first.0 = u128::from(number).to_le_bytes();
        }
        self.tweak.encrypt_blocks(firsts);
        for (first, blocks) in firsts.iter().zip(of_units) {
            let mut tweak = u128::from_le_bytes(first.0);
            for block in blocks {
                block.0 = tweak.to_le_bytes();
                tweak = times_alpha(tweak);
            }
        }
    }
}

/// The product with the primitive element of GF(2^128) (section 5.2).
const fn times_alpha(tweak: u128) -> u128 {
    let carry = (tweak.cast_signed() >> 127).cast_unsigned();
    (tweak << 1) ^ (carry & 0x87)
}

fn xor(blocks: &mut [Block], tweaks: &[Block]) {
    for (block, tweak) in blocks.iter_mut().zip(tweaks) {
        let sum = u128::from_le_bytes(block.0) ^ u128::from_le_bytes(tweak.0);
        block.0 = sum.to_le_bytes();
    }
}

#[cfg(test)]
mod tests;
