//! Plans as text for people.

use std::fmt::Write;

use disklayout::SectorSize;
use disklayout::fs::{FsPlan, Summary};
use disklayout::layout::{DiskPlan, EntryPlan, PartitionPlan, Role, TablePlan};

use indicatif::BinaryBytes;

use super::Planned;
use crate::image::{Image, Recipe};

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
        (Planned::Layout(plan), _) => layout(name, plan),
        (Planned::Install, Recipe::Install(recipe)) => format!(
            "{name}: an installation of release {} for {} on {} GiB\n",
            recipe.release, recipe.arch, recipe.size_gib
        ),
        (Planned::Refused(error), _) => format!("{name}: can't be built: {error:#}\n"),
        (Planned::Install, Recipe::Layout(_)) => format!("{name}\n"),
    }
}

fn layout(name: &str, plan: &DiskPlan) -> String {
    let table = match plan.table {
        TablePlan::None => "no table".to_owned(),
        TablePlan::Mbr { signature } => format!("MBR {signature:#010x}"),
        TablePlan::Gpt { guid } => format!("GPT {guid}"),
    };
    let sectors = match plan.sector_size {
        SectorSize::B512 => String::new(),
        other => format!(", sectors of {} bytes", other.get()),
    };
    let mut text = format!("{name}: {}, {table}{sectors}\n", plan.size);
    plan.partitions
        .iter()
        .for_each(|partition| text += &self::partition(partition, plan.sector_size));
    text
}

fn partition(partition: &PartitionPlan, sector: SectorSize) -> String {
    let role = match partition.role {
        Role::Primary => "primary",
        Role::Extended => "extended",
        Role::Logical => "logical",
    };
    let (first, last) = (partition.range.first(), partition.range.last());
    let mut text = format!(
        "  {} {role}: sectors {first} to {last}, {}, {}\n",
        partition.number,
        partition.range.size(sector),
        entry(&partition.entry)
    );
    if let Some(plan) = &partition.filesystem {
        text += &filesystem(plan.as_ref());
    }
    text
}

/// What the table says: type, identifier and name, flags.
fn entry(entry: &EntryPlan) -> String {
    let named = match entry.type_name() {
        Some(name) => format!(" ({name})"),
        None => String::new(),
    };
    let mut text = match entry {
        EntryPlan::None => return "no entry".to_owned(),
        EntryPlan::Mbr { kind, .. } => format!("type {kind:#04x}{named}"),
        EntryPlan::Gpt {
            kind, guid, name, ..
        } => format!("type {kind}{named}, {guid}, '{name}'"),
    };
    if let EntryPlan::Gpt {
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
    let mut text = format!("    {}\n", summary(&plan.summary()));
    let files = plan.tree().files();
    if files.len() > LISTED {
        let bytes: u64 = files.iter().map(|(_, content)| content.len()).sum();
        let others = plan.tree().nodes().count() - files.len();
        text += &format!(
            "      {} files of {} together, {others} directories and others\n",
            files.len(),
            BinaryBytes(bytes)
        );
        return text;
    }
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
            .map(|label| format!("label '{label}'")),
    );
    facts.extend(summary.uuid.map(|uuid| uuid.to_string()));
    format!("{}: {}", summary.kind, facts.join(", "))
}
