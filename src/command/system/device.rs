//! The disk while the tree is made: a file beside the image, with the partition table, to which steps
//! may write boot loaders.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use disklayout::disk::{Disk as _, SparseFile};
use disklayout::fs::{Registry, Unwatched};
use disklayout::layout::spec::{Disk, Holds, Partition, Start};
use disklayout::layout::{self, DiskPlan, DiskSize};
use disklayout::table::{Role, Table};
use disklayout::tree::{Content, Extent, Store};
use disklayout::{Bytes, Identity, Zeroes, inspect};

use crate::engine::{self, Directory, Output, Temporaries};
use crate::system::System;

/// What is added to the name of the image.
const SUFFIX: &str = ".disk";

/// Room for what a table has at the end of a disk, in bytes.
const BACKUP: u64 = 1 << 20;

/// Bytes that are zero or not together.
const BLOCK: usize = 4096;

/// The path of the disk of the image called `name` in `directory`, unless something else is there.
pub fn path(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}{SUFFIX}{}", engine::TEMPORARY_SUFFIX))
}

/// Removes what a sandbox that was killed has left of the disk of the image called `name`. Nothing
/// else is touched, whatever it is called.
///
/// # Errors
/// When it can't be removed.
pub(in crate::command) fn remove_left(directory: &Arc<Directory>, name: &str) -> Result<()> {
    // Whoever begins it anew removes that, and it is gone with this value.
    let name = format!("{name}{SUFFIX}");
    Output::create(directory, &Temporaries::default(), &name).map(drop)
}

/// The disk while the tree is made. Its file is gone with it.
#[derive(Debug)]
pub(in crate::command) struct Device {
    output: Output,
    disk: SparseFile,
    /// What it is like before anybody writes to it.
    plan: DiskPlan,
}

/// What is on a disk beside filesystems.
#[derive(Debug, Default)]
pub(in crate::command) struct Beside {
    /// Bytes in no partition, and not of the table.
    pub blobs: Vec<(Bytes, Content)>,
    /// Bytes of the table, if it has changed.
    pub table: Vec<(Bytes, Content)>,
    /// The content of partitions that hold no filesystem, by their number.
    pub partitions: Vec<(u32, Content)>,
}

impl Device {
    /// Makes the disk of the image called `name`, with its partition table. Where its size follows from
    /// what the last partition will hold, it ends where that begins.
    pub(in crate::command) fn create(
        run: &engine::Settings,
        name: &str,
        disk: &Disk,
    ) -> Result<Self> {
        let (disk, size) = without_content(disk)?;
        let output = Output::create(&run.directory, &run.temporaries, &format!("{name}{SUFFIX}"))?;
        let file = output.file().try_clone()?;
        let file = SparseFile::create(file, size.get());
        let file = file.map_err(|error| output.cannot_hold(size, error))?;
        let identity = Identity::new(name, run.conditions.time);
        let plan = layout::plan(disk, &identity, &Registry::native())?;
        disklayout::build(&plan, Zeroes::Sparsest, &file, &Unwatched)?;
        Ok(Self {
            output,
            disk: file,
            plan,
        })
    }

    /// The name of its file.
    pub(in crate::command) fn file_name(&self) -> &str {
        self.output.temporary_name()
    }

    /// The disk.
    pub(in crate::command) const fn disk(&self) -> &SparseFile {
        &self.disk
    }

    /// What is on it beside the filesystems of `system`.
    ///
    /// # Errors
    /// When it can't be read, has another size, or another place for one of these.
    pub(in crate::command) fn beside(&self, system: &System) -> Result<Beside> {
        let len = self.output.file().metadata()?.len();
        ensure!(
            len == self.plan.size.get(),
            "a step has given the disk another size: it has {len} bytes instead of {}",
            self.plan.size.get()
        );
        let planned = self.plan.table();
        let found = match self.plan.table_areas().is_empty() {
            true => planned.clone(),
            false => inspect::table(&self.disk).context("what the steps have made of the disk")?,
        };
        check_places(&planned, &found, system)?;
        let name = self.output.temporary_name().to_owned();
        let store = Arc::new(Store::file(name, self.output.file().try_clone()?));
        let mut beside = Beside::default();
        for area in self.plan.free_areas() {
            beside.blobs.extend(self.stretches(&store, &area)?);
        }
        for (number, area) in self.bare_partitions(system) {
            let data = self.data(&area)?;
            if !data.is_empty() {
                beside.partitions.push((number, bare(&store, &area, &data)));
            }
        }
        if found != planned {
            beside
                .table
                .extend(self.plan.table_areas().into_iter().map(|area| {
                    let content = Content::stored(&store, area.start, area.end - area.start);
                    (Bytes::new(area.start), content)
                }));
        }
        Ok(beside)
    }

