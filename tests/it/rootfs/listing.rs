//! What is in a filesystem, in a form that every reader of one can give.

use std::collections::BTreeMap;

use crate::sparse::Blocks;

/// Everything in a filesystem by its path without a slash in front, the root being empty.
pub(crate) type Listing = BTreeMap<Vec<u8>, Entry>;

/// One name in a filesystem and all that is known of what it leads to. `None` is for what the
/// reader doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) permissions: u32,
    pub(crate) owner: (u32, u32),
    /// Seconds since 1970 and nanoseconds.
    pub(crate) mtime: Option<(i64, u32)>,
    pub(crate) names: Option<Names>,
    pub(crate) xattrs: Option<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// How many bytes of disk a file takes.
    pub(crate) allocated: Option<u64>,
}

/// How many names lead to something that isn't a directory, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) count: u64,
    pub(crate) first: Vec<u8>,
}

/// The numbers of a device; `None` is for readers that don't know them.
pub(crate) type Device = Option<(u32, u32)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    pub(crate) fn file(bytes: &[u8]) -> Self {
        let mut blocks = Blocks::new(bytes.len() as u64);
        blocks.add_all(bytes);
        Self::File {
            len: bytes.len() as u64,
            sum: blocks.sum(),
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
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

/// What a reader knows beside kinds, data, permissions and owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Knows {
    pub(crate) times: bool,
    pub(crate) names: bool,
    pub(crate) devices: bool,
    pub(crate) xattrs: bool,
    pub(crate) allocated: bool,
}

impl Knows {
    pub(crate) const NOTHING: Self = Self {
        times: false,
        names: false,
        devices: false,
        xattrs: false,
        allocated: false,
    };
}

/// A listing as a reader gives it who knows no more than this.
pub(crate) fn seen_by(listing: &Listing, knows: Knows) -> Listing {
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
pub(crate) fn take_lost_found(listing: &mut Listing) {
    let entry = listing.remove(&b"lost+found"[..]).expect("a lost+found");
    assert_eq!(entry.kind, Kind::Directory);
    assert_eq!((entry.permissions, entry.owner), (0o700, (0, 0)));
}
