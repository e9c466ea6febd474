//! One JSON object a line, for programs. The first line carries the version of this protocol;
//! new keys and events may be added without a new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::lost::Lost;
use crate::engine::{Event, Note, Outcome, Reporter};

/// The version of the protocol.
const VERSION: u32 = 1;

/// The shortest time between two lines on the progress of one download or image.
const INTERVAL: Duration = Duration::from_millis(200);

/// Writes an object for every event.
pub struct Json<W>(Mutex<State<W>>);

struct State<W> {
    out: W,
    told: BTreeMap<String, Instant>,
    lost: Lost,
}

impl<W: Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self(Mutex::new(State {
            out,
            told: BTreeMap::new(),
            lost: Lost::default(),
        }))
    }
}

impl<W> fmt::Debug for Json<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Json").finish_non_exhaustive()
    }
}

impl<W: Write + Send> Reporter for Json<W> {
    fn report(&self, event: &Event<'_>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::DownloadProgress { url, .. } if !state.is_due(url) => return,
            Event::ImageProgress { image, .. } if !state.is_due(image) => return,
            _ => {}
        }
        // A reader that went away doesn't keep the images from being built.
        let written = writeln!(state.out, "{}", object(event)).and_then(|()| state.out.flush());
        state.lost.note(written);
    }

    fn lost(&self) -> Option<io::Error> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.lost.take()
    }
}

impl<W> State<W> {
    /// Whether it is time for another line on the progress of what is called `name`.
    fn is_due(&mut self, name: &str) -> bool {
        let now = Instant::now();
        let last = self.told.get(name);
        let due = last.is_none_or(|&last| now.duration_since(last) >= INTERVAL);
        if due {
            self.told.insert(name.to_owned(), now);
        }
        due
    }
}

fn object(event: &Event<'_>) -> Value {
    match event {
        Event::Renaming { from, to } => json!({"event": "renaming", "from": from, "to": to}),
        Event::Removing { name } => json!({"event": "removing", "name": name}),
        Event::LeftToOthers { arches } => {
            let distinct: BTreeSet<_> = arches.iter().collect();
            json!({"event": "left_to_others", "images": arches.len(), "arches": distinct})
        }
        Event::Started { images } => {
            json!({"event": "started", "version": VERSION, "images": images})
        }
        Event::DownloadStarted { url } => json!({"event": "download_started", "url": url}),
        Event::DownloadProgress {
            url,
            received,
            total,
        } => json!({
            "event": "download_progress", "url": url, "received": received, "total": total,
        }),
        Event::DownloadEnded { url, success } => {
            json!({"event": "download_ended", "url": url, "success": success})
        }
        Event::Planning { image } => json!({"event": "planning", "image": image}),
        Event::StepStarted {
            number,
            steps,
            title,
        } => json!({"event": "step_started", "number": number, "steps": steps, "title": title}),
        Event::StepEnded {
            number,
            steps,
            title,
            took,
            skipped,
        } => json!({
            "event": "step_ended", "number": number, "steps": steps, "title": title,
            "seconds": took.as_secs_f64(), "skipped": skipped,
        }),
        Event::ImageProgress { image, done, total } => json!({
            "event": "image_progress", "image": image, "files": done.files, "bytes": done.bytes,
            "total_files": total.files, "total_bytes": total.bytes,
        }),
        Event::ImageStarted {
            image,
            number,
            images,
        } => json!({
            "event": "image_started", "image": image, "number": number, "images": images,
        }),
        Event::ImageWarning { image, message } => {
            json!({"event": "image_warning", "image": image, "message": message})
        }
        Event::Installing { image, note } => installing(image, note),
        Event::ImageBuilt {
            built,
            number,
            images,
        } => {
            let mut value = json!({
                "event": "image_built", "image": built.image, "number": number, "images": images,
                "size": built.size.get(), "allocated": built.allocated.get(),
                "files": built.content.files.files, "bytes": built.content.files.bytes,
                "free": built.content.free.map(|free| free.get()),
                "inodes": built.content.inodes, "free_inodes": built.content.free_inodes,
            });
            for (name, fact) in &built.facts {
                value[*name] = json!(fact);
            }
            value
        }
        Event::ImageFailed {
            image,
            number,
            images,
        } => json!({
            "event": "image_failed", "image": image, "number": number, "images": images,
        }),
        Event::Finished { outcome } => finished(outcome),
    }
}

fn installing(image: &str, note: &Note<'_>) -> Value {
    match note {
        Note::Screen(address) => json!({"event": "screen", "image": image, "address": address}),
        Note::Line(line) => json!({"event": "console", "image": image, "line": line}),
        Note::Retry {
            reason,
            attempt,
            attempts,
        } => json!({
            "event": "retry", "image": image, "reason": reason, "attempt": attempt,
            "attempts": attempts,
        }),
        Note::Finishing => json!({"event": "finishing", "image": image}),
    }
}

fn finished(outcome: &Outcome) -> Value {
    let failed: Vec<_> = outcome
        .failed
        .iter()
        .map(|failure| {
            let causes: Vec<_> = failure.error.chain().map(ToString::to_string).collect();
            json!({"images": failure.images, "error": causes.join(": "), "causes": causes})
        })
        .collect();
    json!({
        "event": "finished",
        "built": outcome.built.len(),
        "failed": failed,
        "size": outcome.built.iter().map(|built| built.size.get()).sum::<u64>(),
        "allocated": outcome.built.iter().map(|built| built.allocated.get()).sum::<u64>(),
        "seconds": outcome.elapsed.as_secs_f64(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary;

    #[test]
    fn every_event_is_one_line_and_the_first_has_the_version() {
        let mut out = Vec::new();
        let outcome = summary::tests::outcome();
        let reporter = Json::new(&mut out);
        let (image, number, images) = ("a\n.img", 1, 4);
        let url = "http://host/\"file\"";
        for event in [
            Event::Started { images },
            Event::DownloadStarted { url },
            Event::DownloadProgress {
                url,
                received: 5,
                total: None,
            },
            // Too soon after the first.
            Event::DownloadProgress {
                url,
                received: 6,
                total: Some(7),
            },
            Event::ImageStarted {
                image,
                number,
                images,
            },
            Event::ImageBuilt {
                built: &outcome.built[0],
                number,
                images,
            },
            Event::ImageFailed {
                image,
                number,
                images,
            },
            Event::Finished { outcome: &outcome },
        ] {
            reporter.report(&event);
        }
        drop(reporter);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let names: Vec<_> = lines
            .iter()
            .map(|line| line["event"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "started",
                "download_started",
                "download_progress",
                "image_started",
                "image_built",
                "image_failed",
                "finished"
            ]
        );
        assert_eq!(lines[0]["version"], 1);
        assert_eq!(lines[2]["total"], Value::Null);
        assert_eq!(lines[4]["size"], 10_u64 << 30);
        assert_eq!(lines[5]["image"], image);
        let failed = &lines[6]["failed"][0];
        assert_eq!(failed["images"], json!(["c.img", "d.img"]));
        assert_eq!(failed["error"], "can't do it: the cause");
    }
}
