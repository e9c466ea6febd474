//! Btrfs filesystems, made by mkfs.btrfs.
//!
//! mkfs.btrfs copies a directory of the host. An ordinary user can't make devices, owners and most
//! attributes there, so others stand in for them, and `finish` makes of them what they stand
//! for. It also gives the filesystem UUIDs and times that aren't random.
//!
//! "Btrfs design: on-disk format", btrfs.readthedocs.io, and include/uapi/linux/btrfs_tree.h.

mod arguments;
mod check;
mod filled;
mod finish;
mod format;
mod names;
mod options;
mod renumber;
mod stamp;
mod subvolumes;
mod volume;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use disklayout::disk::Disk;
use disklayout::fs::{Choice, Data, Draft, EVERYTHING, Format, FsPlan, Progress, Request, Summary};
use disklayout::tree::{FileTree, Node, NodeKind, Xattr};
use disklayout::{Bytes, Error, Identity, Place, Result};
use rustix::fs::{XattrFlags, lsetxattr};
use uuid::Uuid;

use self::arguments::arguments;
use self::filled::fill;
use self::options::{CHOICES, Chosen};
use crate::run::version::require;
use crate::run::{Packages, Runner, Tool};
use crate::stage::Staging;
use crate::stage::plant::plant;
use crate::stage::scratch::{Scratch, unfinished};

const MKFS_BTRFS: Tool = Tool {
    program: "mkfs.btrfs",
    packages: Packages::same("btrfs-progs", "Debian, Ubuntu, Fedora"),
};

/// All that a filesystem is made with.
pub const TOOLS: [Tool; 1] = [MKFS_BTRFS];

/// Where the tree is in the staging directory.
const TOP: &str = "root";

/// There is no other size that all machines can mount.
const SECTOR: u64 = 4096;

/// What the first nodes of a subvolume's tree take, twice.
const PER_SUBVOLUME: u64 = 2 * (64 << 10);

/// What mkfs.btrfs counts for every name at most, in bytes.
const PER_NAME: u64 = 40 << 10;

/// Plans Btrfs filesystems that mkfs.btrfs writes.
#[derive(Clone, Debug, Default)]
pub struct BtrfsFormat {
    runner: Runner,
}

impl BtrfsFormat {
    /// A format that finds its program with `runner`.
    pub fn new(runner: Runner) -> Self {
        Self { runner }
    }
}

impl Format for BtrfsFormat {
    fn names(&self) -> &'static [&'static str] {
        &["btrfs"]
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
        let warnings = check::adapt(&mut request, &chosen.subvolumes, chosen.node_size)?;
        Ok(Box::new(BtrfsDraft {
            place: request.place,
            label: request.label.map(str::to_owned),
            uuid: request
                .uuid
                .unwrap_or_else(|| request.identity.uuid("uuid")),
            chosen,
            demand: Demand::of(&request.tree),
            tree: request.tree,
            warnings,
            identity: request.identity,
            runner: self.runner.clone(),
        }))
    }
}

/// About how many bytes everything takes.
#[derive(Debug, Default)]
struct Demand {
    /// The data of files, holes among it.
    data: u64,
    /// All else.
    metadata: u64,
    /// How many names there are, the root directory among them.
    names: u64,
    /// The data of files if each of their names had its own.
    reckoned: u64,
}

impl Demand {
    fn of(tree: &FileTree) -> Self {
        let mut demand = Self {
            names: 1,
            ..Self::default()
        };
        for (id, node) in tree.nodes() {
            demand.add_node(node);
            for (name, id) in tree.entries(id) {
                demand.metadata += name.len() as u64 * 3 + 180;
                demand.names += 1;
                if let NodeKind::File(content) = &tree.node(id).kind {
                    let own = content.len().next_multiple_of(SECTOR);
                    demand.reckoned = demand.reckoned.saturating_add(own);
                }
            }
        }
        demand
    }

