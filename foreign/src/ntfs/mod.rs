//! NTFS volumes, made by mkntfs and ntfscp on a file in memory, which gets all but the files' data.
//!
//! ntfscp makes empty files: some of them become directories here, the others get their data.
//! A finished volume gets the serial number and the times that its identity says, so that the same
//! input gives the same bytes.

mod check;
mod clusters;
mod contents;
mod directory;
mod geometry;
mod index;
mod lookup;
mod names;
mod protect;
mod record;
mod room;
mod rules;
mod runs;
mod stamp;
mod time;
mod volume;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use disklayout::disk::{Disk, SparseFile};
use disklayout::fs::misfits::adapt;
use disklayout::fs::{Data, Draft, EVERYTHING, Format, FsPlan, Progress, Request, Summary};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Error, ErrorKind, Identity, Lba, Place, Result, SectorSize};
use rustix::fs::{FallocateFlags, fallocate};

use self::contents::Contents;
use self::directory::Directories;
use self::geometry::Geometry;
use self::rules::Rules;
use crate::run::{Packages, Runner, Tool};
use crate::stage::MemFile;
use crate::stage::splice::splice;

const MKNTFS: Tool = tool("mkntfs");
const NTFSCP: Tool = tool("ntfscp");

/// All that a volume is made with.
pub const TOOLS: [Tool; 2] = [MKNTFS, NTFSCP];

const fn tool(program: &'static str) -> Tool {
    Tool {
        program,
        packages: Packages::two("ntfs-3g", "ntfsprogs", "Fedora, Rocky with EPEL"),
    }
}

/// Plans NTFS volumes that mkntfs and ntfscp write.
#[derive(Clone, Debug, Default)]
pub struct NtfsFormat {
    runner: Runner,
}

impl NtfsFormat {
    /// A format that finds its programs with `runner`.
    pub fn new(runner: Runner) -> Self {
        Self { runner }
    }
}

impl Format for NtfsFormat {
    fn names(&self) -> &'static [&'static str] {
        &["ntfs"]
    }

    fn partition_type(&self, _: &str) -> &'static str {
        "basic-data"
    }

    fn tools(&self) -> &'static [Tool] {
        &TOOLS
    }

    fn draft<'a>(&self, mut request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        check_choices(&request)?;
        if let Some(label) = request.label {
            names::check_label(&request.place, label)?;
        }
        let warnings = adapt(&mut request, &Rules)?;
        stamp::check_times(&request.place, &request.tree, &request.identity)?;
        Ok(Box::new(NtfsDraft {
            place: request.place,
            start: request.start,
            sector_size: request.sector_size,
            label: request.label.map(str::to_owned),
            tree: request.tree,
            warnings,
            identity: request.identity,
            runner: self.runner.clone(),
        }))
    }
}

/// Refuses what mkntfs offers no choice of.
fn check_choices(request: &Request<'_>) -> Result<()> {
    request.options.check(&request.place, request.kind, &[])?;
    match request.uuid {
        None => Ok(()),
        Some(_) => {
            let message = "an NTFS volume has no UUID that could be given";
            Err(Error::invalid(&request.place, message))
        }
    }
}

/// An NTFS volume of which everything is known but its size, and what mkntfs decides.
#[derive(Debug)]
struct NtfsDraft {
    place: Place,
    start: Lba,
    sector_size: SectorSize,
    label: Option<String>,
    tree: FileTree,
    warnings: Vec<String>,
    identity: Identity,
    runner: Runner,
}

impl Draft for NtfsDraft {
    /// A size that surely does; a smaller one may do as well.
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        let sector = self.sector_size;
        room::smallest(&self.tree, free, sector).ok_or_else(|| {
            let most = geometry::max_size(sector).get();
            let message = format!("the content exceeds what NTFS can hold, {most} bytes");
            Error::does_not_fit(&self.place, message)
        })
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        let geometry = self.geometry(size);
        Ok(Box::new(NtfsPlan {
            geometry: geometry.map_err(|error| self.needing(error))?,
            draft: *self,
            size,
        }))
    }
}

impl NtfsDraft {
    /// Refuses what can't fit even if nothing but the files' data needed room.
    fn geometry(&self, size: Bytes) -> Result<Geometry> {
        let sector = self.sector_size;
        let geometry = Geometry::new(size, sector).ok_or_else(|| {
            let message = format!(
                "{size} can't hold NTFS, which takes {} to {} bytes on sectors of {}",
                geometry::min_size(sector).get(),
                geometry::max_size(sector).get(),
                sector.get()
            );
            Error::does_not_fit(&self.place, message)
        })?;
        let needed = room::least(&self.tree, &geometry);
        if needed > geometry.free.get() {
            let message = format!(
                "the files need {needed} bytes; an NTFS volume of {} clusters has {} for them",
                geometry.clusters,
                geometry.free.get()
            );
            return Err(Error::does_not_fit(&self.place, message));
        }
        Ok(geometry)
    }
}

