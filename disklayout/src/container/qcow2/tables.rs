//! The tables of an image that exists, which are read when they are needed.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::format::OFFSET;
use super::opened::Opened;
use crate::container::read::damaged;
use crate::disk::Disk;

/// Entries of the L1 table that are read at once.
const L1_AT_ONCE: u64 = 64;

/// Bytes of L2 tables that are kept, and how many tables.
const KEPT: u64 = 4 << 20;
const KEPT_TABLES: u64 = 64;

/// What the L1 table leads to.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// The L2 table.
    Table(Arc<[u8]>),
    /// Nothing, for so many L2 tables side by side, one at least.
    Nothing(u64),
}

/// The L1 table, and the L2 tables that were used last.
#[derive(Debug)]
pub(super) struct Tables {
    l1: u64,
    entries: u64,
    cluster: u64,
    /// Each with its place in the file; the one that was used last comes first.
    kept: Mutex<Vec<(u64, Arc<[u8]>)>>,
}

impl Tables {
    pub(super) const fn of(image: &Opened) -> Self {
        Self {
            l1: image.l1,
            entries: image.l1_entries(),
            cluster: image.cluster(),
            kept: Mutex::new(Vec::new()),
        }
    }

    /// The L2 table with this number, which the disk has.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when it can't be where it is said to be, else what the file says.
    pub(super) fn find(&self, file: &dyn Disk, number: u64) -> io::Result<Found> {
        let count = self.entries.saturating_sub(number).clamp(1, L1_AT_ONCE);
        let mut bytes = [0; 8 * L1_AT_ONCE as usize];
        let bytes = &mut bytes[..8 * count as usize];
        file.read_at(bytes, self.l1 + number * 8)?;
        let places = (0..count as usize).map(|index| word(bytes, index * 8) & OFFSET);
        let missing = places.clone().take_while(|place| *place == 0).count() as u64;
        match places.take(1).find(|place| *place != 0) {
            Some(place) => Ok(Found::Table(self.table(file, place)?)),
            None => Ok(Found::Nothing(missing)),
        }
    }

    fn table(&self, file: &dyn Disk, place: u64) -> io::Result<Arc<[u8]>> {
        if let Some(table) = self.used_again(place) {
            return Ok(table);
        }
        let end = place.checked_add(self.cluster);
        if !place.is_multiple_of(self.cluster) || end.is_none_or(|end| end > file.len()) {
            return Err(damaged(format!(
                "an L2 table is said to be at {place}, where no whole cluster of the file is"
            )));
        }
        let mut bytes = vec![0; self.cluster as usize];
        file.read_at(&mut bytes, place)?;
        let table: Arc<[u8]> = bytes.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate((KEPT / self.cluster).clamp(1, KEPT_TABLES) as usize - 1);
        kept.insert(0, (place, table.clone()));
        Ok(table)
    }

    fn used_again(&self, place: u64) -> Option<Arc<[u8]>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().position(|(at, _)| *at == place)?;
        kept[..=index].rotate_right(1);
        Some(kept[0].1.clone())
    }
}

/// The number at `at` of a table.
pub(super) fn word(table: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&table[at..at + 8]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;

    const CLUSTER: u64 = 1 << 16;

    /// Where an L2 table is that begins with its own place.
    fn place(file: &MemDisk, tables: &Tables, number: u64) -> Option<u64> {
        match tables.find(file, number).unwrap() {
            Found::Table(table) => Some(word(&table, 0)),
            Found::Nothing(_) => None,
        }
    }

    #[test]
    fn tables_that_were_used_last_are_kept() {
        let count = 2 * KEPT_TABLES;
        let file = MemDisk::new((count + 2) * CLUSTER);
        for number in 0..count {
            let place = (number + 1) * CLUSTER;
            file.write_at(&place.to_be_bytes(), number * 8).unwrap();
            file.write_at(&place.to_be_bytes(), place).unwrap();
        }
        let tables = Tables {
            l1: 0,
            entries: count + 3,
            cluster: CLUSTER,
            kept: Mutex::new(Vec::new()),
        };
        for number in (0..count).flat_map(|number| [number, 0]) {
            assert_eq!(place(&file, &tables, number), Some((number + 1) * CLUSTER));
        }
        let kept = tables.kept.lock().unwrap();
        let places: Vec<_> = kept.iter().map(|(place, _)| place / CLUSTER).collect();
        assert_eq!(places.len() as u64, KEPT_TABLES);
        assert_eq!(places[..3], [1, count, count - 1]);
        drop(kept);
        assert!(matches!(
            tables.find(&file, count).unwrap(),
            Found::Nothing(3)
        ));
    }
}
