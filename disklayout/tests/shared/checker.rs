//! Programs that judge by their exit status.

use std::ffi::OsStr;

use crate::programs;

/// Runs a program and gives all that it said.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<String, String> {
    let output = programs::run(program, arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{program}: {text}"))
    }
}
