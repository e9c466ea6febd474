//! What an image holds, for people.

mod filesystem;
mod groups;
mod rows;
mod shown;

use std::io::Write;

use anyhow::Result;
use disklayout::SectorSize;
use disklayout::container::{Detail, DetailValue};
use disklayout::inspect::{Evidence, Image};
use disklayout::table::TableId;

use super::devices::Devices;
use super::layers::Layer;
use super::{Found, Options};
use crate::printable::printable;
use shown::Shown;

/// Writes about all of an image; whether all that was asked for could be read.
pub(super) fn write(
    out: &mut dyn Write,
    name: &str,
    (found, devices): (&Found<'_>, &Devices<'_>),
    options: &Options,
) -> Result<bool> {
    let Found { image, layers, .. } = found;
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
    let parts = devices.parts();
    let wanted: Vec<_> = parts.filter(|part| devices.all[*part].is_wanted).collect();
    let partitions = wanted.iter().filter_map(|part| devices.all[*part].part());
    let partitions: Vec<_> = partitions
        .filter_map(|volume| volume.partition.as_ref())
        .collect();
    let sector = image
        .table
        .as_ref()
        .map_or(SectorSize::B512, |table| table.sector_size);
    rows::write(out, &partitions, sector)?;
    let mut shown = Shown::new(out, devices, options);
    for part in wanted {
        shown.write_part(part)?;
    }
    shown.write_groups()?;
    Ok(shown.is_sound)
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
