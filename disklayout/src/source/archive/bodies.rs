//! What the headers of a member become: a node of the tree, or one more name of one.

use super::acl::{self, Acl};
use super::fault::{Fault, Result};
use super::header::Header;
use super::members::{Body, Front, Member, Members, Remark};
use super::notes::Note;
use super::pax::Extensions;
use super::sparse;
use crate::identity::Timestamp;
use crate::tree::{Attributes, Content, Device, Node, NodeKind, Xattr, Xattrs};

/// The longest target of a symbolic link in bytes, as on Linux (`PATH_MAX` without the NUL byte).
const SYMLINK_MAX: usize = 4095;
/// The numbers of a device have 12 bits and 20 bits, as on Linux.
const MAJOR_MAX: u32 = (1 << 12) - 1;
const MINOR_MAX: u32 = (1 << 20) - 1;

impl Members<'_> {
    /// The entry of a header, with what came in front of it and what extended headers said.
    pub(super) fn entry(
        &mut self,
        header: &Header,
        front: Front,
        mut said: Extensions,
    ) -> Result<Member> {
        let sparse_name = said.sparse.name.take();
        let path = sparse_name.or(said.path.take()).or(front.long_path);
        let path = path.unwrap_or_else(|| header.path());
        self.path.clone_from(&path);
        let link = said.link_path.take().or(front.long_link);
        let link = || link.unwrap_or_else(|| header.link_path().to_vec());
        let kind = match header.typeflag() {
            b'0' | b'\0' | b'7' if path.ends_with(b"/") => {
                self.skip_no_data(size(header, &said)?)?;
                NodeKind::Directory
            }
            b'0' | b'\0' | b'7' => NodeKind::File(self.file(header, &mut said)?),
            b'S' => NodeKind::File(self.old_sparse_file(header, &said)?),
            // GNU tar's directory with a list of what is in it.
            b'D' => {
                self.skip_data(size(header, &said)?)?;
                NodeKind::Directory
            }
            other => {
                self.skip_no_data(size(header, &said)?)?;
                match other {
                    b'1' => {
                        return Ok(Member {
                            path,
                            body: Body::Link(link()),
                            acls: Vec::new(),
                            remarks: Vec::new(),
                        });
                    }
                    b'2' => NodeKind::Symlink(symlink(link())?),
                    b'3' => NodeKind::CharacterDevice(device(header)?),
                    b'4' => NodeKind::BlockDevice(device(header)?),
                    b'5' => NodeKind::Directory,
                    b'6' => NodeKind::Fifo,
                    other => return Err(unknown(other)),
                }
            }
        };
        self.node(header, path, kind, said)
    }

    /// Goes over the data of an entry that should have none whatever its size is: there is none
    /// where a header or the end follows at once. A size without data is in archives of version 7,
    /// data with a hard link in those of POSIX.
    fn skip_no_data(&mut self, size: u64) -> Result<()> {
        if size == 0 {
            return Ok(());
        }
        let has_data = self.input.peek()?.is_some_and(|block| {
            block.iter().any(|byte| *byte != 0) && Header::new(block).is_none()
        });
        match has_data {
            true => self.skip_data(size),
            false => Ok(()),
        }
    }

    fn node(
        &mut self,
        header: &Header,
        path: Vec<u8>,
        kind: NodeKind,
        said: Extensions,
    ) -> Result<Member> {
        let mtime = match said.mtime {
            Some(mtime) => mtime,
            None => Timestamp::from_seconds(header.mtime()?),
        };
        let permissions = match kind {
            // Linux has no others, whatever other systems pack.
            NodeKind::Symlink(_) => 0o777,
            _ => header.permissions()?,
        };
        let mut attributes = Attributes {
            permissions,
            uid: said.uid.map_or_else(|| header.uid(), Ok)?,
            gid: said.gid.map_or_else(|| header.gid(), Ok)?,
            mtime,
        };
        let lists = Lists::of(said.xattrs, said.acls, &kind, &mut attributes)?;
        let mut remarks = lists.remarks;
        remarks.extend(said.misfits.into_iter().map(|(note, what)| Remark {
            note,
            what,
            is_loss: true,
        }));
        for remark in &mut remarks {
            remark.what = format!("{} of '{}'", remark.what, path.escape_ascii());
        }
        let node = Node {
            kind,
            attributes,
            xattrs: self.interner.intern(Xattrs::new(lists.xattrs)),
        };
        Ok(Member {
            path,
            body: Body::Node(node),
            acls: lists.named,
            remarks,
        })
    }

    /// The content of a file, after which the next header is read.
    fn file(&mut self, header: &Header, said: &mut Extensions) -> Result<Content> {
        let size = size(header, said)?;
        let start = self.input.position();
        let is_mapped = match (
            said.sparse.major.unwrap_or(0),
            said.sparse.minor.unwrap_or(0),
        ) {
            (1, 0) => {
                said.sparse.map = Some(sparse::from_data(size, &mut self.input)?);
                true
            }
            (0, _) => said.sparse.map.is_some(),
            (major, minor) => {
                let message = format!("a sparse file of version {major}.{minor}; 1.0 is known");
                return Err(Fault::unsupported(message));
            }
        };
        if !is_mapped {
            self.skip_data(size)?;
            return Ok(Content::stored(self.store, start, size));
        }
        let Some(real_size) = said.sparse.real_size else {
            return Err(Fault::corrupt("a sparse file without its size"));
        };
        let map = said.sparse.map.take().unwrap_or_default();
        let before = self.input.position() - start;
        let stored = stored_size(header, said, before, &map)?;
        self.sparse_content(&map, real_size, stored)
    }

    fn old_sparse_file(&mut self, header: &Header, said: &Extensions) -> Result<Content> {
        let map = sparse::from_blocks(header, &mut self.input)?;
        let stored = stored_size(header, said, 0, &map)?;
        self.sparse_content(&map, header.real_size()?, stored)
    }

    fn sparse_content(&mut self, map: &[u64], real_size: u64, stored: u64) -> Result<Content> {
        let start = self.input.position();
        self.skip_data(stored)?;
        let extents = sparse::extents(map, real_size, stored, start)?;
        Ok(Content::stored_with_holes(self.store, real_size, extents))
    }
}

