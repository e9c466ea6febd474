//! Paths inside a tree.

use super::NAME_MAX;
use crate::error::{Error, Result};

/// The components of an absolute path; none for the root itself. Only that of a directory may end
/// in a slash.
pub(super) fn components<'a>(
    place: &str,
    path: &'a [u8],
    is_directory: bool,
) -> Result<Vec<&'a [u8]>> {
    let shown = path.escape_ascii();
    if path.first() != Some(&b'/') {
        return Err(Error::invalid(
            place,
            format!("path '{shown}' must start with a '/'"),
        ));
    }
    if path.contains(&0) {
        return Err(Error::invalid(
            place,
            format!("path '{shown}' contains a NUL byte"),
        ));
    }
    if path.ends_with(b"/") && !is_directory {
        return Err(Error::invalid(
            place,
            format!("path '{shown}' must end in a file name"),
        ));
    }
    let components: Vec<_> = path
        .split(|&b| b == b'/')
        .filter(|name| !name.is_empty())
        .collect();
    components
        .iter()
        .try_for_each(|name| check_name_in(place, path, name))?;
    Ok(components)
}

/// Refuses what can't be the name of an entry.
pub(super) fn check_name(place: &str, name: &[u8]) -> Result<()> {
    let reason = match name {
        b"" => "an entry without a name",
        _ if name.contains(&b'/') => "a name that contains a '/'",
        _ if name.contains(&0) => "a name that contains a NUL byte",
        _ => return check_name_in(place, name, name),
    };
    let message = format!("'{}' is {reason}", name.escape_ascii());
    Err(Error::invalid(place, message))
}

fn check_name_in(place: &str, path: &[u8], name: &[u8]) -> Result<()> {
    let shown = path.escape_ascii();
    if matches!(name, b"." | b"..") {
        let message = format!("path '{shown}' contains '.' or '..'");
        return Err(Error::invalid(place, message));
    }
    if name.len() > NAME_MAX {
        let message = format!(
            "a name of {} bytes in '{shown}' exceeds {NAME_MAX} bytes",
            name.len()
        );
        return Err(Error::invalid(place, message));
    }
    Ok(())
}
