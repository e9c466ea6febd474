//! Disks that are opened on other disks of the same kind.

use std::cell::{Cell, OnceCell};

use disklayout::disk::Disk;
use disklayout::inspect::{luks::Unlocked, lvm::VolumeDisk};

/// How many are opened in an image, whatever it says: logical volumes may lead into each other.
pub(super) const MOST: usize = 1024;

/// A disk on another one.
#[derive(Debug)]
pub(super) enum Opened<'a> {
    Container(Unlocked<'a>),
    Volume(VolumeDisk<'a>),
}

/// Keeps disks for as long as any of them is used. They stay where they are, so that one may be on
/// another.
#[derive(Debug)]
pub(super) struct Arena<'a> {
    places: Vec<OnceCell<Box<Opened<'a>>>>,
    used: Cell<usize>,
}

impl<'a> Arena<'a> {
    pub(super) fn new() -> Self {
        Self {
            places: (0..MOST).map(|_| OnceCell::new()).collect(),
            used: Cell::new(0),
        }
    }

    /// Keeps a disk; `None` where there are [`MOST`] already.
    pub(super) fn keep(&'a self, opened: Opened<'a>) -> Option<&'a dyn Disk> {
        let place = self.places.get(self.used.get())?;
        self.used.set(self.used.get() + 1);
        Some(match &**place.get_or_init(|| Box::new(opened)) {
            Opened::Container(disk) => disk,
            Opened::Volume(disk) => disk,
        })
    }
}
