//! F2FS filesystems, made by mkfs.f2fs and filled by sload.f2fs.
//!
//! sload.f2fs copies a directory of the host. An ordinary user can't make devices, owners and most
//! attributes there, so regular files stand in for what isn't a directory or a symbolic link, and
//! `finish` makes of them what they stand for. The data of files goes straight to its place.
//!
//! Linux, Documentation/filesystems/f2fs.rst (on-disk layout) and include/linux/f2fs_fs.h.

mod check;
mod finish;
mod format;
mod volume;
mod xattr;

use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use disklayout::disk::Disk;
use disklayout::fs::options::number;
use disklayout::fs::{Choice, Data, Draft, EVERYTHING, Format, FsPlan, Progress, Request, Summary};
use disklayout::tree::{FileTree, NodeKind};
use disklayout::{Bytes, Error, Identity, Place, Result, Timestamp};
use uuid::Uuid;

use crate::run::{Packages, Runner, Tool};
use crate::stage::Staging;
use crate::stage::plant::plant;
use crate::stage::scratch::{Scratch, unfinished};

const MKFS_F2FS: Tool = tool("mkfs.f2fs");
const SLOAD_F2FS: Tool = tool("sload.f2fs");

/// All that a filesystem is made with.
pub const TOOLS: [Tool; 2] = [MKFS_F2FS, SLOAD_F2FS];

const fn tool(program: &'static str) -> Tool {
    Tool {
        program,
        packages: Packages::same("f2fs-tools", "Debian, Ubuntu, Fedora"),
    }
}

const CHOICES: [Choice; 1] = [Choice::new(
    "overprovision",
    "PERCENT",
    "How much is kept for cleaning, in percent",
)];

/// Where the tree is in the staging directory.
const TOP: &str = "root";

/// Bytes in a block: there is no other size.
const BLOCK_SIZE: u32 = 4096;

/// Plans F2FS filesystems that mkfs.f2fs and sload.f2fs write.
#[derive(Clone, Debug, Default)]
pub struct F2fsFormat {
    runner: Runner,
}

impl F2fsFormat {
    /// A format that finds its programs with `runner`.
    pub fn new(runner: Runner) -> Self {
        Self { runner }
    }
}

impl Format for F2fsFormat {
    fn names(&self) -> &'static [&'static str] {
        &["f2fs"]
    }

    fn choices(&self) -> &'static [Choice] {
        &CHOICES
    }

    fn tools(&self) -> &'static [Tool] {
        &TOOLS
    }

    fn draft<'a>(&self, mut request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let overprovision = overprovision(&request)?;
        if let Some(label) = request.label {
            check::check_label(&request.place, label)?;
        }
        let warnings = check::adapt(&mut request)?;
        Ok(Box::new(F2fsDraft {
            place: request.place,
            label: request.label.map(str::to_owned),
            uuid: request
                .uuid
                .unwrap_or_else(|| request.identity.uuid("uuid")),
            overprovision,
            demand: demand(&request.tree),
            tree: request.tree,
            warnings,
            identity: request.identity,
            runner: self.runner.clone(),
        }))
    }
}

fn overprovision(request: &Request<'_>) -> Result<Option<u32>> {
    let Request { place, options, .. } = request;
    options.check(place, request.kind, &CHOICES)?;
    let name = CHOICES[0].name;
    match options.parse(place, name, number::<u32>)? {
        Some(percent) if !(1..=50).contains(&percent) => {
            let message = format!("{percent} is not from 1 to 50 percent");
            Err(Error::invalid(place.choice(name), message))
        }
        percent => Ok(percent),
    }
}

/// What the smallest filesystem keeps at least for itself, in bytes.
const METADATA: u64 = 20 << 20;

/// About how many bytes files, inodes and directories take. Holes are filled.
fn demand(tree: &FileTree) -> u64 {
    let block = u64::from(BLOCK_SIZE);
    let mut total = 0_u64;
    for (id, node) in tree.nodes() {
        let data = match &node.kind {
            NodeKind::File(content) if content.len() > 3488 => content
                .len()
                .next_multiple_of(block)
                .saturating_add(content.len() / 1000),
            NodeKind::Directory => {
                let names: u64 = tree
                    .entries(id)
                    .map(|(name, _)| name.len() as u64 + 19)
                    .sum();
                // Hashing leaves blocks half empty.
                block + (names * 2).next_multiple_of(block)
            }
            NodeKind::Symlink(_) => block,
            _ => 0,
        };
        total = total.saturating_add(data).saturating_add(block);
    }
    total
}

/// An F2FS filesystem of which everything is known but its size, and what mkfs.f2fs decides.
#[derive(Debug)]
struct F2fsDraft {
    place: Place,
    label: Option<String>,
    uuid: Uuid,
    overprovision: Option<u32>,
    /// What the content takes in bytes.
    demand: u64,
    tree: FileTree,
    warnings: Vec<String>,
    identity: Identity,
    runner: Runner,
}

impl Draft for F2fsDraft {
    /// An upper bound: mkfs.f2fs keeps segments for cleaning, a larger part of small filesystems.
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        let needed = self.demand.saturating_add(free.get());
        let kept = needed / 8 + (72 << 20);
        let size = needed.saturating_add(kept).max(check::MIN_SIZE);
        Ok(Bytes::new(size.next_multiple_of(2 << 20)))
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        self.check_size(size).map_err(|error| self.needing(error))?;
        Ok(Box::new(F2fsPlan {
            size: size.get() / u64::from(BLOCK_SIZE) * u64::from(BLOCK_SIZE),
            draft: *self,
        }))
    }
}

