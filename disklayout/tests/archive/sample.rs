//! Trees with one of everything that archives hold.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use disklayout::Timestamp;
use disklayout::tree::{Attributes, Content, Device, Extent, FileTree, Node, NodeKind, Store};
use testkit::metadata::acl;
use testkit::trees::{data, xattrs};

use crate::made::TIME;

/// What stands for no number in an ACL.
const NONE: u32 = u32::MAX;

/// The number of the highest owner.
const HIGHEST: u32 = u32::MAX - 1;

/// A capability to bind low ports, as Linux keeps it: version 2 with the effective bit.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// What is known of the root.
const ROOT: Attributes = Attributes {
    permissions: 0o750,
    uid: 7,
    gid: 4_000_000,
    mtime: Timestamp::from_seconds(5),
};

/// What a path leads to.
#[derive(Clone, Debug)]
enum What {
    Node(Node),
    /// One more name of what is at this path.
    Link(Vec<u8>),
}

/// Paths with what is there, in an order that doesn't matter.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    root: Attributes,
    entries: Vec<(Vec<u8>, What)>,
}

impl Sample {
    /// One of everything.
    pub(crate) fn rich() -> Self {
        let mut sample = Self {
            root: ROOT,
            entries: Vec::new(),
        };
        sample.add_names();
        sample.add_attributes();
        sample.add_xattrs();
        sample.add_special_files();
        sample.add_links();
        sample.add_holes();
        sample
    }

    /// The tree, made in the order of the sample.
    pub(crate) fn tree(&self) -> FileTree {
        Self::tree_of(self.root, self.entries.iter())
    }

    /// The tree, made in the opposite order.
    pub(crate) fn tree_made_backwards(&self) -> FileTree {
        Self::tree_of(self.root, self.entries.iter().rev())
    }

