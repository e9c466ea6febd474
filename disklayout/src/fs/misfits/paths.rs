//! What programs that fill a filesystem from a directory of the host can't take.

use crate::error::{Error, Result};
use crate::fs::Misfits;
use crate::tree::{FileTree, NAME_MAX, Node, Xattrs};

/// Refuses directories in which a file's path could have more than `longest` bytes: `program` uses
/// paths as a whole.
///
/// # Errors
/// `Unsupported` at `place`.
pub fn check_paths(place: &str, tree: &FileTree, longest: usize, program: &str) -> Result<()> {
    let most = longest - NAME_MAX;
    let mut lengths = tree.directories().into_iter().map(|path| path.len());
    match lengths.find(|len| *len > most) {
        None => Ok(()),
        Some(len) => {
            let message =
                format!("a directory's path has {len} bytes; {program} takes {most} of them");
            Err(Error::unsupported(place, message))
        }
    }
}

/// Refuses the attributes of files of which `why_not` tells why they can't be stored, or takes all
/// attributes of those files away and tells of it.
///
/// # Errors
/// `Unsupported` at `place`.
pub fn check_xattrs(
    place: &str,
    tree: &mut FileTree,
    misfits: Misfits,
    why_not: impl Fn(&Node) -> Option<String>,
) -> Result<Vec<String>> {
    let bad = tree.nodes().filter_map(|(id, node)| {
        let why = why_not(node)?;
        Some((id, format!("'{}': {why}", tree.path(id).escape_ascii())))
    });
    let bad: Vec<_> = bad.collect();
    match (bad.first(), misfits) {
        (None, _) => Ok(Vec::new()),
        (Some((_, why)), Misfits::Refuse) => Err(Error::unsupported(place, why.as_str())),
        (Some((_, why)), Misfits::Drop) => {
            let warning = format!("left out the attributes of {} files: {why}", bad.len());
            for (id, _) in bad {
                tree.set_xattrs(id, Xattrs::NONE);
            }
            Ok(vec![warning])
        }
    }
}
