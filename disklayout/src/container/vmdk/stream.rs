//! Compressed grains, each behind its marker: tables follow what they are about, and the footer
//! tells where their directory is.

use std::io;

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use super::header::header;
use crate::container::ordered::{Append, Encode};
use crate::container::output::Output;
use crate::container::pack::{Packer, Packing};
use crate::container::room::Encoded;

/// Where the first grain's marker is, in sectors.
const OVERHEAD: u64 = 128;

/// Compresses grains.
#[derive(Debug)]
pub(in crate::container) struct Grains(Packer);

impl Grains {
    /// Compresses so hard, from 1 to 9.
    pub(in crate::container) fn at_level(level: i32) -> Self {
        Self(Packer::new(Packing::Zlib(level)))
    }
}

impl Encode for Grains {
    fn encode(&self, _: u64, bytes: &[u8]) -> io::Result<Encoded> {
        // The last grain of a disk is a whole one too.
        let mut whole = bytes.to_vec();
        whole.resize(GRAIN as usize, 0);
        let packed = self.0.pack(&whole, whole.len() * 2)?;
        Ok(Encoded {
            bytes: packed.ok_or_else(|| io::Error::other("a grain doubles when it is packed"))?,
            is_plain: false,
        })
    }
}

/// Puts grains and tables into the file.
#[derive(Debug)]
pub(in crate::container) struct Stream {
    sectors: u64,
    descriptor: Vec<u8>,
    /// The places of grains in the table that is being filled, and its number.
    table: Vec<u32>,
    number: u64,
    directory: Vec<u32>,
}

impl Stream {
    pub(in crate::container) fn new(size: u64, descriptor: Vec<u8>) -> Self {
        Self {
            sectors: size / SECTOR,
            descriptor,
            table: vec![0; ENTRIES as usize],
            number: 0,
            directory: vec![0; size.div_ceil(TABLE) as usize],
        }
    }

    fn begin(&self, output: &mut Output) -> io::Result<()> {
        if output.position() > 0 {
            return Ok(());
        }
        let mut header = header(self.sectors, true);
        header.directory.set(AT_END);
        header.overhead.set(OVERHEAD);
        output.append(header.as_bytes())?;
        output.append(&self.descriptor)?;
        output.align(OVERHEAD * SECTOR)
    }

    /// Puts the table that is being filled into the file, if there is anything in it.
    fn end_table(&mut self, output: &mut Output) -> io::Result<()> {
        if self.table.iter().all(|entry| *entry == 0) {
            return Ok(());
        }
        let table = std::mem::replace(&mut self.table, vec![0; ENTRIES as usize]);
        let place = append_entries(GRAIN_TABLE, &table, output)?;
        if let Some(entry) = self.directory.get_mut(self.number as usize) {
            *entry = place;
        }
        Ok(())
    }
}

impl Append for Stream {
    fn append(&mut self, unit: u64, encoded: &Encoded, output: &mut Output) -> io::Result<()> {
        self.begin(output)?;
        let number = unit / ENTRIES;
        if number != self.number {
            self.end_table(output)?;
            self.number = number;
        }
        self.table[(unit % ENTRIES) as usize] = sector(output)?;
        let mut marker = Marker::new_zeroed();
        marker.value.set(unit * (GRAIN / SECTOR));
        marker.size.set(encoded.bytes.len() as u32);
        output.append(marker.as_bytes())?;
        output.append(&encoded.bytes)?;
        output.align(SECTOR)
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        self.begin(output)?;
        self.end_table(output)?;
        let place = append_entries(GRAIN_DIRECTORY, &self.directory, output)?;
        append_marker(FOOTER, 1, output)?;
        let mut footer = header(self.sectors, true);
        footer.directory.set(place.into());
        footer.overhead.set(OVERHEAD);
        output.append(footer.as_bytes())?;
        append_marker(END_OF_STREAM, 0, output)
    }
}

/// Adds a marker in a sector of its own, behind which so many sectors follow.
fn append_marker(kind: u32, sectors: u64, output: &mut Output) -> io::Result<()> {
    let mut marker = Marker::new_zeroed();
    marker.value.set(sectors);
    output.append(marker.as_bytes())?;
    output.append(&kind.to_le_bytes())?;
    output.align(SECTOR)
}

/// Adds a table behind its marker; where it begins.
fn append_entries(kind: u32, entries: &[u32], output: &mut Output) -> io::Result<u32> {
    let bytes: Vec<u8> = entries
        .iter()
        .flat_map(|entry| entry.to_le_bytes())
        .collect();
    append_marker(kind, (bytes.len() as u64).div_ceil(SECTOR), output)?;
    let place = sector(output)?;
    output.append(&bytes)?;
    output.align(SECTOR)?;
    Ok(place)
}

/// The sector that the next byte is the first of.
fn sector(output: &Output) -> io::Result<u32> {
    u32::try_from(output.position() / SECTOR)
        .map_err(|_| io::Error::other("the VMDK would be larger than 2 TiB, which it can't be"))
}
