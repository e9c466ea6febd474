//! The order in which nodes are made: each behind what it stands on.

use std::collections::BTreeMap;

use super::nodes::Nodes;

/// The names of all nodes in the order in which diskimage-builder makes them: first those that stand on
/// nothing, then those that only stand on these, and so on. Partitions stand on the one before them as
/// well, and so do mounts in the order of their mount points; physical volumes stand on their entry, and
/// that on what they are.
pub(super) fn of(nodes: &Nodes) -> Vec<String> {
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    let mut above: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges(nodes) {
        *missing.entry(to).or_default() += 1;
        above.entry(from).or_default().push(to);
    }
    let all = nodes.all.iter().map(String::as_str);
    let mut ready: Vec<&str> = all.filter(|name| !missing.contains_key(name)).collect();
    let mut at = 0;
    while let Some(name) = ready.get(at).copied() {
        for to in above.get(name).into_iter().flatten() {
            let Some(count) = missing.get_mut(to) else {
                continue;
            };
            *count -= 1;
            if *count == 0 {
                ready.push(to);
            }
        }
        at += 1;
    }
    ready.into_iter().map(str::to_owned).collect()
}

/// What stands on what, in the order of what stands on it.
fn edges(nodes: &Nodes) -> Vec<(&str, &str)> {
    let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for table in &nodes.tables {
        let mut before = None;
        for part in &table.parts {
            let bases = edges.entry(&part.name).or_default();
            bases.push(&table.base.name);
            bases.extend(before.replace(part.name.as_str()));
        }
    }
    for volumes in &nodes.volumes {
        let bases = edges.entry(&volumes.name).or_default();
        for member in &volumes.members {
            if !bases.contains(&&*member.base.name) {
                bases.push(&member.base.name);
            }
        }
        for member in &volumes.members {
            edges.entry(&member.name).or_default().push(&volumes.name);
        }
        for group in &volumes.groups {
            let bases = group.bases.iter().map(|base| &*base.name);
            edges.entry(&group.name).or_default().extend(bases);
        }
        for volume in &volumes.volumes {
            edges
                .entry(&volume.name)
                .or_default()
                .push(&volume.base.name);
        }
    }
    for made in &nodes.filesystems {
        edges.entry(&made.name).or_default().push(&made.base.name);
    }
    let mut before = None;
    for mount in sorted(nodes) {
        let bases = edges.entry(&mount.name).or_default();
        bases.extend(before.replace(mount.name.as_str()));
        bases.push(&mount.base.name);
    }
    for line in &nodes.lines {
        edges.entry(&line.name).or_default().push(&line.base.name);
    }
    let all = nodes.all.iter().map(String::as_str);
    let all = all.filter_map(|name| Some((name, edges.get(name)?)));
    let pairs = all.flat_map(|(name, bases)| bases.iter().map(move |base| (*base, name)));
    pairs.collect()
}

/// The mounts in the order of their mount points, by bytes: each behind those above it.
pub(super) fn sorted(nodes: &Nodes) -> Vec<&super::mount::Mount> {
    let mut mounts: Vec<_> = nodes.mounts.iter().collect();
    mounts.sort_by(|a, b| a.point.cmp(&b.point));
    mounts
}
