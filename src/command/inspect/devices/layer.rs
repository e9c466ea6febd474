//! What lies between a device and filesystems.

use disklayout::disk::Disk;
use disklayout::inspect::fs::Filesystem;
use disklayout::inspect::{luks, lvm, verity};

use super::trees::HashTree;

/// What a device holds instead of a filesystem. The text is why it can't be read.
#[derive(Debug)]
pub(in crate::command::inspect) enum Layer<'a> {
    None,
    Luks(Result<Container<'a>, String>),
    Lvm(Result<Member, String>),
    Verity(Result<HashTree, String>),
}

/// A container of LUKS.
#[derive(Debug)]
pub(in crate::command::inspect) struct Container<'a> {
    pub luks: luks::Luks<'a>,
    pub state: State,
}

/// Whether a container is open.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::command::inspect) enum State {
    /// There are no keys.
    Locked,
    /// Why none of the keys has opened it, or what is in it can't be looked at.
    Failed(String),
    Opened {
        /// Which of the keys has opened it.
        key: usize,
        /// Which key slot that key is in.
        slot: u32,
        /// The device with what is in it.
        device: usize,
    },
}

/// A physical volume of LVM2.
#[derive(Debug)]
pub(in crate::command::inspect) struct Member {
    pub id: String,
    pub size: u64,
    pub warnings: Vec<String>,
    /// Its group, and which one of the group's physical volumes it is.
    pub group: Option<(usize, usize)>,
    /// Whether the group uses another one with the same UUID.
    pub is_spare: bool,
}

impl<'a> Layer<'a> {
    /// What is on `disk`, where its filesystem has been looked for.
    pub(super) fn read(
        disk: &'a dyn Disk,
        filesystem: &Result<Option<&Filesystem<'_>>, String>,
    ) -> Self {
        let kind = match filesystem {
            Ok(Some(found)) => found.facts().kind,
            Ok(None) | Err(_) => "",
        };
        match kind {
            "crypto_LUKS" => Self::of(luks::read(disk), Self::Luks, |luks| Container {
                luks,
                state: State::Locked,
            }),
            "LVM2_member" => Self::of(lvm::member(disk), Self::Lvm, |found| Member {
                id: found.id.to_string(),
                size: found.size.get(),
                warnings: found.warnings,
                group: None,
                is_spare: false,
            }),
            "" => Self::of(verity::superblock(disk, 0), Self::Verity, HashTree::new),
            _ => Self::None,
        }
    }

    fn of<F, T>(
        found: disklayout::Result<Option<F>>,
        layer: impl Fn(Result<T, String>) -> Self,
        read: impl Fn(F) -> T,
    ) -> Self {
        match found {
            Ok(None) => Self::None,
            Ok(Some(found)) => layer(Ok(read(found))),
            Err(error) => layer(Err(error.to_string())),
        }
    }

    /// The physical volume, where it can be read.
    pub(super) fn member_mut(&mut self) -> Option<&mut Member> {
        match self {
            Self::Lvm(Ok(member)) => Some(member),
            _ => None,
        }
    }
}
