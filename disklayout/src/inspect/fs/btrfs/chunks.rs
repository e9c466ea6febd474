//! Where addresses are on the device: each chunk of them has a place for each of its copies.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::inspect::fs::btrfs::format::{Chunk as RawChunk, DiskKey, Stripe, SuperBlock};
use crate::inspect::fs::btrfs::superblock::PLACE;

/// Profiles that spread data, or copies of it, over devices, by the bits that tell them. Without any of
/// these every copy is on one device, in one piece.
const SPREAD: &[(u64, &str)] = &[
    (1 << 3, "RAID0"),
    (1 << 6, "RAID10"),
    (1 << 7, "RAID5"),
    (1 << 8, "RAID6"),
    (1 << 9, "RAID1C3"),
    (1 << 10, "RAID1C4"),
];

/// How many copies are read of what there is more than once: no profile has more on one device.
const COPIES: usize = 2;

/// Addresses that follow each other, and where they are.
#[derive(Clone, Debug)]
struct Chunk {
    logical: u64,
    len: u64,
    copies: Vec<u64>,
}

/// All chunks that are known, by their addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunks(Vec<Chunk>);

impl Chunks {
    /// Those that the superblock has a list of, in which is what tells of all others.
    pub(super) fn of_system(raw: &SuperBlock) -> Result<Self> {
        let wrong = || Error::corrupt(PLACE, "its list of chunks is none");
        let len = raw.sys_chunk_array_size.get() as usize;
        let mut rest = raw.sys_chunk_array.get(..len).ok_or_else(wrong)?;
        let mut found = Vec::new();
        while !rest.is_empty() {
            let (key, behind) = DiskKey::read_from_prefix(rest).map_err(|_| wrong())?;
            let len = item_len(behind).ok_or_else(wrong)?;
            let (item, behind) = behind.split_at_checked(len).ok_or_else(wrong)?;
            found.push((key.offset.get(), item));
            rest = behind;
        }
        found.sort_by_key(|(logical, _)| *logical);
        let mut chunks = Self::default();
        for (logical, item) in found {
            chunks.add(raw, logical, item)?;
        }
        Ok(chunks)
    }

    /// Adds a chunk, which has to lie behind all others.
    pub(super) fn add(&mut self, raw: &SuperBlock, logical: u64, item: &[u8]) -> Result<()> {
        let place = format!("chunk at {logical}");
        let wrong = |message: String| Error::corrupt(&*place, message);
        let (head, stripes) =
            RawChunk::read_from_prefix(item).map_err(|_| wrong("it is none".to_owned()))?;
        let kind = head.kind.get();
        if let Some((_, name)) = SPREAD.iter().find(|(bit, _)| kind & bit != 0) {
            return Err(Error::unsupported(
                place,
                format!("it has the profile {name}"),
            ));
        }
        let len = head.length.get();
        let end = logical.checked_add(len).filter(|_| len > 0);
        let last = self.0.last().map_or(0, |last| last.logical + last.len);
        if end.is_none() || logical < last {
            return Err(wrong(format!("{len} bytes of it overlap another one")));
        }
        let count = usize::from(head.num_stripes.get());
        let stripes = stripes.chunks_exact(size_of::<Stripe>()).take(count);
        let stripes = stripes.filter_map(|stripe| Stripe::read_from_bytes(stripe).ok());
        let here = stripes.filter(|stripe| stripe.devid == raw.dev_item_devid);
        let copies = here.map(|stripe| stripe.offset.get());
        let copies: Vec<_> = copies.take(COPIES).collect();
        if copies.is_empty() || copies.iter().any(|at| at.checked_add(len).is_none()) {
            return Err(wrong("it is on no device".to_owned()));
        }
        self.0.push(Chunk {
            logical,
            len,
            copies,
        });
        Ok(())
    }

    /// Where `len` bytes are that have addresses from `logical` on: one place for each copy.
    pub(super) fn places(
        &self,
        place: &str,
        logical: u64,
        len: u64,
    ) -> Result<impl Iterator<Item = u64>> {
        let index = self.0.partition_point(|chunk| chunk.logical <= logical);
        let chunk = index.checked_sub(1).and_then(|index| self.0.get(index));
        let within = chunk.map(|chunk| (chunk, logical - chunk.logical));
        let within = within
            .filter(|(chunk, within)| within.checked_add(len).is_some_and(|end| end <= chunk.len));
        let Some((chunk, within)) = within else {
            let message = format!("no chunk has its {len} bytes at {logical}");
            return Err(Error::corrupt(place, message));
        };
        Ok(chunk.copies.iter().map(move |at| at + within))
    }

    /// The first of these places.
    pub(super) fn place(&self, place: &str, logical: u64, len: u64) -> Result<u64> {
        let mut places = self.places(place, logical, len)?;
        let first = places.next();
        first.ok_or_else(|| Error::corrupt(place, "it is nowhere"))
    }
}

/// How long an item is that begins with a chunk.
fn item_len(bytes: &[u8]) -> Option<usize> {
    let (head, _) = RawChunk::read_from_prefix(bytes).ok()?;
    let stripes = usize::from(head.num_stripes.get()) * size_of::<Stripe>();
    Some(size_of::<RawChunk>() + stripes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::{FromZeros, IntoBytes};

    fn item(len: u64, kind: u64, copies: &[(u64, u64)]) -> Vec<u8> {
        let mut chunk = RawChunk::new_zeroed();
        chunk.length = len.into();
        chunk.kind = kind.into();
        chunk.num_stripes = u16::try_from(copies.len()).unwrap().into();
        let mut bytes = chunk.as_bytes().to_vec();
        for (device, offset) in copies {
            let mut stripe = Stripe::new_zeroed();
            stripe.devid = (*device).into();
            stripe.offset = (*offset).into();
            bytes.extend(stripe.as_bytes());
        }
        bytes
    }

    #[test]
    fn addresses_and_their_copies() {
        let mut raw = SuperBlock::new_zeroed();
        raw.dev_item_devid = 1.into();
        let mut chunks = Chunks::default();
        let mut add = |logical: u64, item: &[u8]| chunks.add(&raw, logical, item).is_ok();
        assert!(add(100, &item(50, 1, &[(1, 1000)])));
        assert!(add(200, &item(50, 1 << 5, &[(1, 2000), (1, 3000)])));
        assert!(add(300, &item(50, 1 << 4, &[(2, 7), (1, 4000)])));
        for (logical, wrong) in [
            (340, item(50, 1, &[(1, 0)])),
            (400, item(50, 1 << 3, &[(1, 0)])),
            (400, item(50, 1, &[(2, 0)])),
            (400, item(0, 1, &[(1, 0)])),
            (400, item(u64::MAX, 1, &[(1, 0)])),
            (400, item(50, 1, &[])),
        ] {
            assert!(!add(logical, &wrong), "{logical}");
        }
        for (logical, len, expected) in [
            (100, 50, &[1000][..]),
            (149, 1, &[1049]),
            (149, 2, &[]),
            (99, 1, &[]),
            (150, 1, &[]),
            (210, 10, &[2010, 3010]),
            (349, 1, &[4049]),
            (349, u64::MAX, &[]),
        ] {
            let places = chunks.places("x", logical, len);
            let places: Vec<_> = places.into_iter().flatten().collect();
            assert_eq!(places, expected, "{logical} {len}");
        }
    }
}
