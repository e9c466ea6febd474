//! Programs that others wrote read our tables: sfdisk, sgdisk, parted and blkid.
//!
//! They run on their own terms and may only find what was planned. A missing one is a failure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use disklayout::disk::{Disk as _, SparseFile};
use disklayout::fs::Unwatched;
use disklayout::layout::spec::Disk;
use disklayout::layout::{DiskPlan, PartitionPlan};
use disklayout::table::{Entry, Role, TableId};
use disklayout::{SECTOR_SIZE, SectorSize, Zeroes, build};
use serde_json::Value;
use tempfile::NamedTempFile;

use testkit::log::accepted;
use testkit::program::output;

use crate::support::{Part, assert_reads_back, disk, plan_of};

/// What a checker prints when it has nothing to object to.
fn approved(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = output(program, arguments);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let text = format!("{stdout}{stderr}");
    if output.status.success() && !text.lines().any(is_complaint) {
        let image = arguments.iter().map(Path::new).find(|path| path.is_file());
        image.inspect(|image| accepted(program, image));
        Ok(stdout)
    } else {
        Err(format!("{program}: {text}"))
    }
}

fn is_complaint(line: &str) -> bool {
    // Alignment is up to the description.
    let harmless = line.starts_with("No errors detected") || line.contains("-sector boundary");
    let words = [
        "error", "warning", "caution", "problem:", "omitting", "corrupt", "invalid", "overlap",
    ];
    let lower = line.to_lowercase();
    !harmless && words.iter().any(|word| lower.contains(word))
}

/// Every checker that applies to the table.
fn check(plan: &DiskPlan, image: &Path) -> Result<(), String> {
    let image = image.to_str().unwrap();
    approved("sfdisk", &["--verify", image])?;
    if parted_can_read(plan) {
        approved("parted", &["--script", image, "unit", "s", "print"])?;
    }
    if matches!(plan.table, TableId::Gpt { .. }) {
        let text = approved("sgdisk", &["--verify", image])?;
        if !text.contains("No problems found.") {
            return Err(text);
        }
    }
    Ok(())
}

/// parted 3.5 can't read everything that it makes: it reserves the first track of an extended
/// partition for boot records and complains about one that has no more sectors than that, and it
/// doesn't recognise a GPT with a single usable sector.
fn parted_can_read(plan: &DiskPlan) -> bool {
    let mut parts = plan.partitions.iter();
    let has_tracks =
        parts.all(|one| one.record.role != Role::Extended || one.record.range.sectors() > 63);
    match plan.table {
        TableId::None => panic!("no table"),
        TableId::Mbr { .. } => has_tracks,
        TableId::Gpt { .. } => {
            let fewest = 4 + 2 * 16384 / plan.sector_size.get();
            plan.size.whole_sectors(plan.sector_size) > fewest
        }
    }
}

/// What sfdisk reads.
fn sfdisk(image: &Path) -> Value {
    let text = approved("sfdisk", &["--json", image.to_str().unwrap()]).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    value["partitiontable"].clone()
}

fn build_to_file(plan: &DiskPlan) -> NamedTempFile {
    let mut name = tempfile::Builder::new();
    name.prefix("table-").suffix(".img");
    let file = name.tempfile().unwrap();
    let disk = SparseFile::create(file.reopen().unwrap(), plan.size.get()).unwrap();
    build(plan, Zeroes::default(), &disk, &Unwatched).unwrap();
    assert_reads_back(plan, &disk);
    file
}

fn assert_sfdisk_reads(plan: &DiskPlan, image: &Path) {
    let table = sfdisk(image);
    let (label, id) = match plan.table {
        TableId::None => panic!("no table"),
        TableId::Mbr { signature } => ("dos", format!("{signature:#x}")),
        TableId::Gpt { guid } => ("gpt", format!("{:X}", guid.hyphenated())),
    };
    assert_eq!(table["label"], label);
    assert_eq!(table["id"], id);
    if label == "gpt" {
        let total = plan.size.whole_sectors(plan.sector_size);
        let first = 2 + 16384 / plan.sector_size.get();
        assert_eq!(table["firstlba"], first);
        assert_eq!(table["lastlba"], total - first);
        assert_eq!(table["sectorsize"], plan.sector_size.get());
    }
    // An empty list is left out.
    let read = table["partitions"].as_array().cloned().unwrap_or_default();
    assert_eq!(read.len(), plan.partitions.len());
    let node = image.display().to_string();
    for (read, planned) in read.iter().zip(&plan.partitions) {
        // The kernel's rule: a name that ends in a digit gets a 'p' before the number.
        let name = read["node"].as_str().unwrap();
        let number = name.strip_prefix(&node).unwrap().trim_start_matches('p');
        assert_eq!(number, planned.record.number.to_string());
        assert_eq!(
            read["start"],
            planned.record.range.first().get(),
            "{number}"
        );
        assert_eq!(read["size"], planned.record.range.sectors(), "{number}");
        assert_entry(read, planned);
    }
}

