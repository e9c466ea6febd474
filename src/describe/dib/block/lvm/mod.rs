//! `lvm`: physical volumes, groups of them, and the logical volumes in those.

mod options;
mod read;

use disklayout::Bytes;
use disklayout::volume::lvm::{Stripes, VolumeSize};

use super::entry::{Base, Entry, string};
use super::nodes::Kind;
use crate::config::{Findings, Place};

pub(super) use read::read;

/// Everything that an entry makes.
#[derive(Clone, Debug)]
pub(super) struct Volumes {
    /// What the entry is called. It stands on what its physical volumes are, and these stand on it.
    pub(super) name: String,
    pub(super) members: Vec<Member>,
    pub(super) groups: Vec<Group>,
    pub(super) volumes: Vec<Logical>,
}

/// A physical volume.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) place: Place,
    /// The image or the partition that it is.
    pub(super) base: Base,
}

/// A group of volumes.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) place: Place,
    /// Its physical volumes.
    pub(super) bases: Vec<Base>,
    /// Bytes of an extent.
    pub(super) extent_size: Bytes,
}

/// A logical volume.
#[derive(Clone, Debug)]
pub(super) struct Logical {
    pub(super) name: String,
    pub(super) place: Place,
    /// Its group.
    pub(super) base: Base,
    pub(super) size: VolumeSize,
    pub(super) stripes: Option<Stripes>,
    pub(super) tags: Vec<String>,
}

impl Volumes {
    /// The group that the physical volume on an image or a partition of this name is a part of, and
    /// which of its parts.
    pub(super) fn group_on(&self, base: &str) -> Option<(&Group, usize)> {
        let member = self.members.iter().find(|it| it.base.name == base)?;
        self.groups.iter().find_map(|group| {
            let order = group.bases.iter().position(|it| it.name == member.name)?;
            Some((group, order))
        })
    }

    /// The physical volumes of a group, in the order in which it names them.
    pub(super) fn members_of<'v>(&'v self, group: &'v Group) -> impl Iterator<Item = &'v Member> {
        let named = |base: &'v Base| self.members.iter().find(|it| it.name == base.name);
        group.bases.iter().filter_map(named)
    }

    /// The logical volumes of the group with this name.
    pub(super) fn volumes_of<'v>(&'v self, group: &'v str) -> impl Iterator<Item = &'v Logical> {
        self.volumes.iter().filter(move |it| it.base.name == group)
    }
}

/// The names of all that an entry makes, so far as there are any, and what they are of.
pub(super) fn names(entry: &Entry<'_>) -> Vec<(String, Kind, Place)> {
    // What is wrong with them is said when they are read.
    let mut unheard = Findings::default();
    let lists = [
        ("pvs", Kind::Member),
        ("vgs", Kind::Group),
        ("lvs", Kind::Logical),
    ];
    let mut names = Vec::new();
    for (key, kind) in lists {
        let list = entry.object.optional(key);
        let values = list.and_then(|list| list.list("volumes", &mut unheard));
        for value in values.into_iter().flatten() {
            let name = value
                .as_object()
                .and_then(|it| it.optional("name").cloned());
            let named = name.and_then(|it| Some((string(&it, &mut unheard)?, it.place().clone())));
            names.extend(named.map(|(name, place)| (name, kind, place)));
        }
    }
    names
}
