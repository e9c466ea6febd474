//! Disks in image files that exist: read where they lie, without writing anything.

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::{Disk, Window, check_range};

/// How many stretches are looked at to find one of another kind. Tables that lead to the same place
/// again and again can make more of them than there are bytes in the file, by far.
const STRETCHES: u32 = 1 << 20;

/// How a stretch of the disk is kept in its image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It isn't, and reads as zero.
    Nothing,
    /// Byte for byte, from this place in the file on.
    At(u64),
    /// In a form that has to be [unpacked](Find::unpack) as a whole.
    Packed,
}

/// A stretch of the disk that is kept in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Which bytes of the disk, at least one; it may end behind the disk. One that is packed is what is
    /// unpacked at once.
    pub range: Range<u64>,
    /// How they are kept: [`Held::At`] tells the place of the first of them.
    pub held: Held,
}

impl Stretch {
    /// The units of `size` bytes from the one with the number `first` on that are kept as if they were
    /// one: none is there, or they lie side by side. `held` tells of each how it is.
    pub(super) fn joined(first: u64, size: u64, mut held: impl Iterator<Item = Held>) -> Self {
        let start = held.next().unwrap_or(Held::Nothing);
        let follows = |(held, bytes): &(Held, u64)| match start {
            Held::Nothing => *held == Held::Nothing,
            Held::At(place) => place.checked_add(*bytes).map(Held::At) == Some(*held),
            Held::Packed => false,
        };
        let others = held.zip((1..).map(|number| number * size));
        let count = 1 + others.take_while(follows).count() as u64;
        Self {
            range: first * size..(first + count) * size,
            held: start,
        }
    }

    /// The first byte from `offset` on, within the stretch, that is held, or isn't: what is held as it
    /// is may be a hole of the file.
    fn next(&self, file: &dyn Disk, offset: u64, is_held: bool) -> Option<u64> {
        let range = &self.range;
        let next = match self.held {
            Held::At(place) if inside(file, place, range.end - range.start) => {
                let from = place + (offset - range.start);
                let next = match is_held {
                    true => file.next_data(from),
                    false => file.next_hole(from),
                };
                offset.saturating_add(next.saturating_sub(from))
            }
            held if (held != Held::Nothing) == is_held => offset,
            _ => return None,
        };
        (next < range.end).then_some(next)
    }
}

/// Whether so many bytes are in a file.
fn inside(file: &dyn Disk, place: u64, count: u64) -> bool {
    let end = place.checked_add(count);
    end.is_some_and(|end| end <= file.len())
}

/// What finds the bytes of a disk in an image file.
pub(super) trait Find: Debug + Sync {
    /// The stretch that the byte at `offset`, which is on the disk, lies in.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when tables are damaged, else what the file says.
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch>;

    /// All bytes of a stretch that is packed.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when they are damaged, else what the file says.
    fn unpack(&self, file: &dyn Disk, stretch: &Range<u64>) -> io::Result<Vec<u8>> {
        let _ = file;
        Err(damaged(format!(
            "the bytes from {} on are compressed",
            stretch.start
        )))
    }
}

/// A disk in an image file.
#[derive(Debug)]
pub(super) struct Read<'a, F> {
    file: Window<'a>,
    len: u64,
    find: F,
    /// What was unpacked last.
    unpacked: Mutex<Option<(u64, Arc<[u8]>)>>,
}

impl<'a, F: Find> Read<'a, F> {
    /// The disk of `len` bytes whose bytes are found by `find` in `file`.
    pub(super) fn new(file: &'a dyn Disk, len: u64, find: F) -> Self {
        Self::within(Window::whole(file), len, find)
    }

    /// The disk of `len` bytes whose bytes are found by `find` in a part of a file.
    pub(super) const fn within(file: Window<'a>, len: u64, find: F) -> Self {
        Self {
            file,
            len,
            find,
            unpacked: Mutex::new(None),
        }
    }

    fn stretch(&self, offset: u64) -> io::Result<Stretch> {
        let mut stretch = self.find.find(&self.file, offset)?;
        if !stretch.range.contains(&offset) {
            return Err(damaged(format!("nothing is known of the byte at {offset}")));
        }
        stretch.range.end = stretch.range.end.min(self.len);
        Ok(stretch)
    }

    fn read_from_file(&self, target: &mut [u8], place: u64) -> io::Result<()> {
        if !inside(&self.file, place, target.len() as u64) {
            let message =
                format!("bytes of the disk are said to be at {place}, behind the file's end");
            return Err(damaged(message));
        }
        self.file.read_at(target, place)
    }

