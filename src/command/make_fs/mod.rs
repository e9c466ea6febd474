//! `make-fs`: one image from directories and archives. No configuration is needed or read.

mod bootable;
mod input;
mod naming;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use disklayout::fs::{self, Misfits};
use disklayout::layout::DiskSize;
use disklayout::layout::spec::{
    Disk, DiskTable, Encrypted, Filesystem, Hashes, Holds, Kinds, Partition,
};
use disklayout::source::Rules;
use disklayout::table::types::{self, PartitionType};
use disklayout::tree::FileTree;
use disklayout::volume::luks::{self, Kdf};
use disklayout::{Bytes, Place, SectorSize, Timestamp};
use indicatif::MultiProgress;
use uuid::Uuid;

use super::set::{NOT_TOLD, clean_up_on_signals};
use super::{Settings, outputs};
use crate::engine::{self, Conditions, Directory};
use crate::image::{
    FileFormat, Filling, Image, Key, KeySource, Keys, Layout, Object, ObjectKind, Recipe, Seed,
};
pub use crate::image::{InputFormat, Taken};
use crate::report;
use crate::sandbox::Inside;
use crate::status::Status;
pub use crate::system::Firmware;
pub use bootable::Bootloader;
use foreign::stage::staging;
use input::Inputs;
use naming::OptionNames;
pub use naming::{format_place, luks_place};

/// What standard output is called where the name of a file is expected.
pub const STDOUT: &str = "-";

/// What goes into the image and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// What goes in, each over those before it.
    pub inputs: Vec<Input>,
    /// The image, relative to the directory of images.
    pub output: PathBuf,
    /// Whether a file that is no disk image may be replaced by it.
    pub force: bool,
    /// The partition table.
    pub table: DiskTable,
    /// The partition's type; what suits the filesystem when there is none.
    pub part_type: Option<PartitionType>,
    /// What the sectors of the image hold.
    pub sector_size: SectorSize,
    /// The image's size.
    pub size: DiskSize,
    /// The filesystem by its name.
    pub filesystem: String,
    /// The filesystem's label.
    pub label: Option<String>,
    /// The filesystem's UUID.
    pub uuid: Option<Uuid>,
    /// What identifiers derive from; the content when there is none.
    pub seed: Option<String>,
    /// What the inputs are taken for.
    pub taken: Taken,
    /// How the entries of the inputs become those of the image; the latest time is found here.
    pub rules: Rules,
    /// What becomes of content that the filesystem can't hold.
    pub misfits: Misfits,
    /// What only some filesystems have.
    pub format: fs::Options,
    /// The formats of the image, each in a file of its own; one at least.
    pub files: Vec<FileFormat>,
    /// What starts the system in the image, if anything does.
    pub bootloader: Option<Bootloader>,
    /// What encrypts the filesystem, if anything does.
    pub encryption: Option<Encryption>,
    /// Whether a second partition has the hash tree of the filesystem, and what is hashed before each
    /// block, where that is given.
    pub verity: Option<Option<Vec<u8>>>,
}

/// What a filesystem is encrypted with.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// The container, without its keys.
    pub luks: luks::Request,
    /// What is encrypted at once, where it is given.
    pub sector_size: Option<SectorSize>,
    /// What opens it: all bytes of each of these files.
    pub key_files: Vec<PathBuf>,
    /// What it costs to try one.
    pub kdf: Kdf,
    /// What the volume's key derives from; random when there is none.
    pub seed: Option<String>,
    /// Whether what nothing is written to is encrypted too.
    pub encrypts_zeroes: bool,
}

impl Encryption {
    /// What opens it.
    fn keys(&self) -> Keys {
        let place = luks_place();
        let files = self.key_files.iter();
        let keys = files.map(|path| Key {
            place: place.clone(),
            source: KeySource::File(path.clone()),
            kdf: self.kdf,
        });
        Keys {
            keys: keys.collect(),
            seed: self.seed.clone(),
            place,
        }
    }
}

/// Something that goes into the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// An archive on standard input.
    Stdin,
    /// A directory, an archive, or an image of a container.
    Path(PathBuf),
}

/// Makes the image. What became of it is reported as it happens. With a boot loader, the command is
/// done once more with these `arguments` in a sandbox: `inside` of it, or on the way there.
///
/// # Errors
/// When the inputs can't be read, or when the output or its directory can't be used; with a boot
/// loader also when it can't be installed.
pub fn run(
    settings: &Settings,
    bars: &MultiProgress,
    options: &Options,
    arguments: &[OsString],
    inside: Option<&Inside>,
) -> Result<ExitCode> {
    match (&options.bootloader, inside) {
        (None, _) => write(settings, bars, options).map(ExitCode::from),
        (Some(bootloader), None) => bootable::run(settings, bars, options, bootloader, arguments),
        (Some(bootloader), Some(inside)) => {
            bootable::assemble(settings, bars, options, bootloader, inside).map(ExitCode::from)
        }
    }
}

fn write(settings: &Settings, bars: &MultiProgress, options: &Options) -> Result<Status> {
    if options.is_to_stdout() && settings.json {
        bail!("the image and what --json tells can't both go to standard output; give a file");
    }
    let (path, names) = options.names(&settings.directory)?;
    let directory = Arc::new(Directory::share(&path)?);
    let run = settings.of_engine(Arc::clone(&directory), Conditions::from_environment()?);
    let inputs = Inputs::open(&options.inputs)?;
    if !options.is_to_stdout() {
        options.check_apart(&inputs, &path, &names)?;
        outputs::check(&directory, &names, &options.files, options.force)?;
    }
    clean_up_on_signals(&run.temporaries, bars)?;
    staging::remove_leftovers();
    let images = options.images(names, run.conditions.time);
    let reporter = report::choose(settings.json, bars);
    let outcome = engine::run(
        &images,
        &run,
        &foreign::registry(),
        &inputs,
        reporter.as_ref(),
    )?;
    if let Some(error) = reporter.lost() {
        return Err(anyhow::Error::new(error).context(NOT_TOLD));
    }
    Ok(if outcome.is_success() {
        Status::Success
    } else {
        Status::Failed
    })
}

