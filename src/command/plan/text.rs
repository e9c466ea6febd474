//! Plans as text for people.

use std::fmt::Write;

use disklayout::fs::{FsPlan, Summary};
use disklayout::layout::{DiskPlan, GroupPlan, Held, PartitionPlan, RawBytes};
use disklayout::table::{Entry, TableId};
use disklayout::tree::FileTree;
use disklayout::{Bytes, SectorSize, archive};

use indicatif::BinaryBytes;

use super::{Machine, Planned};
use crate::checksum::Algorithm;
use crate::engine::Decided;
use crate::image::{FileFormat, Finish, Image, InstallRecipe, Recipe};
use crate::printable::printable;

/// More files than this are counted instead of listed.
const LISTED: usize = 40;

/// All plans, an empty line between two of them.
pub(super) fn text(plans: &[(&Image, &Planned)]) -> String {
    let shown: Vec<_> = plans.iter().map(|(image, plan)| one(image, plan)).collect();
    shown.join("\n")
}

fn one(image: &Image, plan: &Planned) -> String {
    let name = &image.file_name;
    match (plan, &image.recipe) {
        (Planned::Layout(plan), Recipe::Layout(_, file)) => decided(name, plan, file),
        (Planned::Install(machine), Recipe::Install(recipe)) => install(name, recipe, *machine),
        (Planned::Refused(error), _) => {
            let reason = format!("{error:#}");
            format!("{name}: can't be built: {}\n", printable(&reason))
        }
        (Planned::Install(_), Recipe::Layout(..)) | (Planned::Layout(_), Recipe::Install(_)) => {
            format!("{name}\n")
        }
    }
}

/// An installation: what the configuration leaves open is left out.
fn install(name: &str, recipe: &InstallRecipe, machine: Machine) -> String {
    let (release, arch, size) = (&recipe.release, &recipe.arch, recipe.size_gib);
    let mut text = format!("{name}: an installation of release {release} for {arch} on {size} GiB");
    text += &format!(" of {}", recipe.format.as_str());
    let memory = machine.memory_mib.map(|mib| Bytes::new(mib << 20));
    let facts = [
        memory.map(|memory| format!("{memory} of memory")),
        machine.cpus.map(processors),
    ];
    for fact in facts.into_iter().flatten() {
        text += &format!(", {fact}");
    }
    let steps = finish(name, recipe.finish);
    if !steps.is_empty() {
        text += &format!(", then {}", steps.join(", "));
    }
    text + "\n"
}

fn processors(count: u64) -> String {
    match count {
        1 => "1 processor".to_owned(),
        count => format!("{count} processors"),
    }
}

/// What is done with the image `name` in the end.
fn finish(name: &str, finish: Finish) -> Vec<String> {
    let steps = [
        (finish.sparsify, "sparsified".to_owned()),
        (finish.compress, "compressed".to_owned()),
        (finish.checksum, Algorithm::Sha256.file_name(name)),
    ];
    let steps = steps.into_iter();
    steps
        .filter_map(|(is_done, step)| is_done.then_some(step))
        .collect()
}

fn decided(name: &str, plan: &Decided, file: &FileFormat) -> String {
    match (&plan.disk, plan.archives().next()) {
        (Some(disk), _) => layout(name, disk, file),
        (None, Some(plan)) => archive(name, plan, file),
        (None, None) => format!("{name}\n"),
    }
}

fn archive(name: &str, plan: &dyn archive::Plan, file: &FileFormat) -> String {
    let size = plan.len().map(|size| format!(", {size}"));
    let (size, sums) = (size.unwrap_or_default(), sums(name, file));
    let files = files(plan.tree());
    format!("{name}: in the format {}{size}{sums}\n{files}", file.name)
}

/// What is put beside a file.
fn sums(name: &str, file: &FileFormat) -> String {
    let sums = file.checksums.iter();
    sums.map(|sum| format!(", then {}", sum.file_name(name)))
        .collect()
}

/// A disk that goes into `file`.
pub(in crate::command) fn layout(name: &str, plan: &DiskPlan, file: &FileFormat) -> String {
    let table = match plan.table {
        TableId::None => "no table".to_owned(),
        TableId::Mbr { signature } => format!("MBR {signature:#010x}"),
        TableId::Gpt { guid } => format!("GPT {guid}"),
    };
    let sectors = match plan.sector_size {
        SectorSize::B512 => String::new(),
        other => format!(", sectors of {} bytes", other.get()),
    };
    let format = match file.name.as_str() {
        "raw" => String::new(),
        other => format!(", in the format {other}"),
    };
    let sums = sums(name, file);
    let mut text = format!("{name}: {}, {table}{sectors}{format}{sums}\n", plan.size);
    for partition in &plan.partitions {
        text += &self::partition(partition, plan);
    }
    for group in &plan.groups {
        text += &self::group(group, plan);
    }
    for blob in &plan.blobs {
        text += &format!("  {}\n", bytes(blob, Some(blob.offset)));
    }
    text
}

fn partition(partition: &PartitionPlan, plan: &DiskPlan) -> String {
    let sector = plan.sector_size;
    let record = &partition.record;
    let (first, last) = (record.range.first(), record.range.last());
    let text = format!(
        "  {} {}: sectors {first} to {last}, {}, {}\n",
        record.number,
        record.role.as_str(),
        record.range.size(sector),
        entry(&record.entry)
    );
    text + &held(&partition.holds, plan, Some(record.range.offset(sector)))
}

