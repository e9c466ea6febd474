//! squashfs, made by mksquashfs of an archive that is written into its standard input.
//!
//! Of the root directory mksquashfs 4.5.1 takes no more than the permissions from outside then. Its
//! owner, group and time are set afterwards.

mod block;
mod bound;
mod finish;
mod format;
mod ids;
mod options;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use disklayout::archive::tar;
use disklayout::disk::{Disk, SparseFile};
use disklayout::fs::copy::Piece;
use disklayout::fs::misfits::Survey;
use disklayout::fs::{
    Choice, Data, Draft, EVERYTHING, Format, FsPlan, Progress, Request, Summary, Unwatched,
};
use disklayout::tree::{Content, FileTree, NodeId, NodeKind, Store};
use disklayout::{Bytes, Error, ErrorKind, Field, Place, Result, Timestamp};

use self::options::{CHOICES, Compression};
use crate::run::{Packages, Runner, Tool};
use crate::stage::NamelessFile;
use crate::stage::scratch::unfinished;

const MKSQUASHFS: Tool = Tool {
    program: "mksquashfs",
    packages: Packages::same("squashfs-tools", "4.5 or newer"),
};

/// The archive that it is made of: the root's attributes are set otherwise. squashfs-tools 4.5.1 read
/// some of the forms that GNU tar has for holes wrongly, and find zeroes themselves. Text of ACLs would
/// be told of, attributes with names that squashfs doesn't have are ignored. From what a record says a
/// symbolic link leads to, mksquashfs takes `/`, `./` and `../` away in front.
const TAR: tar::Options = tar::Options {
    order: tar::Order::Reading,
    has_root: false,
    keeps_holes: false,
    acls: tar::Acls::Attributes,
    long_links: tar::LongLinks::Members,
};

/// All that a filesystem is made with.
pub const TOOLS: [Tool; 1] = [MKSQUASHFS];

/// The namespaces of extended attributes that squashfs has.
const NAMESPACES: [&str; 3] = ["user.", "trusted.", "security."];

/// mksquashfs fills the last 4 KiB.
const LEAST: Bytes = Bytes::new(4096);

/// How many owners and groups there can be together: the table has 16-bit indexes.
const IDS_MAX: usize = 65_535;

/// Plans squashfs filesystems that mksquashfs writes.
///
/// Their size is known when they are made only. One whose size is to follow from its content, or
/// that might not fit into the size it is given, is made when it is planned, into a nameless file,
/// and then copied to its place. One that surely fits is made there when it is written.
#[derive(Clone, Debug, Default)]
pub struct SquashfsFormat {
    runner: Runner,
}

impl SquashfsFormat {
    /// A format that finds its program with `runner`.
    pub fn new(runner: Runner) -> Self {
        Self { runner }
    }
}

impl Format for SquashfsFormat {
    fn names(&self) -> &'static [&'static str] {
        &["squashfs"]
    }

    fn choices(&self) -> &'static [Choice] {
        &CHOICES
    }

    fn is_compressed(&self) -> bool {
        true
    }

    fn tools(&self) -> &'static [Tool] {
        &TOOLS
    }

    fn draft<'a>(&self, mut request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let mut survey = Survey::new(&request, "squashfs");
        survey.keep_owners(&mut request.tree)?;
        Ok(Box::new(SquashfsDraft {
            recipe: Recipe::of(&request, &mut survey)?,
            tree: request.tree,
            warnings: survey.into_warnings(),
            made: OnceLock::new(),
            runner: self.runner.clone(),
        }))
    }
}

/// A squashfs filesystem of which everything is known but its size.
#[derive(Debug)]
struct SquashfsDraft {
    recipe: Recipe,
    tree: FileTree,
    warnings: Vec<String>,
    /// The filesystem, if its size had to be known.
    made: OnceLock<Made>,
    runner: Runner,
}

impl Draft for SquashfsDraft {
    /// Makes it, as its size can't be known otherwise.
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        if free.get() > 0 {
            let message = "nothing can be written to squashfs, so no room can be left in it";
            return Err(Error::unsupported(&self.recipe.place, message));
        }
        Ok(self.made()?.len)
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        if size < LEAST {
            let message = format!(
                "{size} can't hold squashfs, which takes {} bytes at least",
                LEAST.get()
            );
            let error = Error::does_not_fit(&self.recipe.place, message);
            return Err(self.needing(error));
        }
        if self.made.get().is_some() || !self.surely_fits(size) {
            self.recipe.check_size(self.made()?, size)?;
        }
        Ok(Box::new(SquashfsPlan {
            recipe: self.recipe,
            size,
            tree: self.tree,
            warnings: self.warnings,
            made: self.made,
            runner: self.runner,
        }))
    }
}

