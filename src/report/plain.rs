//! Lines in the wording of the original, for logs and pipes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::BinaryBytes;

use super::lost::Lost;
use super::summary;
use crate::engine::{Amount, Event, Reporter};
use crate::printable::{printable, printable_lines};

/// How long an image may take before its progress is told, and the time between two lines then.
const INTERVAL: Duration = Duration::from_secs(5);

/// Writes a line for each beginning and a summary at the end.
pub struct Plain<W>(Mutex<State<W>>);

struct State<W> {
    out: W,
    announced: BTreeSet<String>,
    /// When the progress of an image was last told.
    told: BTreeMap<String, Instant>,
    lost: Lost,
}

impl<W: Write> Plain<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self(Mutex::new(State {
            out,
            announced: BTreeSet::new(),
            told: BTreeMap::new(),
            lost: Lost::default(),
        }))
    }
}

impl<W> fmt::Debug for Plain<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain").finish_non_exhaustive()
    }
}

impl<W: Write + Send> Reporter for Plain<W> {
    fn report(&self, event: &Event<'_>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Renaming { from, to } => {
                state.line("INFO", &format!("Renaming {from} to {to}..."));
            }
            Event::Removing { name } => state.line("INFO", &format!("Removing {name}...")),
            Event::LeftToOthers { arches } => {
                state.line("INFO", &summary::left_to_others(arches));
            }
            Event::DownloadProgress { url, .. } => state.downloading(url),
            Event::ImageStarted {
                image,
                number,
                images,
            } => {
                state.told.insert((*image).to_owned(), Instant::now());
                let text = format!("Creating image {image}...[{number}/{images}]");
                state.line("INFO", &text);
            }
            Event::ImageWarning { image, message } => {
                state.line("WARNING", &format!("{image}: {message}"));
            }
            Event::Installing { image, note } => {
                let (is_warning, text) = summary::note(image, note);
                state.line(if is_warning { "WARNING" } else { "INFO" }, &text);
            }
            Event::StepStarted {
                number,
                steps,
                title,
            } => state.line("INFO", &format!("[{number}/{steps}] {title}")),
            Event::StepEnded {
                title,
                took,
                skipped,
                ..
            } => {
                if let Some(text) = summary::step_ended(title, *took, *skipped) {
                    state.line("INFO", &text);
                }
            }
            Event::ImageProgress { image, done, total } => state.progress(image, *done, *total),
            Event::Finished { outcome } => {
                for line in summary::built(outcome) {
                    state.line("INFO", &line);
                }
                for failure in &outcome.failed {
                    state.failure(&summary::failure(failure));
                }
            }
            _ => {}
        }
    }

    fn lost(&self) -> Option<io::Error> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.lost.take()
    }
}

impl<W: Write> State<W> {
    /// Announces a download once, when it makes progress: what is in the cache makes none.
    fn downloading(&mut self, url: &str) {
        if self.announced.insert(url.to_owned()) {
            self.line("INFO", &format!("Downloading {url}..."));
        }
    }

    /// Tells of an image that takes its time.
    fn progress(&mut self, image: &str, done: Amount, total: Amount) {
        let now = Instant::now();
        match self.told.get_mut(image) {
            Some(told) if now.duration_since(*told) >= INTERVAL => *told = now,
            _ => return,
        }
        let text = format!(
            "{image}: {} of {} files, {} of {}",
            done.files,
            total.files,
            BinaryBytes(done.bytes),
            BinaryBytes(total.bytes)
        );
        self.line("INFO", &text);
    }

    fn line(&mut self, level: &str, text: &str) {
        self.write(level, &printable(text));
    }

    /// Tells of a failure, which may take several lines: those of a console, say.
    fn failure(&mut self, text: &str) {
        self.write("ERROR", &printable_lines(text));
    }

    fn write(&mut self, level: &str, text: &str) {
        // Nobody may be listening any more; the images are wanted all the same.
        let written = writeln!(self.out, "{level}:createhdds:{text}");
        self.lost.note(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_worded_like_the_original() {
        let mut out = Vec::new();
        let plain = Plain::new(&mut out);
        let url = "http://host/file";
        plain.report(&Event::Started { images: 2 });
        for received in [1, 2] {
            plain.report(&Event::DownloadProgress {
                url,
                received,
                total: None,
            });
        }
        plain.report(&Event::ImageStarted {
            image: "disk_full_gpt.img",
            number: 1,
            images: 2,
        });
        plain.report(&Event::Finished {
            outcome: &summary::tests::outcome(),
        });
        drop(plain);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "INFO:createhdds:Downloading http://host/file...\n\
             INFO:createhdds:Creating image disk_full_gpt.img...[1/2]\n\
             INFO:createhdds:Built 2 of 4 images in 1.23 s: 3.00 MiB allocated for 20.00 GiB\n\
             ERROR:createhdds:c.img, d.img: can't do it: the cause\n"
        );
    }

    #[test]
    fn a_failure_keeps_its_lines_and_steers_no_terminal() {
        let mut out = Vec::new();
        let plain = Plain::new(&mut out);
        let mut state = plain.0.lock().unwrap();
        state.failure("c.img: it broke\n  a console\u{1b}[2J");
        state.line("INFO", "two\nlines");
        drop(state);
        drop(plain);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ERROR:createhdds:c.img: it broke\n  a console\\u{1b}[2J\nINFO:createhdds:two\\nlines\n"
        );
    }
}
