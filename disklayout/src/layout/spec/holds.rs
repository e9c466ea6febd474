//! What is in a partition or a logical volume.

use uuid::Uuid;

use super::volumes::Member;
use crate::error::{Error, Result};
use crate::fs::{Misfits, Options};
use crate::place::Field;
use crate::tree::{Content, FileTree};
use crate::units::{Bytes, SectorSize};
use crate::volume::luks;

/// What is in a partition or a logical volume.
#[derive(Clone, Debug)]
pub enum Holds {
    /// Nothing: it is for whoever fills it later.
    Nothing,
    /// A filesystem.
    Filesystem(Box<Filesystem>),
    /// These bytes: a boot loader, or a filesystem that is ready.
    Bytes(Content),
    /// A part of a group of volumes: a physical volume.
    Member(Member),
    /// What is encrypted.
    Encrypted(Box<Encrypted>),
    /// The hash tree of what is in another partition.
    Hashes(Box<Hashes>),
}

impl Holds {
    /// What is below all that encrypts it.
    pub fn innermost(&self) -> &Self {
        match self {
            Self::Encrypted(outer) => outer.holds.innermost(),
            other => other,
        }
    }

    /// The same, to be changed.
    pub fn innermost_mut(&mut self) -> &mut Self {
        match self {
            Self::Encrypted(outer) => outer.holds.innermost_mut(),
            other => other,
        }
    }

    /// What the innermost is read and written in, where the outermost is in `sector`s and has this size,
    /// if that is known.
    pub(in crate::layout) fn sector_size(
        &self,
        sector: SectorSize,
        size: Option<Bytes>,
    ) -> SectorSize {
        match self {
            Self::Encrypted(outer) => {
                let own = sector.max(outer.sector_size(size));
                // What is in front of the data is whole sectors of either size.
                outer.holds.sector_size(own, size)
            }
            _ => sector,
        }
    }

    /// The containers around it, from the outermost in.
    pub(super) fn encrypted_mut(&mut self) -> Vec<&mut luks::Request> {
        let mut all = Vec::new();
        let mut holds = self;
        while let Self::Encrypted(outer) = holds {
            let Encrypted {
                luks, holds: inner, ..
            } = &mut **outer;
            all.push(luks);
            holds = inner;
        }
        all
    }
}

/// What is in a container of LUKS.
#[derive(Clone, Debug)]
pub struct Encrypted {
    /// The container. What it encrypts at once is decided here.
    pub luks: luks::Request,
    /// What is encrypted at once. Without it 4096 bytes where the version has that and the size allows it.
    pub sector_size: Option<SectorSize>,
    /// Whether what nothing is written to is encrypted too, so that nobody sees how much there is; what
    /// is left out otherwise reads as noise where somebody opens it.
    pub encrypts_zeroes: bool,
    /// What is in it.
    pub holds: Holds,
}

impl Encrypted {
    /// What is encrypted at once in a container of this size, if that is known.
    pub(in crate::layout) fn sector_size(&self, size: Option<Bytes>) -> SectorSize {
        let usual = match self.luks.version {
            luks::Version::Luks1 => SectorSize::B512,
            luks::Version::Luks2 => SectorSize::B4096,
        };
        let fits = size.is_none_or(|size| size.get().is_multiple_of(usual.get()));
        self.sector_size.unwrap_or(match fits {
            true => usual,
            false => SectorSize::B512,
        })
    }

    /// The container in so many bytes.
    ///
    /// # Errors
    /// `InvalidSpec` where that isn't whole sectors, as the kernel doesn't open it, and for what the version
    /// doesn't have.
    pub(in crate::layout) fn container(&self, size: Bytes) -> Result<luks::Plan> {
        let sector_size = self.sector_size(Some(size));
        if !size.get().is_multiple_of(sector_size.get()) {
            let message = format!(
                "the container has {} bytes, which aren't whole sectors of {}; let it have 512, or give \
                 what it is in another size",
                size.get(),
                sector_size.get()
            );
            let place = self.luks.place.field(Field::SectorSize);
            return Err(Error::invalid(place, message));
        }
        luks::plan(luks::Request {
            sector_size,
            ..self.luks.clone()
        })
    }
}

/// The hash tree of a partition, which dm-verity reads.
#[derive(Clone, Debug)]
pub struct Hashes {
    /// The partition, by its index in the description.
    pub of: usize,
    /// Bytes of its blocks; what veritysetup takes where nothing is said.
    pub block: Option<u32>,
    /// What is hashed before each block; derived from the identity when there is none.
    pub salt: Option<Vec<u8>>,
    /// The UUID of the tree; derived from the identity when there is none.
    pub uuid: Option<Uuid>,
}

/// A filesystem of which only the size is open.
#[derive(Clone, Debug)]
pub struct Filesystem {
    /// The format by one of its names.
    pub format: String,
    /// The label.
    pub label: Option<String>,
    /// The UUID; derived from the identity when there is none.
    pub uuid: Option<Uuid>,
    /// What else was chosen in this format.
    pub options: Options,
    /// What becomes of files that the format can't hold.
    pub misfits: Misfits,
    /// The files.
    pub tree: FileTree,
}

impl Filesystem {
    /// A filesystem with this content and nothing chosen.
    pub fn new(format: impl Into<String>, tree: FileTree) -> Self {
        Self {
            format: format.into(),
            label: None,
            uuid: None,
            options: Options::default(),
            misfits: Misfits::default(),
            tree,
        }
    }
}

impl From<Member> for Holds {
    fn from(member: Member) -> Self {
        Self::Member(member)
    }
}

impl From<Filesystem> for Holds {
    fn from(filesystem: Filesystem) -> Self {
        Self::Filesystem(Box::new(filesystem))
    }
}
