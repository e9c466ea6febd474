//! Programs that we did not write, run read-only on images.
//!
//! Each function is one checker. It gives back what the program said, or `Err` with its complaint;
//! a program that isn't installed stops the test. Where `CREATEHDDS_CHECKER_LOG` names a file, a
//! line `program<TAB>image` is added to it for every image of ours that is accepted, so that a run
//! of the tests can tell what was really checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;

use rustix::fs::SeekFrom as Hole;
use serde_json::Value;
use tempfile::NamedTempFile;

pub(crate) type Verdict<T> = Result<T, String>;

/// One entry of a partition table, as sfdisk reads it. Sectors have 512 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    pub(crate) start: u64,
    pub(crate) sectors: u64,
    /// A GUID, or the two hexadecimal digits of MBR.
    pub(crate) kind: String,
    /// Only GPT has names.
    pub(crate) name: Option<String>,
}

/// A partition table, as sfdisk reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// `dos` or `gpt`.
    pub(crate) label: String,
    pub(crate) first_usable: Option<u64>,
    pub(crate) last_usable: Option<u64>,
    pub(crate) entries: Vec<Entry>,
}

/// The content of one partition in a sparse file of its own.
#[derive(Debug)]
pub(crate) struct Volume {
    pub(crate) file: NamedTempFile,
    /// `IMAGE partition NUMBER`.
    pub(crate) name: String,
}