    fn tree_of<'a>(
        root: Attributes,
        entries: impl Iterator<Item = &'a (Vec<u8>, What)> + Clone,
    ) -> FileTree {
        let mut tree = FileTree::new(TIME);
        for (path, what) in entries.clone() {
            if let What::Node(node) = what {
                tree.put("sample", path, node.clone()).unwrap();
            }
        }
        for (path, what) in entries {
            if let What::Link(to) = what {
                let target = tree.find(to).unwrap();
                tree.link("sample", path, target).unwrap();
            }
        }
        tree.set_attributes(FileTree::ROOT, root);
        tree
    }

    fn add(&mut self, path: impl Into<Vec<u8>>, kind: NodeKind) -> &mut Node {
        let mut attributes = match kind {
            NodeKind::Directory => Attributes::directory(TIME),
            _ => Attributes::file(TIME),
        };
        // Linux knows no others of links.
        if matches!(kind, NodeKind::Symlink(_)) {
            attributes.permissions = 0o777;
        }
        let what = What::Node(Node::new(kind, attributes));
        self.entries.push((path.into(), what));
        match self.entries.last_mut() {
            Some((_, What::Node(node))) => node,
            _ => unreachable!("it was put there"),
        }
    }

    fn add_file(&mut self, path: impl Into<Vec<u8>>, bytes: &[u8]) -> &mut Node {
        self.add(path, NodeKind::File(Content::inline(bytes)))
    }

    /// Paths of every length around the fields' ends, text of other kinds, no text.
    fn add_names(&mut self) {
        for len in [1, 99, 100, 101, 155, 255] {
            self.add_file(format!("/{}", "n".repeat(len)), b"name");
        }
        let deep = format!("/deep/{}/{}", "d".repeat(200), "e".repeat(250));
        self.add_file(format!("{deep}/{}", "f".repeat(255)), b"deep");
        self.add_file("/\u{e9}\u{1F4BE}", b"text");
        self.add_file("/line\nend \\ \t", b"line");
        self.add_file(b"/\xFF\xFE", b"no text");
        self.add_file([&b"/\xFF"[..], &[b'x'; 150]].concat(), b"no text, and long");
        self.add("/empty", NodeKind::Directory);
        self.add_file("/nothing", b"");
        for len in [511, 512, 513, 300_000] {
            self.add_file(format!("/bytes-{len}"), &data(len));
        }
    }

    fn add_attributes(&mut self) {
        let time = |seconds, nanoseconds| Timestamp {
            seconds,
            nanoseconds,
        };
        for (name, permissions, (uid, gid), mtime) in [
            ("/set-ids", 0o6711, (1, 2), TIME),
            ("/none", 0, (2_097_151, 2_097_152), TIME),
            ("/highest", 0o644, (HIGHEST, HIGHEST), TIME),
            (
                "/nanoseconds",
                0o644,
                (0, 0),
                time(1_234_567_890, 123_456_789),
            ),
            ("/early", 0o644, (0, 0), time(-1_000_000_000, 0)),
            ("/epoch", 0o644, (0, 0), time(0, 0)),
            ("/late", 0o644, (0, 0), time(9_000_000_000, 500_000_000)),
        ] {
            let node = self.add_file(name, name.as_bytes());
            node.attributes = Attributes {
                permissions,
                uid,
                gid,
                mtime,
            };
        }
        let sticky = self.add("/sticky", NodeKind::Directory);
        sticky.attributes.permissions = 0o1777;
        sticky.attributes.mtime = time(3, 1);
        self.add_file("/sticky/within", b"within");
    }

    /// An attribute without a value, which layers can't hold.
    pub(crate) fn with_an_empty_xattr(mut self) -> Self {
        self.add_file("/empty-xattr", b"").xattrs = xattrs(&[("user.empty", b"")]);
        self
    }

    /// A time that bsdtar 3.6 takes for another one.
    pub(crate) fn with_a_fraction_before_1970(mut self) -> Self {
        self.add_file("/early-fraction", b"").attributes.mtime = Timestamp {
            seconds: -6,
            nanoseconds: 750_000_000,
        };
        self
    }

    fn add_xattrs(&mut self) {
        let large = data(3000);
        self.add_file("/xattrs", b"xattrs").xattrs = xattrs(&[
            ("user.binary", b"a\n\0=\xFFb"),
            ("user.long", &large),
            ("trusted.only-root", b"1"),
        ]);
        let program = self.add_file("/capability", b"program");
        program.xattrs = xattrs(&[("security.capability", &CAPABILITY)]);
        program.attributes.uid = 5;
        let access = acl(&[
            (1, 6, NONE),
            (2, 5, 12345),
            (2, 7, 3_000_000),
            (4, 4, NONE),
            (8, 0, 54321),
            (0x10, 5, NONE),
            (0x20, 4, NONE),
        ]);
        let listed = self.add_file("/acl", b"acl");
        listed.xattrs = xattrs(&[("system.posix_acl_access", &access)]);
        // The group's are the mask.
        listed.attributes.permissions = 0o654;
        let default = acl(&[
            (1, 7, NONE),
            (2, 7, 0),
            (4, 5, NONE),
            (0x10, 7, NONE),
            (0x20, 0, NONE),
        ]);
        let directory = self.add("/inherits", NodeKind::Directory);
        directory.xattrs = xattrs(&[("system.posix_acl_default", &default), ("user.d", b"d")]);
    }

    fn add_special_files(&mut self) {
        self.add("/pipe", NodeKind::Fifo).attributes.permissions = 0o622;
        let device = |major, minor| Device { major, minor };
        self.add("/tty", NodeKind::CharacterDevice(device(4, 300)));
        self.add("/disk", NodeKind::BlockDevice(device(4095, 1_048_575)));
    }

    /// Symbolic links of every length around the field's end, and further names of everything.
    fn add_links(&mut self) {
        let target = |bytes: &[u8]| NodeKind::Symlink(bytes.into());
        for len in [1, 100, 101, 4000] {
            self.add(format!("/symbolic-{len}"), target(&vec![b't'; len]));
        }
        self.add("/symbolic-text", target("\u{e9}/..//x/".as_bytes()));
        self.add("/symbolic-bytes", target(b"\xFF\xFE"));
        self.add("/links", NodeKind::Directory);
        let long = format!("/{}", "n".repeat(255));
        for (path, to) in [
            ("/links/a", "/xattrs"),
            ("/links/b", "/xattrs"),
            ("/links/long", &long),
            ("/links/symbolic", "/symbolic-1"),
            ("/links/pipe", "/pipe"),
            ("/links/tty", "/tty"),
            ("/links/holes", "/holes"),
            ("/0", "/capability"),
        ] {
            let what = What::Link(to.as_bytes().to_vec());
            self.entries.push((path.as_bytes().to_vec(), what));
        }
        let to_no_text = (b"/links/\xFF".to_vec(), What::Link(b"/\xFF\xFE".to_vec()));
        self.entries.push(to_no_text);
    }

    fn add_holes(&mut self) {
        for (name, len, pieces) in [
            (
                "/holes",
                20 << 20,
                &[(0, 5000), (1 << 20, 1), (19 << 20, 1 << 20)][..],
            ),
            ("/hole-at-its-end", 3_000_001, &[(100, 8000)]),
            ("/hole-at-its-start", 1 << 20, &[((1 << 20) - 513, 513)]),
            ("/hole", 1_000_000, &[]),
            ("/hole-too-small", 700, &[(0, 100)]),
            (
                &format!("/{}/holes", "h".repeat(120)),
                1 << 20,
                &[(4096, 4096)],
            ),
        ] {
            self.add(name, NodeKind::File(with_holes(len, pieces)));
        }
    }
}

/// A file of `len` bytes of which there are some pieces only: where, and how many bytes.
pub(crate) fn with_holes(len: u64, pieces: &[(u64, u64)]) -> Content {
    let file = tempfile::tempfile().unwrap();
    let mut offset = 0;
    let extents = pieces.iter().map(|&(logical, len)| {
        file.write_all_at(&data(len), offset).unwrap();
        offset += len;
        Extent {
            logical,
            len,
            offset: offset - len,
        }
    });
    let extents = extents.collect();
    let store = Arc::new(Store::file("a file with holes", file));
    Content::stored_with_holes(&store, len, extents)
}
