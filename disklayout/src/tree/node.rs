//! What a tree consists of.

use std::sync::Arc;

use super::Content;
use crate::identity::Timestamp;

/// A node's number in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// The number as an index: nodes are numbered from zero in the order in which they were made.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Owner, permissions and time of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The twelve permission bits: `rwx` three times, set-user-ID, set-group-ID and sticky.
    pub permissions: u16,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// When the content last changed.
    pub mtime: Timestamp,
}

impl Attributes {
    /// A file as `root` makes it with the usual umask: 0644, root:root.
    pub const fn file(mtime: Timestamp) -> Self {
        Self {
            permissions: 0o644,
            uid: 0,
            gid: 0,
            mtime,
        }
    }

    /// A directory as `root` makes it with the usual umask: 0755, root:root.
    pub const fn directory(mtime: Timestamp) -> Self {
        Self {
            permissions: 0o755,
            ..Self::file(mtime)
        }
    }
}

/// One inode: what a name, or several of them, lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Owner, permissions and time.
    pub attributes: Attributes,
    /// Its extended attributes.
    pub xattrs: Xattrs,
}

// There is one for every file.
const _: () = assert!(size_of::<Node>() <= 72);

impl Node {
    /// A node without extended attributes.
    pub const fn new(kind: NodeKind, attributes: Attributes) -> Self {
        Self {
            kind,
            attributes,
            xattrs: Xattrs::NONE,
        }
    }
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A directory; its entries belong to the tree.
    Directory,
    /// A regular file and where its data comes from.
    File(Content),
    /// A symbolic link and the path in it.
    Symlink(Box<[u8]>),
    /// A character device.
    CharacterDevice(Device),
    /// A block device.
    BlockDevice(Device),
    /// A named pipe.
    Fifo,
    /// The name of a Unix domain socket.
    Socket,
}

impl NodeKind {
    /// Whether it is a directory.
    pub const fn is_directory(&self) -> bool {
        matches!(self, Self::Directory)
    }

    /// What people call it.
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File(_) => "file",
            Self::Symlink(_) => "symbolic link",
            Self::CharacterDevice(_) => "character device",
            Self::BlockDevice(_) => "block device",
            Self::Fifo => "named pipe",
            Self::Socket => "socket",
        }
    }

    /// What it is, and of a symbolic link where it leads.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Symlink(target) => format!("{} to '{}'", self.noun(), target.escape_ascii()),
            _ => self.noun().to_owned(),
        }
    }
}

/// The numbers of a device, as Linux counts them: 12 bits and 20 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Which driver.
    pub major: u32,
    /// Which device of that driver.
    pub minor: u32,
}

/// The extended attributes of a node, sorted by name. Clones share their memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Xattrs(Option<Arc<Vec<Xattr>>>);

/// One extended attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Xattr {
    /// The name with its namespace, as `getfattr` shows it: `security.selinux`.
    pub name: Box<[u8]>,
    /// The value. That of an ACL is in the form of Linux' system calls
    /// (`struct posix_acl_xattr_header`, version 2).
    pub value: Box<[u8]>,
}

impl Xattrs {
    /// No attributes.
    pub const NONE: Self = Self(None);

    /// These attributes; the last one of a name counts.
    pub fn new(attributes: impl IntoIterator<Item = Xattr>) -> Self {
        let mut sorted: Vec<Xattr> = Vec::new();
        for xattr in attributes {
            match sorted.binary_search_by(|other| other.name.cmp(&xattr.name)) {
                Ok(found) => sorted[found] = xattr,
                Err(place) => sorted.insert(place, xattr),
            }
        }
        Self((!sorted.is_empty()).then(|| Arc::new(sorted)))
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Xattr> {
        self.0
            .as_deref()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_sorted_and_the_last_of_a_name_counts() {
        let xattr = |name: &str, value: &str| Xattr {
            name: name.as_bytes().into(),
            value: value.as_bytes().into(),
        };
        let xattrs = Xattrs::new([xattr("b", "1"), xattr("a", "2"), xattr("b", "3")]);
        let all: Vec<_> = xattrs.iter().cloned().collect();
        assert_eq!(all, [xattr("a", "2"), xattr("b", "3")]);
        assert_eq!(Xattrs::new([]), Xattrs::NONE);
    }
}
