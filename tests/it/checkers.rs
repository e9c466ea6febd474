//! Images with partition tables for the checkers of `testkit`: each partition is one image to them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom as Hole;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use testkit::checkers::{Fields, blkid, dumpe2fs, e2fsck, fields, fsck, program};
pub(crate) use testkit::log::{SAMPLE, accepted};
pub(crate) use testkit::program::{Verdict, approved, approved_text, command};

use testkit::program::{arguments, output};

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

/// One filesystem in a sparse file of its own, called `IMAGE partition NUMBER`.
#[derive(Debug)]
pub(crate) struct Volume {
    _directory: TempDir,
    path: PathBuf,
}

impl Volume {
    /// A file of `size` bytes that is one hole.
    pub(crate) fn new(name: &str, size: u64) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join(name);
        File::create(&path).unwrap().set_len(size).unwrap();
        Self {
            _directory: directory,
            path,
        }
    }

    /// A copy of a file that is a filesystem without a table.
    pub(crate) fn of_file(image: &Path, name: &str) -> Self {
        let volume = Self::new(&format!("{name} alone"), 0);
        let mut copy = command("cp");
        let status = copy.arg("--sparse=always").args([image, &volume]).status();
        assert!(status.unwrap().success());
        volume
    }

    /// A copy of a partition; what is a hole stays one.
    pub(crate) fn of_partition(image: &Path, entry: &Entry) -> Self {
        let mut source = File::open(image).unwrap();
        let (offset, length) = (entry.start * 512, entry.sectors * 512);
        let image = image.file_name().unwrap().to_string_lossy();
        let volume = Self::new(&format!("{image} partition {}", entry.number), length);
        let mut file = File::options().write(true).open(&volume.path).unwrap();
        let mut at = offset;
        while let Some((start, end)) = next_data(&source, at, offset + length) {
            source.seek(SeekFrom::Start(start)).unwrap();
            file.seek(SeekFrom::Start(start - offset)).unwrap();
            let copied = std::io::copy(&mut (&source).take(end - start), &mut file).unwrap();
            let expected = end - start;
            assert_eq!(copied, expected, "{image} is shorter than its table says");
            at = end;
        }
        volume
    }
}

impl Deref for Volume {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
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

/// `sfdisk --verify`: no overlaps, nothing outside the disk, and for GPT both copies and sums.
pub(crate) fn sfdisk_verify(image: &Path) -> Verdict<()> {
    let text = approved_text("sfdisk", &["--verify"], image)?;
    if !text.contains("No errors detected") {
        return Err(format!("sfdisk --verify: {text}"));
    }
    accepted("sfdisk", image);
    Ok(())
}

/// `sgdisk -v`, for GPT.
pub(crate) fn sgdisk_verify(image: &Path) -> Verdict<()> {
    let text = approved_text("sgdisk", &["-v"], image)?;
    if !text.contains("No problems found") {
        return Err(format!("sgdisk -v: {text}"));
    }
    accepted("sgdisk", image);
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
        let volume = Volume::of_partition(image, &entry);
        verify_volume(&volume)?;
        volumes.push((entry, volume));
    }
    Ok(volumes)
}

fn is_extended(kind: &str) -> bool {
    ["5", "f", "85"].contains(&kind)
}

/// Gives a filesystem to the checker of its kind, read-only.
pub(crate) fn verify_volume(volume: &Path) -> Verdict<()> {
    let found = blkid(volume)?;
    fsck(found.get("TYPE").map_or("", String::as_str), volume)
}

/// What a request of debugfs prints, `stat /file` for example. debugfs ends with status 0 whatever
/// happens, so anything on standard error but its greeting is a failure.
pub(crate) fn debugfs(request: &str, image: &Path) -> Verdict<Vec<u8>> {
    let output = output("debugfs", &arguments(&["-R", request], &[image]));
    let said = String::from_utf8_lossy(&output.stderr);
    let mut complaints = said.lines().filter(|line| !line.starts_with("debugfs "));
    if !output.status.success() || complaints.next().is_some() {
        return Err(format!("debugfs {request}: {said}"));
    }
    accepted("debugfs", image);
    Ok(output.stdout)
}

/// The same as text; what isn't there is no failure, but left out of the answer.
pub(crate) fn ask_debugfs(image: &Path, request: &str) -> String {
    approved_text("debugfs", &["-R", request], image).unwrap()
}

/// `ntfsfix -n`: mounts like a driver and looks at both copies of the MFT, without repairs.
pub(crate) fn ntfsfix(volume: &Path) -> Verdict<()> {
    fsck("ntfs", volume)
}

/// The numbers of the volume: `ntfsinfo -m`.
pub(crate) fn ntfsinfo(volume: &Path) -> Verdict<Fields> {
    let text = approved_text("ntfsinfo", &["-m"], volume)?;
    accepted("ntfsinfo", volume);
    Ok(fields(&text))
}

/// The content of a file on NTFS.
pub(crate) fn ntfscat(volume: &Path, path: &str) -> Verdict<Vec<u8>> {
    // ntfscat takes the volume before the path.
    let bytes = approved("ntfscat", &[volume.to_str().unwrap()], Path::new(path))?;
    accepted("ntfscat", volume);
    Ok(bytes)
}
