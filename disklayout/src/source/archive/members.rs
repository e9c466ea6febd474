//! Goes through an archive from header to header and puts together what each member's headers say.

use std::sync::Arc;

use super::acl::{self, Acl};
use super::fault::{Fault, Result};
use super::header::{BLOCK, Header};
use super::input::Input;
use super::pax::Extensions;
use super::sparse;
use super::xattr::Interner;
use crate::identity::Timestamp;
use crate::tree::{Attributes, Content, Device, Node, NodeKind, Store, Xattr, Xattrs};

/// The longest extended header or long name in bytes.
const EXTENSION_MAX: u64 = 1 << 20;
/// The longest target of a symbolic link in bytes, as on Linux (`PATH_MAX` without the NUL byte).
const SYMLINK_MAX: usize = 4095;
/// The numbers of a device have 12 bits and 20 bits, as on Linux.
const MAJOR_MAX: u32 = (1 << 12) - 1;
const MINOR_MAX: u32 = (1 << 20) - 1;

/// One entry of an archive.
#[derive(Debug)]
pub(super) struct Member {
    /// The path as the archive has it.
    pub(super) path: Vec<u8>,
    pub(super) body: Body,
}

/// What an entry is.
#[derive(Debug)]
pub(super) enum Body {
    Node(Node),
    /// One more name for what an earlier entry of this path is.
    Link(Vec<u8>),
}

/// The entries of an archive in their order.
pub(super) struct Members<'a> {
    input: Input,
    store: &'a Arc<Store>,
    global: Extensions,
    interner: Interner,
    /// The header that was read last, and the path of its member once that is known.
    offset: u64,
    path: Vec<u8>,
}

/// What comes in front of a member's own header.
#[derive(Default)]
struct Front {
    extensions: Option<Extensions>,
    /// GNU tar's way to have long paths.
    long_path: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl Front {
    const fn is_empty(&self) -> bool {
        self.extensions.is_none() && self.long_path.is_none() && self.long_link.is_none()
    }
}

impl<'a> Members<'a> {
    /// The entries of what `input` reads; their data is in `store` at the same offsets.
    pub(super) fn new(input: Input, store: &'a Arc<Store>) -> Self {
        Self {
            input,
            store,
            global: Extensions::default(),
            interner: Interner::default(),
            offset: 0,
            path: Vec::new(),
        }
    }

    /// The archive and the member that was read last, for messages.
    pub(super) fn subject(&self) -> String {
        let member = match self.path.as_slice() {
            b"" => String::new(),
            path => format!(" member '{}',", path.escape_ascii()),
        };
        let (archive, offset) = (self.store.name(), self.offset);
        format!("archive '{archive}',{member} header at offset {offset}")
    }

    /// The next entry; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Member>> {
        let mut front = Front::default();
        self.path.clear();
        while let Some(header) = self.header()? {
            if let Some(member) = self.member(&header, &mut front)? {
                return Ok(Some(member));
            }
        }
        if front.is_empty() {
            return Ok(None);
        }
        let message = "the archive ends after a header that belongs to another member";
        Err(Fault::corrupt(message))
    }

    /// The next header; none at a block of zeroes or the end of the file.
    fn header(&mut self) -> Result<Option<Header>> {
        self.offset = self.input.position();
        let Some(block) = self.input.block()? else {
            return match self.offset {
                0 => Err(Fault::corrupt(
                    "there is nothing in it, not even an archive's end",
                )),
                _ => Ok(None),
            };
        };
        if block.iter().all(|byte| *byte == 0) {
            return self.end();
        }
        let message = if self.offset == 0 {
            "this is no tar archive, neither plain nor compressed with gzip, xz, zstd or bzip2"
        } else {
            "no header: the checksum is wrong"
        };
        let header = Header::new(block).ok_or_else(|| Fault::corrupt(message))?;
        Ok(Some(header))
    }

    /// Looks what comes after a block of zeroes: another one, or nothing that counts.
    fn end(&mut self) -> Result<Option<Header>> {
        if let Ok(Some(block)) = self.input.block()
            && Header::new(block).is_some()
        {
            let message = "one block of zeroes and then a member: two of them end an archive";
            return Err(Fault::corrupt(message));
        }
        self.input.finish()?;
        Ok(None)
    }

    /// The entry that a header is of; none where it only belongs to another one.
    fn member(&mut self, header: &Header, front: &mut Front) -> Result<Option<Member>> {
        match header.typeflag() {
            b'x' => {
                let records = self.extension(header)?;
                if front.extensions.is_some() {
                    return Err(Fault::corrupt("two extended headers for one member"));
                }
                let extensions = front.extensions.insert(self.global.clone());
                extensions.apply(&records)?;
            }
            b'g' => {
                let records = self.extension(header)?;
                self.global.apply_global(&records)?;
            }
            b'L' => front.long_path = Some(self.long_name(header)?),
            b'K' => front.long_link = Some(self.long_name(header)?),
            // The label of a volume.
            b'V' => self.skip_data(header.size()?)?,
            _ => return self.entry(header, std::mem::take(front)).map(Some),
        }
        Ok(None)
    }

