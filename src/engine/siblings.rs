//! Images that are made together: one disk in several files.

use std::ops::Range;

use crate::image::Image;

/// Images that share a disk, and the number of the first of them in the run, from 1; one image where
/// it shares its disk with none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Siblings<'a> {
    pub(super) number: usize,
    pub(super) images: &'a [Image],
}

impl<'a> Siblings<'a> {
    /// All of `images`, in their order. Those that share a disk stand side by side.
    pub(super) fn all(images: &'a [Image]) -> Vec<Self> {
        let mut number = 1;
        let sets = images.chunk_by(Image::shares_disk);
        sets.map(|images| {
            let set = Self { number, images };
            number += images.len();
            set
        })
        .collect()
    }

    /// The first of them.
    pub(super) const fn first(&self) -> &'a Image {
        &self.images[0]
    }

    /// Each with its number.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &'a Image)> {
        (self.number..).zip(self.images)
    }

    /// Their positions in the run, from 0.
    pub(super) const fn indices(&self) -> Range<usize> {
        self.number - 1..self.number - 1 + self.images.len()
    }
}
