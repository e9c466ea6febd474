//! What has to hold of all nodes together.

use std::collections::BTreeMap;

use super::nodes::Nodes;
use crate::config::{Findings, Place};

/// The image that becomes the output of disk-image-create.
pub const IMAGE: &str = "image0";

/// Refuses what can't be, or what would silently be something else: two things in one place, labels and
/// mount points that are there twice, no root.
pub(super) fn check(nodes: &Nodes, root: &Place, findings: &mut Findings) -> Option<()> {
    check_holders(nodes, findings);
    check_groups(nodes, findings);
    check_labels(nodes, findings);
    check_mounts(nodes, findings);
    let lines = nodes.lines.iter();
    once(
        lines.map(|line| (&*line.base.name, &line.place)),
        |name| format!("the mount '{name}' has a line of fstab already"),
        findings,
    );
    if !nodes.images.iter().any(|image| image.name == IMAGE) {
        let message = format!(
            "there is no image '{IMAGE}', which is the one that is written: have '- local_loop: {{name: \
             {IMAGE}}}'"
        );
        findings.refuse::<()>(root, message);
    }
    if !nodes.mounts.iter().any(|mount| mount.point == "/") {
        let message = "nothing is mounted at '/': have a filesystem with 'mount: {mount_point: /}'";
        findings.refuse::<()>(root, message);
    }
    findings.errors.is_empty().then_some(())
}

/// Refuses every item whose key is there already.
fn once<'a, K: Ord>(
    items: impl Iterator<Item = (K, &'a Place)>,
    message: impl Fn(&K) -> String,
    findings: &mut Findings,
) {
    let mut seen: BTreeMap<K, &Place> = BTreeMap::new();
    for (key, place) in items {
        if let Some(first) = seen.get(&key) {
            let message = format!("{}, at {first}", message(&key));
            findings.refuse::<()>(place, message);
        } else {
            seen.insert(key, place);
        }
    }
}

/// An image has one table, one filesystem or one physical volume, and so have partitions and logical
/// volumes, so far as these stand on them.
fn check_holders(nodes: &Nodes, findings: &mut Findings) {
    let tables = nodes.tables.iter();
    let tables = tables.map(|table| (&*table.base.name, &table.place));
    let filesystems = nodes.filesystems.iter();
    let filesystems = filesystems.map(|made| (&*made.base.name, &made.place));
    let members = nodes.volumes.iter().flat_map(|volumes| &volumes.members);
    let members = members.map(|member| (&*member.base.name, &member.place));
    once(
        tables.chain(filesystems).chain(members),
        |name| format!("'{name}' holds something already"),
        findings,
    );
}

/// A group lies on one image.
fn check_groups(nodes: &Nodes, findings: &mut Findings) {
    for (volumes, group) in nodes.groups() {
        let members: Vec<_> = volumes.members_of(group).collect();
        let images = members.iter().map(|it| nodes.image_of(&it.base.name));
        let mut images: Vec<_> = images.flatten().map(|image| &*image.name).collect();
        images.dedup();
        if let [first, other, ..] = images.as_slice() {
            let message = format!(
                "the group '{}' has parts on the images '{first}' and '{other}', and a group lies on one \
                 image here: have a group on each",
                group.name
            );
            findings.refuse::<()>(&group.place, message);
        }
    }
}

/// What filesystems are known by.
fn check_labels(nodes: &Nodes, findings: &mut Findings) {
    let labels = nodes.filesystems.iter();
    once(
        labels.map(|made| (&*made.label, &made.label_place)),
        |label| format!("the label '{label}' is that of another filesystem already"),
        findings,
    );
    let filesystems = nodes.filesystems.iter();
    once(
        filesystems.filter_map(|made| Some((made.uuid?, &made.place))),
        |uuid| format!("the UUID {uuid} is that of another filesystem already"),
        findings,
    );
}

fn check_mounts(nodes: &Nodes, findings: &mut Findings) {
    for mount in &nodes.mounts {
        let made = nodes.filesystem(&mount.base.name);
        if made.is_some_and(|made| !made.is_swap()) {
            let _ = mount.check_point(findings);
        }
    }
    let points = nodes.mounts.iter();
    once(
        points.map(|mount| (&*mount.point, &mount.point_place)),
        |point| format!("'{point}' is a mount point already"),
        findings,
    );
    let bases = nodes.mounts.iter();
    once(
        bases.map(|mount| (&*mount.base.name, &mount.place)),
        |name| format!("the filesystem '{name}' is mounted already"),
        findings,
    );
}
