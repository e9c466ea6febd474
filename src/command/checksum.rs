//! Files with checksums beside the images: they go where their images go.

use std::io;

use anyhow::{Context, Result};

use crate::checksum::Algorithm;
use crate::engine::Directory;

/// A file with one checksum is far smaller.
const LIMIT: usize = 4096;

/// The kinds of checksums of the image `name` that there are files with.
pub(super) fn beside(directory: &Directory, name: &str) -> Result<Vec<Algorithm>> {
    let mut found = Vec::new();
    for algorithm in Algorithm::ALL {
        let file_name = algorithm.file_name(name);
        let is_there = match directory.is_file(&file_name) {
            // Too long: there can't be a file of such a name.
            Err(error) if error.kind() == io::ErrorKind::InvalidFilename => false,
            found => found.with_context(|| format!("can't look at '{file_name}'"))?,
        };
        found.extend(is_there.then_some(algorithm));
    }
    Ok(found)
}

/// Moves a checksum of the image `from`, which becomes `to`, and has it name the image by its new
/// name.
pub(super) fn rename(
    directory: &Directory,
    algorithm: Algorithm,
    from: &str,
    to: &str,
) -> Result<()> {
    let (old, new) = (algorithm.file_name(from), algorithm.file_name(to));
    match renamed(&directory.read(&old, LIMIT)?, algorithm, from, to) {
        Some(content) => {
            directory.replace(&new, &content, &old)?;
            directory.remove(&old)?;
        }
        // Whatever it is, it isn't ours to change.
        None => directory.rename(&old, &new)?,
    }
    Ok(())
}

/// The line of sha256sum or its like for `from` with the name `to` in it; nothing when `content` is
/// another.
fn renamed(content: &[u8], algorithm: Algorithm, from: &str, to: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(content).ok()?;
    let (digest, name) = text.strip_suffix('\n')?.split_once(' ')?;
    // Behind the space is another one, or an asterisk.
    let (mode, name) = name.split_at_checked(1)?;
    let is_digest =
        digest.len() == algorithm.digits() && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_line = is_digest && name == from;
    is_line.then(|| format!("{digest} {mode}{to}\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_of_the_image_is_changed() {
        let digest = "0123456789abcdef".repeat(4);
        for (content, expected) in [
            (
                format!("{digest}  a.img\n"),
                Some(format!("{digest}  b.qcow2\n")),
            ),
            (
                format!("{digest} *a.img\n"),
                Some(format!("{digest} *b.qcow2\n")),
            ),
            (format!("{digest}  a.img"), None),
            (format!("{digest}  c.img\n"), None),
            (format!("{digest}  a.img\n{digest}  a.img\n"), None),
            (format!("{}  a.img\n", &digest[1..]), None),
            (format!("{digest}\n"), None),
            (format!("{digest} ü\n"), None),
            (String::new(), None),
        ] {
            let found = renamed(content.as_bytes(), Algorithm::Sha256, "a.img", "b.qcow2");
            let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(found, expected, "{content}");
        }
    }
}
