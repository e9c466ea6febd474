//! Which size a content takes.

use std::cell::OnceCell;
use std::ops::Range;

use super::Plan;
use super::allocate::{self, Allocation};
use super::block_map;
use super::checksum::Crc;
use super::defaults::{self, JOURNAL_FROM, PAGE_SIZE};
use super::demand::Demand;
use super::directory::Shape;
use super::extents;
use super::geometry::{Geometry, MAX_SIZE};
use super::hash::NameHash;
use super::misfits::BLOCK_SIZES;
use super::options::Inodes;
use super::parameters::Parameters;
use super::space::Run;
use super::superblock::Volume;
use super::warnings;
use crate::error::{Error, Result};
use crate::fs::draft::too_small;
use crate::fs::{Draft, FsPlan};
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::Bytes;

/// Linux keeps a fiftieth of the blocks, but no more than so many, for what extents may still
/// need (`ext4_calculate_resv_clusters`). An ordinary user doesn't see them as free.
const EXTENT_RESERVE_MAX: u64 = 4096;

/// How many sizes below the one that was found are tried, at most. More room isn't always more
/// free room, since the tables of all groups grow at once; such a step is made up for within
/// about as many blocks as there are groups.
const STEPS_BACK: u64 = 1024;

/// With so many groups all of the sizes near by are tried.
const FEW_GROUPS: u64 = 128;

/// A filesystem of which everything is known but its size.
#[derive(Debug)]
pub(super) struct ExtDraft {
    pub place: Place,
    pub parameters: Parameters,
    pub volume: Volume,
    /// The content, adapted.
    pub tree: FileTree,
    pub warnings: Vec<String>,
    /// What the content needs in blocks of each of [`BLOCK_SIZES`], where it was asked for.
    pub demands: [OnceCell<Demand>; BLOCK_SIZES.len()],
}

impl Draft for ExtDraft {
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        let data = self.tree.data_len();
        let has_room = |range: &Range<u64>| range.end * PAGE_SIZE > data;
        for range in self.ranges().filter(has_room) {
            let size = Bytes::new(range.start * PAGE_SIZE);
            let demand = self.demand(self.parameters.block_size_at(size))?;
            if let Some(pages) = self.smallest_in(range, demand, free) {
                return Ok(Bytes::new(pages * PAGE_SIZE));
            }
        }
        Err(self.impossible())
    }

    fn at(mut self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        let (geometry, allocation) = self.fit(size)?;
        let demand = self.take_demand(geometry.block_size)?;
        let told = warnings::of(&self.parameters, &geometry, &demand);
        self.warnings.extend(told);
        Ok(Box::new(Plan {
            seed: Crc::of_filesystem(self.volume.uuid),
            place: self.place,
            parameters: self.parameters,
            geometry,
            demand,
            allocation,
            volume: self.volume,
            tree: self.tree,
            warnings: self.warnings,
        }))
    }
}

impl ExtDraft {
    /// The content in a filesystem of this size.
    ///
    /// # Errors
    /// `DoesNotFit` with the smallest size that would do.
    fn fit(&self, size: Bytes) -> Result<(Geometry, Allocation)> {
        let demand = self.demand(self.parameters.block_size_at(size))?;
        let geometry = self.geometry(size, demand);
        let geometry = geometry.map_err(|error| self.with_least(error, size))?;
        let checked = self.check_inodes(&geometry, demand);
        checked.map_err(|error| self.needing(error))?;
        match allocate::allocate(&geometry, demand, &self.tree) {
            Ok(allocation) => Ok((geometry, allocation)),
            Err(_) => Err(match self.smallest(Bytes::new(0)) {
                Ok(smallest) => self.too_small(size, smallest),
                Err(_) => self.too_large(),
            }),
        }
    }

    /// Why there is no size: what is asked for can't be in the largest one either, or it is the
    /// content.
    fn impossible(&self) -> Error {
        let block_size = self.parameters.block_size_at(MAX_SIZE);
        let most = match self.parameters.features.has_64bit() {
            true => MAX_SIZE.get(),
            false => MAX_SIZE
                .get()
                .min(u64::from(u32::MAX) * u64::from(block_size)),
        };
        let largest = Geometry::new(&self.place, &self.parameters, Bytes::new(most), 0);
        largest.err().unwrap_or_else(|| self.too_large())
    }

