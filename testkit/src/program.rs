//! Runs programs that others wrote. A missing one is a failure.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// What a program gives, or what it complains about.
pub type Verdict<T> = Result<T, String>;

/// A program with English messages, UTC times and Debian 12's defaults of mke2fs. The directories
/// of system programs aren't in the path of every user.
pub fn command(program: &str) -> Command {
    let mut search = std::env::var_os("PATH").unwrap_or_default();
    search.push(":/usr/sbin:/sbin");
    let defaults = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mke2fs.conf");
    let mut command = Command::new(program);
    command
        .env("PATH", search)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("MKE2FS_CONFIG", defaults);
    command
}

/// Runs a program, whatever comes of it.
pub fn output<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Output {
    command(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} can't be run, see scripts/setup: {error}"))
}

/// All that a program says that ends with status 0.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Verdict<String> {
    let output = output(program, arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => Err(format!("{program}, {}: {text}", output.status)),
    }
}

/// Arguments for [`run`]: options, and then paths.
pub fn arguments<'a>(options: &[&'a str], paths: &[&'a Path]) -> Vec<&'a OsStr> {
    let options = options.iter().copied().map(OsStr::new);
    options
        .chain(paths.iter().map(|it| it.as_os_str()))
        .collect()
}

/// Standard output of a program that ends with status 0; everything it says otherwise.
pub fn approved(program: &str, options: &[&str], image: &Path) -> Verdict<Vec<u8>> {
    let output = output(program, &arguments(options, &[image]));
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(format!("{program} {options:?}, {}: {said}", output.status))
}

/// [`approved`], as text.
pub fn approved_text(program: &str, options: &[&str], image: &Path) -> Verdict<String> {
    let bytes = approved(program, options, image)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
