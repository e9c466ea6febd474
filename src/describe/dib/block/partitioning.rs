//! `partitioning`: a partition table, and what its partitions are to be like.

use disklayout::table::Kind;
use disklayout::table::types::PartitionType;

use super::codes;
use super::entry::{Base, Entry, Planned, string};
use super::size::{self, Size};
use crate::config::{Findings, Place};

/// The usual alignment of an MBR's partitions.
const ALIGN: u64 = 1 << 20;

/// The type of an MBR's partition that has none.
const MBR_LINUX: u8 = 0x83;

/// The most partitions of a GPT.
const GPT_MOST: usize = 128;

/// The most partitions of an MBR: three primary ones, and logical ones up to number 64.
const MBR_MOST: usize = 63;

/// A partition table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The image that it is on.
    pub(super) base: Base,
    pub(super) place: Place,
    pub(super) kind: Kind,
    /// What starts of an MBR's partitions are multiples of, in bytes.
    pub(super) align: u64,
    /// Where that is said.
    pub(super) align_place: Place,
    pub(super) parts: Vec<Part>,
}

/// A partition whose sectors aren't decided yet.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) name: String,
    /// Where it stands.
    pub(super) place: Place,
    pub(super) size: Size,
    pub(super) size_place: Place,
    /// Where its flags stand, or would.
    pub(super) flags_place: Place,
    pub(super) is_primary: bool,
    pub(super) is_active: bool,
    pub(super) kind: PartitionType,
}

/// Reads a partition table.
pub(super) fn read(planned: &Planned<'_>, findings: &mut Findings) -> Option<Table> {
    let entry = &planned.entry;
    let base = entry.base("the partition table", findings);
    let kind = kind(entry, findings)?;
    let align = entry.optional_size("align", findings, size::bytes)?;
    let align_place = entry.object.place_of("align");
    if kind == Kind::Gpt && align.is_some() {
        findings.warn(&align_place, "'align' means nothing in a GPT: it has 1 MiB");
    }
    entry.object.required("partitions", findings)?;
    check_count(entry, kind, planned.partitions.len(), findings)?;
    let parts = planned.partitions.iter();
    let parts: Vec<_> = parts.map(|part| self::part(part, kind, findings)).collect();
    let table = Table {
        base: base?,
        place: entry.place().clone(),
        kind,
        align: align.unwrap_or(ALIGN),
        align_place,
        parts: parts.into_iter().collect::<Option<_>>()?,
    };
    check_order(&table, findings)?;
    Some(table)
}

/// Refuses more partitions than a table can have, and none.
fn check_count(entry: &Entry<'_>, kind: Kind, count: usize, findings: &mut Findings) -> Option<()> {
    let most = match kind {
        Kind::Gpt => GPT_MOST,
        _ => MBR_MOST,
    };
    let message = match count {
        0 => "a partition table needs one partition at least".to_owned(),
        count if count > most => format!("{kind} holds {most} partitions, and these are {count}"),
        _ => return Some(()),
    };
    findings.refuse(&entry.object.place_of("partitions"), message)
}

fn kind(entry: &Entry<'_>, findings: &mut Findings) -> Option<Kind> {
    match entry.text("label", findings)?.as_str() {
        "mbr" => Some(Kind::Mbr),
        "gpt" => Some(Kind::Gpt),
        word => {
            let message = format!("'{word}' is no partition table: give mbr or gpt");
            findings.refuse(&entry.object.place_of("label"), message)
        }
    }
}

fn part(entry: &Entry<'_>, kind: Kind, findings: &mut Findings) -> Option<Part> {
    let size = entry.object.required("size", findings);
    let size = size.and_then(|value| {
        let text = value.text(findings)?;
        findings.check(value.place(), Size::parse(&text))
    });
    let flags = flags(entry, kind, findings);
    let of_part = match kind {
        Kind::Gpt => gpt_type(entry, findings),
        _ => mbr_type(entry, findings),
    };
    let (is_primary, is_active) = flags?;
    Some(Part {
        name: entry.name.clone(),
        place: entry.place().clone(),
        size: size?,
        size_place: entry.object.place_of("size"),
        flags_place: entry.object.place_of("flags"),
        is_primary,
        is_active,
        kind: of_part?,
    })
}

