//! What is known of one file, as text and as JSON.

use std::fmt::Write;

use disklayout::Result;
use disklayout::inspect::fs::{Entry, Filesystem, Node, NodeKind};
use serde_json::{Value, json};

use crate::command::time;

/// One line: kind and permissions, owner, size, time, path.
pub(super) fn line(found: &Filesystem<'_>, entry: &Entry) -> Result<String> {
    let node = &entry.node;
    let owner = node
        .owner
        .map_or_else(|| "-".to_owned(), |(uid, gid)| format!("{uid}:{gid}"));
    let size = match node.kind {
        NodeKind::CharacterDevice(major, minor) | NodeKind::BlockDevice(major, minor) => {
            format!("{major},{minor}")
        }
        NodeKind::File | NodeKind::Symlink => node.size.to_string(),
        _ => "-".to_owned(),
    };
    let time = node.modified.map_or_else(|| "-".to_owned(), time::shown);
    let path = entry.path.escape_ascii();
    let mut line = format!("{} {owner:>11} {size:>12} {time:>19} {path}", mode(node));
    if node.kind == NodeKind::Symlink {
        let target = found.target(node)?;
        // Writing to a string can't fail.
        let _ = write!(line, " -> {}", target.escape_ascii());
    }
    if let Some(first) = &entry.link_to {
        let _ = write!(line, " (hard link to {})", first.escape_ascii());
    }
    for xattr in found.xattrs(node)? {
        let (name, len) = (xattr.name.escape_ascii(), xattr.value.len());
        let _ = write!(line, " [{name}: {len}]");
    }
    Ok(line)
}

/// The keys of docs/inspect.md.
pub(super) fn object(found: &Filesystem<'_>, entry: &Entry) -> Result<Value> {
    let node = &entry.node;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut object = json!({
        "path": text(&entry.path),
        "type": node.kind.noun(),
        "number": node.number,
    });
    let mut put = |key: &str, value: Value| object[key] = value;
    if let Some(subvolume) = node.subvolume {
        put("subvolume", json!(subvolume));
    }
    match node.kind {
        NodeKind::CharacterDevice(major, minor) | NodeKind::BlockDevice(major, minor) => {
            put("device", json!([major, minor]));
        }
        NodeKind::File => put("size", json!(node.size)),
        NodeKind::Symlink => put("target", json!(text(&found.target(node)?))),
        NodeKind::Directory | NodeKind::Fifo | NodeKind::Socket => {}
    }
    if let Some(permissions) = node.permissions {
        put("mode", json!(format!("{permissions:04o}")));
    }
    if let Some((uid, gid)) = node.owner {
        put("uid", json!(uid));
        put("gid", json!(gid));
    }
    if let Some(links) = node.links {
        put("links", json!(links));
    }
    if let Some(first) = &entry.link_to {
        put("link_to", json!(text(first)));
    }
    if let Some(time) = node.modified {
        put("mtime", json!(time::shown(time)));
    }
    if let Some(attributes) = node.dos_attributes {
        put("dos_attributes", json!(attributes));
    }
    let xattrs = found.xattrs(node)?;
    if !xattrs.is_empty() {
        let one = |xattr: &disklayout::inspect::fs::Xattr| json!({ "name": text(&xattr.name), "size": xattr.value.len() });
        put("xattrs", xattrs.iter().map(one).collect());
    }
    Ok(object)
}

/// As `ls -l` shows it; formats without permissions have only what DOS knows.
fn mode(node: &Node) -> String {
    let kind = match node.kind {
        NodeKind::Directory => 'd',
        NodeKind::File => '-',
        NodeKind::Symlink => 'l',
        NodeKind::CharacterDevice(..) => 'c',
        NodeKind::BlockDevice(..) => 'b',
        NodeKind::Fifo => 'p',
        NodeKind::Socket => 's',
    };
    let Some(bits) = node.permissions else {
        let dos = node.dos_attributes.unwrap_or(0);
        let letters = [(1, 'r'), (2, 'h'), (4, 's'), (0x20, 'a')];
        let letters = letters.map(|(bit, letter)| if dos & bit == 0 { '-' } else { letter });
        return format!("{kind}{:<9}", String::from_iter(letters));
    };
    let mut text = kind.to_string();
    for (shift, special, set, unset) in [
        (6, 0o4000, 's', 'S'),
        (3, 0o2000, 's', 'S'),
        (0, 0o1000, 't', 'T'),
    ] {
        let has = |bit: u16| bits >> shift & bit != 0;
        text.push(if has(4) { 'r' } else { '-' });
        text.push(if has(2) { 'w' } else { '-' });
        text.push(match (has(1), bits & special != 0) {
            (true, true) => set,
            (false, true) => unset,
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}
