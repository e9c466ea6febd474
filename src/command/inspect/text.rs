//! What an image holds, for people.

use std::io::Write;

use anyhow::Result;
use disklayout::container::{Detail, DetailValue};
use disklayout::inspect::fs::{Facts, Filesystem};
use disklayout::inspect::{Evidence, Image, Volume};
use disklayout::table::{Entry, Partition, Role, TableId};
use disklayout::{Bytes, SectorSize};
use indicatif::BinaryBytes;

use super::layers::Layer;
use super::{Found, Options, files, is_wanted};
use crate::command::time;
use crate::printable::printable;

/// Writes about all of an image; whether all that was asked for could be read.
pub(super) fn write(
    out: &mut dyn Write,
    name: &str,
    Found { image, layers }: &Found<'_>,
    options: &Options,
) -> Result<bool> {
    let table = image.table.as_ref().map(|table| table.id);
    let table = match table {
        None | Some(TableId::None) => "no table".to_owned(),
        Some(TableId::Mbr { signature }) => format!("MBR {signature:#010x}"),
        Some(TableId::Gpt { guid }) => format!("GPT {guid}"),
    };
    let name = printable(name);
    let layers = shown_layers(layers);
    writeln!(
        out,
        "{name}: {}, {table}{}{layers}",
        image.size,
        sectors(image)
    )?;
    write_warnings(out, "", &image.warnings)?;
    let mut is_sound = true;
    let wanted = image.volumes.iter();
    let wanted: Vec<_> = wanted
        .filter(|volume| is_wanted(volume, options.part))
        .collect();
    let partitions: Vec<_> = wanted
        .iter()
        .filter_map(|one| one.partition.as_ref())
        .collect();
    let sector = image
        .table
        .as_ref()
        .map_or(SectorSize::B512, |table| table.sector_size);
    write_rows(out, &rows(&partitions, sector))?;
    for volume in wanted {
        let place = match &volume.partition {
            Some(partition) => format!("partition {}: ", partition.number),
            None if image.table.is_some() => "whole image: ".to_owned(),
            None => String::new(),
        };
        is_sound &= write_volume(out, &place, volume, options)?;
    }
    Ok(is_sound)
}

/// The formats around a disk, from the inside out, with what each says of itself.
fn shown_layers(layers: &[Layer]) -> String {
    let shown = layers.iter().rev().map(|layer| {
        let details = layer.details.iter().map(shown_detail);
        let details: Vec<_> = details.collect();
        match details.is_empty() {
            true => layer.format.to_owned(),
            false => format!("{} ({})", layer.format, details.join(", ")),
        }
    });
    let shown: Vec<_> = shown.collect();
    match shown.is_empty() {
        true => String::new(),
        false => format!(", in the format {}", shown.join(" in ")),
    }
}

fn shown_detail(Detail { name, value }: &Detail) -> String {
    let value = match value {
        DetailValue::Number(number) => number.to_string(),
        DetailValue::Text(text) => printable(text).into_owned(),
        DetailValue::Flag(true) => "yes".to_owned(),
        DetailValue::Flag(false) => "no".to_owned(),
    };
    format!("{} {value}", name.replace('_', " "))
}

fn write_warnings(out: &mut dyn Write, place: &str, warnings: &[String]) -> Result<()> {
    for warning in warnings {
        writeln!(out, "  {place}warning: {}", printable(warning))?;
    }
    Ok(())
}

/// What the sectors of a disk with a table hold, and how that is known.
fn sectors(image: &Image<'_>) -> String {
    let Some(table) = &image.table else {
        return String::new();
    };
    let evidence = match image.evidence {
        Evidence::Caller | Evidence::Table => "",
        Evidence::Filesystems => " (by the filesystems)",
        Evidence::Nothing => " (assumed)",
    };
    format!(", sectors of {} bytes{evidence}", table.sector_size.get())
}

/// A header and a row for every partition.
fn rows(partitions: &[&Partition], sector: SectorSize) -> Vec<[String; 6]> {
    if partitions.is_empty() {
        return Vec::new();
    }
    let header = ["part", "first", "last", "size", "type", "name"].map(str::to_owned);
    let row = |partition: &&Partition| {
        let range = partition.range;
        [
            partition.number.to_string(),
            range.first().to_string(),
            range.last().to_string(),
            BinaryBytes(range.size(sector).get()).to_string(),
            shown_type(partition),
            match &partition.entry {
                Entry::Gpt { name, .. } if !name.is_empty() => printable(name).into_owned(),
                _ => "-".to_owned(),
            },
        ]
    };
    std::iter::once(header)
        .chain(partitions.iter().map(row))
        .collect()
}

