//! Reads images back: versions 2 and 3, compressed clusters and subclusters among them.

use std::io::{self, Read as _};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::{Decompress, FlushDecompress, Status};
use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::read::{Find, Held, Read, Stretch, damaged};
use crate::disk::Disk;

/// Reference counts and snapshots aren't needed for reading, nor what a guest left dirty: that is the
/// counts alone.
const READABLE: u64 = INCOMPAT_DIRTY | INCOMPAT_COMPRESSION | INCOMPAT_EXTENDED_L2;

/// Subclusters of a cluster.
const SUBCLUSTERS: u64 = 32;

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let mut header = Header::new_zeroed();
    let len = file.len().min(size_of::<Header>() as u64) as usize;
    file.read_at(&mut header.as_mut_bytes()[..len], 0)?;
    if header.magic != MAGIC {
        return Ok(None);
    }
    if len < HEADER_2_LEN {
        return Err(damaged("the qcow2 image ends within its header"));
    }
    let tables = Tables::of(file, &header)?;
    Ok(Some(Box::new(Read::new(file, header.size.get(), tables))))
}

/// Where clusters are.
#[derive(Debug)]
struct Tables {
    cluster_bits: u32,
    is_extended: bool,
    is_zstd: bool,
    /// Where the places of L2 tables are, which are read when they are needed.
    l1: u64,
    /// The L2 table that was used last, and where it is.
    last: Mutex<Option<(u64, Arc<[u8]>)>>,
}

impl Tables {
    fn of(file: &dyn Disk, header: &Header) -> io::Result<Self> {
        let incompatible = match header.version.get() {
            2 => 0,
            3 => header.incompatible_features.get(),
            other => return Err(unsupported(format!("it is version {other} of qcow2"))),
        };
        refuse(header, incompatible)?;
        let cluster_bits = header.cluster_bits.get();
        if !CLUSTER_BITS.contains(&cluster_bits) {
            let message = format!("clusters of the qcow2 image have 2^{cluster_bits} bytes");
            return Err(damaged(message));
        }
        let is_long = header.header_length.get() as usize > HEADER_3_LEN;
        let has_kind = incompatible & INCOMPAT_COMPRESSION != 0 && is_long;
        let tables = Self {
            cluster_bits,
            is_extended: incompatible & INCOMPAT_EXTENDED_L2 != 0,
            is_zstd: match (has_kind, header.compression_type) {
                (true, COMPRESSION_ZSTD) => true,
                (false, _) | (true, COMPRESSION_DEFLATE) => false,
                (true, other) => {
                    return Err(unsupported(format!("it is compressed by method {other}")));
                }
            },
            l1: header.l1_table_offset.get(),
            last: Mutex::new(None),
        };
        tables.check_l1(file, header)?;
        Ok(tables)
    }

    fn check_l1(&self, file: &dyn Disk, header: &Header) -> io::Result<()> {
        let (size, entries) = (header.size.get(), u64::from(header.l1_size.get()));
        let needed = size.div_ceil(self.cluster()).div_ceil(self.l2_entries());
        if entries < needed {
            let message = format!(
                "the L1 table of the qcow2 image has {entries} entries, too few for {size} bytes"
            );
            return Err(damaged(message));
        }
        match self.l1.checked_add(needed * 8) {
            Some(end) if end <= file.len() => Ok(()),
            _ => Err(damaged(
                "the L1 table of the qcow2 image is outside of the file",
            )),
        }
    }

