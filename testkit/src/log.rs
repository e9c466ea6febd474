//! What was checked, and what wasn't: lines `PROGRAM<TAB>IMAGE` or `NOT RUN<TAB>TEST` of the file
//! that `CREATEHDDS_CHECKER_LOG` names, for the summary of `scripts/test`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// How the names of images begin that others made: accepting them proves nothing.
pub const SAMPLE: &str = "sample-";

/// What is in the log already: several questions about one image are one image.
static LOGGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Records that `program` has accepted the image at `path`.
pub fn accepted(program: &str, path: &Path) {
    let name = path.file_name().unwrap_or_default();
    accepted_as(program, &name.to_string_lossy());
}

/// Records that `program` has accepted an image that has no telling file name.
pub fn accepted_as(program: &str, image: &str) {
    if !image.starts_with(SAMPLE) {
        add(format!("{program}\t{image}\n"));
    }
}

/// Records that the test that asks leaves out what it is for, or a part of it.
pub fn not_run(why: &str) {
    let test = test_name();
    eprintln!("NOT RUN: {test}: {why}");
    add(format!("NOT RUN\t{test}: {why}\n"));
}

/// A test that has a process to itself may be run by its main thread.
fn test_name() -> String {
    let thread = std::thread::current();
    let own = thread.name().filter(|name| *name != "main");
    let given = || std::env::var("NEXTEST_TEST_NAME").ok();
    own.map(str::to_owned)
        .or_else(given)
        .unwrap_or_else(|| "a test".to_owned())
}

fn add(line: String) {
    let Some(path) = std::env::var_os("CREATEHDDS_CHECKER_LOG") else {
        return;
    };
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if !logged.contains(&line) {
        // One write, so that lines of tests that run side by side don't mix.
        let file = File::options().append(true).create(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.unwrap_or_else(|error| panic!("can't append to {}: {error}", path.display()));
        logged.insert(line);
    }
}
