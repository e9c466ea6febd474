//! The headers of one member.

use super::header::{BLOCK, Header, LONG_MAX, NAME_LEN, SHORT_MAX, padding};
use super::misfits::XATTR;
use super::pax::{self, Records, is_name};
use super::sparse::Map;
use super::{Acls, LongLinks, Options, acl};
use crate::identity::Timestamp;
use crate::tree::{Device, Node, NodeKind};

/// The name of extended headers, which whoever doesn't know them takes for a file.
const EXTENDED: &[u8] = b"PaxHeaders.0";
/// The name of members that hold what the next one leads to, as GNU tar has it.
const LONG_LINK: &[u8] = b"././@LongLink";
/// What GNU tar puts in front of the names of files with holes, for whoever doesn't know them.
const SPARSE: &[u8] = b"GNUSparseFile.0/";

/// One member without its data.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub node: &'a Node,
    pub path: &'a [u8],
    /// The path of the member that it is one more name of.
    pub link: Option<&'a [u8]>,
    /// The map of a file with holes.
    pub map: Option<&'a Map>,
    pub options: Options,
}

impl Entry<'_> {
    /// The blocks of its headers, what belongs to the last one in front.
    pub(super) fn headers(&self) -> Vec<u8> {
        let own = self.own();
        let name = match self.map {
            Some(_) => [SPARSE, self.path].concat(),
            None => self.path.to_vec(),
        };
        let mut blocks = Vec::new();
        if own.link.len() > NAME_LEN && self.options.long_links == LongLinks::Members {
            let link = [own.link, b"\0"].concat();
            push_prefix(&mut blocks, b'K', LONG_LINK, &link);
        }
        let records = self.records(&own);
        if !records.bytes().is_empty() {
            push_prefix(&mut blocks, b'x', EXTENDED, records.bytes());
        }
        blocks.extend(Header { name: &name, ..own }.bytes());
        debug_assert!((blocks.len() as u64).is_multiple_of(BLOCK));
        blocks
    }

    /// How many bytes of data come behind the headers.
    pub(super) fn stored_len(&self) -> u64 {
        match (&self.node.kind, self.map) {
            _ if self.link.is_some() => 0,
            (_, Some(map)) => map.stored_len(),
            (NodeKind::File(content), None) => content.len(),
            _ => 0,
        }
    }

    /// The header that is there in any case, its name aside.
    fn own(&self) -> Header<'_> {
        let own = self.node.attributes;
        let mut header = Header {
            typeflag: self.typeflag(),
            name: b"",
            link: self.link_path(),
            mode: own.permissions,
            uid: own.uid,
            gid: own.gid,
            size: self.stored_len(),
            mtime: own.mtime.seconds.try_into().unwrap_or(0),
            device: (0, 0),
        };
        if let NodeKind::CharacterDevice(device) | NodeKind::BlockDevice(device) = &self.node.kind {
            let Device { major, minor } = *device;
            header.device = (major, minor);
        }
        header
    }

    fn typeflag(&self) -> u8 {
        match &self.node.kind {
            _ if self.link.is_some() => b'1',
            NodeKind::File(_) | NodeKind::Socket => b'0',
            NodeKind::Symlink(_) => b'2',
            NodeKind::CharacterDevice(_) => b'3',
            NodeKind::BlockDevice(_) => b'4',
            NodeKind::Directory => b'5',
            NodeKind::Fifo => b'6',
        }
    }

    fn link_path(&self) -> &[u8] {
        match (&self.node.kind, self.link) {
            (_, Some(link)) => link,
            (NodeKind::Symlink(target), None) => target,
            _ => b"",
        }
    }

    /// What the header's fields don't hold.
    fn records(&self, own: &Header<'_>) -> Records {
        let mut records = Records::default();
        self.add_names(&mut records);
        for (key, number, max) in [
            ("uid", own.uid.into(), SHORT_MAX),
            ("gid", own.gid.into(), SHORT_MAX),
            ("size", own.size, LONG_MAX),
        ] {
            if number > max {
                records.add_number(key, number);
            }
        }
        let mtime = self.node.attributes.mtime;
        if !is_in_field(mtime) {
            records.add(b"mtime", pax::time(mtime).as_bytes());
        }
        if self.link.is_none() {
            self.add_xattrs(&mut records);
        }
        records
    }

    fn add_names(&self, records: &mut Records) {
        let link = self.link_path();
        let may_be_record = self.options.long_links == LongLinks::Records;
        let (has_holes, has_link) = (self.map.is_some(), may_be_record && needs_record(link));
        let has_path = has_holes || needs_record(self.path);
        let is_text = |name| str::from_utf8(name).is_ok();
        if has_path && !is_text(self.path) || has_link && !is_text(link) {
            records.add_binary();
        }
        if has_path && !has_holes {
            records.add(b"path", self.path);
        }
        if has_link {
            records.add(b"linkpath", link);
        }
        if let (Some(_), NodeKind::File(content)) = (self.map, &self.node.kind) {
            records.add(b"GNU.sparse.major", b"1");
            records.add(b"GNU.sparse.minor", b"0");
            records.add(b"GNU.sparse.name", self.path);
            records.add_number("GNU.sparse.realsize", content.len());
        }
    }

    fn add_xattrs(&self, records: &mut Records) {
        for xattr in self.node.xattrs.iter().filter(|it| is_name(&it.name)) {
            let key = acl::key(&xattr.name).filter(|_| self.options.acls == Acls::Text);
            match key.zip(acl::text(&xattr.value)) {
                Some((key, text)) => records.add(key, text.as_bytes()),
                None => records.add(&[XATTR, &xattr.name].concat(), &xattr.value),
            }
        }
    }
}

/// Adds a member that tells something of the next one.
fn push_prefix(blocks: &mut Vec<u8>, typeflag: u8, name: &[u8], data: &[u8]) {
    let len = data.len() as u64;
    let header = Header {
        typeflag,
        name,
        mode: 0o644,
        size: len,
        ..Header::default()
    };
    blocks.extend(header.bytes());
    blocks.extend_from_slice(data);
    blocks.resize(blocks.len() + padding(len) as usize, 0);
}

/// Whether the field for a name doesn't hold it, or it is text that isn't ASCII. What is no text is
/// taken as it is from the field.
fn needs_record(name: &[u8]) -> bool {
    name.len() > NAME_LEN || !name.is_ascii() && str::from_utf8(name).is_ok()
}

fn is_in_field(time: Timestamp) -> bool {
    u64::try_from(time.seconds).is_ok_and(|seconds| seconds <= LONG_MAX) && time.nanoseconds == 0
}
