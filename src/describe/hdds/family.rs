//! Disks that volumes lie on together: groups of images that have their volumes from another one.

use std::collections::BTreeSet;
use std::sync::Arc;

use disklayout::layout::spec::Holds;

use super::holding::member;
use super::model::{Family, Label, LayoutGroup};

/// Joins the groups of images that have their volumes from one another. What is wrong with that, by the
/// paths of what is to be changed.
pub(super) fn join(groups: &mut [LayoutGroup]) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let mut families: Vec<Vec<usize>> = (0..groups.len()).map(|index| vec![index]).collect();
    for (index, group) in groups.iter().enumerate() {
        match first_of(groups, group) {
            None => {}
            Some(Ok(first)) => families[first].push(index),
            Some(Err(objection)) => wrong.push(objection),
        }
    }
    if !wrong.is_empty() {
        return wrong;
    }
    for members in families.into_iter().filter(|it| it.len() > 1) {
        let disks: Arc<[_]> = members.iter().map(|index| groups[*index].clone()).collect();
        for (own, index) in members.into_iter().enumerate() {
            let disks = Arc::clone(&disks);
            groups[index].family = Some(Family { disks, own });
        }
        wrong.extend(random_keys(&disks));
        wrong.extend(half_inside(&disks));
    }
    wrong
}

/// Which of the groups has the volumes of `group`, if it says so.
fn first_of(
    groups: &[LayoutGroup],
    group: &LayoutGroup,
) -> Option<Result<usize, (String, String)>> {
    let name = group.volumes_of.as_ref()?;
    let refuse = |key: &str, message: String| {
        let path = format!("{}.{key}", group.place.object());
        Some(Err((path, message)))
    };
    let Some(index) = groups.iter().position(|it| it.name == *name) else {
        return refuse(
            "volumes_of",
            format!("there is no group of images '{name}'"),
        );
    };
    let first = &groups[index];
    if first.name == group.name {
        return refuse(
            "volumes_of",
            "it is the group itself; leave this out".to_owned(),
        );
    }
    if let Some(other) = &first.volumes_of {
        let message = format!("'{name}' has its volumes from '{other}'; name that one");
        return refuse("volumes_of", message);
    }
    for (key, is_empty) in [
        ("volumes", group.volumes.is_empty()),
        ("volume_groups", group.volume_groups.is_empty()),
    ] {
        if !is_empty {
            return refuse(
                key,
                format!("its volumes are those of '{name}'; put this there"),
            );
        }
    }
    let words = |group: &LayoutGroup| group.labels.iter().map(|it| it.word.clone()).collect();
    for (key, own, others) in [
        ("labels", words(group), words(first)),
        (
            "filesystems",
            group.filesystems.clone(),
            first.filesystems.clone(),
        ),
    ] {
        let own: Vec<String> = own;
        if own != others && (own.len(), others.len()) != (1, 1) {
            let message = format!(
                "each of the images shares volumes with one of '{name}', which has {key} {}; have the \
                 same, or one of each",
                others.join(", ")
            );
            return refuse(key, message);
        }
    }
    if !on(first, &group.parts_held())
        .iter()
        .any(|it| is_used(first, it))
    {
        let groups: BTreeSet<_> = first.volumes.iter().map(|it| it.group.as_str()).collect();
        let groups = groups.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!(
            "no partition is a part of a group of volumes of '{name}', which are {groups}; let one hold it"
        );
        return refuse("parts", message);
    }
    Some(Ok(index))
}

/// Whether a group of volumes of this name has any.
fn is_used(group: &LayoutGroup, name: &str) -> bool {
    group.volumes.iter().any(|it| it.group == name)
}

/// Random keys differ from one image to the next.
fn random_keys(disks: &[LayoutGroup]) -> Vec<(String, String)> {
    let first = &disks[0];
    let is_shared = |name: &str| {
        let holders = disks.iter().map(|it| on(first, &it.parts_held()));
        holders.filter(|held| held.contains(name)).count() > 1
    };
    let open = first
        .volumes
        .iter()
        .filter(|it| it.keys.iter().any(|keys| keys.seed.is_none()) && is_shared(&it.group));
    open.map(|it| {
        let message = "the volume lies on several images, each of which is made on its own, so that they \
                       would have different random keys; encrypt the partitions that the group lies on, or give \
                       a 'seed'";
        (format!("{}.luks", it.volume.place.object()), message.to_owned())
    })
    .collect()
}

