//! Lines in the wording of the original, for logs and pipes.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::summary;
use crate::engine::{Event, Reporter};

/// Writes a line for each beginning and a summary at the end.
pub struct Plain<W>(Mutex<State<W>>);

struct State<W> {
    out: W,
    announced: BTreeSet<String>,
}

impl<W: Write> Plain<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        let announced = BTreeSet::new();
        Self(Mutex::new(State { out, announced }))
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
            Event::DownloadProgress { url, .. } => state.downloading(url),
            Event::ImageStarted {
                image,
                number,
                images,
            } => state.line(
                "INFO",
                &format!("Creating image {image}...[{number}/{images}]"),
            ),
            Event::Finished { outcome } => {
                state.line("INFO", &summary::built(outcome));
                for failure in &outcome.failed {
                    state.line("ERROR", &summary::failure(failure));
                }
            }
            _ => {}
        }
    }
}

impl<W: Write> State<W> {
    /// Announces a download once, when it makes progress: what is in the cache makes none.
    fn downloading(&mut self, url: &str) {
        if self.announced.insert(url.to_owned()) {
            self.line("INFO", &format!("Downloading {url}..."));
        }
    }

    fn line(&mut self, level: &str, text: &str) {
        // Nobody may be listening any more; the images are wanted all the same.
        let _ = writeln!(self.out, "{level}:createhdds:{text}");
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
}