    /// The partitions of `system` that hold no filesystem and no partitions.
    fn bare_partitions(&self, system: &System) -> Vec<(u32, Range<u64>)> {
        let partitions = self.plan.partitions.iter();
        let bare = partitions.filter(|plan| {
            let described = numbered(system, plan.record.number);
            described.is_some_and(|it| matches!(it.holds, Holds::Nothing))
                && plan.record.role != Role::Extended
        });
        bare.map(|plan| {
            let (range, sector) = (plan.record.range, self.plan.sector_size);
            let start = range.offset(sector).get();
            (plan.record.number, start..start + range.size(sector).get())
        })
        .collect()
    }

    /// What is in `area`, stretch by stretch.
    fn stretches(&self, store: &Arc<Store>, area: &Range<u64>) -> Result<Vec<(Bytes, Content)>> {
        let data = self.data(area)?.into_iter();
        let stored = data.map(|it| {
            let content = Content::stored(store, it.start, it.end - it.start);
            (Bytes::new(it.start), content)
        });
        Ok(stored.collect())
    }

    /// The stretches of `area` that hold anything but zeroes, block by block.
    fn data(&self, area: &Range<u64>) -> io::Result<Vec<Range<u64>>> {
        let mut found: Vec<Range<u64>> = Vec::new();
        let mut block = [0; BLOCK];
        let mut next = self.disk.next_data(area.start);
        while next < area.end {
            // A hole may begin anywhere; blocks are those of the disk.
            let at = (next - next % BLOCK as u64).max(area.start);
            let end = (at - at % BLOCK as u64 + BLOCK as u64).min(area.end);
            let block = &mut block[..(end - at) as usize];
            self.disk.read_at(block, at)?;
            if block.iter().any(|byte| *byte != 0) {
                disklayout::disk::append(&mut found, at..end);
            }
            next = self.disk.next_data(end);
        }
        Ok(found)
    }
}

/// The disk with its table alone, and its size.
fn without_content(disk: &Disk) -> Result<(Disk, Bytes)> {
    let mut disk = disk.clone();
    for partition in &mut disk.partitions {
        partition.holds = Holds::Nothing;
    }
    disk.groups.clear();
    let size = match disk.size {
        DiskSize::Fixed(size) => size,
        DiskSize::Smallest(_) => {
            let last = disk.partitions.pop().map(|it| it.start);
            let Some(Start::Sector(first)) = last else {
                bail!("where the last partition begins isn't known");
            };
            let front = disk.sector_size.get().checked_mul(first.cast_unsigned());
            let size = front.and_then(|front| front.checked_add(BACKUP));
            Bytes::new(size.context("the last partition begins too far behind")?)
        }
    };
    disk.size = DiskSize::Fixed(size);
    Ok((disk, size))
}

/// The partition of `system` that has this number in the table.
fn numbered(system: &System, number: u32) -> Option<&Partition> {
    let mut all = system.volumes.iter().zip(&system.disk.partitions);
    all.find_map(|(volume, partition)| {
        (volume.location.number() == Some(number)).then_some(partition)
    })
}

/// Refuses a table in which anything that `system` holds isn't where it was planned.
fn check_places(planned: &Table, found: &Table, system: &System) -> Result<()> {
    for partition in &planned.partitions {
        let mut all = found.partitions.iter();
        if all.any(|it| it.range == partition.range) {
            continue;
        }
        let described = numbered(system, partition.number);
        if let Some(described) = described.filter(|it| !matches!(it.holds, Holds::Nothing)) {
            bail!(
                "a step has changed the partition table so that {} isn't in it any more: have the \
                 description say where it is",
                described.place
            );
        }
    }
    Ok(())
}

/// The content of a partition without a filesystem: `data` of the disk is in it.
fn bare(store: &Arc<Store>, area: &Range<u64>, data: &[Range<u64>]) -> Content {
    let extents = data.iter().map(|range| Extent {
        logical: range.start - area.start,
        len: range.end - range.start,
        offset: range.start,
    });
    Content::stored_with_holes(store, area.end - area.start, extents.collect())
}