/// A disk has no part of a group in a volume that doesn't lie on it.
fn half_inside(disks: &[LayoutGroup]) -> Vec<(String, String)> {
    let first = &disks[0];
    let inner = first.volumes.iter().filter_map(|volume| {
        let group = member(&volume.volume.holds)?;
        let mut held = disks.iter().map(|it| (&it.name, on(first, &it.parts_held())));
        let (name, _) = held.find(|(_, held)| held.contains(group) && !held.contains(&volume.group))?;
        let message = format!(
            "the group '{group}' lies on '{name}' too, and the group '{}' of this volume doesn't; let that \
             have a part there",
            volume.group
        );
        Some((format!("{}.holds", volume.volume.place.object()), message))
    });
    inner.collect()
}

/// The names of the groups of volumes that lie on what `held` is a part of, with those in their volumes.
fn on(first: &LayoutGroup, held: &[&str]) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = held.iter().map(|name| (*name).to_owned()).collect();
    loop {
        let in_them = first.volumes.iter().filter(|it| all.contains(&it.group));
        let inner = in_them.filter_map(|it| member(&it.volume.holds));
        let new: Vec<_> = inner
            .filter(|it| !all.contains(*it))
            .map(str::to_owned)
            .collect();
        if new.is_empty() {
            return all;
        }
        all.extend(new);
    }
}

impl LayoutGroup {
    /// The group of images that describes its volumes: mostly itself.
    pub(super) fn volumes_from(&self) -> &Self {
        match &self.family {
            Some(family) => &family.disks[0],
            None => self,
        }
    }

    /// The other groups of images that its volumes may lie on, each with which disk it is.
    pub(super) fn others(&self) -> impl Iterator<Item = (usize, &Self)> {
        let family = self.family.iter();
        family.flat_map(|family| {
            let all = family.disks.iter().enumerate();
            all.filter(|(index, _)| *index != family.own)
        })
    }

    /// Whether the group of volumes called `name` lies on its disk. One that lies nowhere counts as the
    /// first one's.
    pub(super) fn has_volume_group(&self, name: &str) -> bool {
        let Some(family) = &self.family else {
            return true;
        };
        let first = &family.disks[0];
        let is_on = |disk: &Self| on(first, &disk.parts_held()).contains(name);
        is_on(self) || (family.own == 0 && !family.disks.iter().any(is_on))
    }

    /// Which disk of its family it is.
    pub(super) fn position(&self) -> usize {
        self.family.as_ref().map_or(0, |family| family.own)
    }

    /// How many disks its volumes lie on, at the most.
    pub(super) fn disks(&self) -> usize {
        self.family.as_ref().map_or(1, |family| family.disks.len())
    }

    /// The names of the groups that its partitions are parts of.
    fn parts_held(&self) -> Vec<&str> {
        let parts = self.parts.iter();
        parts.filter_map(|it| member(&it.partition.holds)).collect()
    }

    /// The variant of this group that shares volumes with this one of another.
    pub(super) fn variant<'g>(
        &'g self,
        label: &'g Label,
        filesystem: &'g str,
    ) -> (&'g Label, &'g str) {
        let label = match self.labels.as_slice() {
            [only] => only,
            _ => label,
        };
        let filesystem = match self.filesystems.as_slice() {
            [only] => only,
            _ => filesystem,
        };
        (label, filesystem)
    }
}

/// Says of parts of groups where they stand among all: disk by disk, and those in volumes at the end.
pub(super) fn order<'h>(all: impl Iterator<Item = &'h mut Holds>, position: usize) {
    for holds in all {
        if let Holds::Member(member) = holds.innermost_mut() {
            member.order = position;
        }
    }
}