    /// The smallest number of pages in a range, throughout which more room is more free room but
    /// for small steps.
    fn smallest_in(&self, range: Range<u64>, demand: &Demand, free: Bytes) -> Option<u64> {
        let wanted = free.get().div_ceil(u64::from(demand.block_size));
        let may_fit = |pages: u64| self.may_fit(pages, demand, wanted);
        let least = demand.blocks * u64::from(demand.block_size) / PAGE_SIZE;
        let (mut too_small, mut enough) = (range.start.max(least), range.end - 1);
        if too_small > enough || !may_fit(enough) {
            return None;
        }
        while too_small < enough {
            let middle = too_small + (enough - too_small) / 2;
            if may_fit(middle) {
                enough = middle;
            } else {
                too_small = middle + 1;
            }
        }
        let lowest = enough.saturating_sub(STEPS_BACK).max(range.start);
        let first = (lowest..enough)
            .find(|pages| may_fit(*pages))
            .unwrap_or(enough);
        let fits = |pages: &u64| self.fits(*pages, demand, wanted);
        let near = range.end.min(first + self.near_steps(first, demand));
        let found = (first..near).find(fits);
        found.or_else(|| self.first_far(near..range.end, fits))
    }

    /// How many sizes are tried one after another: fewer where there are so many groups that each
    /// takes long.
    fn near_steps(&self, pages: u64, demand: &Demand) -> u64 {
        let geometry = self.geometry(Bytes::new(pages * PAGE_SIZE), demand);
        let groups = geometry.map_or(1, |geometry| u64::from(geometry.groups));
        (STEPS_BACK * FEW_GROUPS / groups.max(1)).clamp(1, STEPS_BACK)
    }

    /// A number of pages that fits, where those before do not for a reason that ends somewhere:
    /// looked for in growing steps, and then between the last two.
    fn first_far(&self, range: Range<u64>, fits: impl Fn(&u64) -> bool) -> Option<u64> {
        let steps = std::iter::successors(Some(1u64), |step| step.checked_mul(2));
        let tried = steps.map(|step| range.start.saturating_add(step - 1));
        let mut enough = tried.take_while(|pages| *pages < range.end).find(&fits)?;
        let mut too_small = range.start.max(enough - (enough - range.start).div_ceil(2));
        while too_small < enough {
            let middle = too_small + (enough - too_small) / 2;
            match fits(&middle) {
                true => enough = middle,
                false => too_small = middle + 1,
            }
        }
        Some(enough)
    }

    /// Whether the blocks suffice, should every file lie in one piece.
    fn may_fit(&self, pages: u64, demand: &Demand, wanted: u64) -> bool {
        let Ok(geometry) = self.geometry(Bytes::new(pages * PAGE_SIZE), demand) else {
            return false;
        };
        let needed = demand.blocks + own_blocks(&geometry, demand);
        let free = geometry
            .blocks
            .checked_sub(geometry.overhead_blocks() + needed);
        let has_inodes = demand.numbers.highest() <= geometry.inodes();
        has_inodes
            && geometry.groups_hold_their_own()
            && free.is_some_and(|free| leaves(&geometry, free, wanted))
    }

    fn fits(&self, pages: u64, demand: &Demand, wanted: u64) -> bool {
        let Ok(geometry) = self.geometry(Bytes::new(pages * PAGE_SIZE), demand) else {
            return false;
        };
        let allocation = allocate::allocate(&geometry, demand, &self.tree);
        let free = allocation.map(|allocation| allocation.free.blocks());
        let has_inodes = demand.numbers.highest() <= geometry.inodes();
        has_inodes && free.is_ok_and(|free| leaves(&geometry, free, wanted))
    }

    /// The sizes, in pages, in stretches of one block size and one size of the journal.
    fn ranges(&self) -> impl Iterator<Item = Range<u64>> {
        let mut bounds = vec![1, MAX_SIZE.get() / PAGE_SIZE + 1];
        bounds.extend(defaults::size_class_bounds().map(|bytes| bytes / PAGE_SIZE));
        for block_size in [1024, 2048, 4096] {
            let blocks = defaults::journal_bounds();
            bounds.extend(blocks.map(|blocks| blocks * block_size / PAGE_SIZE));
        }
        bounds.sort_unstable();
        bounds.dedup();
        let ends = bounds.clone().into_iter().skip(1);
        let ranges = bounds.into_iter().zip(ends);
        ranges.map(|(start, end)| start..end)
    }

    /// What the content needs in such blocks, counted once.
    fn demand(&self, block_size: u32) -> Result<&Demand> {
        let demand = &self.demands[index(block_size)];
        if let Some(counted) = demand.get() {
            return Ok(counted);
        }
        let counted = self.count(block_size)?;
        Ok(demand.get_or_init(|| counted))
    }