/// An NTFS volume in which everything is decided that mkntfs doesn't decide.
#[derive(Debug)]
struct NtfsPlan {
    draft: NtfsDraft,
    size: Bytes,
    geometry: Geometry,
}

impl FsPlan for NtfsPlan {
    fn summary(&self) -> Summary {
        let geometry = &self.geometry;
        Summary {
            label: self.draft.label.clone(),
            journal: Some(geometry.log_size),
            ..Summary::new("ntfs", geometry.cluster_size, geometry.clusters)
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
        let files = self.draft.tree.files();
        let content: u64 = files.iter().map(|(_, content)| content.len()).sum();
        Bytes::new(self.geometry.log_size.get() + content)
    }

    fn check_tools(&self) -> Result<()> {
        self.draft.runner.find_all(&self.draft.place, &TOOLS)
    }

    /// Everything but the data of files is made in memory, for mkntfs can't write into a part of a
    /// file. That is little, and is moved to the disk piece by piece.
    fn write(&self, disk: &dyn Disk, progress: &dyn Progress) -> Result<Data<'_>> {
        let memory = MemFile::new(self.size.get()).map_err(|e| self.no_memory(e))?;
        let place = (self.draft.start, self.draft.sector_size);
        let args = mkntfs_args(&memory.path(), place, self.draft.label.as_deref());
        self.draft.runner.run(&self.draft.place, MKNTFS, &args)?;
        let volume = memory.file().try_clone().and_then(SparseFile::open);
        let volume = volume.map_err(|e| self.no_memory(e))?;
        self.make_files(&memory, &volume)?;
        let contents = self.place_contents(&memory, &volume)?;
        contents.fill_records(&volume, progress)?;
        let stamped = stamp::stamp(&volume, &self.draft.tree, &self.draft.identity);
        stamped.map_err(|e| self.unfinished(e))?;
        let zeroes = splice(memory.file(), disk)
            .map_err(|e| Error::io(&self.draft.place, "can't write the NTFS volume", e))?;
        let data = contents.in_clusters(&self.draft.place);
        Ok(data.relying_on(zeroes))
    }
}

impl NtfsPlan {
    /// Puts directories and empty files into the volume.
    fn make_files(&self, memory: &MemFile, volume: &SparseFile) -> Result<()> {
        let empty = MemFile::new(0).map_err(|e| self.no_memory(e))?;
        let make = |path: &[u8]| {
            let args = ntfscp_args(&memory.path(), &empty.path(), path);
            self.draft.runner.run(&self.draft.place, NTFSCP, &args)
        };
        let mut directories = Directories::default();
        for directory in self.draft.tree.directories() {
            make(&directory)?;
            let made = directories.make(volume, &directory);
            made.map_err(|e| self.unfinished(e))?;
        }
        self.draft
            .tree
            .files()
            .iter()
            .try_for_each(|(path, _)| make(path))
    }

    /// Gives the data of files its places in the volume.
    fn place_contents(&self, memory: &MemFile, volume: &SparseFile) -> Result<Contents<'_>> {
        let contents = Contents::place(&self.draft.place, volume, &self.draft.tree);
        let contents = contents.map_err(|error| match error.kind() {
            ErrorKind::DoesNotFit => error,
            _ => self.unfinished(error),
        })?;
        for free in contents.were_free() {
            punch(memory.file(), free).map_err(|e| self.no_memory(e))?;
        }
        Ok(contents)
    }

    fn no_memory(&self, error: io::Error) -> Error {
        Error::io(&self.draft.place, "can't make a file in memory", error)
    }

    fn unfinished(&self, error: Error) -> Error {
        let message = "can't finish the NTFS volume that mkntfs and ntfscp wrote";
        Error::new(error.kind(), &self.draft.place, message).with_source(error)
    }
}

/// What mkntfs is told. It would ask the kernel for the geometry of a block device; this is the
/// usual one of a disk that is addressed by sector numbers. With sectors of 4096 bytes it makes
/// records of as many, protected every 512 bytes all the same; the boot sector and its copy fill
/// one such sector each.
fn mkntfs_args(
    volume: &Path,
    (start, sector): (Lba, SectorSize),
    label: Option<&str>,
) -> Vec<OsString> {
    let start = hidden_sectors(start).to_string();
    let sector = sector.get().to_string();
    let mut args: Vec<OsString> = ["-q", "-F", "-Q", "-T", "-H", "255", "-S", "63"]
        .map(OsString::from)
        .to_vec();
    args.extend(["-s".into(), sector.into(), "-p".into(), start.into()]);
    if let Some(label) = label {
        args.extend(["-L".into(), label.into()]);
    }
    args.push(volume.into());
    args
}

