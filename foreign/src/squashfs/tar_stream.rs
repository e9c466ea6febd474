//! A tree as a tar archive, for programs that read one.
//!
//! IEEE Std 1003.1 (POSIX.1-2017), pax, "pax Interchange Format" and "ustar Interchange Format".
//! Extended attributes are in records called `SCHILY.xattr.NAME`. Holes are zeroes: squashfs-tools
//! 4.5.1 read some of the forms that GNU tar has for them wrongly, and find zeroes themselves.

use std::io::{self, Write};

use disklayout::fs::Progress;
use disklayout::tree::{Content, ContentReader, FileTree, Node, NodeId, NodeKind};
use disklayout::{Error, Result};

const BLOCK: usize = 512;
/// What is copied at a time.
const PIECE: u64 = 256 << 10;
/// What begins the names of records of extended attributes.
const XATTR: &str = "SCHILY.xattr.";

/// The largest numbers that the fields of a header hold in octal: of 7 and of 11 digits.
const SHORT_MAX: u64 = (1 << 21) - 1;
const LONG_MAX: u64 = (1 << 33) - 1;

/// Emits everything in `tree` but its root and sockets, which a tar archive doesn't know. Files come
/// last, in the order in which they are read fastest.
///
/// # Errors
/// `Io` when a file can't be read or nobody takes the stream.
pub(super) fn emit<'a>(tree: &'a FileTree, feed: &mut Feed<'a, '_>) -> Result<()> {
    let names = Names::of(tree);
    let is_file = |node: &Node| matches!(node.kind, NodeKind::File(_));
    let others = tree.nodes().filter(|(_, node)| !is_file(node));
    let others = others.map(|(id, _)| id).skip(1);
    for id in others.chain(tree.files_in_reading_order()) {
        let node = tree.node(id);
        let mut paths = names.of_node(id);
        let Some(first) = paths.next().filter(|_| node.kind != NodeKind::Socket) else {
            continue;
        };
        let path = names.path(tree, first);
        emit_node(node, &path, feed)?;
        for other in paths {
            let mut entry = Entry::new(node, b'1', names.path(tree, other));
            entry.link = path.clone();
            entry.emit(feed)?;
        }
    }
    feed.bytes(&[0; 2 * BLOCK])
}

/// Every name in a tree: the node that it leads to, the directory that it is in, the name.
struct Names<'a>(Vec<(NodeId, NodeId, &'a [u8])>);

type Name<'a> = (NodeId, &'a [u8]);

impl<'a> Names<'a> {
    fn of(tree: &'a FileTree) -> Self {
        let mut names: Vec<_> = tree
            .nodes()
            .flat_map(|(directory, _)| {
                let entries = tree.entries(directory);
                entries.map(move |(name, node)| (node, directory, name))
            })
            .collect();
        names.sort_by_key(|(node, ..)| *node);
        Self(names)
    }

    fn of_node(&self, id: NodeId) -> impl Iterator<Item = Name<'a>> {
        let first = self.0.partition_point(|(node, ..)| *node < id);
        let names = self.0[first..]
            .iter()
            .take_while(move |(node, ..)| *node == id);
        names.map(|(_, directory, name)| (*directory, *name))
    }

    /// A path from the root on, without a slash at its start.
    fn path(&self, tree: &FileTree, (directory, name): Name<'a>) -> Vec<u8> {
        let mut path = tree.path(directory);
        path.push(b'/');
        path.extend_from_slice(name);
        path.split_off(1)
    }
}

fn emit_node<'a>(node: &'a Node, path: &[u8], feed: &mut Feed<'a, '_>) -> Result<()> {
    let entry = |kind| Entry::new(node, kind, path.to_vec());
    match &node.kind {
        NodeKind::Directory => entry(b'5').emit(feed),
        NodeKind::File(content) => entry(b'0').emit_file(content, feed),
        NodeKind::Symlink(target) => {
            let mut entry = entry(b'2');
            entry.link = target.to_vec();
            entry.emit(feed)
        }
        NodeKind::CharacterDevice(device) | NodeKind::BlockDevice(device) => {
            let is_block = matches!(node.kind, NodeKind::BlockDevice(_));
            let mut entry = entry(if is_block { b'4' } else { b'3' });
            entry.device = (device.major, device.minor);
            entry.emit(feed)
        }
        NodeKind::Fifo => entry(b'6').emit(feed),
        NodeKind::Socket => Ok(()),
    }
}