    fn add_node(&mut self, node: &Node) {
        self.metadata += match &node.kind {
            NodeKind::File(content) if content.len() > 2048 => {
                let own = content.len().next_multiple_of(SECTOR);
                self.data = self.data.saturating_add(own);
                content.len() / 512
            }
            NodeKind::File(content) => content.len(),
            NodeKind::Symlink(target) => target.len() as u64,
            _ => 0,
        };
        let values = node
            .xattrs
            .iter()
            .map(|it| (it.name.len() + it.value.len() + 60) as u64);
        self.metadata += 300 + values.sum::<u64>();
    }
}

/// A Btrfs filesystem of which everything is known but its size, and what mkfs.btrfs decides.
#[derive(Debug)]
struct BtrfsDraft {
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

impl Draft for BtrfsDraft {
    /// An upper bound, as mkfs.btrfs itself reckons: it counts the longest path for every name, the
    /// data of a file once for each of its names, and an eighth of that, twice, for checksums.
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        let demand = &self.demand;
        let data = demand.reckoned.saturating_add(free.get());
        let needed = data
            .saturating_add(data / 4)
            .saturating_add(demand.metadata * 3)
            .saturating_add(demand.names * PER_NAME);
        let subvolumes = self.chosen.subvolumes.len() as u64 * PER_SUBVOLUME;
        let size = needed.saturating_add(self.chosen.min_size() + subvolumes);
        Ok(Bytes::new(size.next_multiple_of(1 << 20)))
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        self.check_size(size).map_err(|error| self.needing(error))?;
        Ok(Box::new(BtrfsPlan {
            size: size.get() / SECTOR * SECTOR,
            draft: *self,
        }))
    }
}

impl BtrfsDraft {
    fn check_size(&self, size: Bytes) -> Result<()> {
        let least = self.chosen.min_size();
        let message = if size.get() < least {
            format!(
                "{size} can't hold Btrfs, which takes {least} bytes or more; with 'mixed', {}",
                check::MIN_SIZE_MIXED
            )
        } else if self.demand.data > size.get() {
            format!(
                "the files need {} bytes, more than the {} of the filesystem",
                self.demand.data,
                size.get()
            )
        } else {
            return Ok(());
        };
        Err(Error::does_not_fit(&self.place, message))
    }
}

/// A Btrfs filesystem in which everything is decided that mkfs.btrfs doesn't decide.
#[derive(Debug)]
struct BtrfsPlan {
    draft: BtrfsDraft,
    size: u64,
}

impl FsPlan for BtrfsPlan {
    fn summary(&self) -> Summary {
        Summary {
            label: self.draft.label.clone(),
            uuid: Some(self.draft.uuid),
            ..Summary::new("btrfs", SECTOR as u32, self.size / SECTOR)
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
        let Demand { data, metadata, .. } = self.draft.demand;
        Bytes::new(2 * (data + metadata))
    }

    fn check_tools(&self) -> Result<()> {
        self.draft.runner.find_all(&self.draft.place, &TOOLS)?;
        let needs = self.draft.chosen.needs();
        require(
            &self.draft.runner,
            &self.draft.place,
            MKFS_BTRFS,
            "--version",
            &needs,
        )
    }

    fn write(&self, disk: &dyn Disk, progress: &dyn Progress) -> Result<Data<'_>> {
        self.check_tools()?;
        let Demand { data, metadata, .. } = self.draft.demand;
        let staging = Staging::with_own_order(&self.draft.place, data + metadata)?;
        let beside = Staging::new(&self.draft.place)?;
        let scratch = Scratch::new(&self.draft.place, &beside, self.size, data + 2 * metadata)?;
        let top = self.stage(&staging, progress)?;
        let label = self.draft.label.as_deref();
        let args = arguments(
            &self.draft.chosen,
            self.draft.uuid,
            label,
            top.as_deref(),
            scratch.path(),
        );
        self.draft
            .runner
            .run(&self.draft.place, MKFS_BTRFS, &args)?;
        self.check_size(&scratch)?;
        let finished = finish::finish(&scratch.disk()?, &self.draft.tree, &self.draft.identity);
        finished.map_err(|error| unfinished(&self.draft.place, "mkfs.btrfs", error))?;
        let zeroes = scratch.move_to(&self.draft.place, disk)?;
        Ok(Data::none(&self.draft.place).relying_on(zeroes))
    }
}

