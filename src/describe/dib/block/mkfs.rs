//! `mkfs`: a filesystem, with its type, its label and its options.

use disklayout::fs::Options;
use uuid::Uuid;

use super::Settings;
use super::entry::{Base, Entry};
use super::root::ROOT;
use crate::config::{Findings, Place};
use crate::describe::identifiers::{Identifier, is_fat};
use crate::describe::mkfs;

/// The longest labels, in characters. Those of other types are checked when they are planned.
const LABELS: [(&str, usize); 6] = [
    ("ext2", 16),
    ("ext3", 16),
    ("ext4", 16),
    ("xfs", 12),
    ("vfat", 11),
    ("swap", 16),
];

/// A filesystem, or swap.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) name: String,
    /// The image or the partition that it is in.
    pub(super) base: Base,
    pub(super) place: Place,
    /// Its type, as the configuration has it.
    pub(super) kind: String,
    pub(super) label: String,
    /// Where that is said, or would be.
    pub(super) label_place: Place,
    pub(super) uuid: Option<Uuid>,
    pub(super) options: Options,
}

impl Made {
    /// Whether it is swap, which isn't mounted.
    pub(super) fn is_swap(&self) -> bool {
        self.kind == "swap"
    }
}

/// Reads a filesystem. What the one called `mkfs_root` doesn't say is taken from the settings.
pub(super) fn read(
    entry: &Entry<'_>,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<Made> {
    let base = entry.base("the filesystem", findings);
    let kind = match entry.optional_text("type", findings)? {
        Some(kind) => kind,
        None if entry.name == ROOT => settings.root.kind.clone(),
        None => {
            let message = format!(
                "the filesystem '{}' has no 'type': give one, like ext4; only '{ROOT}' has a usual one",
                entry.name
            );
            return findings.refuse(entry.place(), message);
        }
    };
    let label = label(entry, &kind, settings, findings);
    let uuid = uuid(entry, &kind, findings);
    let options = options(entry, &kind, settings, findings)?;
    let (uuid, of_options) = (uuid?, options.uuid.as_deref().map(Uuid::parse_str));
    Some(Made {
        name: entry.name.clone(),
        base: base?,
        place: entry.place().clone(),
        kind,
        label: label?,
        label_place: entry.object.place_of("label"),
        // The program gets both, and the later one wins.
        uuid: uuid.or_else(|| of_options?.ok()),
        options: options.options,
    })
}

/// The label: the name of the entry where none is given. FAT has capital letters.
fn label(
    entry: &Entry<'_>,
    kind: &str,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<String> {
    let label = match entry.optional_text("label", findings)? {
        Some(label) => label,
        None if entry.name == ROOT => settings.root.label_for(kind),
        None => entry.name.clone(),
    };
    let label = match is_fat(kind) {
        true => label.to_uppercase(),
        false => label,
    };
    let length = label.chars().count();
    match LABELS.iter().find(|(known, _)| *known == kind) {
        Some((_, most)) if length > *most => {
            let said = match entry.object.optional("label") {
                Some(_) => "",
                None => ", the name of the filesystem as it has no 'label',",
            };
            let message = format!(
                "the label '{label}'{said} has {length} characters, and {kind} has {most} at most: give \
                 a shorter 'label'"
            );
            findings.refuse(&entry.object.place_of("label"), message)
        }
        _ => Some(label),
    }
}

fn uuid(entry: &Entry<'_>, kind: &str, findings: &mut Findings) -> Option<Option<Uuid>> {
    let Some(text) = entry.optional_text("uuid", findings)? else {
        return Some(None);
    };
    let place = entry.object.place_of("uuid");
    if Identifier::of(kind) != Identifier::Uuid {
        findings.warn(
            &place,
            format!("no UUID can be chosen for {kind}: it is left out"),
        );
        return Some(None);
    }
    match Uuid::parse_str(&text) {
        Ok(uuid) => Some(Some(uuid)),
        Err(_) => {
            let message = format!(
                "'{text}' is no UUID: give one like 01234567-89ab-cdef-0123-456789abcdef, or none"
            );
            findings.refuse(&place, message)
        }
    }
}

/// What the options of the program say.
fn options(
    entry: &Entry<'_>,
    kind: &str,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<mkfs::Chosen> {
    let place = entry.object.place_of("opts");
    let own = entry.optional_text("opts", findings)?;
    let text = match &own {
        Some(_) if kind == "swap" => {
            findings.warn(&place, "options of swap mean nothing: mkswap gets none");
            ""
        }
        Some(text) => text,
        None if entry.name == ROOT => {
            let text = settings.root.options_for(kind);
            let chosen = mkfs::parse(kind, &text);
            let chosen = chosen.map_err(|error| format!("{error}; '{text}' is set for the root"));
            return findings.check(&place, chosen);
        }
        None => "",
    };
    let mut chosen = findings.check(&place, mkfs::parse(kind, text))?;
    if chosen.label.take().is_some() {
        findings.warn(
            &place,
            "a label in the options means nothing: give it as 'label'",
        );
    }
    match chosen.uuid.as_deref().map(Uuid::parse_str) {
        Some(Err(_)) => findings.refuse(&place, "the UUID in the options is none"),
        _ => Some(chosen),
    }
}