/// The bytes of data after a header.
fn size(header: &Header, said: &Extensions) -> Result<u64> {
    said.size.map_or_else(|| header.size(), Ok)
}

/// The bytes that the archive has of a sparse file, `before` of them read already. Some programs
/// tell the size with holes in the extended header and the one in the archive in the header block:
/// the one counts that the map needs.
fn stored_size(header: &Header, said: &Extensions, before: u64, map: &[u64]) -> Result<u64> {
    let needed = sparse::data_len(map);
    let stored = size(header, said)?.saturating_sub(before);
    if said.size.is_some()
        && needed != Some(stored)
        && let Ok(other) = header.size()
        && other.checked_sub(before) == needed
    {
        return Ok(needed.unwrap_or(stored));
    }
    Ok(stored)
}

fn symlink(target: Vec<u8>) -> Result<Box<[u8]>> {
    if target.is_empty() || target.len() > SYMLINK_MAX || target.contains(&0) {
        return Err(Fault::invalid(format!(
            "a symbolic link with a target of {} bytes; it can have 1 to {SYMLINK_MAX}, none of \
             them NUL",
            target.len()
        )));
    }
    Ok(target.into())
}

fn device(header: &Header) -> Result<Device> {
    let (major, minor) = (header.major()?, header.minor()?);
    if major > MAJOR_MAX || minor > MINOR_MAX {
        return Err(Fault::invalid(format!(
            "device {major}:{minor} exceeds {MAJOR_MAX}:{MINOR_MAX}"
        )));
    }
    Ok(Device { major, minor })
}

fn unknown(typeflag: u8) -> Fault {
    let what = match typeflag {
        b'M' => "the rest of a file from another volume; put the volumes together",
        b'N' => "long names of a GNU tar before 1991; make the archive with a newer one",
        _ => "which is not known",
    };
    Fault::unsupported(format!(
        "an entry of type '{}': {what}",
        typeflag.escape_ascii()
    ))
}

/// Extended attributes with ACLs in the one form that Linux would keep.
#[derive(Default)]
struct Lists {
    xattrs: Vec<Xattr>,
    /// Those whose names have no numbers yet.
    named: Vec<(&'static [u8], Acl)>,
    remarks: Vec<Remark>,
}

impl Lists {
    /// Brings permission bits in line with ACLs. One in the form of Linux, whose numbers are
    /// known, counts more than its text.
    fn of(
        xattrs: Vec<Xattr>,
        texts: Vec<(&'static [u8], Acl)>,
        kind: &NodeKind,
        attributes: &mut Attributes,
    ) -> Result<Self> {
        let mut lists = Self::default();
        let mut acls = texts;
        for xattr in xattrs {
            match [acl::ACCESS, acl::DEFAULT]
                .into_iter()
                .find(|name| **name == *xattr.name)
            {
                // What can't be read is for the formats to judge, unless there is a text of it.
                Some(name) => match Acl::from_bytes(&xattr.value) {
                    Ok(acl) => acls.push((name, acl)),
                    Err(_) if acls.iter().any(|(known, _)| *known == name) => {}
                    Err(_) => lists.xattrs.push(xattr),
                },
                None => lists.xattrs.push(xattr),
            }
        }
        for name in [acl::ACCESS, acl::DEFAULT] {
            // The last one counts.
            let acl = acls.iter().rposition(|(known, _)| *known == name);
            if let Some(index) = acl {
                lists.add(name, acls.swap_remove(index).1, kind, attributes)?;
            }
        }
        Ok(lists)
    }

    fn add(
        &mut self,
        name: &'static [u8],
        acl: Acl,
        kind: &NodeKind,
        attributes: &mut Attributes,
    ) -> Result<()> {
        let is_access = name == acl::ACCESS;
        let has_one = match is_access {
            true => !matches!(kind, NodeKind::Symlink(_)),
            false => kind.is_directory(),
        };
        if !has_one {
            let what = format!("a {} can't have {}", kind.noun(), name.escape_ascii());
            self.remark(Note::Acl, what, true);
            return Ok(());
        }
        if acl.is_completed() {
            self.remark(Note::Mask, name.escape_ascii().to_string(), false);
        }
        if is_access {
            attributes.permissions = acl.permissions(attributes.permissions);
        }
        if is_access && acl.is_minimal() {
            return Ok(());
        }
        match acl.has_names() {
            true => self.named.push((name, acl)),
            false => self.xattrs.push(Xattr {
                name: name.into(),
                value: acl.bytes(|_, _| None)?.into(),
            }),
        }
        Ok(())
    }

    fn remark(&mut self, note: Note, what: String, is_loss: bool) {
        self.remarks.push(Remark {
            note,
            what,
            is_loss,
        });
    }
}
