//! An image: a file name and the recipe for what it holds.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use disklayout::fs::Options;
use disklayout::layout::spec::Disk;
use disklayout::source::oci::{Choice, Platform};
use disklayout::source::{Entry, Rules};
use disklayout::volume::luks::{self, Kdf, Passphrase};
use disklayout::{Place, Timestamp};

use crate::checksum::Algorithm;
use crate::distribution::{Distribution, Stage};

/// One image that is asked for.
#[derive(Clone, Debug)]
pub struct Image {
    /// The name of its file: `disk_full_gpt.img`.
    pub file_name: String,
    /// The name of the group that it belongs to: `full`.
    pub group: String,
    /// How it is made.
    pub recipe: Recipe,
}

/// The same file, of the same group.
impl PartialEq for Image {
    fn eq(&self, other: &Self) -> bool {
        (&self.file_name, &self.group) == (&other.file_name, &other.group)
    }
}

impl Eq for Image {}

/// How an image is made.
#[derive(Clone, Debug)]
pub enum Recipe {
    /// A disk that is written here, and the format of the file that it is kept in. Images that share
    /// their layout are the same disk.
    Layout(Arc<Layout>, FileFormat),
    /// An installation that is run in a virtual machine.
    Install(Box<InstallRecipe>),
}

/// The format of the file that a disk is kept in.
#[derive(Clone, Debug)]
pub struct FileFormat {
    /// Where it is asked for.
    pub place: Place,
    /// Its name: `raw`.
    pub name: String,
    /// What names of files in it end in: `img`.
    pub extension: String,
    /// What is in it.
    pub holds: Holds,
    /// What was chosen for it.
    pub options: Options,
    /// Whether it was asked for by its name, and isn't only what the name of the file says.
    pub is_named: bool,
    /// Where it goes, if that is no file with the name of the image.
    pub stream: Option<Stream>,
    /// Which sums of it are put beside it.
    pub checksums: Vec<Algorithm>,
}

/// Where an image goes from its start to its end.
#[derive(Clone, Debug)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// A file that has no name.
    Nameless(Arc<File>),
}

/// What a file has of what is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The disk.
    Disk,
    /// What is to be known of the disk where it is copied.
    Map,
    /// The files alone, without a disk around them.
    Files,
}

/// A disk that is written here, whose contents are still to be found.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The disk. Its filesystems are empty, and bytes that stand for themselves have no length.
    pub disk: Disk,
    /// What goes into each of its [slots](Disk::slots): partitions, then logical volumes.
    pub contents: Vec<Filling>,
    /// The bytes of each of its blobs.
    pub blobs: Vec<Data>,
    /// What opens each of the containers that are encrypted, in the order of
    /// [`Disk::encrypted_mut`]. The containers in the disk have no keys of their own.
    pub keys: Vec<Keys>,
    /// What its identifiers derive from.
    pub seed: Seed,
    /// The formats of the files of each of its [other disks](Disk::others).
    pub other_formats: Vec<Vec<FileFormat>>,
}

/// What opens a container that is encrypted.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Where what is encrypted is described.
    pub place: Place,
    /// One for each key slot.
    pub keys: Vec<Key>,
    /// What the volume's own key, and all that is random beside it, derives from: who knows it and the
    /// description can open the container. Random without it.
    pub seed: Option<String>,
}

impl Keys {
    /// Gives the containers of `disk` keys that open nothing, for plans that nobody writes.
    pub fn pretend(disk: &mut Disk, all: &[Self]) {
        for (container, keys) in disk.encrypted_mut().zip(all) {
            let keys = keys.keys.iter().map(|key| luks::Key {
                passphrase: Passphrase::new(*b"unknown"),
                kdf: key.kdf,
            });
            container.luks.keys.extend(keys);
        }
    }
}

/// One of the keys that open a container.
#[derive(Clone, Debug)]
pub struct Key {
    /// Where it is asked for.
    pub place: Place,
    /// Where the passphrase comes from.
    pub source: KeySource,
    /// What it costs to try one.
    pub kdf: Kdf,
}

/// Where a passphrase comes from. What could tell it isn't shown.
#[derive(Clone)]
pub enum KeySource {
    /// It is this one.
    Text(Passphrase),
    /// All bytes of a file below `uploads/`.
    Data(String),
    /// All bytes of a file of the host.
    File(PathBuf),
    /// The first line that a command says, which `sh -ec` runs.
    Command(String),
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Data(name) => f.debug_tuple("Data").field(name).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Command(_) => f.write_str("Command(..)"),
        }
    }
}

