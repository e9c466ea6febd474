//! What is known of a file.

use crate::identity::Timestamp;

/// What is known of a file, a directory or something else with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The number of its inode or record; where the format has none, a number that no other one
    /// of the filesystem has.
    pub number: u64,
    /// The subvolume in which that number counts, where a filesystem has several.
    pub subvolume: Option<u64>,
    /// What it is.
    pub kind: NodeKind,
    /// Bytes in it, holes included; 0 where that means nothing.
    pub size: u64,
    /// Permissions with set-user-ID, set-group-ID and sticky bit: the low 12 bits of a mode.
    pub permissions: Option<u16>,
    /// Numbers of the owner and the group.
    pub owner: Option<(u32, u32)>,
    /// How many names it has.
    pub links: Option<u32>,
    /// When its data was last changed. A format that knows local times only has them as if UTC.
    pub modified: Option<Timestamp>,
    /// Attributes of DOS: read-only is 1, hidden 2, system 4, archive 0x20.
    pub dos_attributes: Option<u32>,
    pub(super) place: Place,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link; its target is read like the data of a file.
    Symlink,
    /// A character device with its major and minor number.
    CharacterDevice(u32, u32),
    /// A block device with its major and minor number.
    BlockDevice(u32, u32),
    /// A named pipe.
    Fifo,
    /// The name of a Unix domain socket.
    Socket,
}

/// Where the data is, for those whose number doesn't tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Number,
    /// There is none: a directory in which nothing is.
    Empty,
    Clusters {
        first: u32,
        /// They follow each other; no table tells so.
        contiguous: bool,
        /// What lies behind so many bytes reads as zero.
        valid: u64,
    },
}

impl Node {
    /// A node of which no more is known.
    pub(super) const fn new(number: u64, kind: NodeKind, size: u64) -> Self {
        Self {
            number,
            subvolume: None,
            kind,
            size,
            permissions: None,
            owner: None,
            links: None,
            modified: None,
            dos_attributes: None,
            place: Place::Number,
        }
    }

    pub(super) fn place(&self) -> String {
        match self.subvolume {
            Some(subvolume) => format!("inode {} of subvolume {subvolume}", self.number),
            None => format!("inode {}", self.number),
        }
    }

    /// What no other node of the filesystem has.
    pub(super) const fn identity(&self) -> (Option<u64>, u64) {
        (self.subvolume, self.number)
    }
}

impl NodeKind {
    /// What an inode of this mode is; devices have the number that Linux gives them.
    pub(super) fn from_mode(mode: u16, device: impl FnOnce() -> (u32, u32)) -> Option<Self> {
        let device = |make: fn(u32, u32) -> Self| {
            let (major, minor) = device();
            make(major, minor)
        };
        Some(match mode & 0xF000 {
            0x1000 => Self::Fifo,
            0x2000 => device(Self::CharacterDevice),
            0x4000 => Self::Directory,
            0x6000 => device(Self::BlockDevice),
            0x8000 => Self::File,
            0xA000 => Self::Symlink,
            0xC000 => Self::Socket,
            _ => return None,
        })
    }

    /// What people call it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File => "file",
            Self::Symlink => "symlink",
            Self::CharacterDevice(..) => "char device",
            Self::BlockDevice(..) => "block device",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
        }
    }
}

/// The major and minor number in the 32 bits in which Linux stores both.
pub(super) const fn linux_device(number: u32) -> (u32, u32) {
    let major = (number >> 8) & 0xFFF;
    let minor = (number & 0xFF) | ((number >> 12) & 0xF_FF00);
    (major, minor)
}

/// An extended attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Xattr {
    /// The name with its namespace, as `getfattr` shows it.
    pub name: Vec<u8>,
    /// The value. That of an ACL is in the form of Linux' system calls.
    pub value: Vec<u8>,
}