    fn take_demand(&mut self, block_size: u32) -> Result<Demand> {
        let demand = self.demands[index(block_size)].take();
        demand.map_or_else(|| self.count(block_size), Ok)
    }

    fn count(&self, block_size: u32) -> Result<Demand> {
        let hash = NameHash::new(self.volume.hash_seed);
        let shape = Shape::new(block_size, self.parameters.features, hash);
        let seed = Crc::of_filesystem(self.volume.uuid);
        Demand::of(
            &self.place,
            &self.parameters,
            block_size,
            shape,
            &self.tree,
            seed,
        )
    }

    fn geometry(&self, size: Bytes, demand: &Demand) -> Result<Geometry> {
        let inodes = demand.numbers.highest();
        let mut geometry = Geometry::new(&self.place, &self.parameters, size, inodes)?;
        geometry.features = demand.features(geometry.features);
        Ok(geometry)
    }

    fn check_inodes(&self, geometry: &Geometry, demand: &Demand) -> Result<()> {
        let (needed, there) = (demand.numbers.highest(), geometry.inodes());
        if needed <= there {
            return Ok(());
        }
        let advice = match self.parameters.inodes {
            Inodes::Default => "",
            Inodes::BytesPerInode(_) => "; ask for fewer bytes per inode",
            Inodes::Count(_) => "; ask for more of them",
        };
        let message = format!("the content needs {needed} inodes and there are {there}{advice}");
        Err(Error::does_not_fit(&self.place, message))
    }

    /// The same error, or which size would do where it is the size that is too small.
    fn with_least(&self, error: Error, size: Bytes) -> Error {
        let Ok(least) = self.smallest(Bytes::new(0)) else {
            return error;
        };
        // With nothing in it, what was asked for may be wrong, not the size.
        let is_asked_for = self.is_empty() && *error.place() != self.place;
        if least <= size || is_asked_for {
            return error.needing(least);
        }
        if !self.is_empty() {
            return self.too_small(size, least);
        }
        let (name, journal) = (self.parameters.flavor.name(), self.for_journal(size));
        let message = format!("{size} is too small for {name}{journal}; the least is {least}");
        Error::does_not_fit(&self.place, message).needing(least)
    }

    /// Whether there is nothing but a root directory.
    fn is_empty(&self) -> bool {
        self.tree.nodes().nth(1).is_none()
    }

    /// The content doesn't fit, but would into a larger filesystem.
    fn too_small(&self, size: Bytes, smallest: Bytes) -> Error {
        let size = format!("{size}{}", self.for_journal(size));
        too_small(&self.place, size, smallest)
    }

    /// What there has to be beside the content, where a size is too small for it.
    fn for_journal(&self, size: Bytes) -> String {
        let block_size = self.parameters.block_size_at(size);
        let least = Bytes::new(JOURNAL_FROM * u64::from(block_size));
        match self.parameters.journal_is_wanted && size < least {
            true => format!(
                " with a journal, which {} has from {least} on",
                self.parameters.flavor.name()
            ),
            false => String::new(),
        }
    }

    fn too_large(&self) -> Error {
        let name = self.parameters.flavor.name();
        let message = format!("the content doesn't fit into {name} of any size up to {MAX_SIZE}");
        Error::does_not_fit(&self.place, message)
    }
}

/// Which of [`BLOCK_SIZES`] it is.
fn index(block_size: u32) -> usize {
    (block_size / BLOCK_SIZES[1]) as usize
}

/// The blocks of the filesystem's own inodes, without those that count as overhead.
fn own_blocks(geometry: &Geometry, demand: &Demand) -> u64 {
    let resize = u64::from(geometry.features.has_resize_inode());
    let journal = u64::from(geometry.journal_blocks);
    let lost_found = demand.lost_found_blocks();
    let map_blocks = |blocks: u64| match blocks {
        0 => 0,
        _ if geometry.features.has_extents() => {
            extents::node_count(std::iter::once(blocks), geometry.block_size)
        }
        _ => block_map::node_count(std::iter::once(Run::new(0, blocks)), geometry.block_size),
    };
    resize + lost_found + map_blocks(lost_found) + map_blocks(journal)
}

/// Whether `wanted` of the `free` blocks are left to ordinary users.
fn leaves(geometry: &Geometry, free: u64, wanted: u64) -> bool {
    if wanted == 0 {
        return true;
    }
    let for_extents = if geometry.features.has_extents() {
        (geometry.blocks / 50).min(EXTENT_RESERVE_MAX)
    } else {
        0
    };
    free >= wanted + geometry.reserved_blocks + for_extents
}
