//! The members of an archive in their order.

use std::collections::HashMap;

use super::is_member;
use crate::tree::{FileTree, NodeId};

/// The order of an archive's members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Each directory with what is in it behind it, by name, by bytes.
    #[default]
    Names,
    /// All but files in the order in which it was made, then files in that in which their sources are
    /// read fastest.
    Reading,
}

/// One name in a tree and what it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub node: NodeId,
    directory: NodeId,
    name: &'a [u8],
}

impl Member<'_> {
    /// The path from the root on, without a slash at its start.
    pub(super) fn path(&self, tree: &FileTree) -> Vec<u8> {
        let mut path = tree.path(self.directory);
        path.push(b'/');
        path.extend_from_slice(self.name);
        path.split_off(1)
    }
}

/// All members but the root.
pub(super) fn members(tree: &FileTree, order: Order) -> Vec<Member<'_>> {
    match order {
        Order::Names => by_names(tree),
        Order::Reading => in_reading_order(tree),
    }
}

fn by_names(tree: &FileTree) -> Vec<Member<'_>> {
    let mut members = Vec::new();
    let mut pending = sorted(tree, FileTree::ROOT);
    while let Some(member) = pending.pop() {
        members.push(member);
        pending.append(&mut sorted(tree, member.node));
    }
    members
}

/// What is in a directory, the first name last.
fn sorted(tree: &FileTree, directory: NodeId) -> Vec<Member<'_>> {
    let mut members: Vec<_> = within(tree, directory).collect();
    members.sort_unstable_by(|one, other| other.name.cmp(one.name));
    members
}

fn in_reading_order(tree: &FileTree) -> Vec<Member<'_>> {
    let directories = tree.nodes().map(|(directory, _)| directory);
    let mut members: Vec<_> = directories.flat_map(|it| within(tree, it)).collect();
    let files = tree.files_in_reading_order();
    let places: HashMap<_, _> = files.into_iter().zip(1..).collect();
    // All names of a node stay together.
    members.sort_by_key(|member| (places.get(&member.node).copied().unwrap_or(0), member.node));
    members
}

/// What is in a directory, in the order in which it came there.
fn within(tree: &FileTree, directory: NodeId) -> impl Iterator<Item = Member<'_>> {
    let entries = tree.entries(directory);
    let members = entries.filter(|(_, node)| is_member(&tree.node(*node).kind));
    members.map(move |(name, node)| Member {
        node,
        directory,
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::tree::{Attributes, Content, Node, NodeKind};

    #[test]
    fn members_are_sorted_by_name_or_files_come_last() {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        for path in ["/b/z", "/b.c", "/b/a", "/a"] {
            let content = Content::inline(b"1");
            tree.put_file("t", path.as_bytes(), content, Attributes::file(time))
                .unwrap();
        }
        let first = tree.find(b"/b/z").unwrap();
        tree.link("t", b"/c", first).unwrap();
        for (path, kind) in [("/b/s", NodeKind::Socket), ("/d", NodeKind::Fifo)] {
            let node = Node::new(kind, Attributes::file(time));
            tree.put("t", path.as_bytes(), node).unwrap();
        }
        let paths = |order| {
            let members = members(&tree, order);
            let paths = members.iter().map(|member| member.path(&tree));
            paths
                .map(|path| String::from_utf8(path).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            paths(Order::Names),
            ["a", "b", "b/a", "b/z", "b.c", "c", "d"]
        );
        assert_eq!(
            paths(Order::Reading),
            ["b", "d", "c", "b/z", "b.c", "b/a", "a"]
        );
    }
}
