//! Which names and labels a volume can hold.
//!
//! NTFS itself stores nearly any name; the rules are those of the Win32 namespace ("Naming Files,
//! Paths, and Namespaces" in Microsoft's documentation), so that Windows can open every file.

use std::collections::HashMap;

use super::misfits::SET_ID;
use crate::error::{Error, Result};
use crate::tree::{FileTree, Node, NodeId, NodeKind};

/// The longest file name in UTF-16 units.
pub const NAME_MAX_UNITS: usize = 255;

/// The longest label that mkntfs takes, in UTF-16 units.
pub const LABEL_MAX_UNITS: usize = 128;

/// Names of devices, which Windows opens instead of a file of that name, whatever follows a dot.
const RESERVED: [&str; 22] = [
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8",
    "COM9", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

/// Names of the metadata files in the root directory.
const METADATA: [&str; 11] = [
    "$MFT", "$MFTMIRR", "$LOGFILE", "$VOLUME", "$ATTRDEF", "$BITMAP", "$BOOT", "$BADCLUS",
    "$SECURE", "$UPCASE", "$EXTEND",
];

/// Refuses a label that mkntfs would refuse.
///
/// # Errors
/// `InvalidSpec` at `place` when it is too long or has a NUL byte.
pub fn check_label(place: &str, label: &str) -> Result<()> {
    let units = label.encode_utf16().count();
    if units > LABEL_MAX_UNITS {
        return Err(Error::invalid(
            place,
            format!(
                "the NTFS label '{label}' has {units} UTF-16 units; the limit is {LABEL_MAX_UNITS}"
            ),
        ));
    }
    if label.contains('\0') {
        return Err(Error::invalid(place, "the NTFS label contains a NUL byte"));
    }
    Ok(())
}

/// Refuses a tree with a name that can't be in an NTFS volume.
///
/// # Errors
/// `InvalidSpec` at `place` for a name that isn't UTF-8, is too long, has a character that Windows
/// doesn't allow, is reserved, or differs from its neighbour only in case.
pub(super) fn check_tree(place: &str, tree: &FileTree) -> Result<()> {
    for (id, node) in tree.nodes() {
        match node.kind {
            NodeKind::Directory if is_plain(node) => check_directory(place, tree, id)?,
            NodeKind::File(_) if tree.links(id) == 1 && is_plain(node) => {}
            _ => return Err(cannot_hold(place, tree, id)),
        }
    }
    Ok(())
}

/// Whether a node has nothing that a volume can't keep.
fn is_plain(node: &Node) -> bool {
    node.xattrs.is_empty() && node.attributes.permissions & SET_ID == 0
}

/// Why a node can't go into a volume.
fn cannot_hold(place: &str, tree: &FileTree, id: NodeId) -> Error {
    let node = tree.node(id);
    let what = match tree.links(id) {
        1 if is_plain(node) => format!("is a {}", node.kind.noun()),
        1 if node.xattrs.is_empty() => "has set-ID bits".to_owned(),
        1 => "has extended attributes".to_owned(),
        links => format!("has {links} names"),
    };
    let message = format!(
        "'{}' {what}; an NTFS volume is given files and directories only: leave it out or use \
         ext4",
        tree.path(id).escape_ascii()
    );
    Error::unsupported(place, message)
}

fn check_directory(place: &str, tree: &FileTree, directory: NodeId) -> Result<()> {
    let mut seen = HashMap::new();
    for (name, _) in tree.entries(directory) {
        admit(place, directory == FileTree::ROOT, name, &mut seen)?;
    }
    Ok(())
}

/// Refuses a name in a directory that has the names `seen`, by what NTFS takes for the same, and
/// adds it to them.
pub(super) fn admit(
    place: &str,
    is_root: bool,
    name: &[u8],
    seen: &mut HashMap<String, String>,
) -> Result<()> {
    let name = check_name(place, name)?;
    let folded = fold(name);
    if is_root && METADATA.contains(&folded.as_str()) {
        return Err(Error::invalid(
            place,
            format!("'/{name}' is the name of a metadata file of NTFS; choose another"),
        ));
    }
    if let Some(other) = seen.get(&folded) {
        return Err(Error::invalid(
            place,
            format!("the names '{other}' and '{name}' are the same in NTFS, which ignores case"),
        ));
    }
    seen.insert(folded, name.to_owned());
    Ok(())
}

/// A name with the letters that $UpCase maps alike made alike. $UpCase maps single UTF-16 units,
/// so a letter whose capital form has several characters stays as it is.
fn fold(name: &str) -> String {
    name.chars()
        .map(|letter| {
            let mut upper = letter.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(upper), None) => upper,
                _ => letter,
            }
        })
        .collect()
}

