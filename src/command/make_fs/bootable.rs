//! A tree that has a kernel and GRUB, as the disk of a machine: GRUB is installed in a sandbox, by the
//! tree's own programs.
//!
//! The inputs are read outside of it, where their owners are what they are, and go into an archive
//! without a name, which the sandbox unpacks.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Error, Result};
use disklayout::layout::DiskSize;
use disklayout::layout::spec::{Disk, DiskTable, End, Filesystem, Holds, Kinds, Partition, Start};
use disklayout::table::types::{self, PartitionType};
use disklayout::tree::FileTree;
use disklayout::{Identity, Place, Timestamp};
use indicatif::MultiProgress;
use rustix::io::{FdFlags, fcntl_setfd};

use super::input::Inputs;
use super::naming::OptionNames;
use super::{Options, Settings};
use crate::command::system;
use crate::describe::identifiers::{self, mounted_as};
use crate::engine::{self, Conditions, Directory, Event, Reporter};
use crate::formats;
use crate::image::{Image, Recipe, Stream};
use crate::report;
use crate::sandbox::Inside;
use crate::status::Status;
use crate::system::{Action, Firmware, Grub, Location, Step, System, Volume};

/// What of a disk a partition begins at a multiple of.
const MIB: u64 = 1 << 20;

/// The size of a BIOS boot partition, in MiB.
const BIOS_BOOT: u64 = 1;

/// The size of an EFI system partition, in MiB: what FAT32 needs with sectors of 512 bytes and of
/// 4096, in clusters of one sector.
const ESP: [u64; 2] = [64, 264];

/// Where it is mounted.
const ESP_PATH: &str = "/boot/efi";

/// How it is mounted: what it starts is for root.
const ESP_OPTIONS: &str = "umask=0077";

/// A boot loader, and how it is installed.
#[derive(Clone, Debug)]
pub struct Bootloader {
    /// What starts it, one or both.
    pub firmwares: Vec<Firmware>,
    /// What is passed to the kernel; as the tree has it where it isn't said.
    pub kernel_parameters: Option<Vec<String>>,
    /// Whether it uses the serial console, and the kernel too.
    pub serial: bool,
    /// Where everything goes that programs say.
    pub log: Option<PathBuf>,
    /// Where the tree is.
    pub tree: system::Tree,
}

/// Makes the image in a sandbox, for which the command is done once more with these `arguments`.
///
/// # Errors
/// When the inputs can't be read, when the output can't be used, when the boot loader can't be
/// installed on such a disk, or why there can't be a sandbox.
pub(super) fn run(
    settings: &Settings,
    bars: &MultiProgress,
    options: &Options,
    bootloader: &Bootloader,
    arguments: &[OsString],
) -> Result<ExitCode> {
    let (path, names) = options.names(&settings.directory)?;
    let directory = Arc::new(Directory::share(&path)?);
    let conditions = Conditions::from_environment()?;
    let run = settings.of_engine(directory, conditions);
    let time = run.conditions.time;
    let system = options.system(bootloader, &names[0], time, Path::new(""));
    system::check(&system, options.seed_text(&names[0]))?;
    let ready = system::ready(settings, &options.of_system(bootloader), &system)?;
    let inputs = Inputs::open(&options.inputs)?;
    options.check_apart(&inputs, &path, &names)?;
    let archive = run.scratch().context("can't keep the inputs in between")?;
    let archive = Arc::new(archive);
    let reporter = report::choose(settings.json, bars);
    options.archive(&run, &inputs, &archive, time, &Warnings(reporter.as_ref()))?;
    // It is for the sandbox, which has it by its number.
    fcntl_setfd(&archive, FdFlags::empty())?;
    let number = archive.as_raw_fd().to_string().into_bytes();
    ready.enter(arguments, number)
}

/// Makes the image in the sandbox `inside`.
///
/// # Errors
/// When a step fails.
pub(super) fn assemble(
    settings: &Settings,
    bars: &MultiProgress,
    options: &Options,
    bootloader: &Bootloader,
    inside: &Inside,
) -> Result<Status> {
    let names = options.names(&settings.directory)?.1;
    let number = str::from_utf8(&inside.input).context("the archive isn't known")?;
    let archive = PathBuf::from(format!("/proc/self/fd/{number}"));
    let time = Conditions::from_environment()?.time;
    let system = options.system(bootloader, &names[0], time, &archive);
    let system_options = options.of_system(bootloader);
    system::assemble(settings, &system_options, bars, inside, &system)
}