impl Options {
    /// Whether the image goes to standard output.
    fn is_to_stdout(&self) -> bool {
        self.files.iter().any(|file| file.stream.is_some())
    }

    /// The directory of the image, and the name of each of its files there.
    fn names(&self, directory: &Path) -> Result<(PathBuf, Vec<String>)> {
        if self.is_to_stdout() {
            return Ok((directory.to_path_buf(), vec![STDOUT.to_owned()]));
        }
        outputs::names(directory, &self.output, &self.files)
    }

    /// Makes sure that none of the files, of which these are the names, is an input.
    fn check_apart(&self, inputs: &Inputs, directory: &Path, names: &[String]) -> Result<()> {
        for (name, format) in names.iter().zip(&self.files) {
            inputs.check_apart(directory, name)?;
            for checksum in &format.checksums {
                inputs.check_apart(directory, &checksum.file_name(name))?;
            }
        }
        Ok(())
    }

    /// The images: a disk with one filesystem, alone on it or in a partition, in each of the formats.
    fn images(&self, names: Vec<String>, time: Timestamp) -> Vec<Image> {
        let layout = Arc::new(self.layout(time));
        let files = names.into_iter().zip(&self.files);
        let images = files.map(|(file_name, format)| Image {
            file_name,
            group: "make-fs".to_owned(),
            recipe: Recipe::Layout(Arc::clone(&layout), format.clone()),
        });
        images.collect()
    }

    fn layout(&self, time: Timestamp) -> Layout {
        let place = Place::new(&self.filesystem, Arc::new(OptionNames));
        let inputs = Object {
            place: place.clone(),
            kind: ObjectKind::Inputs {
                taken: self.taken.clone(),
                rules: self.rules.clone(),
            },
        };
        Layout {
            disk: self.disk(place, time),
            contents: match self.verity {
                Some(_) => vec![Filling::Files(vec![inputs]), Filling::Files(Vec::new())],
                None => vec![Filling::Files(vec![inputs])],
            },
            blobs: Vec::new(),
            other_formats: Vec::new(),
            keys: self.encryption.iter().map(Encryption::keys).collect(),
            seed: match &self.seed {
                Some(text) => Seed::Text(text.clone()),
                None => Seed::Content,
            },
        }
    }

    fn disk(&self, place: Place, time: Timestamp) -> Disk {
        let filesystem = self.filesystem(time);
        Disk {
            size: match self.size {
                DiskSize::Fixed(size) => DiskSize::Fixed(self.whole_sectors(size)),
                DiskSize::Smallest(room) => DiskSize::Smallest(room),
            },
            multiple: Bytes::new(1),
            sector_size: self.sector_size,
            table: self.table.clone(),
            partitions: self.partitions(&place, filesystem),
            place,
            blobs: Vec::new(),
            groups: Vec::new(),
            others: Vec::new(),
            kept_table: Vec::new(),
        }
    }

    /// The partition of the filesystem, and behind it that of its hash tree, if there is one.
    fn partitions(&self, place: &Place, filesystem: Filesystem) -> Vec<Partition> {
        let holds = match &self.encryption {
            None => Holds::from(filesystem),
            Some(it) => Holds::Encrypted(Box::new(Encrypted {
                luks: it.luks.clone(),
                sector_size: it.sector_size,
                encrypts_zeroes: it.encrypts_zeroes,
                holds: filesystem.into(),
            })),
        };
        let own = Partition {
            kind: self.kinds(),
            seed: Some("filesystem"),
            ..Partition::new(place, holds)
        };
        match &self.verity {
            None => vec![own],
            Some(salt) => {
                let tree = self.hash_tree(place, salt.clone());
                vec![own, tree]
            }
        }
    }

    /// The partition of a hash tree.
    fn hash_tree(&self, place: &Place, salt: Option<Vec<u8>>) -> Partition {
        let hashes = Hashes {
            of: 0,
            block: None,
            salt,
            uuid: None,
        };
        let kind = self.part_type.and_then(PartitionType::verity);
        Partition {
            kind: kind.map(Kinds::from).unwrap_or_default(),
            seed: Some("hash tree"),
            ..Partition::new(place, Holds::Hashes(Box::new(hashes)))
        }
    }

    /// The filesystem, without a file.
    fn filesystem(&self, time: Timestamp) -> Filesystem {
        Filesystem {
            label: self.label.clone(),
            uuid: self.uuid,
            options: self.format.clone(),
            misfits: self.misfits,
            ..Filesystem::new(&self.filesystem, FileTree::new(time))
        }
    }

    /// The next size that is a number of sectors.
    fn whole_sectors(&self, size: Bytes) -> Bytes {
        let sector = self.sector_size.get();
        let most = u64::MAX / sector * sector;
        Bytes::new(size.get().checked_next_multiple_of(sector).unwrap_or(most))
    }

    /// The partition's type, where there is a partition.
    fn kinds(&self) -> Kinds {
        let usual = foreign::registry().partition_type(&self.filesystem);
        let usual = types::named(usual).map(PartitionType::Named);
        match (&self.table, self.part_type) {
            (DiskTable::None, None) => Kinds::default(),
            (_, Some(kind)) => kind.into(),
            (_, None) => usual.map(Kinds::from).unwrap_or_default(),
        }
    }
}
