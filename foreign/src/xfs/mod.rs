//! XFS filesystems, made by mkfs.xfs.
//!
//! mkfs.xfs makes the filesystem with every file and directory that a prototype file lists, but it
//! takes times from the clock, and a prototype can't say extended attributes, hard links, holes,
//! or names with spaces. So `prototype` lists stand-ins of the same size, and `finish` turns
//! them into what they stand for. The data of files goes straight to its place.
//!
//! "XFS Algorithms & Data Structures", 3rd edition.

mod arguments;
mod attributes;
mod check;
mod demand;
mod directory;
mod finish;
mod format;
mod geometry;
mod names;
mod options;
mod prototype;
mod segments;
mod volume;

use std::ops::Range;

use disklayout::disk::Disk;
use disklayout::fs::{Choice, Data, Draft, EVERYTHING, Format, FsPlan, Progress, Request, Summary};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Error, ErrorKind, Identity, Place, Result};
use uuid::Uuid;

use self::arguments::arguments;
use self::demand::{Demand, MIN_LOG};
use self::options::{CHOICES, Chosen};
use crate::run::version::require;
use crate::run::{Packages, Runner, Tool};
use crate::stage::Staging;
use crate::stage::scratch::{Scratch, unfinished};

const MKFS_XFS: Tool = tool("mkfs.xfs");
const XFS_REPAIR: Tool = tool("xfs_repair");

/// All that a filesystem is made with.
pub const TOOLS: [Tool; 2] = [MKFS_XFS, XFS_REPAIR];

const fn tool(program: &'static str) -> Tool {
    Tool {
        program,
        packages: Packages::same("xfsprogs", "Debian, Ubuntu, Fedora, Rocky"),
    }
}

/// Plans XFS filesystems that mkfs.xfs writes.
#[derive(Clone, Debug, Default)]
pub struct XfsFormat {
    runner: Runner,
}

impl XfsFormat {
    /// A format that finds its programs with `runner`.
    pub fn new(runner: Runner) -> Self {
        Self { runner }
    }
}

impl Format for XfsFormat {
    fn names(&self) -> &'static [&'static str] {
        &["xfs"]
    }

    fn choices(&self) -> &'static [Choice] {
        &CHOICES
    }

    fn tools(&self) -> &'static [Tool] {
        &TOOLS
    }

    fn draft<'a>(&self, mut request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let chosen = Chosen::new(&request)?;
        if let Some(label) = request.label {
            check::check_label(&request.place, label)?;
        }
        let warnings = check::adapt(&mut request, chosen.geometry)?;
        Ok(Box::new(XfsDraft {
            place: request.place,
            label: request.label.map(str::to_owned),
            uuid: request
                .uuid
                .unwrap_or_else(|| request.identity.uuid("uuid")),
            demand: Demand::new(&request.tree, chosen.geometry),
            chosen,
            tree: request.tree,
            warnings,
            identity: request.identity,
            runner: self.runner.clone(),
        }))
    }
}

/// An XFS filesystem of which everything is known but its size, and what mkfs.xfs decides.
#[derive(Debug)]
struct XfsDraft {
    place: Place,
    label: Option<String>,
    uuid: Uuid,
    chosen: Chosen,
    demand: Demand,
    tree: FileTree,
    warnings: Vec<String>,
    identity: Identity,
    runner: Runner,
}

impl Draft for XfsDraft {
    /// An upper bound: of how mkfs.xfs lays out files nothing is known before it runs.
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        Ok(Bytes::new(self.least(free.get())))
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        self.check_size(size).map_err(|error| self.needing(error))?;
        check::check_links(&self.place, &self.tree, size)?;
        Ok(Box::new(XfsPlan {
            size: size.get() / CUT * CUT,
            draft: *self,
        }))
    }
}

impl XfsDraft {
    fn check_size(&self, size: Bytes) -> Result<()> {
        let (least, most) = (check::MIN_SIZE, check::MAX_SIZE);
        if !(least..=most).contains(&size.get()) {
            let message = format!("{size} can't hold XFS, which takes {least} to {most} bytes");
            return Err(Error::does_not_fit(&self.place, message));
        }
        let (needed, size) = (self.demand.total, size.get());
        if needed > size - MIN_LOG {
            let message = format!(
                "the files need {needed} bytes, and XFS of {size} bytes has {} at most for them",
                size - MIN_LOG
            );
            return Err(Error::does_not_fit(&self.place, message));
        }
        Ok(())
    }