fn assert_entry(read: &Value, planned: &PartitionPlan) {
    match &planned.record.entry {
        Entry::None => panic!("a partition without an entry"),
        Entry::Mbr { kind, active } => {
            assert_eq!(read["type"], format!("{kind:x}"));
            assert_eq!(read.get("bootable").is_some(), *active);
            assert!(read.get("attrs").is_none());
        }
        Entry::Gpt {
            kind,
            guid,
            name,
            attributes,
            ..
        } => {
            assert_eq!(read["type"], format!("{:X}", kind.hyphenated()));
            assert_eq!(read["uuid"], format!("{:X}", guid.hyphenated()));
            assert_eq!(read["name"].as_str().unwrap_or_default(), name.as_str());
            assert_eq!(attributes_of(&read["attrs"]), *attributes);
            assert!(read.get("bootable").is_none());
        }
    }
}

/// The bits that sfdisk shows: the first three by name, the others as `GUID:60,63`.
fn attributes_of(shown: &Value) -> u64 {
    let words = shown.as_str().unwrap_or_default().split([' ', ',']);
    let words = words.filter(|word| !word.is_empty());
    let bits = words.map(|word| match word {
        "RequiredPartition" => 0,
        "NoBlockIOProtocol" => 1,
        "LegacyBIOSBootable" => 2,
        bit => bit.trim_start_matches("GUID:").parse::<u32>().unwrap(),
    });
    bits.fold(0, |all, bit| all | 1 << bit)
}

/// parted's own reader: numbers and sectors of its machine-readable list.
fn assert_parted_reads(plan: &DiskPlan, image: &Path) {
    if !parted_can_read(plan) {
        return;
    }
    let image = image.to_str().unwrap();
    let arguments = ["--script", "--machine", image, "unit", "s", "print"];
    let output = approved("parted", &arguments).unwrap();
    let mut read = Vec::new();
    for line in output.lines().skip(2) {
        let mut fields = line.split(':').map(|field| field.trim_end_matches('s'));
        let mut next = || fields.next().unwrap().parse::<u64>().unwrap();
        read.push((next(), next(), next()));
    }
    read.sort_unstable();
    let planned: Vec<_> = plan
        .partitions
        .iter()
        .map(|one| {
            let (first, last) = (
                one.record.range.first().get(),
                one.record.range.last().get(),
            );
            (u64::from(one.record.number), first, last)
        })
        .collect();
    assert_eq!(read, planned);
}

fn assert_blkid_reads(plan: &DiskPlan, image: &Path) {
    let image = image.to_str().unwrap();
    let text = approved("blkid", &["--probe", "--output", "export", image]).unwrap();
    let fields: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let (kind, id) = match plan.table {
        TableId::None => panic!("no table"),
        TableId::Mbr { signature } => ("dos", format!("{signature:08x}")),
        TableId::Gpt { guid } => ("gpt", guid.hyphenated().to_string()),
    };
    assert_eq!((fields["PTTYPE"], fields["PTUUID"]), (kind, id.as_str()));
}

