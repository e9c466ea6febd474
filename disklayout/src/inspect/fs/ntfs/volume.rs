//! The boot sector, the master file table and what the volume says of itself.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::ntfs::format::{AT_DATA, AT_STANDARD_INFORMATION, BootSector, RECORD_MFT, Times};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::facts::{Facts, State};
use crate::inspect::fs::ntfs::Ntfs;
use crate::inspect::fs::ntfs::attributes::{Value, units};
use crate::inspect::fs::ntfs::file::time;
use crate::inspect::fs::ntfs::record::Record;

const PLACE: &str = "boot sector";
const RECORD_LOG_FILE: u64 = 2;
const RECORD_VOLUME: u64 = 3;
const RECORD_BITMAP: u64 = 6;
const AT_VOLUME_NAME: u32 = 0x60;
const AT_VOLUME_INFORMATION: u32 = 0x70;
const AT_BITMAP: u32 = 0xB0;
const VOLUME_IS_DIRTY: u16 = 1;

/// How much of a bitmap is read at once.
const WINDOW: u64 = 64 << 10;

/// Sizes, in bytes where nothing else is said.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) cluster: u64,
    pub(super) record_size: usize,
    size: u64,
    clusters: u64,
    mft_lcn: u64,
    serial: u64,
}

impl Volume {
    /// Reads the boot sector in byte `at`.
    pub(super) fn read(area: &Area<'_>, at: u64) -> Result<Self> {
        let boot: BootSector = area.structure(PLACE, at)?;
        let fail = |message: String| Err(Error::corrupt(PLACE, message));
        let sector = u64::from(boot.bytes_per_sector.get());
        if !sector.is_power_of_two() || !(256..=4096).contains(&sector) {
            return fail(format!("sectors of {sector} bytes"));
        }
        let sectors = match boot.sectors_per_cluster {
            // The negative logarithm, for clusters beyond 64 KiB.
            large @ 0xF0.. => 1 << (large as i8).unsigned_abs(),
            count => u64::from(count),
        };
        let cluster = sectors * sector;
        if !cluster.is_power_of_two() || cluster > 2 << 20 {
            return fail(format!("clusters of {sectors} sectors"));
        }
        let record_size = match boot.clusters_per_mft_record {
            shift @ ..0 => 1_u64.checked_shl(shift.unsigned_abs().into()).unwrap_or(0),
            count => count.unsigned_abs() as u64 * cluster,
        };
        if !record_size.is_power_of_two() || !(512..=65536).contains(&record_size) {
            return fail(format!("records of {record_size} bytes"));
        }
        let size = boot.number_of_sectors.get().checked_mul(sector);
        let Some(size) = size else {
            return fail(format!("{} sectors", boot.number_of_sectors));
        };
        Ok(Self {
            cluster,
            record_size: record_size as usize,
            size,
            clusters: size / cluster,
            mft_lcn: boot.mft_lcn.get(),
            serial: boot.volume_serial_number.get(),
        })
    }

    /// What the boot sector tells.
    pub(super) fn facts(&self) -> Facts {
        Facts {
            uuid: Some(format!("{:016X}", self.serial)),
            size: Some(self.size),
            block_size: Some(self.cluster),
            blocks: Some(self.clusters),
            ..Facts::new("ntfs")
        }
    }
}

impl<'a> Ntfs<'a> {
    /// The master file table is a file of itself: its first record tells where the others are.
    pub(super) fn open(area: Area<'a>, volume: Volume) -> Result<Self> {
        let place = "record 0";
        let at = volume.mft_lcn.saturating_mul(volume.cluster);
        let bytes = area.bytes(place, at, volume.record_size)?;
        let mut first = Data::new(volume.record_size as u64);
        first.push(&area, place, (0, volume.record_size as u64, at))?;
        let mut ntfs = Self {
            area,
            volume,
            mft: first,
        };
        let record = Record::parse(RECORD_MFT, bytes)?;
        // What its own record tells of comes first: the others of its records are in it.
        let start = record.attributes()?.into_iter().find_map(|attribute| {
            let is_data = attribute.kind == AT_DATA && attribute.name.is_empty();
            is_data.then_some(attribute.value)
        });
        let Some(Value::Runs { runs, size, .. }) = start else {
            return Err(Error::corrupt(
                place,
                "it doesn't tell where the others are",
            ));
        };
        let mut mft = Data::new(size);
        ntfs.push(&mut mft, place, 0, &runs)?;
        ntfs.mft = mft;
        let file = ntfs.file(RECORD_MFT)?;
        ntfs.mft = file.data(&ntfs)?;
        Ok(ntfs)
    }

    /// Adds what the files of the volume tell of it.
    pub(super) fn tell(&self, facts: &mut Facts) {
        facts.inodes = Some(self.mft.len() / self.volume.record_size as u64);
        if let Err(error) = self.add_facts(facts) {
            facts.warn(error.to_string());
        }
    }

    fn add_facts(&self, facts: &mut Facts) -> Result<()> {
        let volume = self.file(RECORD_VOLUME)?;
        let label = volume.resident(AT_VOLUME_NAME, &[]);
        let label = label.and_then(|label| units(label, label.len() / 2));
        facts.label = label.map(|units| String::from_utf16_lossy(&units));
        facts.label = facts.label.take().filter(|label| !label.is_empty());
        if let Some([_, _, _, _, _, _, _, _, major, minor, low, high, ..]) =
            volume.resident(AT_VOLUME_INFORMATION, &[])
        {
            facts.variant = Some(format!("{major}.{minor}"));
            let flags = u16::from_le_bytes([*low, *high]);
            facts.state = Some(match flags & VOLUME_IS_DIRTY {
                0 => State::Clean,
                _ => State::Dirty,
            });
        }
        let times = volume.resident(AT_STANDARD_INFORMATION, &[]);
        let times = times.and_then(|times| Times::read_from_prefix(times).ok());
        facts.created = times.map(|(times, _)| time(times.creation.get()));
        if self.volume.size > self.area.len() {
            // The bitmaps may be missing, and are too long for what is there.
            return Ok(());
        }
        facts.journal = Some(self.file(RECORD_LOG_FILE)?.data(self)?.len());
        let bitmap = self.file(RECORD_BITMAP)?.data(self)?;
        let used = self.ones("$Bitmap", &bitmap, self.volume.clusters)?;
        facts.free_blocks = Some(self.volume.clusters - used);
        let records = facts.inodes.unwrap_or(0);
        let bitmap = self.file(RECORD_MFT)?.value(self, AT_BITMAP, &[])?;
        if let Some(bitmap) = bitmap {
            let used = self.ones("bitmap of $MFT", &bitmap, records)?;
            facts.free_inodes = Some(records - used);
        }
        Ok(())
    }

    /// How many of the first `count` bits are set.
    fn ones(&self, place: &str, bitmap: &Data, count: u64) -> Result<u64> {
        let needed = count.div_ceil(8);
        if bitmap.len() < needed {
            let message = format!("{} bytes for {count} bits", bitmap.len());
            return Err(Error::corrupt(place, message));
        }
        let (mut at, mut ones) = (0, 0);
        while at < needed {
            let mut bytes = vec![0; WINDOW.min(needed - at) as usize];
            bitmap.fill(&self.area, place, at, &mut bytes)?;
            at += bytes.len() as u64;
            if at == needed && !count.is_multiple_of(8) {
                let last = bytes.len() - 1;
                bytes[last] &= (1 << (count % 8)) - 1;
            }
            ones += bytes
                .iter()
                .map(|byte| u64::from(byte.count_ones()))
                .sum::<u64>();
        }
        Ok(ones)
    }
}