impl F2fsDraft {
    fn check_size(&self, size: Bytes) -> Result<()> {
        let refuse = |message| Err(Error::does_not_fit(&self.place, message));
        let (least, end) = (check::MIN_SIZE, check::MAX_SIZE);
        if !(least..end).contains(&size.get()) {
            let most = end - 1;
            let message = format!("{size} can't hold F2FS, which takes {least} to {most} bytes");
            return refuse(message);
        }
        let (needed, size) = (self.demand, size.get());
        let is_filled = self.tree.entries(FileTree::ROOT).next().is_some();
        if is_filled && size < check::MIN_SIZE_FILLED {
            let least = check::MIN_SIZE_FILLED;
            let message = format!("F2FS with anything in it takes {least} bytes at least");
            return refuse(message);
        }
        if needed > size - METADATA {
            return refuse(format!(
                "the files need {needed} bytes, and F2FS of {size} bytes has {} at most for them",
                size - METADATA
            ));
        }
        Ok(())
    }
}

/// An F2FS filesystem in which everything is decided that mkfs.f2fs doesn't decide.
#[derive(Debug)]
struct F2fsPlan {
    draft: F2fsDraft,
    size: u64,
}

impl FsPlan for F2fsPlan {
    fn summary(&self) -> Summary {
        let block_size = BLOCK_SIZE;
        Summary {
            label: self.draft.label.clone(),
            uuid: Some(self.draft.uuid),
            ..Summary::new("f2fs", block_size, self.size / u64::from(block_size))
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
        Bytes::new(METADATA + self.draft.demand)
    }

    fn check_tools(&self) -> Result<()> {
        self.draft.runner.find_all(&self.draft.place, &TOOLS)
    }

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<Data<'_>> {
        self.check_tools()?;
        let staging = Staging::new(&self.draft.place)?;
        let written = METADATA + self.draft.demand + self.size / 400;
        let scratch = Scratch::new(&self.draft.place, &staging, self.size, written)?;
        let (time, label) = (self.draft.identity.time(), self.draft.label.as_deref());
        let args = arguments(
            time,
            self.draft.uuid,
            label,
            self.draft.overprovision,
            scratch.path(),
        );
        self.draft.runner.run(&self.draft.place, MKFS_F2FS, &args)?;
        let mut said = String::new();
        if self.draft.tree.nodes().nth(1).is_some() {
            plant(&staging, Path::new(TOP), &self.draft.tree, |_| true)?;
            let top = staging.path().join(TOP);
            let args = ["-f".into(), top.into(), scratch.path().into()];
            said = self
                .draft
                .runner
                .output(&self.draft.place, SLOAD_F2FS, &args)?;
        }
        let pieces = finish::finish(&scratch.disk()?, &self.draft.tree).map_err(|error| {
            let programs = format!("mkfs.f2fs and sload.f2fs{}", complaint(&said));
            unfinished(&self.draft.place, &programs, error)
        })?;
        let zeroes = scratch.move_to(&self.draft.place, disk)?;
        // Data in inodes has other things of theirs behind it, which no filling may reach.
        Ok(Data::of_list(&self.draft.place, 1, pieces).relying_on(zeroes))
    }
}

/// What sload.f2fs complained of at last, in brackets: it may end with 0 all the same.
fn complaint(said: &str) -> String {
    let mut lines = said.lines().rev().map(str::trim);
    let found = lines.find(|line| line.contains("rror") || line.contains("ail"));
    found.map_or_else(String::new, |line| format!(" (\"{line}\")"))
}

/// What mkfs.f2fs is told: `-r` for a first checkpoint that isn't random, `-t 0` because there is
/// nothing to discard.
fn arguments(
    time: Timestamp,
    uuid: Uuid,
    label: Option<&str>,
    overprovision: Option<u32>,
    volume: &Path,
) -> Vec<OsString> {
    let seconds = time.seconds.max(0).to_string();
    let mut args: Vec<OsString> = ["-q", "-f", "-r", "-t", "0", "-T", &seconds, "-U"]
        .map(OsString::from)
        .to_vec();
    args.push(uuid.to_string().into());
    if let Some(label) = label {
        args.extend(["-l".into(), label.into()]);
    }
    if let Some(percent) = overprovision {
        args.extend(["-o".into(), percent.to_string().into()]);
    }
    args.push(volume.into());
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_complaint_is_told() {
        let said =
            "Info: Segments per section = 1\n\tError: one\n[  12]  Fail to load 'x'\nDone.\n";
        assert_eq!(complaint(said), " (\"[  12]  Fail to load 'x'\")");
        assert_eq!(complaint("Info: sector size = 512\n"), "");
    }

    #[test]
    fn only_what_was_chosen_is_told_beside_the_rest() {
        let told = |seconds, label, overprovision| {
            let time = Timestamp::from_seconds(seconds);
            let volume = Path::new("/v");
            let args = arguments(time, Uuid::nil(), label, overprovision, volume);
            let words = args.iter().map(|word| word.to_str().unwrap());
            words.collect::<Vec<_>>().join(" ")
        };
        let uuid = Uuid::nil();
        let expected = format!("-q -f -r -t 0 -T 0 -U {uuid} /v");
        assert_eq!(told(-5, None, None), expected);
        let expected = format!("-q -f -r -t 0 -T 1000 -U {uuid} -l -q -o 20 /v");
        assert_eq!(told(1000, Some("-q"), Some(20)), expected);
    }
}
