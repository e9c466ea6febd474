//! Disks with something in them, written into image files as a build does it.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use disklayout::container::{Registry, Request, Target};
use disklayout::disk::{Coming, Disk, write_data};
use disklayout::fs::Options;
use disklayout::{Bytes, Identity, Result, Timestamp};
use rayon::prelude::*;

/// What a disk holds, and the order in which it comes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) size: u64,
    /// What comes first: where, and which byte how often.
    pub(crate) metadata: Vec<(u64, u8, usize)>,
    /// The data of files, which comes in any order.
    pub(crate) data: Vec<(u64, u8, usize)>,
}

/// How an image file is written.
#[derive(Clone, Debug)]
pub(crate) struct How<'a> {
    pub(crate) format: &'a str,
    pub(crate) options: &'a [(&'a str, &'a str)],
    pub(crate) threads: usize,
    pub(crate) to_stream: bool,
}

impl<'a> How<'a> {
    pub(crate) const fn new(format: &'a str, options: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            format,
            options,
            threads: 3,
            to_stream: false,
        }
    }
}

impl Sample {
    /// Numbers that look random, by a multiplier of Knuth's.
    pub(crate) fn random(seed: u64, size: u64) -> Self {
        let mut state = seed;
        let mut next = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below.max(1)
        };
        let mut sample = Self {
            size,
            ..Self::default()
        };
        let mut at = 0;
        while at < size && sample.data.len() + sample.metadata.len() < 40 {
            at += match next(3) {
                0 => 0,
                1 => next(300_000),
                _ => next(size / 8),
            };
            let len = (1 + next(700_000)).min(size.saturating_sub(at));
            let byte = next(4) as u8;
            if len > 0 {
                let list = match next(3) {
                    0 => &mut sample.metadata,
                    _ => &mut sample.data,
                };
                list.push((at, byte, len as usize));
            }
            at += len;
        }
        sample
    }

    /// The same as [`Self::random`], with something in its last byte.
    pub(crate) fn with_last_byte(seed: u64, size: u64) -> Self {
        let mut sample = Self::random(seed, size);
        let ends_before = |(at, _, len): &(u64, u8, usize)| at + (*len as u64) < size;
        sample.metadata.retain(ends_before);
        sample.data.retain(ends_before);
        if size > 0 {
            sample.data.push((size - 1, 5, 1));
        }
        sample
    }

    fn expected(&self) -> Vec<Range<u64>> {
        let mut merged: Vec<Range<u64>> = Vec::new();
        for (at, _, len) in &self.data {
            let range = *at..*at + *len as u64;
            match merged.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => merged.push(range),
            }
        }
        merged
    }

    /// What some bytes of it are. Those that aren't all the same don't compress to nothing.
    fn bytes(at: u64, byte: u8, len: usize) -> Vec<u8> {
        let numbers = (at..).take(len);
        match byte {
            0 => vec![0; len],
            1 => numbers
                .map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
                .collect(),
            _ => numbers.map(|at| byte ^ (at >> 12) as u8).collect(),
        }
    }

    /// Writes all of it as a build does.
    fn write(&self, disk: &dyn Disk, zeroes: &[Range<u64>], threads: usize) {
        for (at, byte, len) in &self.metadata {
            write_data(disk, &Self::bytes(*at, *byte, *len), *at).unwrap();
        }
        let data = &self.expected();
        disk.expect(&Coming { data, zeroes }).unwrap();
        let mut pieces = Vec::new();
        for (at, byte, len) in &self.data {
            for start in (0..*len).step_by(100_000) {
                pieces.push((*at + start as u64, *byte, (*len - start).min(100_000)));
            }
        }
        // Far from the order of the disk.
        let half = pieces.len() / 2;
        pieces.rotate_left(half);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            pieces.par_iter().for_each(|(at, byte, len)| {
                disk.write_at(&Self::bytes(*at, *byte, *len), *at).unwrap();
            });
        });
    }

    /// Writes an image file of it at `path`.
    ///
    /// # Errors
    /// What the format says.
    pub(crate) fn image(&self, how: &How<'_>, path: &Path) -> Result<()> {
        self.image_relying_on(how, path, &[])
    }

    /// Writes an image file of it of which `zeroes` must read as zero where nothing is written.
    ///
    /// # Errors
    /// What the format says.
    pub(crate) fn image_relying_on(
        &self,
        how: &How<'_>,
        path: &Path,
        zeroes: &[Range<u64>],
    ) -> Result<()> {
        let registry = Registry::default();
        let format = registry.format(how.format).expect("a known format");
        let options = how.options.iter();
        let options = options.fold(Options::default(), |all, (name, value)| {
            all.with(name, value)
        });
        let plan = format.plan(&Request {
            place: &"image".into(),
            size: Bytes::new(self.size),
            options: &options,
            identity: &Identity::new("image", Timestamp::default()),
        })?;
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .unwrap();
        let target = match how.to_stream {
            true => Target::Stream(Box::new(file)),
            false => Target::of(file),
        };
        let make = || tempfile::tempfile();
        let container = plan.open(target, &make).unwrap();
        self.write(&*container, zeroes, how.threads);
        container.finish().unwrap();
        Ok(())
    }

    /// Makes sure that an image file of it at `path` has the same bytes on any number of threads.
    pub(crate) fn assert_same_by_any_threads(&self, how: &How<'_>, path: &Path) {
        let made = [1, 2, 5].map(|threads| {
            let how = How {
                threads,
                ..how.clone()
            };
            self.image(&how, path).unwrap();
            std::fs::read(path).unwrap()
        });
        assert!(made[0] == made[1] && made[0] == made[2], "{how:?}");
    }

    /// The disk of it, byte for byte, beside the image file at `path`.
    pub(crate) fn raw(&self, path: &Path) -> PathBuf {
        let raw = path.with_extension("raw");
        self.image(&How::new("raw", &[]), &raw).unwrap();
        raw
    }
}
