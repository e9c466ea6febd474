//! An image file whose units are put into it one after the other, in the order of the disk, because
//! each takes the room that it needs, or because the file is a stream.
//!
//! Writes come in any order, from several threads. All but the data of files comes first and is kept
//! in pages; then it is known which bytes are still to come, so that a unit is encoded by the thread
//! that completes it. What is complete too early waits, so that the file is the same whatever the
//! threads did.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::prelude::*;

use super::Container;
use super::output::{Output, Target};
use super::pages::Pages;
use super::room::{Encoded, Room};
use super::scratch::MakeFile;
use super::units::{Order, Units, allow_zeroes};
use crate::disk::{Coming, Disk, check_range, is_zero};

/// Units of so many bytes, but no more than so many, are encoded side by side before they are put into
/// the file.
const WINDOW: u64 = 16 << 20;
const WINDOW_UNITS: u64 = 64;

/// What makes units of the file from those of the disk, on any thread.
pub(super) trait Encode: Debug + Sync {
    /// The unit of this number as it goes into the file. `bytes` aren't all zero; the last unit of a
    /// disk may be shorter than others.
    fn encode(&self, unit: u64, bytes: &[u8]) -> io::Result<Encoded>;
}

/// Leaves units as they are.
#[derive(Debug)]
pub(super) struct AsIs;

impl Encode for AsIs {
    fn encode(&self, _: u64, bytes: &[u8]) -> io::Result<Encoded> {
        Ok(Encoded {
            bytes: bytes.to_vec(),
            is_plain: true,
        })
    }
}

/// What puts units into the file.
pub(super) trait Append: Debug + Send {
    /// Takes note of the bytes of the disk that must read as zero where no unit comes, in ascending
    /// stretches. It is told before the first unit.
    fn expect(&mut self, zeroes: &[Range<u64>]) {
        let _ = zeroes;
    }

    /// Adds a unit. They come in ascending order; those that are left out read as zero.
    fn append(&mut self, unit: u64, encoded: &Encoded, output: &mut Output) -> io::Result<()>;

    /// Adds what comes behind the last unit.
    fn finish(&mut self, output: &mut Output) -> io::Result<()>;
}

/// A disk whose image file is written from its start to its end.
#[derive(Debug)]
pub(super) struct Ordered<'a, E, A> {
    units: Units,
    encode: E,
    pages: Pages<'a>,
    /// How much of a unit that has begun to come is still to come.
    begun: Mutex<BTreeMap<u64, u64>>,
    /// Set when all but the data of files has come.
    order: OnceLock<Order>,
    queue: Mutex<Queue<'a>>,
    sink: Mutex<Sink<A>>,
}

/// Units on their way into the file.
#[derive(Debug)]
struct Queue<'a> {
    room: Room<'a>,
    /// The unit that the file needs next.
    next: Option<u64>,
    /// Whether some thread is putting units into the file.
    is_draining: bool,
    failure: Option<(io::ErrorKind, String)>,
}

#[derive(Debug)]
struct Sink<A> {
    append: A,
    output: Output,
}