/// What identifiers derive from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seed {
    /// This text.
    Text(String),
    /// All that is known of the content of the first partition without reading a file, and what was
    /// chosen for it.
    Content,
}

/// What goes into a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Files, each object over those before it.
    Files(Vec<Object>),
    /// Bytes that stand for themselves.
    Bytes(Data),
}

impl Filling {
    /// Whether there is anything.
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::Files(objects) if objects.is_empty())
    }
}

/// Bytes, wherever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Where they are asked for.
    pub place: Place,
    /// Where they are.
    pub source: Source,
    /// What their SHA-256 must be, in lower-case hexadecimal.
    pub sha256: Option<String>,
}

/// Something that goes into a filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Where it stands in the description.
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
    /// A file of root with usual permissions, of the image's time.
    File {
        /// The absolute path in the filesystem.
        path: String,
        /// What is in it.
        content: FileContent,
    },
    /// All that was named on the command line, each over what was named before it.
    Inputs {
        /// What they are taken for.
        taken: Taken,
        /// What becomes of them on their way.
        rules: Rules,
    },
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// These bytes.
    Inline(Vec<u8>),
    /// What is there.
    Data(Data),
}

/// What inputs are taken for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Files, or images of containers.
    pub format: InputFormat,
    /// Which image of those that an input holds.
    pub choice: Choice,
    /// What a user sets the format by.
    pub advice: &'static str,
}

/// What inputs are taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputFormat {
    /// What they are by their content.
    #[default]
    Auto,
    /// Directories and archives of files.
    Files,
    /// Images of containers.
    Image,
}

impl Object {
    /// The bytes that are read from elsewhere as they are.
    fn data(&self) -> Option<&Data> {
        match &self.kind {
            ObjectKind::File {
                content: FileContent::Data(data),
                ..
            } => Some(data),
            _ => None,
        }
    }
}

impl ObjectKind {
    /// What becomes of a source on its way, if it is one.
    pub fn rules_mut(&mut self) -> Option<&mut Rules> {
        match self {
            Self::Directory { rules, .. }
            | Self::Archive { rules, .. }
            | Self::Oci { rules, .. }
            | Self::Inputs { rules, .. } => Some(rules),
            Self::Entry { .. } | Self::File { .. } => None,
        }
    }
}

/// Where bytes are.
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
    pub fn layout(&self) -> Option<&Layout> {
        match &self.recipe {
            Recipe::Layout(layout, _) => Some(layout),
            Recipe::Install(_) => None,
        }
    }

    /// Where it goes, if that is no file with its name.
    pub const fn stream(&self) -> Option<&Stream> {
        match &self.recipe {
            Recipe::Layout(_, file) => file.stream.as_ref(),
            Recipe::Install(_) => None,
        }
    }

    /// Which sums of it are put beside it.
    pub fn checksums(&self) -> &[Algorithm] {
        match &self.recipe {
            Recipe::Layout(_, file) => &file.checksums,
            Recipe::Install(recipe) if recipe.finish.checksum => &[Algorithm::Sha256],
            Recipe::Install(_) => &[],
        }
    }

    /// Whether it is the same disk as `other`, in another file.
    pub fn shares_disk(&self, other: &Self) -> bool {
        match (&self.recipe, &other.recipe) {
            (Recipe::Layout(own, _), Recipe::Layout(others, _)) => Arc::ptr_eq(own, others),
            _ => false,
        }
    }
}

impl FileFormat {
    /// The bytes of the disk, asked for at `place`.
    pub fn raw(place: impl Into<Place>) -> Self {
        Self {
            place: place.into(),
            name: "raw".to_owned(),
            extension: "img".to_owned(),
            holds: Holds::Disk,
            options: Options::default(),
            is_named: true,
            stream: None,
            checksums: Vec::new(),
        }
    }
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

impl Layout {
    /// A disk with nothing in its partitions, whose identifiers derive from the text `seed`.
    pub fn empty(disk: Disk, seed: &str) -> Self {
        let slots = disk.slots();
        Self {
            contents: slots.map(|_| Filling::Files(Vec::new())).collect(),
            blobs: Vec::new(),
            other_formats: Vec::new(),
            keys: Vec::new(),
            disk,
            seed: Seed::Text(seed.to_owned()),
        }
    }

    /// All bytes that are read from elsewhere as they are.
    pub fn data(&self) -> impl Iterator<Item = &Data> {
        let held = self.contents.iter().flat_map(|filling| match filling {
            Filling::Files(objects) => objects.iter().filter_map(Object::data).collect(),
            Filling::Bytes(data) => vec![data],
        });
        held.chain(&self.blobs)
    }
}
