//! Files with checksums beside the images: they go where their images go.

use std::io;

use anyhow::Result;

use crate::engine::Directory;
use crate::image::checksum_name;

/// A file with one checksum is far smaller.
const LIMIT: usize = 4096;

/// Whether there is a file with the checksum of the image `name`.
pub(super) fn is_beside(directory: &Directory, name: &str) -> io::Result<bool> {
    match directory.is_file(&checksum_name(name)) {
        // Too long: there can't be a file of such a name.
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => Ok(false),
        found => found,
    }
}

/// Moves the checksum of the image `from`, which becomes `to`, and has it name the image by its new
/// name.
pub(super) fn rename(directory: &Directory, from: &str, to: &str) -> Result<()> {
    let (old, new) = (checksum_name(from), checksum_name(to));
    match renamed(&directory.read(&old, LIMIT)?, from, to) {
        Some(content) => {
            directory.replace(&new, &content, &old)?;
            directory.remove(&old)?;
        }
        // Whatever it is, it isn't ours to change.
        None => directory.rename(&old, &new)?,
    }
    Ok(())
}

/// The line of sha256sum for `from` with the name `to` in it; nothing when `content` is another.
fn renamed(content: &[u8], from: &str, to: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(content).ok()?;
    let (digest, name) = text.strip_suffix('\n')?.split_once(' ')?;
    // Behind the space is another one, or an asterisk.
    let (mode, name) = name.split_at_checked(1)?;
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
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
            let found = renamed(content.as_bytes(), "a.img", "b.qcow2");
            let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(found, expected, "{content}");
        }
    }
}
