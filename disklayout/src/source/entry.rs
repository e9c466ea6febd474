//! Single entries, written out in a description, as sources of a tree.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, fstat};

use super::layer::Layer;
use super::{Rules, host};
use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::tree::{
    self, Attributes, Content, Device, FILE_FLAGS, FileTree, Node, NodeId, NodeKind,
};

/// The longest target of a symbolic link in bytes, as on Linux (`PATH_MAX` without its NUL).
const TARGET_MAX: usize = 4095;

/// The highest numbers of a device: 12 bits and 20 bits.
const MAJOR_MAX: u32 = 4095;
const MINOR_MAX: u32 = 1_048_575;

const MODE_MAX: u32 = 0o7777;

/// One entry of a tree as a description says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it goes: an absolute path, which starts at the rules' target.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// The owner's number; 0 without.
    pub uid: Option<u32>,
    /// The group's number; 0 without.
    pub gid: Option<u32>,
    /// The permission bits, up to 07777. Without, 0755 for a directory, 0777 for a symbolic link
    /// and 0644 for the rest.
    pub mode: Option<u32>,
    /// When it last changed. A hard link has the time of what it leads to.
    pub mtime: Timestamp,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File(FileSource),
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// The path in it, 1 to 4095 bytes.
        target: Vec<u8>,
    },
    /// A character device, with numbers up to 4095 and 1048575.
    CharacterDevice(Device),
    /// A block device, with numbers up to 4095 and 1048575.
    BlockDevice(Device),
    /// A named pipe.
    Fifo,
    /// The name of a Unix domain socket.
    Socket,
    /// One more name of what is in the tree already.
    HardLink {
        /// An absolute path, which starts at the rules' target.
        to: Vec<u8>,
    },
}

/// Where the data of an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSource {
    /// Here.
    Inline(Vec<u8>),
    /// In a file of the host. Only its data is taken, with its holes.
    Host(PathBuf),
}

impl Entry {
    /// An entry of root's with the usual permissions.
    pub const fn new(path: Vec<u8>, kind: EntryKind, mtime: Timestamp) -> Self {
        Self {
            path,
            kind,
            uid: None,
            gid: None,
            mode: None,
            mtime,
        }
    }
}

/// Puts an entry over what is in `tree`, as a layer of its own.
///
/// # Errors
/// `InvalidSpec` at `place` when a path isn't absolute or a number is over its limit, when a hard
/// link leads to nothing or to a directory or has attributes of its own, when a file of the host
/// isn't a regular one, and when [`FileTree::put`] refuses the path; `Io` when the host's file
/// can't be opened.
pub fn add_entry(tree: &mut FileTree, place: &str, entry: &Entry, rules: &Rules) -> Result<()> {
    let mut layer = Layer::new(tree, rules, place);
    let path = below_top(place, &entry.path)?;
    let kind = match &entry.kind {
        EntryKind::HardLink { to } => {
            let target = link_target(&layer, entry, to)?;
            return layer.link(path, target);
        }
        EntryKind::File(FileSource::Inline(bytes)) => NodeKind::File(Content::inline(bytes)),
        EntryKind::File(FileSource::Host(host)) => NodeKind::File(host_content(place, host)?),
        EntryKind::Directory => NodeKind::Directory,
        EntryKind::Symlink { target } => NodeKind::Symlink(symlink(place, path, target)?),
        EntryKind::CharacterDevice(numbers) => {
            NodeKind::CharacterDevice(device(place, path, *numbers)?)
        }
        EntryKind::BlockDevice(numbers) => NodeKind::BlockDevice(device(place, path, *numbers)?),
        EntryKind::Fifo => NodeKind::Fifo,
        EntryKind::Socket => NodeKind::Socket,
    };
    let node = Node::new(kind, attributes(place, entry)?);
    let (is_directory, attributes) = (node.kind.is_directory(), rules.attributes(node.attributes));
    let id = layer.put(path, node)?;
    if is_directory {
        // They are meant for what a link leads to as well.
        tree.set_attributes(id, attributes);
    }
    Ok(())
}

/// An absolute path without its slash in front.
fn below_top<'a>(place: &str, path: &'a [u8]) -> Result<&'a [u8]> {
    path.strip_prefix(b"/").ok_or_else(|| {
        let shown = path.escape_ascii();
        Error::invalid(place, format!("path '{shown}' must start with a '/'"))
    })
}

fn link_target(layer: &Layer<'_>, entry: &Entry, to: &[u8]) -> Result<NodeId> {
    let refuse = |reason: &str| {
        let (path, to) = (entry.path.escape_ascii(), to.escape_ascii());
        let message = format!("'{path}' can't be a hard link to '{to}': {reason}");
        Err(Error::invalid(layer.place, message))
    };
    if (entry.uid, entry.gid, entry.mode) != (None, None, None) {
        return refuse("it has that one's owner and mode; leave them out here");
    }
    let target = layer.target(below_top(layer.place, to)?);
    match layer.tree.find(&target) {
        None => refuse("there is no such file; put it in before"),
        Some(node) if layer.tree.node(node).kind.is_directory() => {
            refuse("that is a directory; use a symbolic link")
        }
        Some(node) => Ok(node),
    }
}