impl SquashfsDraft {
    /// The filesystem, made once.
    fn made(&self) -> Result<&Made> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let made = self.recipe.make(&self.runner, &self.tree, &Unwatched)?;
        Ok(self.made.get_or_init(|| made))
    }

    fn surely_fits(&self, size: Bytes) -> bool {
        bound::most(&self.tree, self.recipe.compression.block_size) <= size
    }
}

/// What mksquashfs is told, but where to write.
#[derive(Debug)]
struct Recipe {
    place: Place,
    compression: Compression,
    arguments: Vec<OsString>,
}

/// A filesystem, all of which is in a file without a name.
#[derive(Debug)]
struct Made {
    content: Content,
    len: Bytes,
}

impl Recipe {
    /// What is asked for, checked; `survey` takes in what is left out.
    fn of(request: &Request<'_>, survey: &mut Survey) -> Result<Self> {
        let Request { place, tree, .. } = request;
        let compression = Compression::read(request)?;
        check_volume(request)?;
        check_ids(place, tree)?;
        note_losses(tree, survey)?;
        let time = check_times(place, tree, request.identity.time())?;
        Ok(Self {
            place: place.clone(),
            arguments: arguments(&compression, tree, time),
            compression,
        })
    }

    fn make(&self, runner: &Runner, tree: &FileTree, progress: &dyn Progress) -> Result<Made> {
        let fail = |error| Error::io(&self.place, "can't make a temporary file", error);
        let file = NamelessFile::new().map_err(fail)?;
        let mut arguments: Vec<OsString> = vec!["-".into(), file.path().into()];
        arguments.extend(self.arguments.iter().cloned());
        runner
            .feed(&self.place, MKSQUASHFS, &arguments, |out| {
                tar::feed(&self.place, tree, TAR, out, progress)
            })
            .map_err(with_directory)?;
        let made = file.file().metadata().map_err(fail)?.len();
        let room = made + finish::FINISHING_ROOM.get();
        file.file().set_len(room).map_err(fail)?;
        let disk = file.file().try_clone().and_then(SparseFile::open);
        let finished = finish::finish(&disk.map_err(fail)?, tree);
        let len = finished.map_err(|error| unfinished(&self.place, MKSQUASHFS.program, error))?;
        file.file().set_len(len.get()).map_err(fail)?;
        let file = file.file().try_clone().map_err(fail)?;
        let store = Arc::new(Store::file(self.place.to_string(), file));
        let content = Content::stored(&store, 0, len.get());
        Ok(Made { content, len })
    }

    fn check_size(&self, made: &Made, size: Bytes) -> Result<()> {
        if made.len <= size {
            return Ok(());
        }
        let message = format!(
            "{} bytes are too few for squashfs: the content takes {} ({}) with this compression",
            size.get(),
            made.len.get(),
            made.len
        );
        Err(Error::does_not_fit(&self.place, message).needing(made.len))
    }
}

/// Where the file without a name has no room.
fn with_directory(error: Error) -> Error {
    if error.kind() != ErrorKind::Tool || !error.message().contains("No space left on device") {
        return error;
    }
    let message = format!(
        "{}; it is made in '{}', and TMPDIR can name another place",
        error.message().trim_end(),
        NamelessFile::directory().display()
    );
    Error::new(error.kind(), error.place(), message)
}

/// The filesystem itself has no name and no number.
fn check_volume(request: &Request<'_>) -> Result<()> {
    for (is_given, field) in [
        (request.label.is_some(), Field::Label),
        (request.uuid.is_some(), Field::Uuid),
    ] {
        if is_given {
            let message = format!("squashfs has no {field}; leave it out");
            return Err(Error::invalid(request.place.field(field), message));
        }
    }
    Ok(())
}

fn check_ids(place: &Place, tree: &FileTree) -> Result<()> {
    let owners = tree.nodes().map(|(_, node)| node.attributes);
    let ids: BTreeSet<u32> = owners.flat_map(|own| [own.uid, own.gid]).collect();
    if ids.len() <= IDS_MAX {
        return Ok(());
    }
    let message = format!(
        "there are {} owners and groups; squashfs holds {IDS_MAX} at most",
        ids.len()
    );
    Err(Error::does_not_fit(place, message))
}

/// Notes what mksquashfs leaves out of a tree.
fn note_losses(tree: &FileTree, survey: &mut Survey) -> Result<()> {
    for (id, node) in tree.nodes() {
        let path = || tree.path(id);
        if node.kind == NodeKind::Socket {
            survey.note_special(&node.kind, path)?;
        }
        for xattr in node.xattrs.iter() {
            if let Some(reason) = no_place(id, &xattr.name) {
                survey.note_xattr(xattr, path, Some(reason))?;
            }
        }
    }
    Ok(())
}

