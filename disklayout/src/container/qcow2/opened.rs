//! What the header of an image that exists says, and whether that can be read.

use std::io;

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::read::{damaged, unsupported};
use crate::disk::Disk;

/// Reference counts and snapshots aren't needed for reading, nor is what a guest left dirty: that is
/// the counts alone.
const READABLE: u64 = INCOMPAT_DIRTY | INCOMPAT_COMPRESSION | INCOMPAT_EXTENDED_L2;

/// Bytes of the longest name of a backing file.
const NAME_MAX: u32 = 1023;

/// An image as its header describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    /// The disk's size in bytes.
    pub size: u64,
    pub cluster_bits: u32,
    /// Whether it is version 2, not 3.
    pub is_old: bool,
    /// Whether clusters have subclusters.
    pub is_extended: bool,
    /// Whether clusters that are compressed are so by zstd, not deflate.
    pub is_zstd: bool,
    /// Where the L1 table is.
    pub l1: u64,
}

impl Opened {
    /// The image in `file`; `None` where that doesn't look like one.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the header is damaged, [`io::ErrorKind::Unsupported`] when
    /// it asks for what isn't read, else what the file says.
    pub(super) fn of(file: &dyn Disk) -> io::Result<Option<Self>> {
        let mut header = Header::new_zeroed();
        let len = file.len().min(size_of::<Header>() as u64) as usize;
        file.read_at(&mut header.as_mut_bytes()[..len], 0)?;
        if header.magic != MAGIC {
            return Ok(None);
        }
        let is_old = match header.version.get() {
            2 => true,
            3 => false,
            other => {
                return Err(unsupported(format!(
                    "version {other} isn't known, 2 and 3 are"
                )));
            }
        };
        let needed = if is_old { HEADER_2_LEN } else { HEADER_3_LEN };
        if len < needed {
            return Err(damaged(format!("the header ends after {len} bytes")));
        }
        if is_old {
            // What is behind the header of version 2 is none of it.
            header.as_mut_bytes()[HEADER_2_LEN..].fill(0);
        }
        refuse(file, &header)?;
        let incompatible = header.incompatible_features.get();
        let opened = Self {
            size: header.size.get(),
            cluster_bits: header.cluster_bits.get(),
            is_old,
            is_extended: incompatible & INCOMPAT_EXTENDED_L2 != 0,
            is_zstd: is_zstd(&header, is_old)?,
            l1: header.l1_table_offset.get(),
        };
        opened.check_clusters()?;
        opened.check_l1(file, header.l1_size.get().into())?;
        Ok(Some(opened))
    }

    fn check_clusters(&self) -> io::Result<()> {
        let bits = self.cluster_bits;
        if !CLUSTER_BITS.contains(&bits) {
            return Err(damaged(format!(
                "clusters have 2^{bits} bytes, no 2^9 to 2^21"
            )));
        }
        if self.is_extended && bits < EXTENDED_CLUSTER_BITS {
            return Err(damaged(format!(
                "clusters of 2^{bits} bytes have subclusters, which takes 2^14 at least"
            )));
        }
        Ok(())
    }

    /// Makes sure that the L1 table is in the file, no larger than QEMU reads, and as long as the disk
    /// needs it: so no number of a cluster overflows later.
    fn check_l1(&self, file: &dyn Disk, entries: u64) -> io::Result<()> {
        if entries * 8 > L1_MAX {
            return Err(damaged(format!(
                "the L1 table has {entries} entries, more than the {} that QEMU reads",
                L1_MAX / 8
            )));
        }
        if entries < self.l1_entries() {
            return Err(damaged(format!(
                "the L1 table has {entries} entries, too few for a disk of {} bytes",
                self.size
            )));
        }
        let l1 = self.l1;
        if !l1.is_multiple_of(self.cluster()) {
            return Err(damaged(format!(
                "the L1 table is at {l1}, which is no multiple of a cluster"
            )));
        }
        match l1.checked_add(self.l1_entries() * 8) {
            Some(end) if end <= file.len() => Ok(()),
            _ => Err(damaged(format!(
                "the L1 table at {l1} is outside of the file"
            ))),
        }
    }

    /// Bytes of a cluster.
    pub(super) const fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// Bytes of an entry of an L2 table.
    pub(super) const fn entry_len(&self) -> u64 {
        if self.is_extended { 16 } else { 8 }
    }

    /// Entries of an L2 table.
    pub(super) const fn l2_entries(&self) -> u64 {
        self.cluster() / self.entry_len()
    }

    /// Entries of the L1 table that the disk needs.
    pub(super) const fn l1_entries(&self) -> u64 {
        let clusters = self.size.div_ceil(self.cluster());
        clusters.div_ceil(self.l2_entries())
    }

    /// In how many parts a cluster is there or isn't.
    pub(super) const fn parts(&self) -> u64 {
        if self.is_extended { SUBCLUSTERS } else { 1 }
    }
}

/// How clusters are compressed. A header too short to tell it, and one that doesn't say that it does,
/// mean deflate.
fn is_zstd(header: &Header, is_old: bool) -> io::Result<bool> {
    let len = header.header_length.get() as usize;
    if !is_old && len < HEADER_3_LEN {
        return Err(damaged(format!(
            "the header says that it has {len} bytes, fewer than {HEADER_3_LEN}"
        )));
    }
    let kind = match len > HEADER_3_LEN {
        true => header.compression_type,
        false => COMPRESSION_DEFLATE,
    };
    let is_said = header.incompatible_features.get() & INCOMPAT_COMPRESSION != 0;
    match (is_said, kind) {
        (false, COMPRESSION_DEFLATE) => Ok(false),
        (true, COMPRESSION_ZSTD) => Ok(true),
        (true, COMPRESSION_DEFLATE) | (false, _) => Err(damaged(format!(
            "the bit for another compression than zlib doesn't go with compression type {kind}"
        ))),
        (true, other) => Err(unsupported(format!(
            "compression type {other} isn't known, zlib and zstd are"
        ))),
    }
}

/// Refuses what isn't in the file itself, and what nobody knows how to read.
fn refuse(file: &dyn Disk, header: &Header) -> io::Result<()> {
    let incompatible = header.incompatible_features.get();
    let unknown = incompatible & !(READABLE | INCOMPAT_CORRUPT | INCOMPAT_EXTERNAL_DATA);
    let reason = if header.backing_file_offset.get() != 0 {
        let name = backing_file(file, header);
        format!("it has a backing file{name}: merge them first with 'qemu-img convert'")
    } else if incompatible & INCOMPAT_EXTERNAL_DATA != 0 {
        "it has its data in another file: put them together first with 'qemu-img convert'".into()
    } else if header.crypt_method.get() != 0 {
        "it is encrypted: decrypt it first with 'qemu-img convert'".into()
    } else if incompatible & INCOMPAT_CORRUPT != 0 {
        "it is marked as corrupt: repair it first with 'qemu-img check -r all'".into()
    } else if unknown != 0 {
        format!("it has incompatible features that aren't known, {unknown:#x}")
    } else {
        return Ok(());
    };
    Err(unsupported(reason))
}

/// The name of the backing file behind a comma, if it can be read.
fn backing_file(file: &dyn Disk, header: &Header) -> String {
    let len = header.backing_file_size.get().min(NAME_MAX) as usize;
    let mut name = vec![0; len];
    match file.read_at(&mut name, header.backing_file_offset.get()) {
        Ok(()) if len > 0 => format!(", '{}'", name.escape_ascii()),
        _ => String::new(),
    }
}