/// One member of the archive.
struct Entry<'a> {
    node: &'a Node,
    typeflag: u8,
    path: Vec<u8>,
    link: Vec<u8>,
    device: (u32, u32),
    size: u64,
    records: Vec<u8>,
}

impl<'a> Entry<'a> {
    fn new(node: &'a Node, typeflag: u8, path: Vec<u8>) -> Self {
        Self {
            node,
            typeflag,
            path,
            link: Vec::new(),
            device: (0, 0),
            size: 0,
            records: Vec::new(),
        }
    }

    fn emit_file<'b>(mut self, content: &'b Content, feed: &mut Feed<'b, '_>) -> Result<()> {
        let len = content.len();
        self.size = len;
        self.emit(feed)?;
        feed.data(content)?;
        feed.bytes(&vec![0; padding(len)])
    }

    fn emit(mut self, feed: &mut Feed<'_, '_>) -> Result<()> {
        let own = self.node.attributes;
        let path = self.path.clone();
        self.record("path", &path);
        if !self.link.is_empty() {
            let link = self.link.clone();
            self.record("linkpath", &link);
        }
        for (name, number, max) in [
            ("uid", own.uid.into(), SHORT_MAX),
            ("gid", own.gid.into(), SHORT_MAX),
            ("size", self.size, LONG_MAX),
        ] {
            if number > max {
                self.record(name, number.to_string().as_bytes());
            }
        }
        if self.typeflag != b'1' {
            for xattr in self.node.xattrs.iter().filter(|it| is_name(&it.name)) {
                self.record_of_xattr(&xattr.name, &xattr.value);
            }
        }
        feed.bytes(&header(
            b'x',
            b"pax",
            self.records.len() as u64,
            &Fields::default(),
        ))?;
        feed.bytes(&self.records)?;
        feed.bytes(&vec![0; padding(self.records.len() as u64)])?;
        let fields = Fields {
            mode: own.permissions.into(),
            uid: own.uid.into(),
            gid: own.gid.into(),
            mtime: own.mtime.seconds.try_into().unwrap_or(0),
            device: self.device,
        };
        feed.bytes(&header(self.typeflag, &self.path, self.size, &fields))
    }

    fn record_of_xattr(&mut self, name: &[u8], value: &[u8]) {
        let name = [XATTR.as_bytes(), name].concat();
        push_record(&mut self.records, &name, value);
    }

    fn record(&mut self, name: &str, value: &[u8]) {
        push_record(&mut self.records, name.as_bytes(), value);
    }
}

/// Whether a record can be named after an extended attribute: its name ends at an equals sign.
pub(super) fn is_name(name: &[u8]) -> bool {
    !name.contains(&b'=')
}

