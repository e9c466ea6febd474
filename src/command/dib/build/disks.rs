//! The disks of a build: laid out for what is in its tree.

use anyhow::{Result, bail};
use disklayout::Bytes;
use disklayout::layout::DiskPlan;

use super::trial;
use crate::command::system;
use crate::config::ConfigError;
use crate::describe::dib::{Build, block};
use crate::system::{Location, System, Volume};

/// The size of disks of which only that counts which doesn't depend on it: any partition that makes
/// sense fits, in every table.
const LARGE: Bytes = Bytes::new(1 << 40);

/// What files may take that nobody has seen yet.
const FEW: Bytes = Bytes::new(0);
const MANY: Bytes = Bytes::new(1 << 30);

/// A disk that has no room is tried with so many hundredths of its size, so often.
const GROWTH: u64 = 115;
const TRIES: usize = 48;

/// A disk of a build.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    /// What the configuration calls it.
    pub name: String,
    /// The directory of its files, where the configuration says one.
    pub directory: Option<String>,
    /// What is on it.
    pub system: System,
}

impl Disk {
    fn new(image: block::Image) -> Self {
        Self {
            name: image.name,
            directory: image.directory,
            system: System {
                disk: image.disk,
                volumes: image.volumes,
                keys: Vec::new(),
                steps: Vec::new(),
            },
        }
    }

    /// What its files are called, without a directory and an extension.
    pub(super) fn file_name(&self, build: &Build) -> String {
        let name = build.name.rsplit('/').next().unwrap_or(&build.name);
        match self.name == block::IMAGE {
            true => name.to_owned(),
            false => format!("{name}-{}", self.name),
        }
    }
}

/// The disk with the root filesystem.
pub(super) fn with_root<'a>(mut disks: impl Iterator<Item = &'a Disk>) -> Option<&'a Disk> {
    disks.find(|disk| {
        let mut volumes = disk.system.volumes.iter();
        volumes.any(|volume| volume.mounted_at.as_deref() == Some("/"))
    })
}

/// The disks as far as they can be checked before there is a tree: as large as was asked for, or large.
/// What comes out of them is possible for few files or for many.
///
/// # Errors
/// What is wrong with them, or with what is asked for.
pub(super) fn check(build: &Build) -> Result<Vec<Disk>> {
    trial::check_archives(build)?;
    let tried = |used| fitting(build, used, |disks, _| trial::check_images(build, disks));
    tried(MANY).or_else(|error| tried(FEW).map_err(|_| error))?;
    Ok(lay_out(build, any_size(build))?)
}

/// The size that was asked for, or one that is large enough for anything.
pub(super) fn any_size(build: &Build) -> Bytes {
    match build.size.is_automatic() {
        true => LARGE,
        false => build.size.of(Bytes::new(0)),
    }
}

/// The disks with so many bytes, but for those that have a size of their own.
///
/// # Errors
/// The first thing that has no room in each of them.
pub(super) fn lay_out(build: &Build, size: Bytes) -> Result<Vec<Disk>, ConfigError> {
    let images = build.configuration.lay_out(size)?;
    Ok(images.into_iter().map(Disk::new).collect())
}

/// The size of the disks for files that take so many `used` bytes, and the disks. Where the size is
/// chosen here, and nothing could be in what follows from the files, it is larger.
///
/// # Errors
/// What has no room in disks of the size that was asked for, or in any.
pub(super) fn of_files(build: &Build, used: Bytes) -> Result<(Bytes, Vec<Disk>)> {
    fitting(build, used, |disks, plans| {
        check_room(build, disks, plans, used)
    })
}

/// The disks, of which `check` allows, for so many `used` bytes, and their size.
fn fitting(
    build: &Build,
    used: Bytes,
    check: impl Fn(&[Disk], &[DiskPlan]) -> Result<()>,
) -> Result<(Bytes, Vec<Disk>)> {
    let mut first = None;
    let mut size = build.size.of(used);
    let mut tries = match build.size.is_automatic() {
        true => TRIES,
        false => 1,
    };
    loop {
        tries -= 1;
        let disks = lay_out(build, size).map_err(anyhow::Error::from);
        let checked = disks.and_then(|disks| {
            check(&disks, &planned(build, &disks)?)?;
            Ok(disks)
        });
        match checked {
            Ok(disks) => return Ok((size, disks)),
            // A larger disk may have other faults, which would tell less.
            Err(error) if tries == 0 => return Err(first.unwrap_or(error)),
            Err(error) => {
                first.get_or_insert(error);
                size = grown(size);
            }
        }
    }
}

/// Makes sure that the root filesystem has room for so many `used` bytes, whatever else is on its disk.
fn check_room(build: &Build, disks: &[Disk], plans: &[DiskPlan], used: Bytes) -> Result<()> {
    let needed = used.get().saturating_add(build.size.journal.get());
    let mut all = disks.iter().zip(plans);
    let Some(room) = all.find_map(|(disk, plan)| root_size(&disk.system, plan)) else {
        return Ok(());
    };
    // Tables of a filesystem take less than a tenth of it.
    match build.size.is_automatic() && room / 10 * 9 < needed {
        true => bail!("the root filesystem has {room} bytes for {needed}"),
        false => Ok(()),
    }
}

/// The bytes of the partition or of the logical volume that is mounted at /.
fn root_size(system: &System, plan: &DiskPlan) -> Option<u64> {
    let is_root = |volume: &&Volume| volume.mounted_at.as_deref() == Some("/");
    match &system.volumes.iter().find(is_root)?.location {
        // An image without a table is one partition.
        Location::Partition(0) => Some(plan.size.get()),
        Location::Partition(number) => {
            let mut records = plan.partitions.iter().map(|one| &one.record);
            let record = records.find(|record| record.number == *number)?;
            Some(record.range.size(plan.sector_size).get())
        }
        Location::Logical { group, name } => {
            let groups = plan.groups.iter().map(|group| &group.lvm);
            let mut own = groups.filter(|it| it.name() == group);
            let volume = own.find_map(|it| it.volumes().iter().find(|it| it.name == *name))?;
            Some(volume.size.get())
        }
    }
}

fn grown(size: Bytes) -> Bytes {
    const MULTIPLE: u64 = 64 << 10;
    let bytes = size.get().max(MULTIPLE) / 100 * GROWTH;
    Bytes::new(bytes.next_multiple_of(MULTIPLE))
}

/// The plans of all disks.
fn planned(build: &Build, disks: &[Disk]) -> Result<Vec<DiskPlan>> {
    let plans = disks.iter();
    let plans = plans.map(|disk| system::check(&disk.system, &disk.file_name(build)));
    plans.collect()
}