fn shown_type(partition: &Partition) -> String {
    let number = match &partition.entry {
        Entry::None => String::new(),
        Entry::Mbr { kind, .. } => format!("{kind:#04x}"),
        Entry::Gpt { kind, .. } => kind.to_string(),
    };
    let role = match partition.role {
        Role::Logical => ", logical",
        Role::Primary | Role::Extended => "",
    };
    let name = partition.entry.type_name().map_or(number, str::to_owned);
    let active = match &partition.entry {
        Entry::Mbr { active: true, .. } => ", active",
        _ => "",
    };
    format!("{name}{role}{active}")
}

fn write_rows(out: &mut dyn Write, rows: &[[String; 6]]) -> Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    for row in rows {
        let [number, first, last, size, kind, name] = row;
        writeln!(
            out,
            "  {number:>a$}  {first:>b$}  {last:>c$}  {size:>d$}  {kind:<e$}  {name}",
            a = width(0),
            b = width(1),
            c = width(2),
            d = width(3),
            e = width(4),
        )?;
    }
    Ok(())
}

fn write_volume(
    out: &mut dyn Write,
    place: &str,
    volume: &Volume<'_>,
    options: &Options,
) -> Result<bool> {
    write_warnings(out, place, &volume.warnings)?;
    if matches!(&volume.partition, Some(partition) if partition.role == Role::Extended) {
        return Ok(true);
    }
    let found = match &volume.filesystem {
        Ok(Some(found)) => found,
        Ok(None) => {
            writeln!(out, "  {place}no filesystem recognised")?;
            return Ok(true);
        }
        Err(error) => {
            writeln!(out, "  {place}error: {}", printable(&error.to_string()))?;
            return Ok(options.part.is_none());
        }
    };
    let lines = lines(found.facts());
    for (index, line) in lines.iter().enumerate() {
        let start = if index == 0 { place } else { "    " };
        writeln!(out, "  {start}{}", printable(line))?;
    }
    match options.tree && found.has_files() {
        true => write_tree(out, found),
        false => Ok(true),
    }
}

/// A few lines about a filesystem.
fn lines(facts: &Facts) -> Vec<String> {
    let mut first = vec![facts.kind.to_owned()];
    first.extend(facts.variant.clone());
    first.extend(
        facts
            .label
            .as_ref()
            .map(|label| format!("label '{}'", printable(label))),
    );
    first.extend(facts.uuid.clone());
    first.extend(facts.state.map(|state| state.name().to_owned()));
    let mut space = Vec::new();
    space.extend(facts.size.map(|size| Bytes::new(size).to_string()));
    if let (Some(blocks), Some(size)) = (facts.blocks, facts.block_size) {
        space.push(format!("{blocks} blocks of {size} bytes"));
    }
    space.extend(facts.free_blocks.map(|free| {
        let bytes = facts
            .free()
            .map_or(String::new(), |bytes| format!(" ({})", BinaryBytes(bytes)));
        format!("{free} free{bytes}")
    }));
    let mut more = Vec::new();
    more.extend(facts.inodes.map(|inodes| match facts.free_inodes {
        Some(free) => format!("{inodes} inodes, {free} free"),
        None => format!("{inodes} inodes"),
    }));
    more.extend(
        facts
            .journal
            .map(|size| format!("journal {}", Bytes::new(size))),
    );
    let times = [
        ("made", facts.created),
        ("mounted", facts.mounted),
        ("written", facts.written),
    ];
    let times = times
        .into_iter()
        .filter_map(|(name, time)| Some((name, time?)));
    more.extend(times.map(|(name, time)| format!("{name} {}", time::shown(time))));
    more.extend(
        facts
            .last_mounted
            .as_ref()
            .map(|path| format!("on '{}'", printable(path))),
    );
    let mut lines: Vec<_> = [first, space, more]
        .into_iter()
        .filter(|parts| !parts.is_empty())
        .map(|parts| parts.join(", "))
        .collect();
    if !facts.features.is_empty() {
        lines.push(format!("features {}", facts.features.join(" ")));
    }
    lines.extend(
        facts
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}")),
    );
    lines
}

fn write_tree(out: &mut dyn Write, found: &Filesystem<'_>) -> Result<bool> {
    let result = found.walk().and_then(|mut walk| {
        let mut lines = Ok(());
        while lines.is_ok()
            && let Some(entry) = walk.next()?
        {
            let line = files::line(found, &entry)?;
            lines = writeln!(out, "    {line}");
        }
        Ok(lines)
    });
    match result {
        Ok(written) => {
            written?;
            Ok(true)
        }
        Err(error) => {
            writeln!(out, "    error: {}", printable(&error.to_string()))?;
            Ok(false)
        }
    }
}