/// `LENGTH NAME=VALUE` and a line's end, the length being that of all of it.
fn push_record(records: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let rest = name.len() + value.len() + 3;
    let mut len = rest;
    while len != rest + len.to_string().len() {
        len = rest + len.to_string().len();
    }
    records.extend_from_slice(format!("{len} ").as_bytes());
    records.extend_from_slice(name);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

/// The numbers of a header.
#[derive(Default)]
struct Fields {
    mode: u64,
    uid: u64,
    gid: u64,
    mtime: u64,
    device: (u32, u32),
}

/// A ustar header. What its fields don't hold is in a record before it.
fn header(typeflag: u8, path: &[u8], size: u64, fields: &Fields) -> [u8; BLOCK] {
    let mut bytes = [0; BLOCK];
    let name = &path[..path.len().min(100)];
    bytes[..name.len()].copy_from_slice(name);
    for (start, digits, number) in [
        (100, 7, fields.mode),
        (108, 7, fields.uid.min(SHORT_MAX)),
        (116, 7, fields.gid.min(SHORT_MAX)),
        (124, 11, size.min(LONG_MAX)),
        (136, 11, fields.mtime),
        (329, 7, fields.device.0.into()),
        (337, 7, fields.device.1.into()),
    ] {
        let text = format!("{number:0digits$o}");
        bytes[start..start + digits].copy_from_slice(text.as_bytes());
    }
    bytes[148..156].fill(b' ');
    bytes[156] = typeflag;
    bytes[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    bytes
}

const fn padding(len: u64) -> usize {
    (len.next_multiple_of(BLOCK as u64) - len) as usize
}

/// Writes a stream to where a program reads it.
pub(super) struct Feed<'a, 'b> {
    place: &'b str,
    out: &'b mut dyn Write,
    progress: &'b dyn Progress,
    reader: Option<ContentReader<'a>>,
    piece: Vec<u8>,
}

impl<'a, 'b> Feed<'a, 'b> {
    /// Writes to `out`, and tells `progress` of files. `place` is for errors.
    pub(super) fn new(place: &'b str, out: &'b mut dyn Write, progress: &'b dyn Progress) -> Self {
        Self {
            place,
            out,
            progress,
            reader: None,
            piece: Vec::new(),
        }
    }

    fn write_piece(&mut self) -> Result<()> {
        let piece = std::mem::take(&mut self.piece);
        let written = self.bytes(&piece);
        self.piece = piece;
        written
    }

    /// Takes bytes that are here.
    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let fail = |error: io::Error| Error::io(self.place, "can't pass files on", error);
        self.out.write_all(bytes).map_err(fail)
    }

    /// Takes the data of a file, its holes as zeroes.
    fn data(&mut self, content: &'a Content) -> Result<()> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader.go_on(content)?,
            None => content.open()?,
        };
        let mut left = content.len();
        while left > 0 {
            self.piece.resize(left.min(PIECE) as usize, 0);
            reader.read_exact(&mut self.piece)?;
            self.write_piece()?;
            left -= self.piece.len() as u64;
        }
        self.progress.advance(0, content.data_len());
        self.reader = Some(reader);
        self.progress.advance(1, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Timestamp;
    use disklayout::fs::Unwatched;
    use disklayout::tree::{Attributes, Xattr, Xattrs};
    use std::process::{Command, Stdio};

    #[test]
    fn a_record_counts_its_own_length() {
        for (value, expected) in [("x", "6 a=x\n"), ("12345", "11 a=12345\n")] {
            let mut records = Vec::new();
            push_record(&mut records, b"a", value.as_bytes());
            assert_eq!(records, expected.as_bytes());
        }
        // One byte more makes the length itself longer: 100 can't be.
        for (len, expected) in [(93, 99), (94, 101)] {
            let mut records = Vec::new();
            push_record(&mut records, b"a", &vec![b'v'; len]);
            assert!(records.starts_with(format!("{expected} a=").as_bytes()));
            assert_eq!(records.len(), expected);
        }
    }

    /// What GNU tar lists of a tree.
    fn listed(tree: &FileTree) -> String {
        let mut stream = Vec::new();
        let mut feed = Feed::new("disk", &mut stream, &Unwatched);
        emit(tree, &mut feed).unwrap();
        let mut tar = Command::new("tar")
            .args(["--xattrs", "--numeric-owner", "--utc", "-tvvf", "-"])
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        tar.stdin.take().unwrap().write_all(&stream).unwrap();
        let output = tar.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn gnu_tar_lists_what_is_in_the_tree() {
        let time = Timestamp::from_seconds(946_684_800);
        let mut tree = FileTree::new(time);
        let attributes = Attributes {
            permissions: 0o4750,
            uid: 3_000_000,
            gid: u32::MAX - 1,
            mtime: time,
        };
        let long = format!("/d/{}", "n".repeat(200));
        let content = Content::inline(&[b'x'; 1000]);
        let file = tree.put_file("t", long.as_bytes(), content, attributes);
        let file = file.unwrap();
        let xattr = Xattr {
            name: b"user.x".as_slice().into(),
            value: b"a\n\0b".as_slice().into(),
        };
        tree.set_xattrs(file, Xattrs::new([xattr]));
        tree.link("t", b"/d/other", file).unwrap();
        let symlink = NodeKind::Symlink("t".repeat(300).into_bytes().into());
        let node = Node::new(symlink, Attributes::file(time));
        tree.put("t", b"/l", node).unwrap();
        tree.put("t", b"/s", Node::new(NodeKind::Socket, attributes))
            .unwrap();
        let listed = listed(&tree);
        let words = listed.lines().map(|line| line.split_whitespace());
        let lines: Vec<_> = words
            .map(|words| words.collect::<Vec<_>>().join(" "))
            .collect();
        let (long, target) = (&long[1..], "t".repeat(300));
        let expected = [
            "drwxr-xr-x 0/0 0 2000-01-01 00:00 d".to_owned(),
            format!("lrw-r--r-- 0/0 0 2000-01-01 00:00 l -> {target}"),
            format!("-rwsr-x---* 3000000/4294967294 1000 2000-01-01 00:00 {long}"),
            format!("hrwsr-x--- 3000000/4294967294 0 2000-01-01 00:00 d/other link to {long}"),
        ];
        assert_eq!(lines, expected);
    }
}
