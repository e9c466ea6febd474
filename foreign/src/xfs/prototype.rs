//! The prototype that mkfs.xfs makes files and directories from (mkfs.xfs(8), option `-p`).

use std::collections::{BTreeSet, HashMap};

use disklayout::tree::{FileTree, NodeId, NodeKind};
use disklayout::{Error, Place, Result};

use super::geometry::Geometry;
use super::{names, segments};

/// A prototype and what is behind the stand-ins in it.
#[derive(Debug)]
pub(super) struct Prototype {
    /// The file for mkfs.xfs.
    pub text: Vec<u8>,
    /// How many bytes the files have that it takes content from; each is called by this number.
    pub sizes: BTreeSet<u64>,
    /// What the names in a directory, as mkfs.xfs knows them, stand for.
    pub(super) directories: HashMap<NodeId, HashMap<Vec<u8>, Named>>,
}

/// What a name in a prototype stands for.
#[derive(Debug)]
pub(super) struct Named {
    pub name: Vec<u8>,
    pub node: NodeId,
    /// Whether this is the name whose inode stays, of several for one node.
    pub is_first: bool,
}

/// The prototype of a tree, with content from files in the directory `contents`.
///
/// # Errors
/// `Unsupported` at `place` when mkfs.xfs can't be told of a name.
pub(super) fn prototype(
    place: &Place,
    tree: &FileTree,
    geometry: Geometry,
    contents: &str,
) -> Result<Prototype> {
    let mut builder = Builder {
        place,
        tree,
        geometry,
        contents,
        is_known: vec![false; tree.slots()],
        prototype: Prototype {
            // The boot loader, and numbers of blocks and inodes, which are ignored.
            text: b"/dev/null\n0 0\nd--755 0 0\n".to_vec(),
            sizes: BTreeSet::new(),
            directories: HashMap::new(),
        },
    };
    if !names::is_word(contents.as_bytes()) {
        let message = format!(
            "mkfs.xfs can't read from '{contents}': a TMPDIR without white space is needed"
        );
        return Err(Error::unsupported(place, message));
    }
    builder.directories()?;
    Ok(builder.prototype)
}

struct Builder<'a> {
    place: &'a Place,
    tree: &'a FileTree,
    geometry: Geometry,
    contents: &'a str,
    is_known: Vec<bool>,
    prototype: Prototype,
}

impl Builder<'_> {
    /// All directories, depth first, each ended by `$`.
    fn directories(&mut self) -> Result<()> {
        let mut open = vec![self.names(FileTree::ROOT)?.into_iter()];
        while let Some(names) = open.last_mut() {
            let Some((said, node, is_first)) = names.next() else {
                self.prototype.text.extend(b"$\n");
                open.pop();
                continue;
            };
            self.line(&said, node, is_first);
            if self.tree.node(node).kind.is_directory() {
                open.push(self.names(node)?.into_iter());
            }
        }
        Ok(())
    }

    /// The names in a directory as they are said.
    fn names(&mut self, directory: NodeId) -> Result<Vec<(Vec<u8>, NodeId, bool)>> {
        let mut all = Vec::new();
        let mut known = HashMap::new();
        for (name, node) in self.tree.entries(directory) {
            let said = self.said(directory, name, &known)?;
            let is_first = !std::mem::replace(&mut self.is_known[node.index()], true);
            all.push((said.clone(), node, is_first));
            let named = Named {
                name: name.to_vec(),
                node,
                is_first,
            };
            known.insert(said, named);
        }
        self.prototype.directories.insert(directory, known);
        Ok(all)
    }

    fn said(
        &self,
        directory: NodeId,
        name: &[u8],
        known: &HashMap<Vec<u8>, Named>,
    ) -> Result<Vec<u8>> {
        if names::is_sayable(name) {
            return Ok(name.to_vec());
        }
        let is_free = |other: &[u8]| {
            self.tree.entry(directory, other).is_none() && !known.contains_key(other)
        };
        names::stand_in(name, is_free).ok_or_else(|| {
            let message = format!(
                "mkfs.xfs can't be told of the name '{}'",
                name.escape_ascii()
            );
            Error::unsupported(self.place, message)
        })
    }

    /// Owners, permissions and numbers of devices are set later. A further name of a node gets an empty file.
    fn line(&mut self, said: &[u8], node: NodeId, is_first: bool) {
        let file = |length: u64| (length, format!("---644 0 0 {}/{length}", self.contents));
        let (size, line) = match &self.tree.node(node).kind {
            _ if !is_first => file(0),
            NodeKind::File(content) => {
                let block_size = self.geometry.block_size.into();
                let segments = segments::segments(content, block_size, self.geometry.segments());
                file(segments::packed_len(content, &segments, block_size))
            }
            NodeKind::Directory => (0, "d--755 0 0".to_owned()),
            NodeKind::Symlink(_) => (0, "l--777 0 0 ".to_owned()),
            NodeKind::CharacterDevice(_) => (0, "c--644 0 0 0 0".to_owned()),
            NodeKind::BlockDevice(_) => (0, "b--644 0 0 0 0".to_owned()),
            // Sockets become what they are later.
            NodeKind::Fifo | NodeKind::Socket => (0, "p--644 0 0".to_owned()),
        };
        self.prototype.sizes.insert(size);
        let text = &mut self.prototype.text;
        text.extend(said);
        text.push(b' ');
        text.extend(line.as_bytes());
        if let (NodeKind::Symlink(target), true) = (&self.tree.node(node).kind, is_first) {
            text.extend(said_target(target));
        }
        text.push(b'\n');
    }
}

/// A target, or what has the same length if a prototype can't say it.
fn said_target(target: &[u8]) -> Vec<u8> {
    match names::is_word(target) {
        true => target.to_vec(),
        false => vec![b'x'; target.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Timestamp;
    use disklayout::tree::{Attributes, Content, Device, Node};

    #[test]
    fn a_prototype_says_everything() {
        let mut tree = FileTree::new(Timestamp::default());
        let time = Timestamp::default();
        let mut put = |path: &str, kind| {
            let node = Node::new(kind, Attributes::file(time));
            tree.put("t", path.as_bytes(), node).unwrap()
        };
        let file = put("/d/file", NodeKind::File(Content::inline(b"data")));
        put(
            "/null",
            NodeKind::CharacterDevice(Device { major: 1, minor: 3 }),
        );
        put("/link", NodeKind::Symlink(b"a b".as_slice().into()));
        put("/a b", NodeKind::Fifo);
        tree.link("t", b"/other", file).unwrap();
        let geometry = Geometry {
            block_size: 4096,
            inode_size: 512,
            bigtime: true,
        };
        let found = prototype(&"t".into(), &tree, geometry, "/stage").unwrap();
        let expected = b"/dev/null\n0 0\nd--755 0 0\nd d--755 0 0\nfile ---644 0 0 /stage/0\n$\n\
            null c--644 0 0 0 0\nlink l--777 0 0 xxx\n`\xa0b p--644 0 0\nother ---644 0 0 /stage/4\n$\n";
        assert_eq!(
            found.text.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        assert_eq!(found.sizes.into_iter().collect::<Vec<_>>(), [0, 4]);
        prototype(&"t".into(), &tree, geometry, "/my stage").unwrap_err();
    }
}