/// The partition's start as the boot sector has it, in 32 bits: 0, "unknown", beyond that.
fn hidden_sectors(start: Lba) -> u32 {
    u32::try_from(start.get()).unwrap_or(0)
}

/// What ntfscp is told. It insists on its `-f`, for the path of a file in memory isn't one that it
/// can look up among the mounted devices. It knows no `--`, so paths have to start with a slash.
fn ntfscp_args(volume: &Path, source: &Path, target: &[u8]) -> Vec<OsString> {
    vec![
        "-q".into(),
        "-f".into(),
        volume.into(),
        source.into(),
        OsStr::from_bytes(target).to_owned(),
    ]
}

/// Makes a hole of a part of a file.
fn punch(file: &File, part: Range<u64>) -> io::Result<()> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(fallocate(file, flags, part.start, part.end - part.start)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Timestamp;
    use disklayout::tree::{Attributes, Content};

    fn plan(size: u64, label: &str, files: &[(&str, u64)]) -> Result<Box<dyn FsPlan>> {
        let mut tree = FileTree::new(Timestamp::default());
        for &(path, len) in files {
            let content = Content::host("/source", len);
            let attributes = Attributes::file(Timestamp::default());
            tree.put_file("f", path.as_bytes(), content, attributes)?;
        }
        let identity = Identity::new("disk", Timestamp::default());
        let draft = NtfsFormat::default().draft(Request {
            start: Lba::new(4096),
            label: Some(label),
            tree,
            ..Request::new("parts[0]", "ntfs", identity)
        });
        draft?.at(Bytes::new(size))
    }

    #[test]
    fn the_programs_get_these_arguments() {
        let volume = Path::new("/proc/7/fd/3");
        assert_eq!(
            mkntfs_args(volume, (Lba::new(4096), SectorSize::B4096), Some("-data")),
            [
                "-q",
                "-F",
                "-Q",
                "-T",
                "-H",
                "255",
                "-S",
                "63",
                "-s",
                "4096",
                "-p",
                "4096",
                "-L",
                "-data",
                "/proc/7/fd/3"
            ]
        );
        let far = (Lba::new(1 << 32), SectorSize::B512);
        let without_label = mkntfs_args(volume, far, None);
        let expected = ["-s", "512", "-p", "0", "/proc/7/fd/3"];
        assert_eq!(without_label[8..], expected);
        assert_eq!(
            ntfscp_args(volume, Path::new("/source"), b"/dir/file"),
            ["-q", "-f", "/proc/7/fd/3", "/source", "/dir/file"]
        );
    }

    #[test]
    fn a_plan_tells_the_numbers_of_mkntfs() {
        let plan = plan(20_963_328 * 512, "label", &[("/testfile", 13)]).unwrap();
        let expected = Summary {
            kind: "ntfs",
            label: Some("label".to_owned()),
            uuid: None,
            block_size: 4096,
            blocks: 2_620_415,
            free_blocks: None,
            reserved_blocks: 0,
            inodes: None,
            free_inodes: None,
            journal: Some(Bytes::new(53_665_792)),
        };
        assert_eq!(plan.summary(), expected);
        assert_eq!(plan.tree().files().len(), 1);
    }

    #[test]
    fn what_mkntfs_or_ntfscp_would_refuse_is_refused_when_planning() {
        let long = "x".repeat(129);
        let minimum = geometry::min_size(SectorSize::B512).get();
        let too_big: &[(&str, u64)] = &[("/a", 200_000), ("/b", 200_000)];
        for (size, label, files, kind, word) in [
            (
                minimum - 512,
                "",
                &[][..],
                ErrorKind::DoesNotFit,
                "1 MiB can't hold NTFS",
            ),
            (minimum, &long, &[], ErrorKind::InvalidSpec, "129 UTF-16"),
            (
                minimum,
                "",
                &[("/a?", 1)],
                ErrorKind::Unsupported,
                "'/a?' has '?', which NTFS can't hold",
            ),
            (
                minimum,
                "",
                too_big,
                ErrorKind::DoesNotFit,
                "the files need 401408 bytes",
            ),
            (
                minimum,
                "",
                &[("/a", u64::MAX), ("/b", u64::MAX)],
                ErrorKind::DoesNotFit,
                "the files need",
            ),
        ] {
            let error = plan(size, label, files).unwrap_err();
            assert_eq!(error.place(), "parts[0]");
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(word), "{error}");
        }
        plan(minimum, "", &[("/a", 79 * 4096), ("/small", 700)]).unwrap();
    }
}
