//! Label, headers and metadata of a physical volume.

use zerocopy::IntoBytes;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::volume::lvm::format::{
    DiskLocation, EXTENSION_USED, EXTENSION_VERSION, INITIAL_CRC, LABEL_ID, LABEL_TYPE,
    LabelHeader, MDA_HEADER_SIZE, MDA_MAGIC, MDA_VERSION, MdaHeader, PvHeader, PvHeaderExtension,
    RawLocation, SECTOR,
};
use crate::volume::lvm::geometry::{Geometry, MDA_OFFSET};
use crate::volume::lvm::plan::{MemberPlan, Plan};

/// The sector that has the label.
const LABEL_SECTOR: u64 = 1;

impl Plan {
    /// Writes label, headers and metadata of a physical volume to its disk, which has to read as zero
    /// before its first extent. Nothing is written to extents.
    ///
    /// # Errors
    /// `Io` when the disk can't be written.
    ///
    /// # Panics
    /// When there is no physical volume of this number.
    pub fn write_member(&self, member: usize, disk: &dyn Disk) -> Result<()> {
        let member = &self.members[member];
        let metadata = [mda_header(&self.geometry, &self.text), self.text.clone()].concat();
        for (offset, bytes) in [
            (LABEL_SECTOR * SECTOR, label(&self.geometry, member)),
            (MDA_OFFSET, metadata),
        ] {
            disk.write_at(&bytes, offset).map_err(|error| {
                let message = format!("can't write {} bytes at offset {offset}", bytes.len());
                Error::io(member.place.clone(), message, error)
            })?;
        }
        Ok(())
    }
}

/// The sector with the label.
fn label(geometry: &Geometry, member: &MemberPlan) -> Vec<u8> {
    let header = LabelHeader {
        id: LABEL_ID,
        sector_xl: LABEL_SECTOR.into(),
        crc_xl: 0.into(),
        offset_xl: (size_of::<LabelHeader>() as u32).into(),
        kind: LABEL_TYPE,
    };
    let pv_header = PvHeader {
        pv_uuid: member.uuid.letters(),
        device_size_xl: member.size.get().into(),
    };
    let extension = PvHeaderExtension {
        version: EXTENSION_VERSION.into(),
        flags: EXTENSION_USED.into(),
    };
    let mut sector = [header.as_bytes(), pv_header.as_bytes()].concat();
    list(&mut sector, &[(geometry.pe_start, 0)]);
    list(&mut sector, &[(MDA_OFFSET, geometry.mda_size())]);
    sector.extend(extension.as_bytes());
    list(&mut sector, &[]);
    sector.resize(SECTOR as usize, 0);
    let start = std::mem::offset_of!(LabelHeader, crc_xl);
    seal(&mut sector, start);
    sector
}

/// Adds a list and its end.
fn list(bytes: &mut Vec<u8>, places: &[(u64, u64)]) {
    for (offset, size) in places.iter().chain(&[(0, 0)]) {
        let place = DiskLocation {
            offset: (*offset).into(),
            size: (*size).into(),
        };
        bytes.extend(place.as_bytes());
    }
}

/// The header of the metadata area, behind which the text begins.
fn mda_header(geometry: &Geometry, text: &[u8]) -> Vec<u8> {
    let header = MdaHeader {
        checksum_xl: 0.into(),
        magic: MDA_MAGIC,
        version: MDA_VERSION.into(),
        start: MDA_OFFSET.into(),
        size: geometry.mda_size().into(),
    };
    let location = RawLocation {
        offset: MDA_HEADER_SIZE.into(),
        size: (text.len() as u64).into(),
        checksum: crc(text).into(),
        flags: 0.into(),
    };
    let mut bytes = [header.as_bytes(), location.as_bytes()].concat();
    bytes.resize(MDA_HEADER_SIZE as usize, 0);
    seal(&mut bytes, 0);
    bytes
}

/// Puts the checksum of all that is behind it to `at`.
fn seal(bytes: &mut [u8], at: usize) {
    let (before, behind) = bytes.split_at_mut(at + 4);
    before[at..].copy_from_slice(&crc(behind).to_le_bytes());
}

/// LVM's CRC-32: that of everybody else, begun with another number and not inverted at the end.
fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!INITIAL_CRC);
    hasher.update(bytes);
    !hasher.finalize()
}