    fn unpacked(&self, range: &Range<u64>) -> io::Result<Arc<[u8]>> {
        let last = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((start, bytes)) = &*last
            && *start == range.start
        {
            return Ok(bytes.clone());
        }
        drop(last);
        let bytes: Arc<[u8]> = self.find.unpack(&self.file, range)?.into();
        if (bytes.len() as u64) < range.end - range.start {
            let message = format!("too few bytes are packed at {} of the disk", range.start);
            return Err(damaged(message));
        }
        let mut last = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((range.start, bytes.clone()));
        Ok(bytes)
    }

    /// The first byte from `offset` on of a stretch that is held, or not; the length when none is.
    /// What can't be found counts as held: reading it tells why. So does what is behind more
    /// stretches than anybody waits for.
    fn next(&self, offset: u64, is_held: bool) -> u64 {
        let mut at = offset;
        for _ in 0..STRETCHES {
            if at >= self.len {
                return self.len.max(offset);
            }
            let Ok(stretch) = self.stretch(at) else {
                break;
            };
            match stretch.next(&self.file, at, is_held) {
                Some(next) => return next,
                None => at = stretch.range.end,
            }
        }
        if is_held { at } else { self.len }
    }
}

impl<F: Find> Disk for Read<'_, F> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let Stretch { range, held } = self.stretch(at)?;
            let within = at - range.start;
            let left = (buf.len() - done) as u64;
            let count = left.min(range.end - at) as usize;
            let target = &mut buf[done..done + count];
            match held {
                Held::Nothing => target.fill(0),
                Held::At(place) => self.read_from_file(target, place.saturating_add(within))?,
                Held::Packed => {
                    let bytes = self.unpacked(&range)?;
                    let from = within as usize;
                    target.copy_from_slice(&bytes[from..from + count]);
                }
            }
            done += count;
        }
        Ok(())
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.next(offset, true)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        self.next(offset, false)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// The error of an image file of a kind that isn't read.
pub(super) fn unsupported(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message.into())
}

/// The error of an image file that isn't what it says it is.
pub(super) fn damaged(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;

    #[test]
    fn neighbours_are_found_at_once() {
        use Held::{At, Nothing, Packed};
        for (held, expected) in [
            (&[Nothing, Nothing, At(0)][..], 2),
            (&[At(512), At(522), At(532), At(552)], 3),
            (&[At(u64::MAX), At(9)], 1),
            (&[Packed, Packed], 1),
        ] {
            let found = Stretch::joined(7, 10, held.iter().copied());
            assert_eq!(found.range, 70..70 + expected * 10);
            assert_eq!(found.held, held[0]);
        }
    }

    /// Two units that are there, one of which would end behind the file, and one that isn't.
    #[derive(Debug)]
    struct Three;

    impl Find for Three {
        fn find(&self, _: &dyn Disk, offset: u64) -> io::Result<Stretch> {
            let held = [Held::Nothing, Held::At(8192), Held::At(100_000)];
            let unit = offset / 16384;
            let held = held.into_iter().skip(unit as usize);
            Ok(Stretch::joined(unit, 16384, held))
        }
    }

    #[test]
    fn holes_of_the_file_are_holes_of_the_disk() {
        let file = MemDisk::new(100_000);
        file.write_at(&[7; 4096], 8192 + 4096).unwrap();
        let disk = Read::new(&file, 3 * 16384, Three);
        assert_eq!(disk.next_data(0), 16384 + 4096);
        assert_eq!(disk.next_hole(16384 + 4096), 16384 + 8192);
        assert_eq!(disk.next_data(16384 + 8192), 2 * 16384);
        assert_eq!(disk.next_hole(2 * 16384), disk.len());
        let mut buf = [1; 2];
        disk.read_at(&mut buf, 16384 + 4095).unwrap();
        assert_eq!(buf, [0, 7]);
        let error = disk.read_at(&mut buf, 2 * 16384).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    /// Units of one byte, far more than anybody looks at, all of them at one place or nowhere.
    #[derive(Debug)]
    struct Same(Held);

    impl Find for Same {
        fn find(&self, _: &dyn Disk, offset: u64) -> io::Result<Stretch> {
            let range = offset..offset + 1;
            Ok(Stretch {
                range,
                held: self.0,
            })
        }
    }

    #[test]
    fn looking_for_another_stretch_ends() {
        let file = MemDisk::new(1);
        let disk = Read::new(&file, u64::MAX, Same(Held::Packed));
        assert_eq!((disk.next_data(5), disk.next_hole(5)), (5, u64::MAX));
        let disk = Read::new(&file, u64::MAX, Same(Held::Nothing));
        let data = disk.next_data(5);
        assert_eq!(
            (data, disk.next_hole(data)),
            (5 + u64::from(STRETCHES), data)
        );
    }
}
