//! What an image's identifiers derive from when nothing is given: its content.

use disklayout::tree::{FileTree, Node, NodeId, NodeKind};
use sha2::{Digest, Sha256};

use super::digest::hexadecimal;

/// A sum over everything that is known of `tree` without reading a file: for every name the
/// directory that it is in and the node that it leads to; for every node its kind, permissions,
/// owner, group, time and extended attributes, the length of a file and where its holes are, the
/// target of a symbolic link, the numbers of a device. `chosen` comes first: what was asked for
/// beside the content.
pub(super) fn of_tree(chosen: &[&str], tree: &FileTree) -> String {
    let mut sum = Sum(Sha256::new());
    sum.number(chosen.len() as u64);
    chosen.iter().for_each(|text| sum.bytes(text.as_bytes()));
    for (id, node) in tree.nodes() {
        sum.node(id, node);
        for (name, child) in tree.entries(id) {
            sum.bytes(name);
            sum.number(child.index() as u64);
        }
    }
    hexadecimal(&sum.0.finalize())
}

/// Takes every value with its length, so that none runs into the next.
struct Sum(Sha256);

impl Sum {
    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn node(&mut self, id: NodeId, node: &Node) {
        let it = &node.attributes;
        self.number(id.index() as u64);
        self.bytes(node.kind.noun().as_bytes());
        self.number(it.permissions.into());
        self.number(it.uid.into());
        self.number(it.gid.into());
        self.number(it.mtime.seconds.cast_unsigned());
        self.number(it.mtime.nanoseconds.into());
        match &node.kind {
            NodeKind::File(content) => {
                self.number(content.len());
                for extent in content.extents() {
                    self.number(extent.logical);
                    self.number(extent.len);
                }
            }
            NodeKind::Symlink(target) => self.bytes(target),
            NodeKind::CharacterDevice(device) | NodeKind::BlockDevice(device) => {
                self.number(device.major.into());
                self.number(device.minor.into());
            }
            NodeKind::Directory | NodeKind::Fifo | NodeKind::Socket => {}
        }
        for xattr in node.xattrs.iter() {
            self.bytes(&xattr.name);
            self.bytes(&xattr.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use disklayout::Timestamp;
    use disklayout::tree::{Attributes, Content, Xattr, Xattrs};

    use super::*;

    const TIME: Timestamp = Timestamp::from_seconds(1);

    fn tree(change: impl FnOnce(&mut FileTree, NodeId)) -> FileTree {
        let mut tree = FileTree::new(TIME);
        let content = Content::inline(b"text");
        let id = tree.put_file("t", b"/d/f", content, Attributes::file(TIME));
        change(&mut tree, id.unwrap());
        tree
    }

    #[test]
    fn every_attribute_counts_and_the_bytes_of_files_do_not() {
        let plain = of_tree(&["ext4"], &tree(|_, _| {}));
        let other_bytes = tree(|tree, _| {
            let content = Content::inline(b"TEXT");
            tree.put_file("t", b"/d/f", content, Attributes::file(TIME))
                .unwrap();
        });
        assert_eq!(of_tree(&["ext4"], &other_bytes), plain);
        assert_ne!(of_tree(&["ext3"], &other_bytes), plain);
        type Change = fn(&mut FileTree, NodeId);
        let changes: [Change; 6] = [
            |tree, id| tree.set_attributes(id, Attributes::directory(TIME)),
            |tree, id| tree.set_attributes(id, Attributes::file(Timestamp::from_seconds(2))),
            |tree, id| {
                let xattr = Xattr {
                    name: b"user.a"[..].into(),
                    value: b"b"[..].into(),
                };
                tree.set_xattrs(id, Xattrs::new([xattr]));
            },
            |tree, id| tree.link("t", b"/d/g", id).unwrap(),
            |tree, id| tree.link("t", b"/g", id).unwrap(),
            |tree, _| {
                let node = Node::new(NodeKind::Symlink(b"f"[..].into()), Attributes::file(TIME));
                tree.put("t", b"/d/g", node).unwrap();
            },
        ];
        let mut sums: Vec<_> = changes
            .iter()
            .map(|change| of_tree(&["ext4"], &tree(change)))
            .collect();
        sums.push(plain);
        sums.sort();
        sums.dedup();
        assert_eq!(sums.len(), changes.len() + 1);
    }
}
