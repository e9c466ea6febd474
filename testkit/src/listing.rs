//! What is in a filesystem, in a form that every reader of one can give.

use std::collections::BTreeMap;

use crate::sparse::Blocks;

/// Everything in a filesystem by its path without a slash in front, the root being empty.
pub type Listing = BTreeMap<Vec<u8>, Entry>;

/// One name in a filesystem and all that is known of what it leads to. `None` is for what the
/// reader doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub permissions: Option<u32>,
    pub owner: Option<(u32, u32)>,
    /// Seconds since 1970 and nanoseconds.
    pub mtime: Option<(i64, u32)>,
    pub names: Option<Names>,
    pub xattrs: Option<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// How many bytes of disk a file takes.
    pub allocated: Option<u64>,
}

impl Entry {
    /// Of which nothing is known but what it is.
    pub fn of_kind(kind: Kind) -> Self {
        Self {
            kind,
            permissions: None,
            owner: None,
            mtime: None,
            names: None,
            xattrs: None,
            allocated: None,
        }
    }
}

/// How many names lead to something that isn't a directory, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub count: u64,
    pub first: Vec<u8>,
}

/// The numbers of a device; `None` is for readers that don't know them.
pub type Device = Option<(u32, u32)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Directory,
    File { len: u64, sum: String },
    Symlink(Vec<u8>),
    CharacterDevice(Device),
    BlockDevice(Device),
    Fifo,
    Socket,
}

impl Kind {
    /// A file with these bytes.
    pub fn file(bytes: &[u8]) -> Self {
        let mut blocks = Blocks::new(bytes.len() as u64);
        blocks.add_all(0, bytes);
        Self::File {
            len: bytes.len() as u64,
            sum: blocks.sum(),
        }
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        *self == Self::Directory
    }

    /// The same as a reader sees it that doesn't know the numbers of devices.
    fn without_numbers(self) -> Self {
        match self {
            Self::CharacterDevice(_) => Self::CharacterDevice(None),
            Self::BlockDevice(_) => Self::BlockDevice(None),
            other => other,
        }
    }
}

/// What a reader knows beside kinds, data, permissions and owners, which all of them know that read
/// what Linux has made for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knows {
    pub times: bool,
    pub names: bool,
    pub devices: bool,
    pub xattrs: bool,
    pub allocated: bool,
}

impl Knows {
    pub const NOTHING: Self = Self {
        times: false,
        names: false,
        devices: false,
        xattrs: false,
        allocated: false,
    };
}

/// A listing as a reader gives it who knows no more than this.
pub fn seen_by(listing: &Listing, knows: Knows) -> Listing {
    let mut listing = listing.clone();
    for entry in listing.values_mut() {
        entry.mtime = entry.mtime.filter(|_| knows.times);
        entry.names = entry.names.take().filter(|_| knows.names);
        entry.xattrs = entry.xattrs.take().filter(|_| knows.xattrs);
        entry.allocated = entry.allocated.filter(|_| knows.allocated);
        if !knows.devices {
            entry.kind = entry.kind.clone().without_numbers();
        }
    }
    listing
}

/// Takes the directory that e2fsck wants in the root of every filesystem out of a listing, and
/// makes sure that it is as mke2fs makes it.
pub fn take_lost_found(listing: &mut Listing) {
    let entry = listing.remove(&b"lost+found"[..]).expect("a lost+found");
    assert_eq!(entry.kind, Kind::Directory);
    let own = (entry.permissions, entry.owner);
    assert_eq!(own, (Some(0o700), Some((0, 0))));
}
