//! An image: a file name and the recipe for what it holds.

use std::sync::Arc;

use anyhow::Result;
use disklayout::layout::DiskSize;
use disklayout::layout::guestfs::{DiskSpec, FileSpec, PartitionSpec};
use disklayout::source::oci::Platform;
use disklayout::source::{Entry, Rules};
use disklayout::tree::Content;
use disklayout::{Place, SectorSize, Timestamp};
use uuid::Uuid;

use crate::distribution::{Distribution, Stage};

/// One image that a configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The name of its file: `disk_full_gpt.img`.
    pub file_name: String,
    /// The name of the group that it belongs to: `full`.
    pub group: String,
    /// How it is made.
    pub recipe: Recipe,
}

/// How an image is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// A disk that is written here.
    Layout(LayoutRecipe),
    /// An installation that is run in a virtual machine.
    Install(InstallRecipe),
}

/// One variant of a layout group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutRecipe {
    /// Where the group stands in the configuration: `guestfs[2]`.
    pub place: Place,
    /// The size of the image.
    pub size: DiskSize,
    /// What its sectors hold.
    pub sector_size: SectorSize,
    /// The partition table by libguestfs' name.
    pub label: String,
    /// The disk signature in an MBR, if it is given.
    pub disk_id: Option<u32>,
    /// The disk GUID in a GPT, if it is given.
    pub disk_guid: Option<Uuid>,
    /// The numbers of the partitions that stand in the MBR in front of a GPT too.
    pub hybrid_mbr: Vec<i64>,
    /// The partitions, each with the filesystem of this variant.
    pub partitions: Vec<PartitionSpec>,
    /// What goes into each of the partitions, in their order, beneath the writes and uploads. Each
    /// object goes over those before it.
    pub contents: Vec<Vec<Object>>,
    /// Files with the content in the configuration. They are written before the uploads.
    pub writes: Vec<FileSpec>,
    /// Files with the content elsewhere.
    pub uploads: Vec<Upload>,
}

/// Something that goes into a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Where it stands in the configuration: `guestfs[2].parts[0].contents[0]`.
    pub place: Place,
    /// What it is.
    pub kind: ObjectKind,
}

/// What goes into a partition. Paths are looked up below `uploads/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// What is in a directory.
    Directory {
        /// The directory.
        path: String,
        /// What becomes of it on its way.
        rules: Rules,
    },
    /// What is in an archive.
    Archive {
        /// The archive.
        path: String,
        /// What becomes of it on its way.
        rules: Rules,
    },
    /// What is in an image of a container.
    Oci {
        /// The image: a directory or an archive.
        path: String,
        /// Which one, where there are several: a name or a digest.
        image: Option<String>,
        /// What it runs on.
        platform: Option<Platform>,
        /// What becomes of it on its way.
        rules: Rules,
    },
    /// A single entry. The path of a host's file in it is one below `uploads/`.
    Entry {
        /// The entry, its time left open.
        entry: Entry,
        /// Its time; that of the image when there is none.
        mtime: Option<Timestamp>,
    },
}

impl ObjectKind {
    /// What becomes of a source on its way, if it is one.
    pub fn rules_mut(&mut self) -> Option<&mut Rules> {
        match self {
            Self::Directory { rules, .. }
            | Self::Archive { rules, .. }
            | Self::Oci { rules, .. } => Some(rules),
            Self::Entry { .. } => None,
        }
    }
}

/// A file that is copied into an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Where it stands in the configuration: `guestfs[2].uploads[0]`.
    pub place: Place,
    /// Which partition, counted from 1.
    pub part: i64,
    /// The absolute path in the filesystem.
    pub target: String,
    /// Where the data is.
    pub source: Source,
    /// What the SHA-256 of the data must be, in lower-case hexadecimal.
    pub sha256: Option<String>,
}

/// Where the data of an upload is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The path of a file below `uploads/`.
    File(String),
    /// An http or https address.
    Url(String),
}

/// One release and architecture of an installation group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallRecipe {
    /// Where the group stands in the configuration: `virtinstall[0]`.
    pub place: Place,
    /// The release as it appears in file names and addresses: `9`, `8-BETA`.
    pub release: String,
    /// How far the release is on its way.
    pub stage: Stage,
    /// The architecture: `x86_64`.
    pub arch: String,
    /// What is installed.
    pub distribution: Arc<Distribution>,
    /// Which of several trees of the release is used, where the configuration says so.
    pub variant: Option<String>,
    /// The size of the disk in GiB; 0 when the configuration gives none.
    pub size_gib: u64,
    /// The image is outdated when it is older than this many days; never when 0.
    pub maxage_days: u64,
    /// Boot options for virt-install's `--boot`: `uefi`.
    pub bootopts: Option<String>,
    /// The format of the disk, whatever the file is called.
    pub format: DiskFormat,
    /// The memory of the virtual machine in MiB, where the configuration gives it.
    pub memory_mib: Option<u64>,
    /// The processors of the virtual machine, where the configuration gives them.
    pub cpus: Option<u64>,
    /// What is done when the system is installed.
    pub finish: Finish,
}

/// The format of the disk of a virtual machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskFormat {
    /// QEMU's own.
    #[default]
    Qcow2,
    /// The bytes of the disk.
    Raw,
}

/// What is done with an image when the system in it is installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// What is zero takes no room any more.
    pub sparsify: bool,
    /// Its clusters are compressed.
    pub compress: bool,
    /// Its SHA-256 is put beside it.
    pub checksum: bool,
}

impl Image {
    /// The recipe of an image that is written here.
    pub fn layout(&self) -> Option<&LayoutRecipe> {
        match &self.recipe {
            Recipe::Layout(recipe) => Some(recipe),
            Recipe::Install(_) => None,
        }
    }
}

/// The name of the file beside the image `file_name` that has its SHA-256.
pub fn checksum_name(file_name: &str) -> String {
    format!("{file_name}.sha256")
}

impl DiskFormat {
    /// The format by qemu-img's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
        }
    }
}

impl LayoutRecipe {
    /// The description of the disk, its uploads found by `resolve`.
    ///
    /// # Errors
    /// What `resolve` says of the first upload that it can't find.
    pub fn disk_spec(
        &self,
        mut resolve: impl FnMut(&Upload) -> Result<Content>,
    ) -> Result<DiskSpec> {
        let mut files = self.writes.clone();
        for upload in &self.uploads {
            files.push(FileSpec {
                place: upload.place.clone(),
                part: upload.part,
                path: upload.target.clone(),
                content: resolve(upload)?,
            });
        }
        Ok(DiskSpec {
            place: self.place.clone(),
            size: self.size,
            sector_size: self.sector_size,
            label: self.label.clone(),
            disk_id: self.disk_id,
            disk_guid: self.disk_guid,
            hybrid_mbr: self.hybrid_mbr.clone(),
            partitions: self.partitions.clone(),
            files,
        })
    }
}