/// Why a node can't have an extended attribute of this name.
fn no_place(id: NodeId, name: &[u8]) -> Option<&'static str> {
    if id == FileTree::ROOT {
        Some("mksquashfs takes none for the root directory")
    } else if !has_namespace(name) {
        Some("squashfs has user., trusted. and security. only")
    } else if !tar::is_name(name) {
        Some("mksquashfs takes no name with '='")
    } else {
        None
    }
}

fn has_namespace(name: &[u8]) -> bool {
    NAMESPACES
        .iter()
        .any(|namespace| name.starts_with(namespace.as_bytes()))
}

fn arguments(compression: &Compression, tree: &FileTree, time: u32) -> Vec<OsString> {
    let switches = [
        "-tar",
        "-noappend",
        "-quiet",
        "-no-progress",
        "-exit-on-error",
        // The table of owners is changed afterwards.
        "-noId",
    ];
    let mut arguments: Vec<_> = switches.map(OsString::from).to_vec();
    let root = tree.node(FileTree::ROOT).attributes;
    for (name, value) in [
        ("-root-mode", format!("{:o}", root.permissions)),
        ("-mkfs-time", time.to_string()),
        ("-processors", rayon::current_num_threads().to_string()),
    ] {
        arguments.extend([name.into(), value.into()]);
    }
    arguments.extend(compression.arguments());
    arguments
}

/// The time of the filesystem, when it can hold it and those of all that is in it.
fn check_times(place: &Place, tree: &FileTree, own: Timestamp) -> Result<u32> {
    for (id, node) in tree.nodes() {
        seconds(place, &tree.path(id), node.attributes.mtime)?;
    }
    seconds(place, b"the filesystem", own)
}

/// A time as squashfs has it: whole seconds in 32 bits without a sign.
fn seconds(place: &Place, whose: &[u8], time: Timestamp) -> Result<u32> {
    u32::try_from(time.seconds).map_err(|_| {
        let message = format!(
            "'{}' has the time {} s, which is out of what squashfs holds, 0 to {} s from 1970",
            whose.escape_ascii(),
            time.seconds,
            u32::MAX
        );
        Error::invalid(place, message)
    })
}

/// A squashfs filesystem that is made when it is written, or was when it was planned.
#[derive(Debug)]
struct SquashfsPlan {
    recipe: Recipe,
    size: Bytes,
    tree: FileTree,
    warnings: Vec<String>,
    made: OnceLock<Made>,
    runner: Runner,
}

impl FsPlan for SquashfsPlan {
    fn summary(&self) -> Summary {
        let size = self.made.get().map_or(self.size, |made| made.len);
        let block_size = self.recipe.compression.block_size;
        let blocks = size.get().div_ceil(block_size.into());
        Summary {
            free_blocks: Some(0),
            inodes: Some(self.tree.nodes().count() as u64),
            free_inodes: Some(0),
            ..Summary::new("squashfs", block_size, blocks)
        }
    }

    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn unread(&self) -> Vec<Range<u64>> {
        vec![EVERYTHING]
    }

    fn cost(&self) -> Bytes {
        let files = self.tree.nodes().filter_map(|(_, node)| match &node.kind {
            NodeKind::File(content) => Some(content.data_len()),
            _ => None,
        });
        Bytes::new(files.sum())
    }

    fn check_tools(&self) -> Result<()> {
        self.runner.find_all(&self.recipe.place, &TOOLS)
    }

    /// All of it is data, of which nobody is told: what is told are the files in it.
    fn write(&self, _: &dyn Disk, progress: &dyn Progress) -> Result<Data<'_>> {
        let made = self.made(progress)?;
        let piece = Piece {
            content: &made.content,
            logical: 0,
            len: made.len.get(),
            disk: 0,
            ends_file: true,
        };
        let data = Data::new(&self.recipe.place, 1, std::iter::once(piece));
        Ok(data.untold().relying_on(Vec::new()))
    }
}

impl SquashfsPlan {
    /// The filesystem, made once. `progress` is told of its files.
    fn made(&self, progress: &dyn Progress) -> Result<&Made> {
        if let Some(made) = self.made.get() {
            let files = self.tree.files();
            let bytes = files.iter().map(|(_, content)| content.data_len()).sum();
            progress.advance(files.len() as u64, bytes);
            return Ok(made);
        }
        let made = self.recipe.make(&self.runner, &self.tree, progress)?;
        self.recipe.check_size(&made, self.size)?;
        Ok(self.made.get_or_init(|| made))
    }
}
