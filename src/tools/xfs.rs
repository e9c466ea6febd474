//! XFS filesystems, made by mkfs.xfs.

use std::ffi::OsString;
use std::path::Path;

use disklayout::disk::Disk;
use disklayout::fs::copy::copy;
use disklayout::fs::options::{bytes, flag, place_of};
use disklayout::fs::xfs::{self, Geometry};
use disklayout::fs::{Choice, Formatter, FsPlan, Progress, Request, Summary};
use disklayout::tree::{FileTree, NodeKind};
use disklayout::{Bytes, Error, Identity, Result};
use uuid::Uuid;

use super::runner::{Packages, Runner, Tool};
use super::scratch::Scratch;
use super::staging::Staging;

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

const CHOICES: [Choice; 4] = [
    Choice::new("block-size", "BYTES", "Bytes in a block"),
    Choice::new("inode-size", "BYTES", "Bytes in an inode"),
    Choice::new("log-size", "SIZE", "The size of the log"),
    Choice::new("reflink", "yes|no", "Whether files may share blocks"),
];

/// Plans XFS filesystems that mkfs.xfs writes.
#[derive(Clone, Debug, Default)]
pub struct XfsFormatter {
    runner: Runner,
}

impl XfsFormatter {
    /// A formatter that finds its programs with `runner`.
    pub fn new(runner: Runner) -> Self {
        Self { runner }
    }
}

/// What was chosen.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    geometry: Geometry,
    sector_size: u64,
    log_size: Option<u64>,
    reflink: bool,
}

impl Chosen {
    fn new(request: &Request<'_>) -> Result<Self> {
        let Request { place, options, .. } = request;
        options.check(place, request.kind, &CHOICES)?;
        let power = |name: &str, default: u64, least: u64, most: u64| {
            let parsed = options.parse(place, name, bytes)?.unwrap_or(default);
            match parsed.is_power_of_two() && (least..=most).contains(&parsed) {
                true => Ok(parsed),
                false => {
                    let message = format!("{parsed} is no power of two from {least} to {most}");
                    Err(Error::invalid(place_of(place, name), message))
                }
            }
        };
        let sector_size = request.sector_size.get();
        let block_size = power("block-size", 4096, sector_size.max(1024), 65_536)?;
        let inode_size = power("inode-size", 512, 512, 2048.min(block_size / 2))?;
        Ok(Self {
            geometry: Geometry {
                block_size: block_size as u32,
                inode_size: inode_size as u32,
            },
            sector_size,
            log_size: options.parse(place, "log-size", bytes)?,
            reflink: options.parse(place, "reflink", flag)?.unwrap_or(true),
        })
    }
}

impl Formatter for XfsFormatter {
    fn names(&self) -> &'static [&'static str] {
        &["xfs"]
    }

    fn choices(&self) -> &'static [Choice] {
        &CHOICES
    }

    fn plan(&self, request: Request<'_>) -> Result<Box<dyn FsPlan>> {
        let place = request.place;
        let chosen = Chosen::new(&request)?;
        let size = request.size.get();
        if !(xfs::MIN_SIZE..=xfs::MAX_SIZE).contains(&size) {
            let (least, most) = (xfs::MIN_SIZE, xfs::MAX_SIZE);
            let message = format!(
                "{} can't hold XFS, which takes {least} to {most} bytes",
                request.size
            );
            return Err(Error::does_not_fit(place, message));
        }
        if let Some(label) = request.label {
            xfs::check_label(place, label)?;
        }
        let mut tree = request.tree;
        let warnings = xfs::check_tree(place, &mut tree, chosen.geometry, size, request.misfits)?;
        let needed = demand(&tree, chosen.geometry);
        if needed > size - MIN_LOG {
            let message = format!(
                "the files need {needed} bytes, and XFS of {size} bytes has {} at most for them",
                size - MIN_LOG
            );
            return Err(Error::does_not_fit(place, message));
        }
        Ok(Box::new(XfsPlan {
            place: place.to_owned(),
            size: size / CUT * CUT,
            label: request.label.map(str::to_owned),
            uuid: request
                .uuid
                .unwrap_or_else(|| request.identity.uuid("uuid")),
            chosen,
            tree,
            warnings,
            identity: request.identity,
            runner: self.runner.clone(),
        }))
    }

    /// An upper bound: of how mkfs.xfs lays out files nothing is known before it runs.
    fn smallest(&self, request: &Request<'_>, free: Bytes) -> Result<Bytes> {
        let chosen = Chosen::new(request)?;
        let needed = demand(&request.tree, chosen.geometry).saturating_add(free.get());
        // The log, and what groups keep for themselves; mkfs.xfs fails before all of it is full.
        let overhead = chosen.log_size.unwrap_or(MIN_LOG) + needed / 3 + (64 << 20);
        let size = needed.saturating_add(overhead).max(xfs::MIN_SIZE);
        // Some versions of mkfs.xfs only make files in one piece, in one of four groups.
        let files = request.tree.files();
        let largest = files.iter().map(|(_, content)| content.data_len()).max();
        let group = largest.unwrap_or(0).saturating_mul(9) / 8 + MIN_LOG + (8 << 20);
        let size = size.max(group.saturating_mul(4));
        Ok(Bytes::new(size.next_multiple_of(1 << 20)))
    }
}

