//! All that is in front of the BAT.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use super::geometry::Geometry;
use crate::identity::Identity;

/// Who made the image, for people.
const CREATOR: &str = "createhdds";

/// What a disk shows as the sectors that it really has.
const PHYSICAL_SECTOR: u32 = 4096;

/// What tells readers what an image is and where its parts are.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub geometry: Geometry,
    pub is_fixed: bool,
    pub identity: Identity,
}

impl Head {
    /// Writes all of it.
    pub(super) fn write(&self, file: &File) -> io::Result<()> {
        file.write_all_at(file_identifier().as_bytes(), 0)?;
        for (offset, sequence) in HEADERS.into_iter().zip(1..) {
            file.write_all_at(self.header(sequence).as_bytes(), offset)?;
        }
        let regions = self.regions();
        for offset in REGION_TABLES {
            file.write_all_at(&regions, offset)?;
        }
        file.write_all_at(&self.metadata(), self.geometry.metadata())
    }

    fn guid(&self, purpose: &str) -> [u8; 16] {
        self.identity.uuid(purpose).to_bytes_le()
    }

    /// A header with an empty log.
    fn header(&self, sequence: u64) -> Header {
        let mut header = Header::new_zeroed();
        header.signature = HEADER_SIGNATURE;
        header.sequence.set(sequence);
        header.file_write = self.guid("vhdx file");
        header.data_write = self.guid("vhdx data");
        header.version.set(VERSION);
        // At most 256 MiB.
        header.log_length.set(self.geometry.log as u32);
        header.log_offset.set(Geometry::LOG);
        header.checksum.set(checksum(header.as_bytes()));
        header
    }

    fn regions(&self) -> Vec<u8> {
        let geometry = &self.geometry;
        let mut header = RegionTableHeader::new_zeroed();
        header.signature = REGION_SIGNATURE;
        header.count.set(2);
        let entry = |id, offset: u64, length: u64| RegionEntry {
            id,
            offset: offset.into(),
            // Of the largest disk it is 513 MiB.
            length: (length as u32).into(),
            required: 1.into(),
        };
        let bat = entry(BAT, geometry.bat(), geometry.bat_len());
        let metadata = entry(METADATA, geometry.metadata(), MIB);
        let mut table = [header.as_bytes(), bat.as_bytes(), metadata.as_bytes()].concat();
        table.resize(TABLE_LEN, 0);
        header.checksum.set(checksum(&table));
        table[..size_of_val(&header)].copy_from_slice(header.as_bytes());
        table
    }

    /// The table of the metadata, and its items behind it.
    fn metadata(&self) -> Vec<u8> {
        let items = self.items();
        let mut header = MetadataTableHeader::new_zeroed();
        header.signature = METADATA_SIGNATURE;
        header.count.set(items.len() as u16);
        let (mut table, mut values) = (header.as_bytes().to_vec(), Vec::new());
        for (id, flags, value) in items {
            let entry = MetadataEntry {
                id,
                offset: ((TABLE_LEN + values.len()) as u32).into(),
                length: (value.len() as u32).into(),
                flags: (flags | IS_REQUIRED).into(),
                reserved: 0.into(),
            };
            table.extend_from_slice(entry.as_bytes());
            values.extend_from_slice(&value);
        }
        table.resize(TABLE_LEN, 0);
        table.append(&mut values);
        table
    }

    /// What is told of the file and of the disk, by its GUID.
    fn items(&self) -> [([u8; 16], u32, Vec<u8>); 5] {
        let table = &self.geometry.table;
        let flags = if self.is_fixed { LEAVE_ALLOCATED } else { 0 };
        // Powers of two up to 256 MiB.
        let [block, sector] = [table.block, table.sector].map(|it| (it as u32).to_le_bytes());
        let parameters = [block, flags.to_le_bytes()].concat();
        let size = table.size.to_le_bytes().to_vec();
        let page_83 = self.guid("vhdx disk").to_vec();
        let physical = PHYSICAL_SECTOR.to_le_bytes().to_vec();
        [
            (FILE_PARAMETERS, 0, parameters),
            (VIRTUAL_DISK_SIZE, IS_VIRTUAL_DISK, size),
            (PAGE_83, IS_VIRTUAL_DISK, page_83),
            (LOGICAL_SECTOR_SIZE, IS_VIRTUAL_DISK, sector.to_vec()),
            (PHYSICAL_SECTOR_SIZE, IS_VIRTUAL_DISK, physical),
        ]
    }
}

fn file_identifier() -> FileIdentifier {
    let mut identifier = FileIdentifier::new_zeroed();
    identifier.signature = FILE_SIGNATURE;
    for (unit, text) in identifier.creator.iter_mut().zip(CREATOR.encode_utf16()) {
        unit.set(text);
    }
    identifier
}