    /// A size in bytes at which mkfs.xfs finds room for everything and for `free` bytes more.
    fn least(&self, free: u64) -> u64 {
        let needed = self.demand.total.saturating_add(free);
        let log = self.chosen.log_size.unwrap_or(MIN_LOG);
        // What groups keep for themselves; mkfs.xfs fails before all of it is full.
        let overhead = log + needed / 3 + (64 << 20);
        let size = needed.saturating_add(overhead).max(check::MIN_SIZE);
        // Some versions of mkfs.xfs only make files in one piece, in one of four groups.
        let files = self.tree.files();
        let largest = files.iter().map(|(_, content)| content.data_len()).max();
        let group = largest.unwrap_or(0).saturating_mul(9) / 8 + MIN_LOG + (8 << 20);
        let balanced = self.demand.balanced(log);
        let size = size.max(group.saturating_mul(4)).max(balanced);
        size.next_multiple_of(1 << 20)
    }
}

/// What counts in sizes, in bytes: both kinds of sectors, and all usual blocks.
const CUT: u64 = 4096;

/// An XFS filesystem in which everything is decided that mkfs.xfs doesn't decide.
#[derive(Debug)]
struct XfsPlan {
    draft: XfsDraft,
    size: u64,
}

impl FsPlan for XfsPlan {
    fn summary(&self) -> Summary {
        let block_size = self.draft.chosen.geometry.block_size;
        Summary {
            label: self.draft.label.clone(),
            uuid: Some(self.draft.uuid),
            journal: self.draft.chosen.log_size.map(Bytes::new),
            ..Summary::new("xfs", block_size, self.size / u64::from(block_size))
        }
    }

    fn tree(&self) -> &FileTree {
        &self.draft.tree
    }

    fn warnings(&self) -> &[String] {
        &self.draft.warnings
    }

    fn unread(&self) -> Vec<Range<u64>> {
        vec![EVERYTHING]
    }

    fn cost(&self) -> Bytes {
        Bytes::new(MIN_LOG + self.draft.demand.total)
    }

    fn check_tools(&self) -> Result<()> {
        self.draft.runner.find_all(&self.draft.place, &TOOLS)?;
        let needs = self.draft.chosen.needs();
        require(
            &self.draft.runner,
            &self.draft.place,
            MKFS_XFS,
            "-V",
            &needs,
        )
    }

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<Data<'_>> {
        self.check_tools()?;
        let staging = Staging::new(&self.draft.place)?;
        // mkfs.xfs reads files of the right sizes, which are holes; their data comes later.
        let contents = staging.path().display().to_string();
        let geometry = self.draft.chosen.geometry;
        let prototype =
            prototype::prototype(&self.draft.place, &self.draft.tree, geometry, &contents)?;
        for size in &prototype.sizes {
            staging.hole(size.to_string(), *size)?;
        }
        let list = staging.file("prototype", &prototype.text)?;
        let written = MIN_LOG + self.draft.demand.total + self.size / 2000;
        let scratch = Scratch::new(&self.draft.place, &staging, self.size, written)?;
        let label = self.draft.label.as_deref();
        let args = arguments(
            &self.draft.chosen,
            self.draft.uuid,
            label,
            &list,
            scratch.path(),
        );
        let made = self.draft.runner.run(&self.draft.place, MKFS_XFS, &args);
        made.map_err(|error| self.failed(error))?;
        let volume = scratch.disk()?;
        let pieces = finish::finish(
            &volume,
            &self.draft.tree,
            &prototype,
            geometry,
            &self.draft.identity,
        );
        let pieces = pieces.map_err(|e| self.unfinished(e))?;
        if check::has_links(&self.draft.tree) {
            let args = ["-f".into(), scratch.path().into()];
            self.draft
                .runner
                .run(&self.draft.place, XFS_REPAIR, &args)?;
            finish::check_names(&volume, &self.draft.tree).map_err(|e| self.unfinished(e))?;
        }
        let zeroes = scratch.move_to(&self.draft.place, disk)?;
        let place = &self.draft.place;
        Ok(Data::of_list(place, geometry.block_size.into(), pieces).relying_on(zeroes))
    }
}

impl XfsPlan {
    /// What mkfs.xfs says where there is no room isn't what helps.
    fn failed(&self, error: Error) -> Error {
        match error.message().contains("[28 - ") {
            true => self.too_small(error),
            false => error,
        }
    }

    fn unfinished(&self, error: Error) -> Error {
        // Some versions of mkfs.xfs end well where there is no room, and have written nothing.
        if error.kind() == ErrorKind::Corrupt && self.size < self.draft.least(0) {
            return self.too_small(error);
        }
        unfinished(&self.draft.place, "mkfs.xfs", error)
    }

    fn too_small(&self, error: Error) -> Error {
        let enough = self.draft.least(0);
        let message =
            format!("the files don't fit as mkfs.xfs spreads them; {enough} bytes are enough");
        let error = Error::does_not_fit(&self.draft.place, message).with_source(error);
        error.needing(Bytes::new(enough))
    }
}
