//! A filesystem and its files.

use std::io::Write;

use anyhow::Result;
use disklayout::Bytes;
use disklayout::inspect::fs::{Facts, Filesystem};
use indicatif::BinaryBytes;

use crate::command::inspect::files;
use crate::command::time;
use crate::printable::printable;

/// A few lines about a filesystem.
pub(super) fn lines(facts: &Facts) -> Vec<String> {
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

/// Writes a line about every file; whether all could be read.
pub(super) fn write_tree(out: &mut dyn Write, found: &Filesystem<'_>) -> Result<bool> {
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