/// Whether a partition is primary, and whether it is the one that is started.
fn flags(entry: &Entry<'_>, kind: Kind, findings: &mut Findings) -> Option<(bool, bool)> {
    let (mut is_primary, mut is_active) = (false, false);
    let Some(list) = entry.object.optional("flags") else {
        return Some((false, false));
    };
    for value in list.list("flags, boot and primary", findings)? {
        match string(&value, findings)?.as_str() {
            "primary" if kind == Kind::Gpt => {
                let message = format!(
                    "'{}' can't be primary: a GPT has no other partitions; leave the flag out",
                    entry.name
                );
                return findings.refuse(value.place(), message);
            }
            "primary" => is_primary = true,
            // A GPT has nothing for it, and configurations have it all the same.
            "boot" => is_active = kind == Kind::Mbr,
            word => {
                let message = format!("'{word}' is no flag: give boot or primary");
                return findings.refuse(value.place(), message);
            }
        }
    }
    Some((is_primary, is_active))
}

fn gpt_type(entry: &Entry<'_>, findings: &mut Findings) -> Option<PartitionType> {
    let Some(value) = entry.object.optional("type") else {
        return codes::parse(codes::LINUX).ok();
    };
    // Codes of digits alone are often written without quotes, and then are numbers.
    let text = match value.is_number() {
        true => value.text(findings)?,
        false => string(value, findings)?,
    };
    let parsed = match (value.is_number(), codes::parse(&text)) {
        (true, Err(_)) => Err(format!(
            "found the number {text}, which is no type: put the code into quotes, like '8300'; without \
             them 0700 is read as octal"
        )),
        (_, parsed) => parsed,
    };
    findings.check(value.place(), parsed)
}

fn mbr_type(entry: &Entry<'_>, findings: &mut Findings) -> Option<PartitionType> {
    let Some(value) = entry.object.optional("type") else {
        return Some(PartitionType::Byte(MBR_LINUX));
    };
    if value.is_number() {
        let message = format!(
            "found {}: put the hexadecimal digits into quotes, like '0x83'",
            value.shown()
        );
        return findings.refuse(value.place(), message);
    }
    let text = string(value, findings)?;
    findings.check(value.place(), mbr_byte(&text))
}

/// The type that one or two hexadecimal digits say.
fn mbr_byte(text: &str) -> Result<PartitionType, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = digits.unwrap_or(text);
    let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match u64::from_str_radix(digits, 16) {
        Ok(number) if is_hexadecimal => match u8::try_from(number) {
            Ok(byte) => PartitionType::of_byte(byte),
            Err(_) => Err(format!(
                "'{text}' is more than FF, the largest type of an MBR; codes of four digits are for a GPT"
            )),
        },
        _ => Err(format!(
            "'{text}' is no type of an MBR's partition: give two hexadecimal digits, like '0x83'"
        )),
    }
}

/// Refuses a primary partition behind a logical one, and logical ones that are started.
fn check_order(table: &Table, findings: &mut Findings) -> Option<()> {
    if table.kind == Kind::Gpt {
        return Some(());
    }
    let mut logical: Option<&Part> = None;
    for part in &table.parts {
        match (logical, part.is_primary) {
            (Some(logical), true) => {
                let message = format!(
                    "'{}' is primary and behind '{}', which isn't: have all primary partitions first",
                    part.name, logical.name
                );
                return findings.refuse(&part.place, message);
            }
            (_, false) if part.is_active => {
                let message = format!(
                    "'{}' has the flag 'boot' and isn't primary: only primary partitions are started",
                    part.name
                );
                return findings.refuse(&part.flags_place, message);
            }
            (None, false) => logical = Some(part),
            _ => {}
        }
    }
    Some(())
}
