//! The release after the current one, which relative releases are counted back from.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::current_release::{self, current_release};
use crate::hdds::releases::NextRelease;

/// Lists the systems that this machine knows, in the form that the look-up reads.
const OSINFO: [&str; 3] = ["osinfo-query", "os", "--fields=short-id,version"];

/// The next release: as given, or looked up when it is first needed.
pub(super) fn next_release(given: Option<u64>) -> NextRelease<'static> {
    NextRelease::new(given, || {
        let url = std::env::var(current_release::URL_VARIABLE);
        let url = url.as_deref().unwrap_or(current_release::DEFAULT_URL);
        current_release(url, || output_of(&OSINFO))
    })
}

/// What a program prints.
fn output_of(command: &[&str]) -> Result<String> {
    let name = command[0];
    let output = Command::new(name)
        .args(&command[1..])
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't run {name}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed with {}: {}", output.status, text.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_answers_or_says_why_not() {
        assert_eq!(output_of(&["echo", "a"]).unwrap(), "a\n");
        for (command, part) in [
            (&["no-such-program"][..], "can't run no-such-program"),
            (
                &["sh", "-c", "echo reason >&2; exit 4"],
                "sh failed with exit status: 4: reason",
            ),
            (&["printf", "\\377"], "printf printed no UTF-8"),
        ] {
            let message = format!("{:#}", output_of(command).unwrap_err());
            assert!(message.contains(part), "{message}");
        }
    }
}
