//! A volume: its numbers, its master file table and the indexes of its directories.

use std::io;
use std::mem::size_of;

use disklayout::disk::Disk;
use disklayout::fs::ntfs::format::{
    AT_DATA, AT_INDEX_ALLOCATION, AT_INDEX_ROOT, BootSector, FileName, I30, INDEX_MAGIC,
    IndexBlock, IndexRoot, OEM_ID, RECORD_MFT, RECORD_MFT_MIRROR,
};
use disklayout::{Error, Result, SectorSize};
use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, IntoBytes};

use super::index;
use super::protect;
use super::record::{Attribute, Record, Value};
use super::runs::{self, Run};

/// Where a volume's records and index blocks are.
#[derive(Debug)]
pub(super) struct Volume<'a> {
    disk: &'a dyn Disk,
    boot: BootSector,
    sector_size: u64,
    cluster_size: u64,
    record_size: u64,
    index_block_size: u64,
    mft: Vec<Run>,
    mirror: Vec<Run>,
    mirrored: u64,
    records: u64,
}

impl<'a> Volume<'a> {
    /// The volume on `disk`.
    ///
    /// # Errors
    /// `Corrupt` when it isn't NTFS, `Unsupported` when its master file table is in more pieces
    /// than one record describes, `Io` when reading fails.
    pub(super) fn open(disk: &'a dyn Disk) -> Result<Self> {
        let boot = read_boot(disk)?;
        let sector_size = u64::from(boot.bytes_per_sector.get());
        let cluster_size = sector_size * u64::from(boot.sectors_per_cluster);
        let record_size = unit_size(boot.clusters_per_mft_record, cluster_size)?;
        let mut volume = Self {
            disk,
            boot,
            sector_size,
            cluster_size,
            record_size,
            index_block_size: unit_size(boot.clusters_per_index_record, cluster_size)?,
            mft: vec![Run {
                lcn: Some(boot.mft_lcn.get()),
                clusters: (record_size * (RECORD_MFT_MIRROR + 1)).div_ceil(cluster_size),
            }],
            mirror: Vec::new(),
            mirrored: 0,
            records: RECORD_MFT_MIRROR + 1,
        };
        let (mft, bytes) = volume.data_of(RECORD_MFT)?;
        let (mirror, mirror_bytes) = volume.data_of(RECORD_MFT_MIRROR)?;
        (volume.mft, volume.mirror) = (mft, mirror);
        volume.records = bytes / volume.record_size;
        volume.mirrored = mirror_bytes / volume.record_size;
        Ok(volume)
    }

    /// Clusters and initialized bytes of the data of a metadata file.
    ///
    /// # Errors
    /// `Unsupported` when one record doesn't describe all of its pieces, `Corrupt` or `Io`.
    pub(super) fn data_of(&self, number: u64) -> Result<(Vec<Run>, u64)> {
        let record = self.existing(number)?;
        let attributes = record.attributes()?.into_iter();
        let mut data = attributes.filter(|a| a.kind == AT_DATA && a.name.is_empty());
        let Some(Value::NonResident {
            runs,
            data_size,
            initialized_size,
            ..
        }) = data.next().map(|attribute| attribute.value)
        else {
            return Err(record.corrupt("has no data in clusters"));
        };
        let clusters: u64 = runs.iter().map(|run| run.clusters).sum();
        if clusters * self.cluster_size < data_size {
            return Err(Error::unsupported(
                format!("the data of {}", record.place()),
                "is in more pieces than one record describes",
            ));
        }
        Ok((runs, initialized_size.min(data_size)))
    }

    /// Bytes in a cluster.
    pub(super) const fn cluster_size(&self) -> u64 {
        self.cluster_size
    }

    /// How many clusters there are.
    pub(super) fn clusters(&self) -> u64 {
        self.boot.number_of_sectors.get() / u64::from(self.boot.sectors_per_cluster)
    }

    /// The first cluster of the master file table.
    pub(super) const fn mft_lcn(&self) -> u64 {
        self.boot.mft_lcn.get()
    }

