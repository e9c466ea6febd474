//! Tells the reporter how far the files of an image are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use disklayout::fs::Progress;

use super::event::{Event, Reporter};
use super::outcome::Amount;

/// The time before the first event and the shortest between two: writing many small files must not become slower.
const INTERVAL: Duration = Duration::from_millis(100);

/// Adds up what the writer tells.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    image: &'a str,
    total: Amount,
    files: AtomicU64,
    bytes: AtomicU64,
    started: Instant,
    /// When the reporter is told next, in milliseconds from the start.
    next: AtomicU64,
    reporter: &'a dyn Reporter,
}

impl<'a> Watch<'a> {
    /// Tells `reporter` of the image called `image` that has `total` to write.
    pub(super) fn new(image: &'a str, total: Amount, reporter: &'a dyn Reporter) -> Self {
        Self {
            image,
            total,
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            started: Instant::now(),
            // Of what takes less, nobody wants to know.
            next: AtomicU64::new(INTERVAL.as_millis() as u64),
            reporter,
        }
    }

    /// Whether it is time to tell; of several threads one is told so.
    fn is_due(&self) -> bool {
        let now = self.started.elapsed().as_millis() as u64;
        let next = self.next.load(Ordering::Relaxed);
        let after = now + INTERVAL.as_millis() as u64;
        let swap = |next| {
            self.next
                .compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed)
        };
        now >= next && swap(next).is_ok()
    }
}

impl Progress for Watch<'_> {
    fn advance(&self, files: u64, bytes: u64) {
        let files = self.files.fetch_add(files, Ordering::Relaxed) + files;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.is_due() {
            self.reporter.report(&Event::ImageProgress {
                image: self.image,
                done: Amount { files, bytes },
                total: self.total,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, Default)]
    struct Log(Mutex<Vec<Amount>>);

    impl Reporter for Log {
        fn report(&self, event: &Event<'_>) {
            if let Event::ImageProgress { done, .. } = event {
                self.0.lock().unwrap().push(*done);
            }
        }
    }

    #[test]
    fn what_is_told_adds_up_and_is_told_now_and_then() {
        let log = Log::default();
        let watch = Watch::new("a.img", Amount::default(), &log);
        for _ in 0..1000 {
            watch.advance(1, 10);
        }
        let early = log.0.lock().unwrap().len();
        assert!(early < 1000, "{early}");
        std::thread::sleep(INTERVAL);
        watch.advance(0, 5);
        let last = log.0.lock().unwrap().pop().unwrap();
        let expected = Amount {
            files: 1000,
            bytes: 10_005,
        };
        assert_eq!(last, expected);
    }
}
