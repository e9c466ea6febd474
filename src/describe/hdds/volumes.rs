//! The groups of volumes of an image, from what a group of images says of volumes.

use disklayout::Place;
use disklayout::layout::spec::VolumeGroup;

use super::family;
use super::holding::{self, member};
use super::model::{LayoutGroup, Volume};

/// The groups of volumes on the disk of `group` in the order in which they are named first, each with what
/// is known of its volumes. `filesystem` is that of volumes that name none.
pub(super) fn groups<'g>(
    group: &'g LayoutGroup,
    filesystem: &str,
) -> Vec<(VolumeGroup, Vec<&'g Volume>)> {
    let first = group.volumes_from();
    let mut groups: Vec<(VolumeGroup, Vec<&Volume>)> = Vec::new();
    for (name, place) in named(first).chain(parts(group)) {
        let is_known = groups.iter().any(|(known, _)| known.name == name);
        if !is_known && group.has_volume_group(name) {
            let own = first.volumes.iter().filter(|it| it.group == name);
            let volumes: Vec<_> = own.collect();
            groups.push((spec(first, name, place, &volumes, filesystem), volumes));
        }
    }
    let held = groups.iter_mut().flat_map(|(spec, _)| &mut spec.volumes);
    family::order(held.map(|volume| &mut volume.holds), group.disks());
    groups
}

fn spec(
    group: &LayoutGroup,
    name: &str,
    place: &Place,
    volumes: &[&Volume],
    filesystem: &str,
) -> VolumeGroup {
    let options = group.volume_groups.iter().find(|it| it.name == name);
    let volumes = volumes.iter().map(|volume| {
        let mut spec = volume.volume.clone();
        let word = volume.filesystem.as_deref().unwrap_or(filesystem);
        holding::choose(&mut spec.holds, word);
        spec
    });
    let usual = VolumeGroup::new(options.map_or(place, |it| &it.place), name);
    VolumeGroup {
        extent_size: options
            .and_then(|it| it.extent_size)
            .unwrap_or(usual.extent_size),
        volumes: volumes.collect(),
        ..usual
    }
}

/// The names of the groups that partitions are parts of, and where they stand.
fn parts(group: &LayoutGroup) -> impl Iterator<Item = (&str, &Place)> {
    let parts = group.parts.iter().map(|part| &part.partition);
    parts.filter_map(|it| Some((member(&it.holds)?, &it.place)))
}

/// The names of groups, and where they stand.
fn named(group: &LayoutGroup) -> impl Iterator<Item = (&str, &Place)> {
    let options = group.volume_groups.iter();
    let options = options.map(|it| (it.name.as_str(), &it.place));
    let volumes = group.volumes.iter().flat_map(|it| {
        let place = &it.volume.place;
        let inner = member(&it.volume.holds).map(|name| (name, place));
        std::iter::once((it.group.as_str(), place)).chain(inner)
    });
    parts(group).chain(options).chain(volumes)
}