/// The name as text if NTFS can hold it.
fn check_name<'a>(place: &str, name: &'a [u8]) -> Result<&'a str> {
    let shown = name.escape_ascii();
    let refuse = |why: String| Err(Error::invalid(place, format!("the name '{shown}' {why}")));
    let Ok(text) = std::str::from_utf8(name) else {
        return refuse("isn't UTF-8; NTFS stores names in Unicode".to_owned());
    };
    let units = text.encode_utf16().count();
    if units > NAME_MAX_UNITS {
        return refuse(format!(
            "has {units} UTF-16 units; the limit of NTFS is {NAME_MAX_UNITS}"
        ));
    }
    if let Some(bad) = text.chars().find(|&c| is_illegal(c)) {
        return refuse(format!(
            "contains {bad:?}, which can't be in a name of NTFS"
        ));
    }
    if text.ends_with([' ', '.']) {
        return refuse("ends in a space or a dot, which Windows doesn't allow".to_owned());
    }
    let stem = text.split('.').next().unwrap_or(text).trim_end();
    if RESERVED.contains(&stem.to_ascii_uppercase().as_str()) {
        return refuse("is reserved for a device of Windows".to_owned());
    }
    Ok(text)
}

fn is_illegal(c: char) -> bool {
    c < ' ' || matches!(c, '"' | '*' | '/' | ':' | '<' | '>' | '?' | '\\' | '|')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;
    use crate::tree::{Attributes, Content};

    fn check(paths: &[&[u8]]) -> Result<(), String> {
        let mut tree = FileTree::new(Timestamp::default());
        for path in paths {
            let attributes = Attributes::file(Timestamp::default());
            tree.put_file("f", path, Content::inline(b""), attributes)
                .unwrap();
        }
        check_tree("guestfs[0].writes", &tree).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn usual_names_are_allowed() {
        let long = format!("/{}", "x".repeat(255));
        let paths: [&[u8]; 9] = [
            b"/testfile",
            b"/.hidden",
            b"/a b",
            b"/dir/$MFT",
            b"/console",
            b"/com10",
            "/\u{65E5}\u{672C}\u{1F600}".as_bytes(),
            "/stra\u{DF}e/STRASSE".as_bytes(),
            long.as_bytes(),
        ];
        check(&paths).unwrap();
    }

    #[test]
    fn impossible_names_are_refused() {
        for (path, word) in [
            (&b"/\xFFx"[..], "isn't UTF-8"),
            (b"/a:b", "contains ':'"),
            (b"/a\\b", "contains '\\\\'"),
            (b"/a\nb", "contains '\\n'"),
            (b"/a*", "contains '*'"),
            (b"/dir./x", "ends in a space or a dot"),
            (b"/x ", "ends in a space or a dot"),
            (b"/CON", "reserved for a device"),
            (b"/dir/nul.txt", "reserved for a device"),
            (b"/lpt9 .x", "reserved for a device"),
            (b"/$mft", "metadata file"),
        ] {
            let message = check(&[path]).unwrap_err();
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn names_that_differ_only_in_case_are_refused() {
        for (one, other) in [
            ("/d/Test", "/d/tEST"),
            ("/\u{E9}", "/\u{C9}"),
            ("/d/x", "/D/y"),
        ] {
            let message = check(&[one.as_bytes(), other.as_bytes()]).unwrap_err();
            assert!(message.contains("ignores case"), "{message}");
        }
        check(&[b"/a/x", b"/b/X"]).unwrap();
    }

    #[test]
    fn labels_have_128_units_at_most() {
        check_label("p", &"\u{E9}".repeat(128)).unwrap();
        check_label("p", "").unwrap();
        for label in ["x".repeat(129), "\u{1F600}".repeat(65), "a\0b".to_owned()] {
            check_label("p", &label).unwrap_err();
        }
    }
}