/// What counts in sizes, in bytes: both kinds of sectors, and all usual blocks.
const CUT: u64 = 4096;

/// The log of small filesystems, in bytes.
const MIN_LOG: u64 = 64 << 20;

/// About how many bytes files, inodes and directories take.
fn demand(tree: &FileTree, geometry: Geometry) -> u64 {
    let block = u64::from(geometry.block_size);
    let mut total = 0_u64;
    for (id, node) in tree.nodes() {
        let data = match &node.kind {
            NodeKind::File(content) => content
                .extents()
                .map(|extent| extent.len.next_multiple_of(block))
                .sum(),
            NodeKind::Directory => {
                let names: u64 = tree
                    .entries(id)
                    .map(|(name, _)| name.len() as u64 + 40)
                    .sum();
                if names > 300 {
                    (names * 2).next_multiple_of(block)
                } else {
                    0
                }
            }
            NodeKind::Symlink(target) if target.len() > 300 => block,
            _ => 0,
        };
        total = total
            .saturating_add(data)
            .saturating_add(u64::from(geometry.inode_size));
    }
    total
}

/// An XFS filesystem in which everything is decided that mkfs.xfs doesn't decide.
#[derive(Debug)]
struct XfsPlan {
    place: String,
    size: u64,
    label: Option<String>,
    uuid: Uuid,
    chosen: Chosen,
    tree: FileTree,
    warnings: Vec<String>,
    identity: Identity,
    runner: Runner,
}

impl FsPlan for XfsPlan {
    fn summary(&self) -> Summary {
        let block_size = self.chosen.geometry.block_size;
        Summary {
            kind: "xfs",
            label: self.label.clone(),
            uuid: Some(self.uuid),
            block_size,
            blocks: self.size / u64::from(block_size),
            free_blocks: None,
            reserved_blocks: 0,
            inodes: None,
            free_inodes: None,
            journal: self.chosen.log_size.map(Bytes::new),
        }
    }

    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn cost(&self) -> Bytes {
        Bytes::new(MIN_LOG + demand(&self.tree, self.chosen.geometry))
    }

    fn check_tools(&self) -> Result<()> {
        self.runner.find_all(&self.place, &TOOLS)
    }

    fn write(&self, disk: &dyn Disk, progress: &dyn Progress) -> Result<()> {
        self.check_tools()?;
        let staging = Staging::new(&self.place)?;
        // mkfs.xfs reads files of the right sizes, which are holes; their data comes later.
        let contents = staging.path().display().to_string();
        let geometry = self.chosen.geometry;
        let prototype = xfs::prototype(&self.place, &self.tree, geometry, &contents)?;
        for size in &prototype.sizes {
            staging.hole(size.to_string(), *size)?;
        }
        let list = staging.file("prototype", &prototype.text)?;
        let written = MIN_LOG + demand(&self.tree, geometry) + self.size / 2000;
        let scratch = Scratch::new(&self.place, &staging, self.size, written)?;
        let args = self.arguments(&list, scratch.path());
        self.runner.run(&self.place, MKFS_XFS, &args)?;
        let volume = scratch.disk()?;
        let pieces = xfs::finish(&volume, &self.tree, &prototype, geometry, &self.identity);
        let pieces = pieces.map_err(|e| self.unfinished(e))?;
        if xfs::has_links(&self.tree) {
            let args = ["-f".into(), scratch.path().into()];
            self.runner.run(&self.place, XFS_REPAIR, &args)?;
            xfs::check_names(&volume, &self.tree).map_err(|e| self.unfinished(e))?;
        }
        scratch.move_to(&self.place, disk)?;
        for (_, content) in self.tree.files() {
            if content.extents().next().is_none() {
                progress.advance(1, content.len());
            }
        }
        copy(
            &self.place,
            geometry.block_size.into(),
            pieces,
            disk,
            progress,
        )
    }
}

impl XfsPlan {
    fn unfinished(&self, error: Error) -> Error {
        let message = "can't finish the filesystem that mkfs.xfs wrote";
        Error::new(error.kind(), &self.place, message).with_source(error)
    }

    /// What mkfs.xfs is told. Trees of reverse mappings would know the places of file's blocks in
    /// their files, which change later.
    fn arguments(&self, prototype: &Path, volume: &Path) -> Vec<OsString> {
        let Chosen {
            geometry,
            sector_size,
            log_size,
            reflink,
        } = self.chosen;
        let mut args: Vec<OsString> = vec!["-q".into(), "-f".into(), "-K".into()];
        let mut add = |option: &str, value: String| args.extend([option.into(), value.into()]);
        let reflink = u8::from(reflink);
        add(
            "-m",
            format!(
                "crc=1,bigtime=1,rmapbt=0,reflink={reflink},uuid={}",
                self.uuid
            ),
        );
        add("-b", format!("size={}", geometry.block_size));
        add("-i", format!("size={}", geometry.inode_size));
        add("-s", format!("size={sector_size}"));
        if let Some(size) = log_size {
            add("-l", format!("size={size}"));
        }
        if let Some(label) = &self.label {
            add("-L", label.clone());
        }
        args.extend(["-p".into(), prototype.into(), volume.into()]);
        args
    }
}
