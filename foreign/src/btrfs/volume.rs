//! A filesystem: its chunks, and the nodes of its trees.

use std::collections::BTreeSet;
use std::ops::Range;

use disklayout::disk::Disk;
use disklayout::{Error, Result};
use sha2::{Digest, Sha256};
use zerocopy::{FromBytes, IntoBytes};

use super::format::{
    BLOCK_GROUP_DATA, BLOCK_GROUP_DUP, BLOCK_GROUP_PROFILES, CHUNK_ITEM_KEY, CSUM_SIZE,
    CSUM_TYPE_CRC32, CSUM_TYPE_SHA256, Chunk, Header, Item, Key, KeyPtr, MAGIC, ROOT_ITEM_KEY,
    RootItem, SUPER_OFFSETS, SUPER_SIZE, SYS_CHUNK_ARRAY, Stripe, SuperBlock,
};

/// Where mkfs.btrfs begins, before there are chunks.
const TEMPORARY: Range<u64> = 1 << 20..64 << 20;

/// The smallest unit of space.
const SECTOR: u64 = 4096;

/// Where a filesystem's nodes are.
#[derive(Debug)]
pub(super) struct Volume<'a> {
    disk: &'a dyn Disk,
    pub sb: SuperBlock,
    chunks: Vec<Mapped>,
}

#[derive(Debug)]
struct Mapped {
    logical: u64,
    len: u64,
    kind: u64,
    physical: Vec<u64>,
}

impl<'a> Volume<'a> {
    /// # Errors
    /// `Corrupt` when there is no filesystem, `Unsupported` when it has other checksums or several
    /// devices, `Io`.
    pub(super) fn open(disk: &'a dyn Disk) -> Result<Self> {
        let mut bytes = [0; SUPER_SIZE];
        read(disk, &mut bytes, SUPER_OFFSETS[0])?;
        let (sb, _) = SuperBlock::read_from_prefix(&bytes).expect("it fits");
        if sb.magic != MAGIC || !sb.nodesize.get().is_power_of_two() || sb.nodesize.get() > 65_536 {
            return Err(corrupt("has no superblock"));
        }
        if ![CSUM_TYPE_CRC32, CSUM_TYPE_SHA256].contains(&sb.csum_type.get())
            || sb.num_devices.get() != 1
        {
            let message = "has unknown checksums, or several devices";
            return Err(Error::unsupported("the Btrfs filesystem", message));
        }
        check_copies(disk, &bytes)?;
        let mut volume = Self {
            disk,
            sb,
            chunks: Vec::new(),
        };
        let len = sb.sys_chunk_array_size.get() as usize;
        let array = bytes.get(SYS_CHUNK_ARRAY..SYS_CHUNK_ARRAY + len);
        let mut array = array.ok_or_else(|| corrupt("has a broken superblock"))?;
        while let Ok((key, rest)) = Key::read_from_prefix(array) {
            let len = volume.add_chunk(&key, rest)?;
            array = &rest[len..];
        }
        let mut found = Vec::new();
        let mut root = vec![sb.chunk_root.get()];
        volume.walk(&mut root, &mut |_, bytes| {
            for item in items(bytes)? {
                if item.key.kind == CHUNK_ITEM_KEY {
                    found.push((item.key, data(bytes, &item)?.to_vec()));
                }
            }
            Ok(())
        })?;
        volume.chunks.clear();
        for (key, bytes) in found {
            volume.add_chunk(&key, &bytes)?;
        }
        Ok(volume)
    }

    fn add_chunk(&mut self, key: &Key, bytes: &[u8]) -> Result<usize> {
        let broken = |_| corrupt("has a broken chunk");
        let (chunk, rest) = Chunk::read_from_prefix(bytes).map_err(broken)?;
        let count = usize::from(chunk.num_stripes.get());
        let (stripes, _) = <[Stripe]>::ref_from_prefix_with_elems(rest, count)
            .map_err(|_| corrupt("has a broken chunk"))?;
        if chunk.kind.get() & BLOCK_GROUP_PROFILES & !BLOCK_GROUP_DUP != 0 {
            return Err(Error::unsupported(
                "the Btrfs filesystem",
                "has chunks in stripes",
            ));
        }
        self.chunks.push(Mapped {
            logical: key.offset.get(),
            len: chunk.length.get(),
            kind: chunk.kind.get(),
            physical: stripes.iter().map(|stripe| stripe.offset.get()).collect(),
        });
        Ok(size_of::<Chunk>() + count * size_of::<Stripe>())
    }

