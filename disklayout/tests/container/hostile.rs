//! Images of every format with arbitrary damage: an error or a disk, whatever is in them.

use disklayout::Bytes;
use disklayout::container::Registry;
use disklayout::disk::{Disk, Window};
use testkit::scratch::Scratch;

use crate::damage::{self, load};
use crate::kinds::KINDS;
use crate::sample::{How, Sample};

const MIB: u64 = 1 << 20;

/// How often each image is damaged.
const TIMES: u64 = 80;

/// Numbers that look random, by a multiplier of Knuth's.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }

    /// A place in a file: mostly where tables are, at its beginning, at its end or behind a MiB.
    fn place(&mut self, len: u64) -> u64 {
        let near = self.below(600);
        let place = match self.below(6) {
            0 => self.below(len),
            1 => len.saturating_sub(near + 8),
            2 => MIB * self.below(4) + near,
            3 => (64 << 10) * self.below(8) + near,
            _ => near,
        };
        place.min(len.saturating_sub(8))
    }
}

/// Formats with options: all of [`KINDS`], and every other format that is known as it usually is.
fn kinds() -> Vec<How<'static>> {
    let known = |name: &&str| KINDS.iter().all(|kind| kind.format != *name);
    let others = Registry::default().names().into_iter().filter(known);
    let others = others.map(|name| How::new(name, &[]));
    let kinds = KINDS.iter();
    kinds
        .map(|kind| How::new(kind.format, kind.options))
        .chain(others)
        .collect()
}

#[test]
fn whatever_is_in_an_image_reading_it_ends() {
    let scratch = Scratch::new();
    let image = scratch.path("image");
    let mut numbers = Numbers(5);
    for how in kinds() {
        let sample = Sample::random(7, 3 * MIB);
        sample.image(&how, &image).unwrap();
        let file = load(&image);
        for _ in 0..TIMES {
            let place = numbers.place(file.len());
            let mut before = [0; 8];
            file.read_at(&mut before, place).unwrap();
            let values = [0, u64::MAX, 1 << numbers.below(64), numbers.below(1 << 31)];
            let value = values[numbers.below(4) as usize];
            let bytes = [value.to_le_bytes(), value.to_be_bytes()][numbers.below(2) as usize];
            let count = 1 << numbers.below(4);
            file.write_at(&bytes[8 - count..], place).unwrap();
            // What comes of it is no matter; that it comes is.
            let _ = damage::read(&file);
            let kept = Bytes::new(numbers.below(file.len()));
            let cut = Window::new(&file, Bytes::new(0), kept).unwrap();
            let _ = damage::read(&cut);
            if numbers.below(4) > 0 {
                file.write_at(&before, place).unwrap();
            }
        }
    }
}