fn attributes(place: &str, entry: &Entry) -> Result<Attributes> {
    let default = match entry.kind {
        EntryKind::Directory => 0o755,
        EntryKind::Symlink { .. } => 0o777,
        _ => 0o644,
    };
    let mode = entry.mode.unwrap_or(default);
    if mode > MODE_MAX {
        let path = entry.path.escape_ascii();
        let message = format!("mode {mode:#o} of '{path}' exceeds {MODE_MAX:#o}");
        return Err(Error::invalid(place, message));
    }
    Ok(Attributes {
        permissions: mode as u16,
        uid: entry.uid.unwrap_or(0),
        gid: entry.gid.unwrap_or(0),
        mtime: entry.mtime,
    })
}

fn host_content(place: &str, path: &Path) -> Result<Content> {
    let shown = path.display();
    let failed =
        |error: std::io::Error| Error::io(place, format!("can't open the file '{shown}'"), error);
    let file = tree::open(CWD, path, FILE_FLAGS).map_err(|error| failed(error.into()))?;
    let stat = fstat(&file).map_err(|error| failed(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        let message = format!("'{shown}' isn't a regular file");
        return Err(Error::invalid(place, message));
    }
    host::content(&File::from(file), &stat, path)
        .map_err(|error| Error::io(place, format!("can't look for holes in '{shown}'"), error))
}

fn symlink(place: &str, path: &[u8], target: &[u8]) -> Result<Box<[u8]>> {
    let path = path.escape_ascii();
    let reason = match target {
        b"" => "is empty".to_owned(),
        _ if target.contains(&0) => "contains a NUL byte".to_owned(),
        _ if target.len() > TARGET_MAX => {
            format!("has {} bytes, which exceeds {TARGET_MAX}", target.len())
        }
        _ => return Ok(target.into()),
    };
    let message = format!("the target of the symbolic link '/{path}' {reason}");
    Err(Error::invalid(place, message))
}

fn device(place: &str, path: &[u8], device: Device) -> Result<Device> {
    for (what, number, limit) in [
        ("major", device.major, MAJOR_MAX),
        ("minor", device.minor, MINOR_MAX),
    ] {
        if number > limit {
            let path = path.escape_ascii();
            let message = format!("{what} number {number} of the device '/{path}' exceeds {limit}");
            return Err(Error::invalid(place, message));
        }
    }
    Ok(device)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TIME: Timestamp = Timestamp::from_seconds(7);

    fn entry(path: &str, kind: EntryKind) -> Entry {
        Entry::new(path.as_bytes().to_vec(), kind, TIME)
    }

    fn inline(text: &str) -> EntryKind {
        EntryKind::File(FileSource::Inline(text.as_bytes().to_vec()))
    }

    fn hard_link(to: &str) -> EntryKind {
        let to = to.as_bytes().to_vec();
        EntryKind::HardLink { to }
    }

    fn symlink_to(target: &[u8]) -> EntryKind {
        let target = target.to_vec();
        EntryKind::Symlink { target }
    }

    const fn device(major: u32, minor: u32) -> EntryKind {
        EntryKind::BlockDevice(Device { major, minor })
    }

    #[test]
    fn every_kind_has_its_defaults() {
        let major_minor = Device {
            major: 4095,
            minor: 1_048_575,
        };
        let mut tree = FileTree::new(Timestamp::default());
        for (kind, expected, mode) in [
            (inline("x"), NodeKind::File(Content::inline(b"x")), 0o644),
            (EntryKind::Directory, NodeKind::Directory, 0o755),
            (
                symlink_to(b"/x"),
                NodeKind::Symlink(b"/x"[..].into()),
                0o777,
            ),
            (
                EntryKind::CharacterDevice(major_minor),
                NodeKind::CharacterDevice(major_minor),
                0o644,
            ),
            (
                device(4095, 1_048_575),
                NodeKind::BlockDevice(major_minor),
                0o644,
            ),
            (EntryKind::Fifo, NodeKind::Fifo, 0o644),
            (EntryKind::Socket, NodeKind::Socket, 0o644),
        ] {
            add_entry(&mut tree, "e", &entry("/d/e", kind), &Rules::default()).unwrap();
            let node = tree.node(tree.find(b"/d/e").unwrap());
            assert_eq!(node.kind, expected);
            let attributes = Attributes {
                permissions: mode,
                ..Attributes::file(TIME)
            };
            assert_eq!(node.attributes, attributes, "{expected:?}");
        }
    }

    #[test]
    fn attributes_and_rules_apply_and_hard_links_are_one_node() {
        let rules = Rules {
            target: b"/top".to_vec(),
            latest: Some(Timestamp::from_seconds(3)),
            ..Rules::default()
        };
        let file = Entry {
            uid: Some(1),
            gid: Some(2),
            mode: Some(0o7777),
            ..entry("/a", inline(""))
        };
        let mut tree = FileTree::new(TIME);
        add_entry(&mut tree, "e", &file, &rules).unwrap();
        add_entry(&mut tree, "e", &entry("/b/c", hard_link("/a")), &rules).unwrap();
        let id = tree.find(b"/top/a").unwrap();
        assert_eq!(tree.find(b"/top/b/c"), Some(id));
        assert_eq!(tree.links(id), 2);
        let expected = Attributes {
            permissions: 0o7777,
            uid: 1,
            gid: 2,
            mtime: Timestamp::from_seconds(3),
        };
        assert_eq!(tree.node(id).attributes, expected);
    }

    #[test]
    fn the_data_of_a_host_file_is_read_later() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "text").unwrap();
        let file = entry("/f", EntryKind::File(FileSource::Host(path.clone())));
        let mut tree = FileTree::new(TIME);
        add_entry(&mut tree, "e", &file, &Rules::default()).unwrap();
        let [(_, content)] = tree.files()[..] else {
            panic!("not one file")
        };
        let mut text = [0; 4];
        content.open().unwrap().read_exact(&mut text).unwrap();
        assert_eq!(&text, b"text");
        for (path, reason) in [
            (directory.path().to_owned(), "isn't a regular file"),
            (path.join("x"), "can't open the file"),
        ] {
            let file = entry("/f", EntryKind::File(FileSource::Host(path)));
            let error = add_entry(&mut tree, "e", &file, &Rules::default()).unwrap_err();
            assert!(error.message().contains(reason), "{error}");
        }
    }

    #[test]
    fn bad_values_are_refused_with_their_limits() {
        let mode = |mode| Entry {
            mode: Some(mode),
            ..entry("/e", inline(""))
        };
        let owned_link = Entry {
            uid: Some(0),
            ..entry("/e", hard_link("/file"))
        };
        for (entry, reason) in [
            (mode(0o10000), "mode 0o10000 of '/e' exceeds 0o7777"),
            (
                entry("/e", device(4096, 0)),
                "major number 4096 of the device '/e' exceeds 4095",
            ),
            (
                entry("/e", device(0, 1_048_576)),
                "minor number 1048576 of the device '/e' exceeds 1048575",
            ),
            (entry("/e", symlink_to(b"")), "link '/e' is empty"),
            (entry("/e", symlink_to(b"a\0")), "contains a NUL byte"),
            (
                entry("/e", symlink_to(&[b'x'; 4096])),
                "has 4096 bytes, which exceeds 4095",
            ),
            (entry("e", inline("")), "path 'e' must start with a '/'"),
            (entry("", inline("")), "path '' must start with a '/'"),
            (entry("/e/..", inline("")), "contains '.' or '..'"),
            (
                entry("/e", hard_link("file")),
                "path 'file' must start with a '/'",
            ),
            (
                entry("/e", hard_link("/none")),
                "'/e' can't be a hard link to '/none': there is no such file",
            ),
            (entry("/e", hard_link("/dir")), "that is a directory"),
            (entry("/e", hard_link("/")), "that is a directory"),
            (entry("/", hard_link("/file")), "must end in a file name"),
            (owned_link, "it has that one's owner and mode"),
            (
                entry("/file/e", inline("")),
                "'/file' is a file, so it can't hold others",
            ),
        ] {
            let mut tree = FileTree::new(TIME);
            for (path, kind) in [("/file", inline("")), ("/dir", EntryKind::Directory)] {
                add_entry(
                    &mut tree,
                    "e",
                    &super::tests::entry(path, kind),
                    &Rules::default(),
                )
                .unwrap();
            }
            let error = add_entry(&mut tree, "e", &entry, &Rules::default()).unwrap_err();
            assert!(error.message().contains(reason), "{error}\nnot {reason}");
            assert_eq!(error.place(), "e");
            assert_eq!(tree.nodes().count(), 3);
        }
        let longest = entry("/e", symlink_to(&[b'x'; 4095]));
        add_entry(&mut FileTree::new(TIME), "e", &longest, &Rules::default()).unwrap();
    }

    #[test]
    fn paths_go_through_links_and_attributes_are_for_what_they_lead_to() {
        let mut tree = FileTree::new(TIME);
        let directory = |mode| Entry {
            mode: Some(mode),
            ..entry("/lib", EntryKind::Directory)
        };
        for entry in [
            entry("/usr/lib", EntryKind::Directory),
            entry("/lib", symlink_to(b"usr/lib")),
            entry("/lib/modules/m", inline("m")),
            entry("/n", hard_link("/lib/modules/m")),
            directory(0o750),
        ] {
            add_entry(&mut tree, "e", &entry, &Rules::default()).unwrap();
        }
        let m = tree.find(b"/usr/lib/modules/m").unwrap();
        assert_eq!(tree.find(b"/n"), Some(m));
        let lib = tree.node(tree.find(b"/usr/lib").unwrap());
        assert_eq!(lib.attributes.permissions, 0o750);
    }
}