    /// The data of a header that belongs to another member.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>> {
        let size = header.size()?;
        if size > EXTENSION_MAX {
            return Err(Fault::unsupported(format!(
                "an extended header or long name of {size} bytes; the limit is {EXTENSION_MAX}"
            )));
        }
        let data = self.input.data(size as usize)?;
        self.input.skip(padding(size))?;
        Ok(data)
    }

    fn long_name(&mut self, header: &Header) -> Result<Vec<u8>> {
        let mut name = self.extension(header)?;
        let end = name.iter().position(|byte| *byte == 0);
        name.truncate(end.unwrap_or(name.len()));
        Ok(name)
    }

    fn skip_data(&mut self, size: u64) -> Result<()> {
        self.input.skip(size)?;
        self.input.skip(padding(size))
    }

    fn entry(&mut self, header: &Header, front: Front) -> Result<Member> {
        let mut said = front.extensions.unwrap_or_else(|| self.global.clone());
        let sparse_name = said.sparse.name.take();
        let path = sparse_name.or(said.path.take()).or(front.long_path);
        let path = path.unwrap_or_else(|| header.path());
        self.path.clone_from(&path);
        let link = said.link_path.take().or(front.long_link);
        let link = || link.unwrap_or_else(|| header.link_path().to_vec());
        let is_named_directory = path.ends_with(b"/");
        let kind = match header.typeflag() {
            b'0' | b'\0' | b'7' if is_named_directory => {
                self.skip_data(size(header, &said)?)?;
                NodeKind::Directory
            }
            b'0' | b'\0' | b'7' => NodeKind::File(self.file(header, &mut said)?),
            b'S' => NodeKind::File(self.old_sparse_file(header, &said)?),
            b'1' => {
                let body = Body::Link(link());
                return Ok(Member { path, body });
            }
            b'2' => NodeKind::Symlink(symlink(link())?),
            b'3' => NodeKind::CharacterDevice(device(header)?),
            b'4' => NodeKind::BlockDevice(device(header)?),
            b'5' => NodeKind::Directory,
            // GNU tar's directory with a list of what is in it.
            b'D' => {
                self.skip_data(size(header, &said)?)?;
                NodeKind::Directory
            }
            b'6' => NodeKind::Fifo,
            other => return Err(unknown(other)),
        };
        let body = Body::Node(self.node(header, kind, &mut said)?);
        Ok(Member { path, body })
    }

    fn node(&mut self, header: &Header, kind: NodeKind, said: &mut Extensions) -> Result<Node> {
        let mtime = match said.mtime {
            Some(mtime) => mtime,
            None => Timestamp::from_seconds(header.mtime()?),
        };
        let mut attributes = Attributes {
            permissions: header.permissions()?,
            uid: said.uid.map_or_else(|| header.uid(), Ok)?,
            gid: said.gid.map_or_else(|| header.gid(), Ok)?,
            mtime,
        };
        let xattrs = std::mem::take(&mut said.xattrs);
        let xattrs = resolve_acls(xattrs, &kind, &mut attributes)?;
        Ok(Node {
            kind,
            attributes,
            xattrs: self.interner.intern(Xattrs::new(xattrs)),
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
        let stored = size - (self.input.position() - start);
        let map = said.sparse.map.take().unwrap_or_default();
        self.sparse_content(&map, real_size, stored)
    }

    fn old_sparse_file(&mut self, header: &Header, said: &Extensions) -> Result<Content> {
        let map = sparse::from_blocks(header, &mut self.input)?;
        self.sparse_content(&map, header.real_size()?, size(header, said)?)
    }

    fn sparse_content(&mut self, map: &[u64], real_size: u64, stored: u64) -> Result<Content> {
        let start = self.input.position();
        self.skip_data(stored)?;
        let extents = sparse::extents(map, real_size, stored, start)?;
        Ok(Content::stored_with_holes(self.store, real_size, extents))
    }
}

/// How many bytes fill up the last block of `size` bytes.
const fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

/// The bytes of data after a header.
fn size(header: &Header, said: &Extensions) -> Result<u64> {
    said.size.map_or_else(|| header.size(), Ok)
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

/// Brings ACLs into the one form that Linux would keep, and the permission bits in line with it.
fn resolve_acls(
    xattrs: Vec<Xattr>,
    kind: &NodeKind,
    attributes: &mut Attributes,
) -> Result<Vec<Xattr>> {
    let mut kept = Vec::with_capacity(xattrs.len());
    for mut xattr in xattrs {
        let is_access = &*xattr.name == acl::ACCESS;
        if is_access || &*xattr.name == acl::DEFAULT {
            let acl = Acl::from_bytes(&xattr.value)?;
            let has_one = match is_access {
                true => !matches!(kind, NodeKind::Symlink(_)),
                false => kind.is_directory(),
            };
            if !has_one {
                let name = xattr.name.escape_ascii();
                let message = format!("a {} can't have {name}", kind.noun());
                return Err(Fault::invalid(message));
            }
            xattr.value = acl.bytes().into();
            if is_access {
                attributes.permissions = acl.permissions(attributes.permissions);
            }
            if is_access && acl.is_minimal() {
                continue;
            }
        }
        kept.push(xattr);
    }
    Ok(kept)
}