impl Volume {
    /// A copy of a file that is a filesystem without a table.
    pub(crate) fn of_file(image: &Path, name: &str) -> Self {
        let file = NamedTempFile::new().unwrap();
        let status = command("cp")
            .arg("--sparse=always")
            .args([image, file.path()])
            .status();
        assert!(status.unwrap().success());
        Self {
            file,
            name: format!("{name} alone"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }
}

/// A program with English messages and UTC times. The directories of system programs aren't in
/// the path of every user.
pub(crate) fn command(program: &str) -> Command {
    let mut search = std::env::var_os("PATH").unwrap_or_default();
    search.push(":/usr/sbin:/sbin");
    let mut command = Command::new(program);
    command
        .env("PATH", search)
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
    command
}

pub(crate) fn run(program: &str, arguments: &[&str], image: &Path) -> Output {
    command(program)
        .args(arguments)
        .arg(image)
        .output()
        .unwrap_or_else(|error| panic!("{program} can't be run, see scripts/setup: {error}"))
}

/// Standard output of a program that ended with status 0; everything it said otherwise.
pub(crate) fn approved(program: &str, arguments: &[&str], image: &Path) -> Verdict<Vec<u8>> {
    let output = run(program, arguments, image);
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    let status = output.status;
    Err(format!(
        "{program} {arguments:?}, {status}: {said}{complained}"
    ))
}

pub(crate) fn approved_text(program: &str, arguments: &[&str], image: &Path) -> Verdict<String> {
    let bytes = approved(program, arguments, image)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What is in the log already: several questions about one image are one image.
static LOGGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// How the names of images begin that programs of others made: accepting them proves nothing.
pub(crate) const SAMPLE: &str = "sample-";

/// Adds a line to the log of this run. One `write` of an appending file: tests run in parallel.
pub(crate) fn log(checker: &str, image: &str) {
    if image.starts_with(SAMPLE) {
        return;
    }
    let Some(path) = std::env::var_os("CREATEHDDS_CHECKER_LOG") else {
        return;
    };
    let line = format!("{checker}\t{image}\n");
    if LOGGED.lock().unwrap().insert(line.clone()) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

fn name_of(image: &Path) -> String {
    image.file_name().unwrap().to_string_lossy().into_owned()
}

/// `sfdisk --verify`: no overlaps, nothing outside the disk, and for GPT both copies and sums.
pub(crate) fn sfdisk_verify(image: &Path) -> Verdict<()> {
    let text = approved_text("sfdisk", &["--verify"], image)?;
    if !text.contains("No errors detected") {
        return Err(format!("sfdisk --verify: {text}"));
    }
    log("sfdisk", &name_of(image));
    Ok(())
}

/// `sgdisk -v`, for GPT.
pub(crate) fn sgdisk_verify(image: &Path) -> Verdict<()> {
    let text = approved_text("sgdisk", &["-v"], image)?;
    if !text.contains("No problems found") {
        return Err(format!("sgdisk -v: {text}"));
    }
    log("sgdisk", &name_of(image));
    Ok(())
}

/// The partition table of an image.
pub(crate) fn table(image: &Path) -> Verdict<Table> {
    parse_table(&approved_text("sfdisk", &["--json"], image)?)
}

/// What `sfdisk --json` prints, as a value.
pub(crate) fn parse_table(json: &str) -> Verdict<Table> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let table = &value["partitiontable"];
    let entries = table["partitions"].as_array().cloned().unwrap_or_default();
    let device = table["device"].as_str().ok_or("sfdisk names no device")?;
    let entries = entries.iter().map(|entry| parse_entry(entry, device));
    Ok(Table {
        label: table["label"]
            .as_str()
            .ok_or("sfdisk names no kind of table")?
            .to_owned(),
        first_usable: table["firstlba"].as_u64(),
        last_usable: table["lastlba"].as_u64(),
        entries: entries
            .collect::<Option<_>>()
            .ok_or_else(|| format!("incomplete: {json}"))?,
    })
}

fn parse_entry(entry: &Value, device: &str) -> Option<Entry> {
    // The number follows the device; after a digit, the kernel puts a "p" between.
    let number = entry["node"]
        .as_str()?
        .strip_prefix(device)?
        .trim_start_matches('p');
    Some(Entry {
        number: number.parse().ok()?,
        start: entry["start"].as_u64()?,
        sectors: entry["size"].as_u64()?,
        kind: entry["type"].as_str()?.to_owned(),
        name: entry["name"].as_str().map(str::to_owned),
    })
}

/// Copies a partition into a file of its own; what is a hole stays one.
pub(crate) fn volume(image: &Path, entry: &Entry) -> Volume {
    let mut source = File::open(image).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    let (offset, length) = (entry.start * 512, entry.sectors * 512);
    file.as_file().set_len(length).unwrap();
    let mut at = offset;
    while let Some((start, end)) = next_data(&source, at, offset + length) {
        source.seek(SeekFrom::Start(start)).unwrap();
        file.seek(SeekFrom::Start(start - offset)).unwrap();
        let copied = std::io::copy(&mut (&source).take(end - start), &mut file).unwrap();
        assert_eq!(
            copied,
            end - start,
            "{} is shorter than its table says",
            image.display()
        );
        at = end;
    }
    let name = format!("{} partition {}", name_of(image), entry.number);
    Volume { file, name }
}

/// The next run of data between two offsets, as `start..end`.
fn next_data(file: &File, from: u64, limit: u64) -> Option<(u64, u64)> {
    let start = match rustix::fs::seek(file, Hole::Data(from)) {
        Ok(start) => start,
        Err(rustix::io::Errno::NXIO) => return None,
        Err(error) => panic!("SEEK_DATA: {error}"),
    };
    let end = rustix::fs::seek(file, Hole::Hole(start))
        .unwrap()
        .min(limit);
    (start < limit).then_some((start, end))
}

/// `e2fsck -fn`: the full check, without repairs.
pub(crate) fn e2fsck(volume: &Volume) -> Verdict<()> {
    approved("e2fsck", &["-fn"], volume.path())?;
    log("e2fsck", &volume.name);
    Ok(())
}

/// The superblock and its derived numbers: `dumpe2fs -h`.
pub(crate) fn dumpe2fs(volume: &Volume) -> Verdict<BTreeMap<String, String>> {
    let text = approved_text("dumpe2fs", &["-h"], volume.path())?;
    log("dumpe2fs", &volume.name);
    Ok(fields(&text))
}

/// The same of the backup superblock in the block `superblock`.
pub(crate) fn dumpe2fs_backup(
    volume: &Volume,
    superblock: u64,
    block_size: u64,
) -> Verdict<BTreeMap<String, String>> {
    let (place, size) = (
        format!("superblock={superblock}"),
        format!("blocksize={block_size}"),
    );
    let text = approved_text(
        "dumpe2fs",
        &["-h", "-o", &place, "-o", &size],
        volume.path(),
    )?;
    log("dumpe2fs", &volume.name);
    Ok(fields(&text))
}

/// Lines of `name: value`; others are headings.
pub(crate) fn fields(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// What a request of `debugfs` prints, `stat /file` for example. debugfs ends with status 0
/// whatever happens, so anything on standard error but its greeting is a failure.
pub(crate) fn debugfs(volume: &Volume, request: &str) -> Verdict<Vec<u8>> {
    let output = run("debugfs", &["-R", request], volume.path());
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint: Vec<_> = complaint
        .lines()
        .filter(|line| !line.starts_with("debugfs "))
        .collect();
    if !output.status.success() || !complaint.is_empty() {
        return Err(format!("debugfs {request}: {}", complaint.join("\n")));
    }
    log("debugfs", &volume.name);
    Ok(output.stdout)
}

/// `ntfsfix -n`: mounts like a driver and looks at both copies of the MFT, without repairs.
pub(crate) fn ntfsfix(volume: &Volume) -> Verdict<()> {
    let text = approved_text("ntfsfix", &["-n"], volume.path())?;
    if !text.contains("processed successfully") {
        return Err(format!("ntfsfix -n: {text}"));
    }
    log("ntfsfix", &volume.name);
    Ok(())
}

/// The numbers of the volume: `ntfsinfo -m`.
pub(crate) fn ntfsinfo(volume: &Volume) -> Verdict<BTreeMap<String, String>> {
    let text = approved_text("ntfsinfo", &["-m"], volume.path())?;
    log("ntfsinfo", &volume.name);
    Ok(fields(&text))
}

/// The content of a file on NTFS.
pub(crate) fn ntfscat(volume: &Volume, path: &str) -> Verdict<Vec<u8>> {
    // ntfscat takes the volume before the path.
    let target = volume.path().to_str().unwrap();
    let bytes = approved("ntfscat", &[target], Path::new(path))?;
    log("ntfscat", &volume.name);
    Ok(bytes)
}

/// What `blkid` finds without its cache: TYPE, LABEL, BLOCK_SIZE and so on.
pub(crate) fn blkid(volume: &Volume) -> Verdict<BTreeMap<String, String>> {
    let text = approved_text("blkid", &["-p", "-o", "export"], volume.path())?;
    log("blkid", &volume.name);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Ok(pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// Gives an image to every checker that applies to it. Returns its partitions, in table order.
pub(crate) fn verify(image: &Path) -> Verdict<Vec<(Entry, Volume)>> {
    let table = table(image)?;
    sfdisk_verify(image)?;
    if table.label == "gpt" {
        sgdisk_verify(image)?;
    }
    let mut volumes = Vec::new();
    for entry in table.entries {
        if table.label == "dos" && is_extended(&entry.kind) {
            continue;
        }
        let volume = volume(image, &entry);
        verify_volume(&volume)?;
        volumes.push((entry, volume));
    }
    Ok(volumes)
}

fn is_extended(kind: &str) -> bool {
    ["5", "f", "85"].contains(&kind)
}

/// Gives a filesystem to the checker of its kind, read-only.
pub(crate) fn verify_volume(volume: &Volume) -> Verdict<()> {
    let found = blkid(volume)?;
    let kind = found.get("TYPE").map_or("", String::as_str);
    if kind == "ntfs" {
        return ntfsfix(volume);
    }
    let (program, arguments) = checker(kind)
        .ok_or_else(|| format!("{}: no checker is known for '{kind}'", volume.name))?;
    let output = run(program, arguments, volume.path());
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // These two end with status 0 whatever they find.
    let complains = match kind {
        "f2fs" => said.contains("[Fail]"),
        "erofs" => said.contains("<E>"),
        _ => false,
    };
    if complains || !output.status.success() {
        let status = output.status;
        return Err(format!("{program} {arguments:?}, {status}: {said}"));
    }
    log(program, &volume.name);
    Ok(())
}

/// The program that [`verify_volume`] runs for what blkid calls `kind`.
pub(crate) fn program(kind: &str) -> Option<&'static str> {
    match kind {
        "ntfs" => Some("ntfsfix"),
        _ => checker(kind).map(|(program, _)| program),
    }
}

/// The program that checks filesystems of what blkid calls `kind`, and how it is kept from writing.
fn checker(kind: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match kind {
        "ext2" | "ext3" | "ext4" => ("e2fsck", &["-fn"]),
        "vfat" => ("fsck.fat", &["-n"]),
        "exfat" => ("fsck.exfat", &["-n"]),
        "xfs" => ("xfs_repair", &["-n"]),
        "btrfs" => ("btrfs", &["check", "--readonly", "--force"]),
        "f2fs" => ("fsck.f2fs", &["--dry-run"]),
        "erofs" => ("fsck.erofs", &[]),
        "squashfs" => ("unsquashfs", &["-lls"]),
        "swap" => ("swaplabel", &[]),
        _ => return None,
    })
}
