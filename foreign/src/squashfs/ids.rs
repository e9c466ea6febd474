//! The table of owners and groups.

use std::collections::BTreeSet;

/// The numbers of owners and groups, each once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ids(Vec<u32>);

impl Ids {
    /// Those that mksquashfs has found for `files`. Those of whoever runs it come behind them, for it
    /// makes the root directory last; they are left out.
    ///
    /// # Errors
    /// What is wrong when others are before them.
    pub(super) fn of_files(found: &[u32], files: &BTreeSet<u32>) -> Result<Self, String> {
        let known: Vec<u32> = found.iter().copied().take(files.len()).collect();
        if known.iter().copied().collect::<BTreeSet<_>>() != *files {
            return Err("has owners in an order that isn't known".to_owned());
        }
        Ok(Self(known))
    }

    /// The place of `id`, which is added where it is missing.
    pub(super) fn index(&mut self, id: u32) -> Result<u16, String> {
        let known = self.0.iter().position(|known| *known == id);
        let index = known.unwrap_or_else(|| {
            self.0.push(id);
            self.0.len() - 1
        });
        u16::try_from(index).map_err(|_| "has too many owners and groups".to_owned())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The table before it is put into blocks.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.iter().copied().flat_map(u32::to_le_bytes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_it_is_left_out() {
        let files = BTreeSet::from([5, 1000]);
        for found in [&[1000, 5][..], &[1000, 5, 0], &[1000, 5, 77, 78]] {
            let mut ids = Ids::of_files(found, &files).unwrap();
            assert_eq!(ids, Ids(vec![1000, 5]));
            assert_eq!(
                (ids.index(5), ids.index(0), ids.index(0)),
                (Ok(1), Ok(2), Ok(2))
            );
            assert_eq!(ids.bytes(), [0xE8, 3, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        }
        Ids::of_files(&[0, 1000, 5], &files).unwrap_err();
        Ids::of_files(&[1000], &files).unwrap_err();
    }
}
