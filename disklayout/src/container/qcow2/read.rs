//! Reads images back: versions 2 and 3, compressed clusters and subclusters among them.

use std::io;
use std::iter::once;
use std::ops::Range;

use super::format::*;
use super::opened::Opened;
use super::tables::{Found, Tables, word};
use super::unpack::unpack;
use crate::container::read::{Find, Held, Read, Stretch, damaged};
use crate::disk::Disk;

/// How many clusters or subclusters are looked at to find neighbours: a small read takes no time in
/// proportion to an L2 table.
const AHEAD: u64 = 64;

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let Some(image) = Opened::of(file)? else {
        return Ok(None);
    };
    let tables = Tables::of(&image);
    let disk = Read::new(file, image.size, Clusters { image, tables });
    Ok(Some(Box::new(disk)))
}

/// Where clusters are.
#[derive(Debug)]
struct Clusters {
    image: Opened,
    tables: Tables,
}

impl Clusters {
    /// How one part of a cluster is held: a subcluster, or all of it where there are none. Parts count
    /// from the first one that the L2 table is about. What is packed is always a whole cluster.
    fn held(&self, table: &[u8], part: u64) -> io::Result<Held> {
        let parts = self.image.parts();
        let at = (part / parts * self.image.entry_len()) as usize;
        let entry = word(table, at);
        if entry & COMPRESSED != 0 {
            return Ok(Held::Packed);
        }
        let place = entry & OFFSET;
        if !place.is_multiple_of(self.image.cluster()) {
            return Err(damaged(format!(
                "a cluster is said to be at {place}, which is no multiple of its size"
            )));
        }
        match self.image.is_extended {
            true => {
                let within = part % parts;
                let is_there = is_there(place, word(table, at + 8), within)?;
                let part_len = self.image.cluster() / parts;
                Ok(held_at(is_there, place + within * part_len))
            }
            false if entry & ZERO != 0 && self.image.is_old => {
                let message =
                    format!("a cluster at {place} reads as zero, which version 2 has not");
                Err(damaged(message))
            }
            false => Ok(held_at(place != 0 && entry & ZERO == 0, place)),
        }
    }
}

const fn held_at(is_there: bool, place: u64) -> Held {
    match is_there {
        true => Held::At(place),
        false => Held::Nothing,
    }
}

/// Whether a subcluster of the cluster at `place`, which has these bits, is there.
fn is_there(place: u64, bits: u64, subcluster: u64) -> io::Result<bool> {
    let is_allocated = bits >> subcluster & 1 != 0;
    let is_zero = bits >> (SUBCLUSTERS + subcluster) & 1 != 0;
    if is_allocated && (is_zero || place == 0) {
        return Err(damaged(format!(
            "the bits {bits:#x} of a cluster at {place} contradict each other"
        )));
    }
    Ok(is_allocated)
}

impl Find for Clusters {
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let cluster = self.image.cluster();
        let span = self.image.l2_entries() * cluster;
        let number = offset / span;
        let table = match self.tables.find(file, number)? {
            Found::Table(table) => table,
            Found::Nothing(count) => {
                return Ok(Stretch {
                    range: number * span..(number + count) * span,
                    held: Held::Nothing,
                });
            }
        };
        let part_len = cluster / self.image.parts();
        let first = offset / part_len;
        let within = offset % span / part_len;
        let held = self.held(&table, within)?;
        if held == Held::Packed {
            let start = offset - offset % cluster;
            return Ok(Stretch {
                range: start..start + cluster,
                held,
            });
        }
        // A part that is damaged ends the stretch before it.
        let others = within + 1..(within + AHEAD).min(span / part_len);
        let others = others.map_while(|part| self.held(&table, part).ok());
        Ok(Stretch::joined(first, part_len, once(held).chain(others)))
    }

    fn unpack(&self, file: &dyn Disk, stretch: &Range<u64>) -> io::Result<Vec<u8>> {
        let number = stretch.start >> self.image.cluster_bits;
        let entries = self.image.l2_entries();
        match self.tables.find(file, number / entries)? {
            Found::Table(table) => {
                let at = number % entries * self.image.entry_len();
                unpack(&self.image, file, word(&table, at as usize))
            }
            Found::Nothing(_) => Err(damaged("its tables change while they are read")),
        }
    }
}
