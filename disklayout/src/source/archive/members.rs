//! Goes through an archive from header to header and puts together what each member's headers say.

use std::sync::Arc;

use super::acl::Acl;
use super::end::{Behind, Zeroes};
use super::fault::{Fault, Result};
use super::header::{BLOCK, Header};
use super::input::Input;
use super::notes::Note;
use super::pax::Extensions;
use super::xattr::Interner;
use crate::tree::{Node, Store};

/// The longest extended header or long name in bytes.
const EXTENSION_MAX: u64 = 1 << 20;

/// One entry of an archive.
#[derive(Debug)]
pub(super) struct Member {
    /// The path as the archive has it.
    pub(super) path: Vec<u8>,
    pub(super) body: Body,
    /// Lists with names whose numbers are to be found, by the attributes that they become.
    pub(super) acls: Vec<(&'static [u8], Acl)>,
    pub(super) remarks: Vec<Remark>,
}

/// What an entry is.
#[derive(Debug)]
pub(super) enum Body {
    Node(Node),
    /// One more name for what an earlier entry of this path is.
    Link(Vec<u8>),
}

/// Something of an entry that isn't taken as it is.
#[derive(Debug)]
pub(super) struct Remark {
    pub(super) note: Note,
    pub(super) what: String,
    /// Whether it is left out. Otherwise it is only told.
    pub(super) is_loss: bool,
}

/// The entries of an archive in their order.
pub(super) struct Members<'a> {
    pub(super) input: Input,
    pub(super) store: &'a Arc<Store>,
    pub(super) interner: Interner,
    global: Extensions,
    /// The header that was read last, and the path of its member once that is known.
    offset: u64,
    pub(super) path: Vec<u8>,
    /// Where it first goes on behind an end.
    joined: Option<u64>,
    /// What is odd about the end of the archive.
    doubts: Vec<String>,
}

/// What comes in front of a member's own header.
#[derive(Default)]
pub(super) struct Front {
    pub(super) extensions: Option<Extensions>,
    /// GNU tar's way to have long paths.
    pub(super) long_path: Option<Vec<u8>>,
    pub(super) long_link: Option<Vec<u8>>,
}

impl Front {
    /// Refuses an end behind what belongs to a member that isn't there.
    fn check_end(&self) -> Result<()> {
        if self.extensions.is_none() && self.long_path.is_none() && self.long_link.is_none() {
            return Ok(());
        }
        let message = "the archive ends after a header that belongs to another member";
        Err(Fault::corrupt(message))
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
            joined: None,
            doubts: Vec::new(),
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

    /// What is odd about the end of the archive, once there are no more entries.
    pub(super) fn doubts(&self) -> impl Iterator<Item = &str> {
        self.doubts.iter().map(String::as_str)
    }

    /// The next entry; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Member>> {
        let mut front = Front::default();
        self.path.clear();
        while let Some(header) = self.header(&front)? {
            if let Some(member) = self.member(&header, &mut front)? {
                return Ok(Some(member));
            }
        }
        Ok(None)
    }

    /// The next header; none at the end of the archive.
    fn header(&mut self, front: &Front) -> Result<Option<Header>> {
        self.offset = self.input.position();
        let Some(block) = self.input.block()? else {
            front.check_end()?;
            return self.end_of_file().map(|()| None);
        };
        if block.iter().all(|byte| *byte == 0) {
            front.check_end()?;
            return self.behind_zeroes();
        }
        let header = Header::new(block).ok_or_else(|| match self.offset {
            0 => Fault::no_archive(
                "this is no tar archive, neither plain nor compressed with gzip, xz, zstd, bzip2 \
                 or lz4",
            ),
            _ => Fault::corrupt("no header: the checksum is wrong"),
        })?;
        Ok(Some(header))
    }

    /// The file ends where a header would be.
    fn end_of_file(&mut self) -> Result<()> {
        if self.offset == 0 {
            let message = "there is nothing in it, not even an archive's end";
            return Err(Fault::no_archive(message));
        }
        self.doubts.push(format!(
            "it ends at byte {} without the blocks of zeroes that an archive ends with: it may be \
             cut off, and members be missing",
            self.offset
        ));
        Ok(())
    }

    /// Looks what comes after a block of zeroes.
    fn behind_zeroes(&mut self) -> Result<Option<Header>> {
        let zeroes = Zeroes::read(&mut self.input)?;
        match &zeroes.behind {
            Behind::Header(header) => {
                self.offset = zeroes.end;
                if self.joined.is_none() {
                    self.doubts.push(zeroes.joined());
                }
                self.joined.get_or_insert(zeroes.end);
                if !zeroes.is_lone() {
                    // What was said for all members counts for those of one archive.
                    self.global = Extensions::default();
                }
                Ok(Some(header.as_ref().clone()))
            }
            Behind::Nothing | Behind::Other(_) => {
                self.doubts.extend(zeroes.check_end()?);
                Ok(None)
            }
        }
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
            _ => {
                let mut front = std::mem::take(front);
                let said = front.extensions.take();
                let said = said.unwrap_or_else(|| self.global.clone());
                return self.entry(header, front, said).map(Some);
            }
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

    pub(super) fn skip_data(&mut self, size: u64) -> Result<()> {
        self.input.skip(size)?;
        self.input.skip(padding(size))
    }
}

/// How many bytes fill up the last block of `size` bytes.
const fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}