    const fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }

    const fn entry_len(&self) -> u64 {
        if self.is_extended { 16 } else { 8 }
    }

    const fn l2_entries(&self) -> u64 {
        self.cluster() / self.entry_len()
    }

    /// The L2 table with this number, if it is there.
    fn table(&self, file: &dyn Disk, number: u64) -> io::Result<Option<Arc<[u8]>>> {
        let mut entry = [0; 8];
        file.read_at(&mut entry, self.l1 + number * 8)?;
        let offset = u64::from_be_bytes(entry) & OFFSET;
        if offset == 0 {
            return Ok(None);
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((place, table)) = &*last
            && *place == offset
        {
            return Ok(Some(table.clone()));
        }
        let mut bytes = vec![0; self.cluster() as usize];
        file.read_at(&mut bytes, offset)
            .map_err(|_| damaged(format!("an L2 table at {offset} is outside of the file")))?;
        let table: Arc<[u8]> = bytes.into();
        *last = Some((offset, table.clone()));
        Ok(Some(table))
    }

    /// The two halves of a cluster's entry; the second is zero where entries have one.
    fn entry(&self, file: &dyn Disk, cluster: u64) -> io::Result<(u64, u64)> {
        let number = cluster / self.l2_entries();
        let Some(table) = self.table(file, number)? else {
            return Ok((0, 0));
        };
        let at = (cluster % self.l2_entries() * self.entry_len()) as usize;
        let word = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&table[at..at + 8]);
            u64::from_be_bytes(bytes)
        };
        Ok((word(at), if self.is_extended { word(at + 8) } else { 0 }))
    }

    /// One subcluster of a cluster with subclusters.
    fn subcluster(&self, cluster: u64, offset: u64, (entry, bits): (u64, u64)) -> Stretch {
        let len = self.cluster() / SUBCLUSTERS;
        let within = offset - cluster * self.cluster();
        let number = within / len;
        let start = cluster * self.cluster() + number * len;
        let is_there = bits >> number & 1 != 0 && bits >> (SUBCLUSTERS + number) & 1 == 0;
        let place = (entry & OFFSET) + number * len;
        Stretch {
            range: start..start + len,
            held: if is_there {
                Held::At(place)
            } else {
                Held::Nothing
            },
        }
    }
}

impl Find for Tables {
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let cluster = offset >> self.cluster_bits;
        let start = cluster << self.cluster_bits;
        let (entry, bits) = self.entry(file, cluster)?;
        let held = match entry {
            packed if packed & COMPRESSED != 0 => Held::Packed,
            _ if self.is_extended => return Ok(self.subcluster(cluster, offset, (entry, bits))),
            plain if plain & OFFSET != 0 && plain & ZERO == 0 => Held::At(plain & OFFSET),
            _ => Held::Nothing,
        };
        Ok(Stretch {
            range: start..start.saturating_add(self.cluster()),
            held,
        })
    }

    fn unpack(&self, file: &dyn Disk, stretch: &Range<u64>) -> io::Result<Vec<u8>> {
        let (entry, _) = self.entry(file, stretch.start >> self.cluster_bits)?;
        let bits = compressed_offset_bits(self.cluster_bits);
        let offset = entry & ((1 << bits) - 1);
        let sectors = (entry & !(COPIED | COMPRESSED)) >> bits;
        let end = (offset / SECTOR + sectors + 1) * SECTOR;
        // The last sector may be cut short by the end of the file.
        let len = end.min(file.len()).saturating_sub(offset);
        let mut packed = vec![0; len as usize];
        file.read_at(&mut packed, offset)?;
        let unpacked = match self.is_zstd {
            true => unzstd(&packed, self.cluster() as usize),
            false => inflate(&packed, self.cluster() as usize),
        };
        unpacked.ok_or_else(|| {
            damaged(format!(
                "the cluster at {} can't be unpacked",
                stretch.start
            ))
        })
    }
}

/// Unpacks exactly `len` bytes; what comes behind belongs to others.
fn inflate(packed: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len);
    let mut state = Decompress::new(false);
    let status = state.decompress_vec(packed, &mut bytes, FlushDecompress::Finish);
    let is_done = matches!(
        status,
        Ok(Status::StreamEnd | Status::Ok | Status::BufError)
    );
    (is_done && bytes.len() == len).then_some(bytes)
}

fn unzstd(packed: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)
        .ok()?
        .single_frame();
    decoder.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// Refuses what isn't in the file itself, and what nobody knows how to read.
fn refuse(header: &Header, incompatible: u64) -> io::Result<()> {
    let reason = if header.backing_file_offset.get() != 0 {
        "has another file behind it: merge them first with 'qemu-img convert'"
    } else if incompatible & INCOMPAT_EXTERNAL_DATA != 0 {
        "has its data in another file: put them together first with 'qemu-img convert'"
    } else if header.crypt_method.get() != 0 {
        "is encrypted"
    } else if incompatible & INCOMPAT_CORRUPT != 0 {
        "is marked as corrupt: repair it first with 'qemu-img check -r all'"
    } else if incompatible & !READABLE != 0 {
        "has features that aren't known"
    } else {
        return Ok(());
    };
    Err(unsupported(format!("it {reason}")))
}

fn unsupported(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message)
}