    /// Every record that was ever used, in order.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn records(&self) -> impl Iterator<Item = Result<Record>> {
        self.records_from(0)
    }

    /// The same from a number on.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn records_from(&self, first: u64) -> impl Iterator<Item = Result<Record>> {
        (first..self.records).filter_map(|number| self.record(number).transpose())
    }

    /// The record with this number; `None` when it was never used.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn record(&self, number: u64) -> Result<Option<Record>> {
        let mut bytes = vec![0; self.record_size as usize];
        let offset = self.offset_in(&self.mft, number)?;
        self.read(&mut bytes, offset)?;
        Record::parse(number, bytes)
    }

    /// The same for one that has to be there.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn existing(&self, number: u64) -> Result<Record> {
        self.record(number)?
            .ok_or_else(|| no_volume(format!("no record {number}")))
    }

    /// Writes a record, and its copy where there is one.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn write_record(&self, record: &Record) -> Result<()> {
        let bytes = record.protected()?;
        self.write(&bytes, self.offset_in(&self.mft, record.number)?)?;
        if record.number < self.mirrored {
            self.write(&bytes, self.offset_in(&self.mirror, record.number)?)?;
        }
        Ok(())
    }

    /// Where on the disk a record is; a record never leaves its run, for runs are at least 4 KiB.
    fn offset_in(&self, runs: &[Run], number: u64) -> Result<u64> {
        let found = runs::locate(runs, self.cluster_size, number * self.record_size);
        let (offset, _) = found.ok_or_else(|| no_volume(format!("no record {number}")))?;
        Ok(offset)
    }

    /// Whether the first records are the same as their copies.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn is_mirrored(&self) -> Result<bool> {
        for number in 0..self.mirrored {
            let mut both = [&self.mft, &self.mirror].map(|runs| (runs, Vec::new()));
            for (runs, bytes) in &mut both {
                bytes.resize(self.record_size as usize, 0);
                self.read(bytes, self.offset_in(runs, number)?)?;
            }
            if both[0].1 != both[1].1 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads from byte `position` of the value in `runs`.
    ///
    /// # Errors
    /// `Corrupt` when it ends before that, `Io`.
    pub(super) fn read_value(&self, runs: &[Run], mut bytes: &mut [u8], at: u64) -> Result<()> {
        let mut position = at;
        while !bytes.is_empty() {
            let (offset, count) = self.stretch(runs, position, bytes.len())?;
            let (head, rest) = bytes.split_at_mut(count);
            self.read(head, offset)?;
            position += count as u64;
            bytes = rest;
        }
        Ok(())
    }

    /// Writes from byte `position` of the value in `runs` on.
    ///
    /// # Errors
    /// `Corrupt` when it ends before that, `Io`.
    pub(super) fn write_value(&self, runs: &[Run], mut bytes: &[u8], at: u64) -> Result<()> {
        let mut position = at;
        while !bytes.is_empty() {
            let (offset, count) = self.stretch(runs, position, bytes.len())?;
            let (head, rest) = bytes.split_at(count);
            self.write(head, offset)?;
            position += count as u64;
            bytes = rest;
        }
        Ok(())
    }

    /// Where a byte of a value is, and how many of `len` lie there side by side.
    fn stretch(&self, runs: &[Run], position: u64, len: usize) -> Result<(u64, usize)> {
        let found = runs::locate(runs, self.cluster_size, position);
        let (offset, room) = found.ok_or_else(|| no_volume("a hole in its tables"))?;
        Ok((
            offset,
            usize::try_from(room).map_or(len, |room| room.min(len)),
        ))
    }

    /// Shows every entry of the directory indexes that `record` holds or leads to to `visit`:
    /// the number of the record that an entry is for, and its key. Blocks are written back when
    /// they change; `record` is left to the caller.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn visit_index(
        &self,
        record: &mut Record,
        visit: &mut dyn FnMut(u64, &mut FileName),
    ) -> Result<()> {
        for Attribute {
            kind, name, value, ..
        } in record.attributes()?
        {
            match (kind, value) {
                _ if name != I30 => {}
                (AT_INDEX_ROOT, Value::Resident(root)) => {
                    index::visit_node(&mut record.bytes[root], size_of::<IndexRoot>(), visit)
                        .map_err(|why| record.corrupt(why))?;
                }
                (AT_INDEX_ALLOCATION, Value::NonResident { runs, .. }) => {
                    for run in runs {
                        self.visit_blocks(&run, visit)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn visit_blocks(&self, run: &Run, visit: &mut dyn FnMut(u64, &mut FileName)) -> Result<()> {
        let Some(lcn) = run.lcn else {
            return Ok(());
        };
        let start = lcn * self.cluster_size;
        for block in 0..run.clusters * self.cluster_size / self.index_block_size {
            self.visit_block(start + block * self.index_block_size, visit)?;
        }
        Ok(())
    }

    fn visit_block(&self, offset: u64, visit: &mut dyn FnMut(u64, &mut FileName)) -> Result<()> {
        let mut block = vec![0; self.index_block_size as usize];
        self.read(&mut block, offset)?;
        if !block.starts_with(&INDEX_MAGIC) {
            return Ok(());
        }
        let corrupt = |why| Error::corrupt(format!("the index block at byte {offset}"), why);
        protect::remove(&mut block).map_err(corrupt)?;
        let before = block.clone();
        index::visit_node(&mut block, size_of::<IndexBlock>(), visit).map_err(corrupt)?;
        if block == before {
            return Ok(());
        }
        protect::apply(&mut block).map_err(corrupt)?;
        self.write(&block, offset)
    }

    /// Sets the serial number in the boot sector and in its copy behind the last cluster.
    ///
    /// # Errors
    /// `Corrupt` when the copy isn't where it belongs, `Io`.
    pub(super) fn set_serial_number(&self, serial: u64) -> Result<()> {
        let boot = BootSector {
            volume_serial_number: U64::new(serial),
            ..self.boot
        };
        let copy_offset = self.boot.number_of_sectors.get() * self.sector_size;
        let mut copy = [0; size_of::<BootSector>()];
        self.read(&mut copy, copy_offset)?;
        if copy != self.boot.as_bytes() {
            return Err(no_volume("no copy of its boot sector behind its clusters"));
        }
        self.write(boot.as_bytes(), 0)?;
        self.write(boot.as_bytes(), copy_offset)
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.disk.read_at(bytes, offset).map_err(read_failed)
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let written = self.disk.write_at(bytes, offset);
        written.map_err(|error| Error::io("the NTFS volume", "can't write to it", error))
    }
}

fn read_boot(disk: &dyn Disk) -> Result<BootSector> {
    let mut head = [0; size_of::<BootSector>()];
    disk.read_at(&mut head, 0).map_err(read_failed)?;
    let boot = BootSector::read_from_bytes(&head).expect("it has its size");
    let sector = SectorSize::of(boot.bytes_per_sector.get().into());
    let sound = boot.oem_id == OEM_ID && boot.sectors_per_cluster.is_power_of_two();
    let Some(sector) = sector.filter(|_| sound) else {
        return Err(no_volume(
            "no boot sector of NTFS with sectors of 512 or 4096 bytes",
        ));
    };
    // The last one, with the copy of this, isn't among them.
    let (sectors, here) = (boot.number_of_sectors.get(), disk.len() / sector.get());
    match sectors.checked_add(1) == Some(here) {
        true => Ok(boot),
        false => Err(no_volume(format!(
            "{sectors} sectors and their copy of the first one, where there are {here}"
        ))),
    }
}

/// Bytes of a record or an index block: so many clusters, or two to the power of `-count`.
fn unit_size(count: i8, cluster_size: u64) -> Result<u64> {
    let size = match u64::try_from(count) {
        Ok(clusters) => clusters * cluster_size,
        Err(_) => 1_u64.checked_shl(count.unsigned_abs().into()).unwrap_or(0),
    };
    match size {
        512..=65_536 if size.is_power_of_two() => Ok(size),
        _ => Err(no_volume(format!("records of {size} bytes"))),
    }
}

fn no_volume(what: impl std::fmt::Display) -> Error {
    Error::corrupt("the NTFS volume", format!("has {what}"))
}

fn read_failed(error: io::Error) -> Error {
    Error::io("the NTFS volume", "can't read it", error)
}