fn assert_all_agree(sectors: u64, label: &str, parts: &[Part<'_>]) {
    assert_all_agree_on(&disk(sectors, label, parts));
}

/// Every program reads what was planned.
pub(crate) fn assert_all_agree_on(spec: &Disk) -> DiskPlan {
    let plan = plan_of(spec).unwrap_or_else(|error| panic!("{error}: {spec:?}"));
    let file = build_to_file(&plan);
    let device = Device::new(file.path(), plan.sector_size);
    let path = device.path();
    check(&plan, path).unwrap_or_else(|error| panic!("{error}: {spec:?}"));
    assert_sfdisk_reads(&plan, path);
    assert_parted_reads(&plan, path);
    assert_blkid_reads(&plan, path);
    if plan.sector_size != SectorSize::B512 {
        accepted("sfdisk", file.path());
    }
    plan
}

/// What a program says of an image that is built for it.
pub(crate) fn seen_by(program: &str, arguments: &[&str], plan: &DiskPlan) -> String {
    let file = build_to_file(plan);
    let device = Device::new(file.path(), plan.sector_size);
    let image = device.path().to_str().unwrap();
    let arguments: Vec<_> = arguments.iter().copied().chain([image]).collect();
    approved(program, &arguments).unwrap()
}

/// The MBR that sgdisk makes when it is told which partitions go into it.
pub(crate) fn hybrid_by_sgdisk(plan: &DiskPlan, numbers: &str) -> Vec<u8> {
    let file = build_to_file(plan);
    let image = file.path().to_str().unwrap();
    let output = output("sgdisk", &["--hybrid", numbers, image]);
    assert!(output.status.success(), "{output:?}");
    let disk = SparseFile::open(file.reopen().unwrap()).unwrap();
    let mut record = vec![0; 512];
    disk.read_at(&mut record, 0).unwrap();
    record
}

/// An image as programs can open it: they take the sectors of a file for 512 bytes, so that others
/// need a loop device.
struct Device {
    path: PathBuf,
    is_loop: bool,
}

impl Device {
    fn new(image: &Path, sector: SectorSize) -> Self {
        if sector == SectorSize::B512 {
            return Self {
                path: image.to_owned(),
                is_loop: false,
            };
        }
        let (size, image) = (sector.get().to_string(), image.to_str().unwrap());
        let arguments = [
            "--find",
            "--show",
            "--read-only",
            "--sector-size",
            &size,
            image,
        ];
        let output = output("losetup", &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "a loop device needs root: {said}");
        let path = String::from_utf8(output.stdout).unwrap();
        Self {
            path: path.trim().into(),
            is_loop: true,
        }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if self.is_loop {
            let path = self.path.to_str().unwrap_or_default();
            output("losetup", &["--detach", path]);
        }
    }
}

const GIB: u64 = 2_097_152;

#[test]
fn gpt_at_awkward_sizes() {
    for sectors in [
        68,
        69,
        4095,
        4097,
        204_801,
        GIB,
        GIB + 1,
        (3 << 31) + 7,
        1 << 34,
    ] {
        assert_all_agree(sectors, "gpt", &[("p", 34, -34)]);
        assert_all_agree(sectors, "gpt", &[]);
    }
    assert_all_agree(
        GIB,
        "gpt",
        &[("p", 34, 34), ("p", 35, 35), ("p", 2_097_118, -34)],
    );
}

#[test]
fn gpt_out_of_order_adjacent_and_full() {
    let parts = [
        ("p", 100_001, 200_000),
        ("p", 2048, 100_000),
        ("l", 2047, 2047),
    ];
    assert_all_agree(GIB + 1, "gpt", &parts);
    let full: Vec<_> = (0..128)
        .map(|n| ("p", 9000 - 64 * n, 9063 - 64 * n))
        .collect();
    assert_all_agree(GIB, "gpt", &full);
}

#[test]
fn mbr_at_awkward_sizes() {
    for sectors in [
        2,
        3,
        63,
        4097,
        204_801,
        16_450_559,
        16_450_560,
        16_450_561,
        1 << 32,
    ] {
        assert_all_agree(sectors, "mbr", &[("p", 1, -1)]);
        assert_all_agree(sectors, "mbr", &[]);
    }
    let parts = [("p", 2, 2), ("p", 1, 1), ("p", 3, 3), ("p", 2049, 100_001)];
    assert_all_agree(GIB + 1, "mbr", &parts);
    let largest = i64::from(u32::MAX);
    assert_all_agree(5 << 31, "mbr", &[("p", 1, largest)]);
    assert_all_agree(
        5 << 31,
        "mbr",
        &[("p", largest, 2 * largest - 1), ("p", 1, 1)],
    );
}

#[test]
fn logical_partitions_in_order() {
    let far = 40_000_000;
    for parts in [
        &[("e", 2048, 2048)][..],
        &[("e", 2048, -1)],
        &[("e", 2048, 2051), ("l", 2049, 2049), ("l", 2051, 2051)],
        &[
            ("p", 1, 2047),
            ("e", 2048, -2),
            ("l", 2049, 4000),
            ("l", 4002, 5000),
            ("p", -1, -1),
        ][..4],
        // Beyond 4 GiB, where 32 bits no longer hold an offset in bytes.
        &[
            ("e", 2048, -1),
            ("l", far, far),
            ("l", far + 2, far + 2),
            ("l", far + 4, -1),
        ],
    ] {
        assert_all_agree(83_886_081, "mbr", parts);
    }
}

#[test]
fn logical_partitions_out_of_order() {
    for parts in [
        &[
            ("e", 2048, -1),
            ("l", 100_000, 110_000),
            ("l", 2050, 4000),
            ("l", 50_000, 60_000),
        ][..],
        &[
            ("e", 2048, -1),
            ("l", 90_000, 99_999),
            ("l", 80_000, 89_999),
            ("l", 2050, 79_998),
        ],
        &[
            ("e", 9000, -1),
            ("l", 20_000_000, 20_000_000),
            ("p", 1, 8999),
            ("l", 9002, 9002),
        ],
    ] {
        assert_all_agree(83_886_081, "mbr", parts);
    }
    let mut full = vec![("e", 2048, -1)];
    full.extend((0..56).map(|n| ("l", 9000 - 10 * n, 9008 - 10 * n)));
    assert_all_agree(GIB, "mbr", &full);
}

/// The bytes for types are those that sfdisk has the same names for.
#[test]
fn types_are_the_ones_that_sfdisk_knows() {
    let guids = approved("sfdisk", &["--list-types", "--label", "gpt"]).unwrap();
    for (name, kind) in [
        ("Linux filesystem", 0x83),
        ("Linux home", 0x83),
        ("Linux server data", 0x83),
        ("Linux variable data", 0x83),
        ("Linux temporary data", 0x83),
        ("Linux root (x86-64)", 0x83),
        ("Linux root (x86)", 0x83),
        ("Linux root (ARM-64)", 0x83),
        ("Linux root (ARM)", 0x83),
        ("Linux root (RISC-V-64)", 0x83),
        ("Linux root (LoongArch-64)", 0x83),
        ("Linux root (PPC64LE)", 0x83),
        ("Linux root (PPC64)", 0x83),
        ("Linux root (S390X)", 0x83),
        ("Linux swap", 0x82),
        ("Linux LVM", 0x8E),
        ("Linux RAID", 0xFD),
        ("EFI System", 0xEF),
        ("Microsoft basic data", 0x07),
    ] {
        let mut lines = guids.lines().filter_map(|line| line.split_once("  "));
        let line = lines.find(|(_, known)| known.trim() == name);
        let (guid, _) = line.unwrap_or_else(|| panic!("sfdisk doesn't know {name}"));
        let mut spec = disk(GIB, "mbr", &[("p", 2048, 4095)]);
        spec.partitions[0].kind.gpt = crate::support::kind(guid);
        let plan = plan_of(&spec).unwrap();
        let active = false;
        let expected = Entry::Mbr { kind, active };
        assert_eq!(plan.partitions[0].record.entry, expected, "{name}");
        assert_sfdisk_reads(&plan, build_to_file(&plan).path());
    }
}

/// The checkers do look: each kind of table, damaged, is objected to.
#[test]
fn damage_is_noticed() {
    for (label, at, bytes) in [
        // The second partition starts in the first.
        ("mbr", 446 + 16 + 8, 4000_u32.to_le_bytes()),
        // The link in the first extended boot record leads to nothing.
        (
            "mbr",
            6000 * SECTOR_SIZE + 446 + 16 + 8,
            99_u32.to_le_bytes(),
        ),
        // The last usable sector in the header of the backup.
        ("gpt", GIB * SECTOR_SIZE - 512 + 48, 5000_u32.to_le_bytes()),
        // The end of the first entry.
        ("gpt", 1024 + 40, 9999_u32.to_le_bytes()),
    ] {
        let parts = [("p", 2048, 4095), ("p", 4096, 5000), ("e", 6000, 7000)];
        let mut parts = parts.to_vec();
        if label == "mbr" {
            parts.extend([("l", 6002, 6100), ("l", 6200, 6300)]);
        }
        let plan = plan_of(&disk(GIB, label, &parts)).unwrap();
        let file = build_to_file(&plan);
        check(&plan, file.path()).unwrap();
        let image = SparseFile::open(file.reopen().unwrap()).unwrap();
        image.write_at(&bytes, at).unwrap();
        assert!(check(&plan, file.path()).is_err(), "{label} at {at}");
    }
}
