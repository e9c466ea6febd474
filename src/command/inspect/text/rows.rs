//! The partitions of a table, a row each.

use std::io::Write;

use anyhow::Result;
use disklayout::SectorSize;
use disklayout::table::{Entry, Partition, Role};
use indicatif::BinaryBytes;

use crate::printable::printable;

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

/// Writes a header and a row for every partition.
pub(super) fn write(
    out: &mut dyn Write,
    partitions: &[&Partition],
    sector: SectorSize,
) -> Result<()> {
    let rows = rows(partitions, sector);
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    for row in &rows {
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