/// What is in a partition or a volume, which begins at this byte of the disk where it is in one piece.
fn held(held: &Held, plan: &DiskPlan, start: Option<Bytes>) -> String {
    match held {
        Held::Nothing => String::new(),
        Held::Filesystem(plan) => filesystem(plan.as_ref()),
        Held::Bytes(held) => format!("    {}\n", bytes(held, start)),
        Held::Member(member) => {
            let lvm = &plan.groups[member.group].lvm;
            let own = &lvm.members()[member.index];
            format!(
                "    LVM2: part {} of the group '{}', {} extents, {} of them free, {}\n",
                member.index + 1,
                printable(lvm.name()),
                own.extents,
                own.free,
                own.uuid
            )
        }
        Held::Encrypted(outer) => {
            let front = format!(
                "    {}: {}, sectors of {} bytes from byte {} on, {}\n",
                outer.version,
                outer.len,
                outer.sector_size.get(),
                outer.luks.data_offset().get(),
                outer.luks.uuid()
            );
            let start = start.map(|start| Bytes::new(start.get() + outer.luks.data_offset().get()));
            front + &self::held(&outer.holds, plan, start)
        }
        Held::Hashes(hashes) => format!(
            "    dm-verity: the hash tree of partition {}, {} bytes above {} blocks of {} bytes\n",
            hashes.of,
            hashes.verity.hash_len().get(),
            hashes.verity.data_blocks(),
            hashes.verity.data_block()
        ),
    }
}

/// A group of volumes and what is in them.
fn group(group: &GroupPlan, plan: &DiskPlan) -> String {
    let lvm = &group.lvm;
    let (name, extent) = (printable(lvm.name()), lvm.extent_size());
    let elsewhere = match group.elsewhere.as_slice() {
        [] => String::new(),
        parts => {
            let numbers: Vec<_> = parts.iter().map(|part| (part + 1).to_string()).collect();
            let (count, numbers) = (lvm.members().len(), numbers.join(", "));
            format!(", of {count} parts {numbers} on other images")
        }
    };
    let uuid = lvm.uuid();
    let mut text = format!("  group {name}: extents of {extent}{elsewhere}, {uuid}\n");
    for (volume, held) in lvm.volumes().iter().zip(&group.volumes) {
        text += &format!(
            "  {name}/{}: {}, {} extents, {}\n",
            printable(&volume.name),
            volume.size,
            volume.size.get() / extent.get(),
            volume.uuid
        );
        text += &self::held(held, plan, None);
    }
    text
}

/// Bytes that stand for themselves.
fn bytes(bytes: &RawBytes, start: Option<Bytes>) -> String {
    let at = start.map_or_else(String::new, |start| format!(" at byte {}", start.get()));
    let place = bytes.place.to_string();
    let place = printable(&place);
    format!("{} bytes of {place}{at}", bytes.content.len())
}

/// What the table says: type, identifier and name, flags.
fn entry(entry: &Entry) -> String {
    let named = match entry.type_name() {
        Some(name) => format!(" ({name})"),
        None => String::new(),
    };
    let mut text = match entry {
        Entry::None => return "no entry".to_owned(),
        Entry::Mbr { kind, .. } => format!("type {kind:#04x}{named}"),
        Entry::Gpt {
            kind, guid, name, ..
        } => format!("type {kind}{named}, {guid}, '{}'", printable(name)),
    };
    if let Entry::Gpt {
        hybrid: Some(hybrid),
        ..
    } = entry
    {
        text += &format!(", {:#04x} in the MBR", hybrid.kind);
    }
    let flags: Vec<_> = entry.flags().iter().map(ToString::to_string).collect();
    if !flags.is_empty() {
        text += &format!(", {}", flags.join(" "));
    }
    text
}

fn filesystem(plan: &dyn FsPlan) -> String {
    let files = files(plan.tree());
    format!("    {}\n{files}", summary(&plan.summary()))
}

/// The files in a tree, or how many there are.
fn files(tree: &FileTree) -> String {
    let files = tree.files();
    if files.len() > LISTED {
        let bytes: u64 = files.iter().map(|(_, content)| content.len()).sum();
        let others = tree.nodes().count() - files.len();
        return format!(
            "      {} files of {} together, {others} directories and others\n",
            files.len(),
            BinaryBytes(bytes)
        );
    }
    let mut text = String::new();
    for (path, content) in files {
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "      {} {} bytes",
            path.escape_ascii(),
            content.len()
        );
    }
    text
}

/// The numbers of a filesystem on one line.
fn summary(summary: &Summary) -> String {
    let mut facts = vec![format!(
        "{} blocks of {} bytes",
        summary.blocks, summary.block_size
    )];
    facts.extend(summary.free_blocks.map(|free| format!("{free} free")));
    facts.extend(summary.inodes.map(|inodes| format!("{inodes} inodes")));
    facts.extend(summary.journal.map(|journal| format!("journal {journal}")));
    facts.extend(
        summary
            .label
            .as_ref()
            .map(|label| format!("label '{}'", printable(label))),
    );
    facts.extend(summary.uuid.map(|uuid| uuid.to_string()));
    format!("{}: {}", summary.kind, facts.join(", "))
}
