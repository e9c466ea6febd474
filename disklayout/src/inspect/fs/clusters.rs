//! Clusters as FAT and exFAT number them, and the chains of which files are made.

use crate::error::{Error, Result};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;

/// The number of the first cluster.
pub(super) const FIRST: u32 = 2;

/// The clusters of a volume.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clusters {
    /// Where the first one is, in bytes.
    pub(super) start: u64,
    /// What one holds, in bytes.
    pub(super) size: u64,
    pub(super) count: u32,
}

impl Clusters {
    /// Where a cluster is.
    pub(super) fn offset(&self, place: &str, cluster: u32) -> Result<u64> {
        let index = cluster.checked_sub(FIRST);
        match index.filter(|index| *index < self.count) {
            Some(index) => Ok(self.start + u64::from(index) * self.size),
            None => {
                let message = format!("cluster {cluster} is none of {}", self.count);
                Err(Error::corrupt(place, message))
            }
        }
    }

    /// How many clusters `len` bytes take, if there are so many.
    fn needed(&self, place: &str, len: u64) -> Result<u64> {
        let needed = len.div_ceil(self.size);
        if needed > self.count.into() {
            let message = format!("{len} bytes are more than the volume has");
            return Err(Error::corrupt(place, message));
        }
        Ok(needed)
    }

    /// Where `len` bytes are whose clusters follow one another from `first`, as `next` tells.
    pub(super) fn chain(
        &self,
        area: &Area<'_>,
        place: &str,
        (first, len): (u32, u64),
        next: impl Fn(u32) -> Result<Option<u32>>,
    ) -> Result<Data> {
        let needed = self.needed(place, len)?;
        let mut data = Data::new(len);
        let mut cluster = Some(first);
        for index in 0..needed {
            let Some(number) = cluster else {
                let message = format!("its chain ends after {index} clusters of {needed}");
                return Err(Error::corrupt(place, message));
            };
            let at = self.offset(place, number)?;
            data.push(area, place, (index * self.size, self.size, at))?;
            if index + 1 < needed {
                cluster = next(number)?;
            }
        }
        Ok(data)
    }

    /// Where `len` bytes are in clusters side by side from `first`.
    pub(super) fn side_by_side(
        &self,
        area: &Area<'_>,
        place: &str,
        (first, len): (u32, u64),
    ) -> Result<Data> {
        let needed = self.needed(place, len)?;
        let mut data = Data::new(len);
        if needed > 0 {
            let at = self.offset(place, first)?;
            let last = u64::from(first) + needed - 1;
            self.offset(place, u32::try_from(last).unwrap_or(0))?;
            data.push(area, place, (0, needed * self.size, at))?;
        }
        Ok(data)
    }
}
