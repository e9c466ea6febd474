//! Paths inside a tree.

use super::{FileTree, NAME_MAX, NodeKind};
use crate::error::{Error, Result};

/// The components of an absolute path; none for the root itself.
pub(super) fn components<'a>(place: &str, path: &'a [u8]) -> Result<Vec<&'a [u8]>> {
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
    if path.ends_with(b"/") && path.iter().any(|&byte| byte != b'/') {
        return Err(Error::invalid(
            place,
            format!("path '{shown}' must end in a file name"),
        ));
    }
    let components: Vec<_> = path
        .split(|&b| b == b'/')
        .filter(|name| !name.is_empty())
        .collect();
    for name in &components {
        if matches!(*name, b"." | b"..") {
            return Err(Error::invalid(
                place,
                format!("path '{shown}' contains '.' or '..'"),
            ));
        }
        if name.len() > NAME_MAX {
            let message = format!(
                "a name of {} bytes in '{shown}' exceeds {NAME_MAX} bytes",
                name.len()
            );
            return Err(Error::invalid(place, message));
        }
    }
    Ok(components)
}

/// The absolute path of every node, by number.
pub(super) fn absolute_paths(tree: &FileTree) -> Vec<Vec<u8>> {
    let mut paths = vec![Vec::new(); tree.nodes.len()];
    for (id, node) in tree.nodes() {
        let NodeKind::Directory(directory) = &node.kind else {
            continue;
        };
        for (name, child) in directory.entries() {
            paths[child.index()] = [&paths[id.index()], &b"/"[..], name].concat();
        }
    }
    paths
}