impl<'a, E: Encode, A: Append> Ordered<'a, E, A> {
    /// A disk of which nothing has been written. `append` puts the beginning of the file into
    /// `output` with its first unit.
    pub(super) fn new(
        units: Units,
        (encode, append): (E, A),
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> Self {
        Self {
            units,
            encode,
            pages: Pages::new(units.size, make),
            begun: Mutex::default(),
            order: OnceLock::new(),
            queue: Mutex::new(Queue {
                room: Room::new(make),
                next: None,
                is_draining: false,
                failure: None,
            }),
            sink: Mutex::new(Sink {
                append,
                output: Output::new(target),
            }),
        }
    }

    /// Bytes of one unit have come.
    fn take(&self, order: &Order, unit: u64, bytes: &[u8], offset: u64) -> io::Result<()> {
        let arrived = order
            .expected
            .within(&(offset..offset + bytes.len() as u64));
        if arrived == 0 {
            return allow_zeroes(bytes, offset);
        }
        let is_whole = bytes.len() == self.units.len(unit);
        if is_whole && !self.units.has_pages(unit, &self.pages) {
            return self.deliver(unit, self.encoded(unit, bytes)?);
        }
        self.pages.write(bytes, offset)?;
        self.count(order, unit, arrived)
    }

    /// So many of the bytes that a unit expects are there.
    fn count(&self, order: &Order, unit: u64, arrived: u64) -> io::Result<()> {
        let is_complete = {
            let mut begun = lock(&self.begun);
            let all = || order.expected.within(&self.units.range(unit));
            let left = begun.entry(unit).or_insert_with(all);
            *left = left.checked_sub(arrived).ok_or_else(|| twice(unit))?;
            let is_complete = *left == 0;
            if is_complete {
                begun.remove(&unit);
            }
            is_complete
        };
        match is_complete {
            true => self.deliver(unit, self.out_of_pages(unit)?),
            false => Ok(()),
        }
    }

    /// A unit that lies in pages, which are forgotten.
    fn out_of_pages(&self, unit: u64) -> io::Result<Option<Encoded>> {
        let range = self.units.range(unit);
        let mut bytes = vec![0; self.units.len(unit)];
        self.pages.read(&mut bytes, range.start)?;
        self.pages.forget(range.start, range.end - range.start);
        self.encoded(unit, &bytes)
    }

    fn encoded(&self, unit: u64, bytes: &[u8]) -> io::Result<Option<Encoded>> {
        match is_zero(bytes) {
            true => Ok(None),
            false => self.encode.encode(unit, bytes).map(Some),
        }
    }

    /// Puts a unit that is complete, and those that wait for it, into the file; or lets it wait.
    fn deliver(&self, unit: u64, encoded: Option<Encoded>) -> io::Result<()> {
        let mut queue = lock(&self.queue);
        queue.check()?;
        queue.room.insert(unit, encoded)?;
        // Nobody waits for the thread that is draining: it may be waiting for this one.
        if queue.is_draining {
            return Ok(());
        }
        queue.is_draining = true;
        drop(queue);
        self.drain()
            .inspect_err(|error| lock(&self.queue).fail(error))
    }

    fn drain(&self) -> io::Result<()> {
        let mut sink = lock(&self.sink);
        let Sink { append, output } = &mut *sink;
        loop {
            let mut queue = lock(&self.queue);
            let Some(unit) = queue.next.filter(|unit| queue.room.has(*unit)) else {
                queue.is_draining = false;
                return Ok(());
            };
            let encoded = queue.room.take(unit)?;
            queue.next = self
                .order
                .get()
                .and_then(|it| it.from(self.units, unit + 1));
            drop(queue);
            if let Some(encoded) = encoded {
                append.append(unit, &encoded, output)?;
            }
        }
    }

    /// Encodes the units to which no more comes, and lets them wait for their turn.
    fn deliver_complete(&self, complete: &[u64]) -> io::Result<()> {
        let side_by_side = (WINDOW / self.units.size).clamp(1, WINDOW_UNITS);
        for window in complete.chunks(side_by_side as usize) {
            let encoded: Vec<_> = window
                .par_iter()
                .map(|unit| self.out_of_pages(*unit))
                .collect::<io::Result<_>>()?;
            for (unit, encoded) in window.iter().zip(encoded) {
                self.deliver(*unit, encoded)?;
            }
        }
        Ok(())
    }
}

impl<E: Encode, A: Append> Disk for Ordered<'_, E, A> {
    fn len(&self) -> u64 {
        self.units.disk
    }

    /// What has gone into the file reads as zero.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.units.disk, offset, buf.len() as u64)?;
        self.pages.read(buf, offset)
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.pages.next(offset).max(offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        let end = self.units.disk.max(offset);
        self.pages.next_hole(offset).min(end)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_range(self.units.disk, offset, buf.len() as u64)?;
        let Some(order) = self.order.get() else {
            return self.pages.write(buf, offset);
        };
        for piece in self.units.pieces(offset, buf.len()) {
            self.take(order, piece.unit, &buf[piece.bytes], piece.offset)?;
        }
        Ok(())
    }

    fn wants_expectations(&self) -> bool {
        true
    }

    fn expect(&self, coming: &Coming<'_>) -> io::Result<()> {
        lock(&self.sink).append.expect(coming.zeroes);
        let order = Order::new(self.units, &self.pages, coming.data);
        lock(&self.queue).next = order.from(self.units, 0);
        let order = self.order.get_or_init(|| order);
        self.deliver_complete(&order.complete)
    }
}

impl<E: Encode, A: Append> Container for Ordered<'_, E, A> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        if self.order.get().is_none() {
            self.expect(&Coming::default())?;
        }
        let queue = lock(&self.queue);
        queue.check()?;
        if let Some(unit) = queue.next {
            let start = self.units.range(unit).start;
            let message = format!("not all bytes of the unit at {start} have come");
            return Err(io::Error::other(message));
        }
        drop(queue);
        let mut sink = lock(&self.sink);
        let Sink { append, output } = &mut *sink;
        append.finish(output)?;
        output.flush()
    }
}

impl Queue<'_> {
    /// Fails as an earlier write did: what was put into the file isn't complete.
    fn check(&self) -> io::Result<()> {
        match &self.failure {
            Some((kind, message)) => Err(io::Error::new(*kind, message.clone())),
            None => Ok(()),
        }
    }

    fn fail(&mut self, error: &io::Error) {
        self.failure = Some((error.kind(), error.to_string()));
    }
}

fn twice(unit: u64) -> io::Error {
    io::Error::other(format!("bytes of unit {unit} have come twice"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
