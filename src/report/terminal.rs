//! A line for everything under way and one for the whole run, redrawn in place.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::summary;
use crate::engine::{Amount, Event, Reporter};
use crate::printable::{printable, printable_lines};

const IMAGE: &str = "{spinner} {msg} {elapsed}";
/// Of an image with files that take their time.
const FILES: &str = "{spinner} {msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {prefix} {binary_bytes_per_sec} {eta}";
const READING: &str = "{spinner} {msg}: reading what goes into it {elapsed}";
const DOWNLOAD: &str = "{spinner} {msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {eta}";
const UNSIZED_DOWNLOAD: &str = "{spinner} {msg} {binary_bytes}";
const TOTAL: &str = "{wide_bar} {pos}/{len} images {elapsed}";

/// How often a line is redrawn when nothing happens.
const TICK: Duration = Duration::from_millis(120);

/// Draws bars on standard error.
pub struct Terminal {
    bars: MultiProgress,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    total: Option<ProgressBar>,
    running: BTreeMap<String, ProgressBar>,
}

impl Terminal {
    /// Draws on `bars`.
    pub fn new(bars: MultiProgress) -> Self {
        let state = Arc::default();
        Self { bars, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Redraws all lines now and then, as long as there is the one for the whole run. One thread
    /// does it for all; without it, lines are drawn when something happens.
    fn tick(&self) {
        let state = Arc::clone(&self.state);
        let redraw = move || {
            loop {
                std::thread::sleep(TICK);
                let state = lock(&state);
                let Some(total) = &state.total else { return };
                total.tick();
                state.running.values().for_each(ProgressBar::tick);
            }
        };
        if let Err(error) = std::thread::Builder::new().spawn(redraw) {
            tracing::debug!("no thread redraws the bars: {error}");
        }
    }

    /// Adds a line called `name` above the one for the whole run.
    fn begin(&self, state: &mut State, name: &str, bar: ProgressBar, template: &str) {
        let bar = match &state.total {
            Some(total) => self.bars.insert_before(total, bar),
            None => self.bars.add(bar),
        };
        bar.set_style(style(template));
        bar.set_message(printable(name).into_owned());
        state.running.insert(name.to_owned(), bar);
    }

    fn download(&self, url: &str, received: u64, total: Option<u64>) {
        let mut state = self.state();
        if !state.running.contains_key(url) {
            match total {
                Some(total) => self.begin(&mut state, url, ProgressBar::new(total), DOWNLOAD),
                None => self.begin(&mut state, url, ProgressBar::no_length(), UNSIZED_DOWNLOAD),
            }
        }
        if let Some(bar) = state.running.get(url) {
            bar.set_position(received);
        }
    }

    /// Shows how far the files of an image are.
    fn files(&self, image: &str, done: Amount, total: Amount) {
        let state = self.state();
        let Some(bar) = state.running.get(image) else {
            return;
        };
        if bar.length().is_none() {
            bar.set_style(style(FILES));
            bar.set_length(total.bytes);
        }
        bar.set_prefix(format!("{}/{} files", done.files, total.files));
        bar.set_position(done.bytes);
    }

    fn end(&self, name: &str) {
        let bar = self.state().running.remove(name);
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
    }

    /// A line that stays. The terminal may be gone by now; the images aren't.
    fn line(&self, text: &str) {
        let _ = self.bars.println(printable(text));
    }

    fn end_image(&self, name: &str) {
        self.end(name);
        if let Some(total) = &self.state().total {
            total.inc(1);
        }
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").finish_non_exhaustive()
    }
}

impl Reporter for Terminal {
    fn report(&self, event: &Event<'_>) {
        match event {
            Event::Renaming { from, to } => self.line(&format!("Renaming {from} to {to}")),
            Event::Removing { name } => self.line(&format!("Removing {name}")),
            Event::LeftToOthers { arches } => self.line(&summary::left_to_others(arches)),
            Event::Started { images } => {
                let total = self.bars.add(ProgressBar::new(*images as u64));
                total.set_style(style(TOTAL));
                self.state().total = Some(total);
                self.tick();
            }
            Event::DownloadProgress {
                url,
                received,
                total,
            } => self.download(url, *received, *total),
            Event::DownloadEnded { url, .. } => self.end(url),
            Event::StepStarted { title, .. } => {
                self.begin(&mut self.state(), title, ProgressBar::no_length(), IMAGE);
            }
            Event::StepEnded {
                number,
                steps,
                title,
                took,
                skipped,
            } => {
                self.end(title);
                self.line(&summary::step(*number, *steps, title, *took, *skipped));
            }
            Event::Planning { image } => {
                self.begin(&mut self.state(), image, ProgressBar::no_length(), READING);
            }
            Event::ImageProgress { image, done, total } => self.files(image, *done, *total),
            Event::ImageWarning { image, message } => {
                self.line(&format!("warning: {image}: {message}"));
            }
            Event::Installing { image, note } => {
                let (is_warning, text) = summary::note(image, note);
                self.line(&format!(
                    "{}{text}",
                    if is_warning { "warning: " } else { "" }
                ));
            }
            Event::ImageStarted { image, .. } => {
                self.end(image);
                self.begin(&mut self.state(), image, ProgressBar::no_length(), IMAGE);
            }
            Event::ImageBuilt { built, .. } => self.end_image(&built.image),
            Event::ImageFailed { image, .. } => self.end_image(image),
            Event::Finished { outcome } => {
                if let Some(total) = self.state().total.take() {
                    total.finish_and_clear();
                }
                let mut stderr = io::stderr();
                // The terminal may be gone by now; the images aren't.
                for line in summary::built(outcome) {
                    let _ = writeln!(stderr, "{}", printable(&line));
                }
                for failure in &outcome.failed {
                    let text = summary::failure(failure);
                    let _ = writeln!(stderr, "error: {}", printable_lines(&text));
                }
            }
            Event::DownloadStarted { .. } => {}
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The templates are constants, which a test checks.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressDrawTarget;

    use super::*;

    #[test]
    fn templates_are_valid() {
        for template in [IMAGE, FILES, READING, DOWNLOAD, UNSIZED_DOWNLOAD, TOTAL] {
            ProgressStyle::with_template(template).unwrap();
        }
    }

    #[test]
    fn lines_come_and_go_with_what_they_stand_for() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let terminal = Terminal::new(bars);
        let (image, number, images) = ("a.img", 1, 2);
        let running = || terminal.state().running.len();
        let done = || terminal.state().total.as_ref().map(ProgressBar::position);
        terminal.report(&Event::Started { images });
        let url = "http://host/file";
        for (received, total) in [(1, Some(10)), (10, Some(10))] {
            terminal.report(&Event::DownloadProgress {
                url,
                received,
                total,
            });
            assert_eq!(terminal.state().running[url].position(), received);
        }
        terminal.report(&Event::DownloadEnded { url, success: true });
        assert_eq!(running(), 0);
        terminal.report(&Event::ImageStarted {
            image,
            number,
            images,
        });
        assert_eq!((running(), done()), (1, Some(0)));
        // The second one fails before it is begun.
        for image in [image, "b.img"] {
            terminal.report(&Event::ImageFailed {
                image,
                number,
                images,
            });
        }
        assert_eq!((running(), done()), (0, Some(2)));
        let outcome = crate::engine::Outcome::default();
        terminal.report(&Event::Finished { outcome: &outcome });
        assert_eq!(done(), None);
    }
}