/// Tells what of the inputs is left out, and nothing of the archive.
#[derive(Debug)]
struct Warnings<'a>(&'a dyn Reporter);

impl Reporter for Warnings<'_> {
    fn report(&self, event: &Event<'_>) {
        if let Event::ImageWarning { .. } = event {
            self.0.report(event);
        }
    }
}

impl Options {
    /// Puts all inputs into `archive`.
    fn archive(
        &self,
        run: &engine::Settings,
        inputs: &Inputs,
        archive: &Arc<File>,
        time: Timestamp,
        reporter: &dyn Reporter,
    ) -> Result<()> {
        let place = Place::new("the inputs", Arc::new(OptionNames));
        let files = formats::asked(&["tar"], &disklayout::fs::Options::default(), &place);
        let mut file = files.map_err(Error::msg)?.remove(0);
        file.stream = Some(Stream::Nameless(Arc::clone(archive)));
        let mut layout = self.layout(time);
        layout.disk.table = DiskTable::None;
        layout.disk.size = DiskSize::Smallest(disklayout::layout::Room::NONE);
        let images = [Image {
            file_name: self.output.display().to_string(),
            group: "make-fs".to_owned(),
            recipe: Recipe::Layout(Arc::new(layout), file),
        }];
        let outcome = engine::run(&images, run, &foreign::registry(), inputs, reporter)?;
        match outcome.failed.into_iter().next() {
            Some(failure) => Err(failure.error),
            None => Ok(()),
        }
    }

    /// How the system is assembled.
    fn of_system(&self, bootloader: &Bootloader) -> system::Options {
        system::Options {
            output: self.output.clone(),
            files: self.files.clone(),
            seed: self.seed.clone(),
            force: self.force,
            log: bootloader.log.clone(),
            verbose: false,
            package_cache: None,
            root_cache: None,
            tree: bootloader.tree.clone(),
        }
    }

    /// What identifiers derive from: the seed, else the name of the first file.
    fn seed_text<'a>(&'a self, name: &'a str) -> &'a str {
        self.seed.as_deref().unwrap_or(name)
    }

    /// The system of the image called `name`, whose tree is unpacked from `archive`.
    fn system(
        &self,
        bootloader: &Bootloader,
        name: &str,
        time: Timestamp,
        archive: &Path,
    ) -> System {
        let place = Place::new(&self.filesystem, Arc::new(OptionNames));
        let identity = Identity::new(self.seed_text(name), time);
        let mut parts = Parts::new(self, &place);
        let is_for = |firmware| bootloader.firmwares.contains(&firmware);
        if is_for(Firmware::Bios) && matches!(self.table, DiskTable::Gpt { .. }) {
            parts.add("BIOS boot", "bios-boot", BIOS_BOOT, None);
        }
        let esp = is_for(Firmware::Uefi).then(|| {
            let mut filesystem = Filesystem::new("vfat", FileTree::new(time));
            filesystem.misfits = self.misfits;
            let size = ESP[usize::from(self.sector_size.get() > 512)];
            parts.add("EFI system", "esp", size, Some((filesystem, &identity)))
        });
        let root = parts.add_root(self.filesystem(time), self.kinds(), &identity);
        let fstab = parts.fstab();
        let (partitions, volumes) = (parts.partitions, parts.volumes);
        let mut disk = Disk {
            partitions,
            ..self.disk(place.clone(), time)
        };
        identifiers::identify_partitions(&mut disk, &identity);
        let step = |title: &str, action| Step {
            place: "--bootloader".into(),
            title: title.to_owned(),
            skipped: None,
            action,
        };
        let mut steps = vec![step(
            "unpack the inputs",
            Action::Unpack(archive.to_owned()),
        )];
        if esp.is_some() {
            let action = Action::MountPoint(ESP_PATH.to_owned());
            steps.push(step("mount the EFI system partition", action));
        }
        steps.push(step("fstab", Action::Fstab(fstab)));
        steps.extend(bootloader.firmwares.iter().map(|firmware| {
            let title = match firmware {
                Firmware::Bios => "GRUB for a BIOS",
                Firmware::Uefi => "GRUB for UEFI",
            };
            let grub = Grub {
                firmware: *firmware,
                root,
                esp: esp.filter(|_| *firmware == Firmware::Uefi),
                serial: bootloader.serial,
                quiet: false,
                timeout: None,
                kernel_parameters: bootloader.kernel_parameters.clone(),
                installs_packages: false,
            };
            step(title, Action::Grub(grub))
        }));
        steps.push(step("kernel", Action::FindKernel));
        System {
            disk,
            volumes,
            keys: Vec::new(),
            steps,
        }
    }
}

