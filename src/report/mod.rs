//! Shows what the engine does: bars on a terminal, plain lines elsewhere, JSON for programs.

mod json;
mod lost;
mod plain;
mod summary;
mod terminal;

pub use json::Json;
pub use plain::Plain;
pub use terminal::Terminal;

use std::io::{IsTerminal, stderr, stdout};

use indicatif::MultiProgress;

use crate::engine::Reporter;

/// The reporter that fits: JSON lines on standard output when they are asked for, bars on standard
/// error when that is a terminal, else plain lines there.
///
/// `bars` is where bars are drawn; logging shares it, so that neither draws over the other.
pub fn choose(json: bool, bars: &MultiProgress) -> Box<dyn Reporter> {
    if json {
        Box::new(Json::new(stdout()))
    } else if stderr().is_terminal() {
        Box::new(Terminal::new(bars.clone()))
    } else {
        Box::new(Plain::new(stderr()))
    }
}