impl BtrfsPlan {
    /// mkfs.btrfs makes a file larger when it reckons that the directory may not fit.
    fn check_size(&self, scratch: &Scratch) -> Result<()> {
        let made = scratch.disk()?.len();
        if made > self.size {
            let message = format!(
                "mkfs.btrfs wants {made} bytes for these files and their names, and the filesystem \
                 has {}; an automatic size has room",
                self.size
            );
            let error = Error::does_not_fit(&self.draft.place, message);
            return Err(self.draft.needing(error));
        }
        Ok(())
    }

    /// Makes the directory that mkfs.btrfs copies, unless there is nothing in it.
    fn stage(&self, staging: &Staging, progress: &dyn Progress) -> Result<Option<PathBuf>> {
        let root = self.draft.tree.node(FileTree::ROOT);
        if self.draft.tree.nodes().nth(1).is_none() && root.xattrs.is_empty() {
            return Ok(None);
        }
        // Users can't give attributes to symbolic links.
        let is_link = |node: &Node| node.xattrs.is_empty();
        let places = plant(staging, Path::new(TOP), &self.draft.tree, is_link)?;
        fill(&self.draft.place, &self.draft.tree, &places, progress)?;
        let nodes = self.draft.tree.nodes();
        for (id, node) in nodes.filter(|(_, node)| !node.xattrs.is_empty()) {
            let path = &places[id.index()];
            if let NodeKind::Symlink(target) = &node.kind {
                let written = fs::write(path, target);
                written.map_err(|e| Error::io(path.display().to_string(), "can't write it", e))?;
            }
            for xattr in node.xattrs.iter() {
                set_stand_in(path, xattr)?;
            }
        }
        Ok(Some(staging.path().join(TOP)))
    }
}

/// Gives the file at `path` what stands for `xattr` until the filesystem is made.
fn set_stand_in(path: &Path, xattr: &Xattr) -> Result<()> {
    // Those without are refused when planning.
    let name = names::stand_in(&xattr.name).unwrap_or_default();
    let name = OsStr::from_bytes(&name);
    lsetxattr(path, name, &xattr.value, XattrFlags::empty()).map_err(|error| {
        let message = format!(
            "can't set an attribute of {} bytes; TMPDIR has to be on a filesystem that takes it",
            xattr.value.len()
        );
        Error::io(path.display().to_string(), message, io::Error::from(error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Timestamp;
    use disklayout::tree::{Attributes, Content};

    /// What mkfs.btrfs 6.2 wanted for names of a file of 10 MiB, and for one file, in MiB.
    #[test]
    fn sizes_are_what_the_program_wants() {
        const MIB: u64 = 1 << 20;
        for (names, mib, wanted) in [
            (1, 10, 120),
            (2, 10, 125),
            (30, 10, 469),
            (200, 10, 2549),
            (1, 400, 565),
        ] {
            let time = Timestamp::default();
            let mut tree = FileTree::new(time);
            let content = Content::host("/x", mib * MIB);
            let file = tree.put_file("t", b"/0", content, Attributes::file(time));
            for i in 1..names {
                let name = format!("/{i}");
                tree.link("t", name.as_bytes(), *file.as_ref().unwrap())
                    .unwrap();
            }
            let identity = Identity::new("d", time);
            let request = Request {
                tree,
                ..Request::new("p", "btrfs", identity)
            };
            let draft = BtrfsFormat::default().draft(request).unwrap();
            let found = draft.smallest(Bytes::new(0)).unwrap().get() / MIB;
            assert!(
                (wanted..wanted * 5 / 4 + 8).contains(&found),
                "{names}: {found}"
            );
        }
    }
}