/// The partitions of a disk, one behind the other.
struct Parts<'a> {
    place: &'a Place,
    /// Whether partitions have names.
    has_names: bool,
    /// Sectors of a MiB.
    mib: u64,
    /// The first sector of the next one.
    next: u64,
    partitions: Vec<Partition>,
    volumes: Vec<Volume>,
}

impl<'a> Parts<'a> {
    fn new(options: &Options, place: &'a Place) -> Self {
        let mib = MIB / options.sector_size.get();
        Self {
            place,
            has_names: matches!(options.table, DiskTable::Gpt { .. }),
            mib,
            next: mib,
            partitions: Vec::new(),
            volumes: Vec::new(),
        }
    }

    /// Adds a partition of so many MiB; gives its index.
    fn add(
        &mut self,
        what: &str,
        kind: &str,
        size: u64,
        filesystem: Option<(Filesystem, &Identity)>,
    ) -> usize {
        let place = Place::new(what, Arc::new(OptionNames));
        let kinds = types::named(kind)
            .map(PartitionType::Named)
            .map(Kinds::from);
        let end = self.next + size * self.mib;
        let mounted_at = filesystem.is_some().then_some(ESP_PATH);
        let last = End::Sector((end - 1).cast_signed());
        self.push(
            place,
            what,
            last,
            kinds.unwrap_or_default(),
            filesystem,
            mounted_at,
        );
        self.next = end;
        self.partitions.len() - 1
    }

    /// Adds the partition of the root, which has what is left; gives its index.
    fn add_root(&mut self, root: Filesystem, kinds: Kinds, identity: &Identity) -> usize {
        let filesystem = Some((root, identity));
        let place = self.place.clone();
        self.push(place, "root", End::Auto, kinds, filesystem, Some("/"));
        self.partitions.len() - 1
    }

    fn push(
        &mut self,
        place: Place,
        tag: &str,
        end: End,
        kind: Kinds,
        filesystem: Option<(Filesystem, &Identity)>,
        mounted_at: Option<&str>,
    ) {
        let number = self.partitions.len() + 1;
        let (holds, uuid) = match filesystem {
            Some((mut filesystem, identity)) => {
                let identity = identity.child(&format!("filesystem {number}"));
                // A number that is none is refused with the other options.
                let uuid = identifiers::identify(&mut filesystem, &identity).unwrap_or_default();
                (Holds::from(filesystem), uuid)
            }
            None => (Holds::Nothing, String::new()),
        };
        self.volumes.push(Volume {
            tag: tag.to_owned(),
            location: Location::Partition(u32::try_from(number).unwrap_or(u32::MAX)),
            opened: None,
            uuid,
            mounted_at: mounted_at.map(str::to_owned),
        });
        self.partitions.push(Partition {
            start: Start::Sector(self.next.cast_signed()),
            end,
            kind,
            name: self.has_names.then(|| tag.to_owned()),
            ..Partition::new(place, holds)
        });
    }

    /// The lines of fstab(5), that of the root first.
    fn fstab(&self) -> String {
        let all = self.volumes.iter().zip(&self.partitions).rev();
        let lines = all.filter_map(|(volume, partition)| {
            let Holds::Filesystem(filesystem) = &partition.holds else {
                return None;
            };
            let word = mounted_as(&filesystem.format);
            let (path, uuid) = (volume.mounted_at.as_deref()?, &volume.uuid);
            let (options, pass) = match path {
                "/" => ("defaults", 1),
                _ => (ESP_OPTIONS, 2),
            };
            Some(format!("UUID={uuid} {path} {word} {options} 0 {pass}\n"))
        });
        lines.collect()
    }
}
