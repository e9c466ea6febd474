//! What `-l LEVEL` shows on standard error, in the form of the original: `LEVEL:createhdds:message`.

use std::fmt;
use std::io::{self, Write};

use anyhow::{Context, Result};
use indicatif::MultiProgress;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::printable::printable;

/// The levels that can be asked for, the most talkative first. Nothing is logged as critical, so
/// that level is silence.
pub(super) const LEVELS: [&str; 5] = ["debug", "info", "warning", "error", "critical"];

/// The level when none is asked for. What is built is told by the progress, not by the log.
pub(super) const DEFAULT_LEVEL: &str = "warning";

/// Sets up logging for the whole process. `bars` are taken off the terminal for each line.
///
/// # Errors
/// When `level` isn't one of [`LEVELS`], or when logging is set up already.
pub(super) fn init(level: &str, bars: &MultiProgress) -> Result<()> {
    let filter = filter(level).with_context(|| {
        format!(
            "unknown log level '{level}'; known are {}",
            LEVELS.join(", ")
        )
    })?;
    let layer = tracing_subscriber::fmt::layer()
        .event_format(Format)
        .with_ansi(false)
        .with_writer(Stderr(bars.clone()));
    tracing_subscriber::registry()
        .with(targets(filter))
        .with(layer)
        .try_init()
        .context("can't set up logging")
}

fn filter(level: &str) -> Option<LevelFilter> {
    Some(match level {
        "debug" => LevelFilter::DEBUG,
        "info" => LevelFilter::INFO,
        "warning" => LevelFilter::WARN,
        "error" => LevelFilter::ERROR,
        "critical" => LevelFilter::OFF,
        _ => return None,
    })
}

/// Our own modules at `level`; what dependencies tell is of interest only when it is a warning.
fn targets(level: LevelFilter) -> Targets {
    Targets::new()
        .with_target("createhdds", level)
        .with_target("disklayout", level)
        .with_target("foreign", level)
        .with_default(level.min(LevelFilter::WARN))
}

/// `LEVEL:createhdds:message`
struct Format;

impl<S, N> FormatEvent<S, N> for Format
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            tracing::Level::WARN => "WARNING",
            level => level.as_str(),
        };
        let mut text = String::new();
        context
            .field_format()
            .format_fields(Writer::new(&mut text), event)?;
        writeln!(writer, "{level}:createhdds:{}", printable(&text))
    }
}

/// Standard error, with the bars out of the way.
struct Stderr(MultiProgress);

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Stderr {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_all(buf).map(|()| buf.len())
    }

    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        self.0.suspend(|| io::stderr().write_all(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(buf)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is shown of one message a level, ours and a dependency's.
    fn shown(level: &str) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(Format)
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry()
            .with(targets(filter(level).unwrap()))
            .with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!("a {}", 1);
            tracing::debug!(target: "foreign::run", "a 2");
            tracing::info!("b");
            tracing::warn!("c");
            tracing::error!("d");
            tracing::info!(target: "ureq::run", "e");
            tracing::warn!(target: "ureq::run", "f");
        });
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_level_shows_itself_and_what_is_worse() {
        let lines = [
            "DEBUG:createhdds:a 1\nDEBUG:createhdds:a 2\n",
            "INFO:createhdds:b\n",
            "WARNING:createhdds:c\n",
            "ERROR:createhdds:d\n",
            "WARNING:createhdds:f\n",
        ];
        for (level, expected) in [
            ("debug", lines.concat()),
            ("info", lines[1..].concat()),
            ("warning", lines[2..].concat()),
            ("error", lines[3].to_owned()),
            ("critical", String::new()),
        ] {
            assert_eq!(shown(level), expected, "{level}");
        }
        assert_eq!(filter("verbose"), None);
        assert!(LEVELS.iter().all(|level| filter(level).is_some()));
    }
}
