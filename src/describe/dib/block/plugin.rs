//! The plugins of diskimage-builder, and the keys that each of them reads.

use crate::config::{Keys, nearest};

/// A plugin: what an entry of a configuration is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    LocalLoop,
    Partitioning,
    Lvm,
    Mkfs,
    Mount,
    Fstab,
}

/// All of them.
const ALL: [Plugin; 6] = [
    Plugin::LocalLoop,
    Plugin::Partitioning,
    Plugin::Lvm,
    Plugin::Mkfs,
    Plugin::Mount,
    Plugin::Fstab,
];

/// Any entry may have the ones that stand on it in it, so that every plugin is a key of each.
macro_rules! keys {
    ($($key:literal),*) => {
        Keys {
            known: &[
                $($key,)* "name", "base", "local_loop", "partitioning", "lvm", "mkfs", "mount", "fstab",
            ],
            mistaken: &[],
        }
    };
}

const LOCAL_LOOP: Keys = keys!("size", "directory", "block_size");
const PARTITIONING: Keys = keys!("label", "align", "partitions");
const LVM: Keys = keys!("pvs", "vgs", "lvs");
const MKFS: Keys = keys!("type", "label", "opts", "uuid");
const MOUNT: Keys = keys!("mount_point");
const FSTAB: Keys = keys!("options", "dump-freq", "fsck-passno");

/// The keys of an entry of `partitions`.
pub(super) const PARTITION: Keys = keys!("size", "type", "flags");

impl Plugin {
    /// The plugin that is called `word`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        ALL.into_iter().find(|plugin| plugin.word() == word)
    }

    /// What configurations call it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::LocalLoop => "local_loop",
            Self::Partitioning => "partitioning",
            Self::Lvm => "lvm",
            Self::Mkfs => "mkfs",
            Self::Mount => "mount",
            Self::Fstab => "fstab",
        }
    }

    /// The keys that it reads.
    pub(super) const fn keys(self) -> &'static Keys {
        match self {
            Self::LocalLoop => &LOCAL_LOOP,
            Self::Partitioning => &PARTITIONING,
            Self::Lvm => &LVM,
            Self::Mkfs => &MKFS,
            Self::Mount => &MOUNT,
            Self::Fstab => &FSTAB,
        }
    }
}

/// Says that `word` isn't one of them.
pub(super) fn unknown(word: &str) -> String {
    let known = ALL.map(Plugin::word);
    match nearest(word, &known) {
        Some(name) => format!("'{word}' is no plugin: did you mean '{name}'?"),
        None => format!("'{word}' is no plugin; there are {}", known.join(", ")),
    }
}