    /// All places of the byte at a logical address.
    fn places(&self, logical: u64) -> Result<Vec<u64>> {
        let mut chunks = self.chunks.iter();
        let chunk =
            chunks.find(|chunk| (chunk.logical..chunk.logical + chunk.len).contains(&logical));
        let chunk = chunk.ok_or_else(|| corrupt(format!("has no chunk for address {logical}")))?;
        Ok(chunk
            .physical
            .iter()
            .map(|start| start + (logical - chunk.logical))
            .collect())
    }

    /// The tops of all trees.
    pub(super) fn roots(&self) -> Result<Vec<u64>> {
        let mut roots = vec![self.sb.root.get(), self.sb.chunk_root.get()];
        let mut root = vec![self.sb.root.get()];
        self.walk(&mut root, &mut |_, bytes| {
            for item in items(bytes)?
                .into_iter()
                .filter(|item| item.key.kind == ROOT_ITEM_KEY)
            {
                let (root, _) = RootItem::read_from_prefix(data(bytes, &item)?)
                    .map_err(|_| corrupt("has a broken root"))?;
                roots.push(root.bytenr.get());
            }
            Ok(())
        })?;
        Ok(roots)
    }

    /// Shows every node of the trees whose tops are `pending` to `visit`: its address and bytes.
    pub(super) fn walk(
        &self,
        pending: &mut Vec<u64>,
        visit: &mut dyn FnMut(u64, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        while let Some(address) = pending.pop() {
            let mut bytes = self.node(address)?;
            let header = header(&bytes);
            if header.level > 0 {
                let count = header.nritems.get() as usize;
                let rest = &bytes[size_of::<Header>()..];
                let (pointers, _) = <[KeyPtr]>::ref_from_prefix_with_elems(rest, count)
                    .map_err(|_| corrupt("has a broken node"))?;
                pending.extend(pointers.iter().rev().map(|pointer| pointer.blockptr.get()));
            }
            visit(address, &mut bytes)?;
        }
        Ok(())
    }

    /// The node at a logical address, which is the same in all its places.
    fn node(&self, address: u64) -> Result<Vec<u8>> {
        let mut node: Option<Vec<u8>> = None;
        for place in self.places(address)? {
            let mut bytes = vec![0; self.sb.nodesize.get() as usize];
            read(self.disk, &mut bytes, place)?;
            let mut summed = bytes.clone();
            self.set_checksum(&mut summed);
            let header = header(&bytes);
            let is_here = header.fsid == self.sb.fsid && header.bytenr.get() == address;
            let is_same = node.as_ref().is_none_or(|node| *node == bytes);
            if !is_here || !is_same || summed != bytes {
                return Err(corrupt(format!("has no whole node at address {address}")));
            }
            node = Some(bytes);
        }
        node.ok_or_else(|| corrupt(format!("has no place for address {address}")))
    }

    /// Writes a node, with its checksum, to all its places.
    pub(super) fn write_node(&self, address: u64, bytes: &mut [u8]) -> Result<()> {
        self.set_checksum(bytes);
        for place in self.places(address)? {
            self.write(bytes, place)?;
        }
        Ok(())
    }

    /// Writes all superblocks: `change` is shown each of them.
    pub(super) fn write_supers(&self, change: impl Fn(&mut [u8])) -> Result<()> {
        for offset in SUPER_OFFSETS {
            let mut bytes = [0; SUPER_SIZE];
            if offset + SUPER_SIZE as u64 > self.disk.len() {
                continue;
            }
            read(self.disk, &mut bytes, offset)?;
            let (sb, _) = SuperBlock::read_from_prefix(&bytes).expect("it fits");
            if sb.magic == MAGIC && sb.bytenr.get() == offset {
                change(&mut bytes);
                self.set_checksum(&mut bytes);
                self.write(&bytes, offset)?;
            }
        }
        Ok(())
    }

    fn set_checksum(&self, bytes: &mut [u8]) {
        let (sum, rest) = bytes.split_at_mut(CSUM_SIZE);
        sum.fill(0);
        match self.sb.csum_type.get() {
            CSUM_TYPE_CRC32 => sum[..4].copy_from_slice(&crc32c::crc32c(rest).to_le_bytes()),
            _ => sum.copy_from_slice(&Sha256::digest(rest)),
        }
    }

    /// Clears nodes that no tree has any more: what mkfs.btrfs wrote first and then replaced.
    /// `used` are the addresses of those that stay.
    pub(super) fn clear_unused(&self, used: &BTreeSet<u64>) -> Result<()> {
        let mut kept = BTreeSet::new();
        for address in used {
            kept.extend(self.places(*address)?);
        }
        let node = u64::from(self.sb.nodesize.get());
        let mut ranges = vec![(TEMPORARY.start..TEMPORARY.end.min(self.disk.len()), SECTOR)];
        for chunk in self
            .chunks
            .iter()
            .filter(|chunk| chunk.kind != BLOCK_GROUP_DATA)
        {
            ranges.extend(
                chunk
                    .physical
                    .iter()
                    .map(|start| (*start..start + chunk.len, node)),
            );
        }
        for (range, step) in ranges {
            let mut at = range.start;
            while at + node <= range.end {
                let is_kept = kept
                    .range(..=at)
                    .next_back()
                    .is_some_and(|start| at < start + node);
                if !is_kept && self.is_node(at)? {
                    self.write(&vec![0; node as usize], at)?;
                }
                at += step;
            }
        }
        Ok(())
    }

    fn is_node(&self, offset: u64) -> Result<bool> {
        let mut bytes = [0; size_of::<Header>()];
        read(self.disk, &mut bytes, offset)?;
        let header = header(&bytes);
        // Data may look like anything, but its address isn't in it.
        let is_here = self
            .places(header.bytenr.get())
            .is_ok_and(|places| places.contains(&offset));
        let is_temporary = TEMPORARY.contains(&offset) && header.bytenr.get() == offset;
        Ok(header.fsid == self.sb.fsid && (is_here || is_temporary))
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let written = self.disk.write_at(bytes, offset);
        written.map_err(|error| Error::io("the Btrfs filesystem", "can't write to it", error))
    }
}

/// Makes sure that all superblocks are of the same state: they differ in their places only. `first` is
/// the first one.
fn check_copies(disk: &dyn Disk, first: &[u8; SUPER_SIZE]) -> Result<()> {
    let without_place = |bytes: &[u8; SUPER_SIZE]| {
        let mut bytes = *bytes;
        let (sb, _) = SuperBlock::mut_from_prefix(&mut bytes).expect("it fits");
        sb.bytenr = 0.into();
        bytes[..CSUM_SIZE].fill(0);
        bytes
    };
    for offset in &SUPER_OFFSETS[1..] {
        let mut copy = [0; SUPER_SIZE];
        if offset + SUPER_SIZE as u64 > disk.len() {
            continue;
        }
        read(disk, &mut copy, *offset)?;
        if without_place(&copy) != without_place(first) {
            return Err(corrupt(format!("has another superblock at byte {offset}")));
        }
    }
    Ok(())
}

/// The start of a node.
pub(super) fn header(bytes: &[u8]) -> Header {
    let (header, _) = Header::read_from_prefix(bytes).expect("a node holds its header");
    header
}

/// The items of a leaf; none of an inner node.
pub(super) fn items(bytes: &[u8]) -> Result<Vec<Item>> {
    let header = header(bytes);
    if header.level > 0 {
        return Ok(Vec::new());
    }
    let rest = &bytes[size_of::<Header>()..];
    let found = <[Item]>::ref_from_prefix_with_elems(rest, header.nritems.get() as usize);
    let (items, _) = found.map_err(|_| corrupt("has a broken leaf"))?;
    Ok(items.to_vec())
}

/// Where the data of an item is in its leaf.
pub(super) fn range(item: &Item) -> Range<usize> {
    let start = size_of::<Header>() + item.offset.get() as usize;
    start..start + item.size.get() as usize
}

pub(super) fn data<'a>(bytes: &'a [u8], item: &Item) -> Result<&'a [u8]> {
    bytes
        .get(range(item))
        .ok_or_else(|| corrupt("has a broken leaf"))
}

pub(super) fn data_mut<'a>(bytes: &'a mut [u8], item: &Item) -> Result<&'a mut [u8]> {
    bytes
        .get_mut(range(item))
        .ok_or_else(|| corrupt("has a broken leaf"))
}

pub(super) fn corrupt(what: impl Into<String>) -> Error {
    Error::corrupt("the Btrfs filesystem", what)
}

fn read(disk: &dyn Disk, bytes: &mut [u8], offset: u64) -> Result<()> {
    let read = disk.read_at(bytes, offset);
    read.map_err(|error| Error::io("the Btrfs filesystem", "can't read it", error))
}

/// The item's structure at the start of its data.
pub(super) fn field<T: FromBytes + IntoBytes + zerocopy::KnownLayout + zerocopy::Unaligned>(
    bytes: &mut [u8],
) -> Result<&mut T> {
    let (field, _) =
        T::mut_from_prefix(bytes).map_err(|_| corrupt("has an item that is too short"))?;
    Ok(field)
}
