//! Steps that say what the disk is like.

use std::ops::RangeInclusive;

use disklayout::Identity;
use disklayout::fs::Options;
use disklayout::layout::spec::Filesystem;
use disklayout::table::{Kind as Table, Role};
use disklayout::tree::FileTree;
use uuid::Uuid;

use super::builder::Builder;
use super::device::{Device, Held, Made, Origin, Part};
use super::parted::{self, Problem};
use super::size;
use super::step::Step;
use super::types::{self, Effect};
use crate::describe::identifiers::{self, Identifier};
use crate::describe::mkfs;
use crate::system::Action;

/// Bytes of a sector.
const SECTOR: u64 = 512;

/// Sectors of a GPT at the end of the disk; at its start there is one more.
const GPT_SECTORS: u64 = 33;

/// The most primary partitions of an MBR.
const MOST_PRIMARY: usize = 4;

/// The number of the first logical partition.
const FIRST_LOGICAL: usize = 5;

impl Builder<'_> {
    pub(super) fn mkimg(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        self.check_device(step, "mkimg")?;
        if self.size.is_some() {
            return step.refuse("mkimg", "the image is made already");
        }
        let text = step.text("size")?;
        let parsed = size::parse(&text);
        let place = step.place_of("size");
        self.size = Some(step.findings.check(&place, parsed)?);
        self.image_path = step.place().path.clone();
        self.format = step.optional_text("format")?;
        self.add(format!("mkimg: {text}"), None, Action::Planned);
        Some(())
    }

    pub(super) fn mklabel(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        self.check_device(step, "device")?;
        self.image(step)?;
        let word = step.text("mklabel")?;
        let table = match word.as_str() {
            "msdos" | "dos" | "mbr" => Table::Mbr,
            "gpt" => Table::Gpt,
            _ => {
                let message =
                    format!("'{word}' is no table that is written here: give msdos or gpt");
                return step.refuse("mklabel", message);
            }
        };
        if !self.devices.is_empty() {
            return step.refuse(
                "mklabel",
                "there are partitions already, which it would remove",
            );
        }
        self.table = Some(table);
        self.table_path = Some(step.place().path.clone());
        self.add(format!("mklabel: {word}"), None, Action::Planned);
        Some(())
    }

    pub(super) fn mkpart(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        self.check_device(step, "device")?;
        let sectors = self.image(step)? / SECTOR;
        let Some(table) = self.table else {
            return step.refuse(
                "mkpart",
                "there is no partition table: have a step 'mklabel' before",
            );
        };
        let word = step.text("mkpart")?;
        let (role, name) = self.role(step, &word, table)?;
        let tag = match step.optional_text("tag")? {
            Some(tag) => Some(tag),
            None => step.optional_text("part-tag")?,
        };
        let tag = tag.unwrap_or_default();
        if !tag.is_empty() {
            self.check_new(step, "mkpart", &tag)?;
        }
        let fs_type = step
            .optional_text("fs-type")?
            .unwrap_or_else(|| "ext2".to_owned());
        let place = step.place_of("fs-type");
        let kind = step
            .findings
            .check(&place, types::of_filesystem(&fs_type, table))?;
        let (start, end) = (step.text("start")?, step.text("end")?);
        let bounds = parted::bounds(&start, &end, sectors, &self.gaps(role, table, sectors));
        let (first, last) = match bounds {
            Ok(bounds) => bounds,
            Err(Problem::Start(message)) => return step.refuse("start", message),
            Err(Problem::End(message)) => return step.refuse("end", message),
        };
        let part = Part {
            number: self.number(role, table),
            role,
            first,
            last,
            name,
            kind,
            first_kind: kind,
            flags: Vec::new(),
        };
        let path = step.place().path.clone();
        self.devices
            .push(Device::new(&tag, &path, Origin::Partition(part)));
        let title = match tag.as_str() {
            "" => format!("mkpart: {word}"),
            tag => format!("mkpart: {tag}"),
        };
        self.add(title, None, Action::Planned);
        Some(())
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.devices.iter().filter_map(Device::partition)
    }

    /// What a partition is in the table, and its name where tables have names.
    fn role(
        &self,
        step: &mut Step<'_, '_>,
        word: &str,
        table: Table,
    ) -> Option<(Role, Option<String>)> {
        if table == Table::Gpt {
            return Some((Role::Primary, Some(word.to_owned())));
        }
        let of_role = |role| self.parts().filter(move |part| part.role == role).count();
        let has_extended = of_role(Role::Extended) > 0;
        let role = match word {
            "primary" => Role::Primary,
            "extended" if has_extended => {
                return step.refuse("mkpart", "there is an extended partition already");
            }
            "extended" => Role::Extended,
            "logical" if has_extended => return Some((Role::Logical, None)),
            "logical" => {
                return step.refuse(
                    "mkpart",
                    "a logical partition needs an extended one around it",
                );
            }
            _ => {
                let message = format!(
                    "'{word}' is no kind of a partition: give primary, extended or logical"
                );
                return step.refuse("mkpart", message);
            }
        };
        if of_role(Role::Primary) + of_role(Role::Extended) == MOST_PRIMARY {
            let message = "an msdos table has four primary partitions at most";
            return step.refuse("mkpart", message);
        }
        Some((role, None))
    }

    fn number(&self, role: Role, table: Table) -> u32 {
        let others = self.parts();
        let number = match (table, role) {
            (Table::Mbr, Role::Logical) => {
                others.filter(|part| part.role == Role::Logical).count() + FIRST_LOGICAL
            }
            (Table::Mbr, _) => others.filter(|part| part.role != Role::Logical).count() + 1,
            _ => others.count() + 1,
        };
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// The sectors that are free for a partition.
    fn gaps(&self, role: Role, table: Table, sectors: u64) -> Vec<RangeInclusive<u64>> {
        let extended = self.parts().find(|part| part.role == Role::Extended);
        let (mut at, end) = match (role, extended) {
            // A sector in front of each is its table's.
            (Role::Logical, Some(extended)) => (extended.first + 1, extended.last),
            _ if table == Table::Gpt => (GPT_SECTORS + 1, sectors.saturating_sub(GPT_SECTORS + 1)),
            _ => (1, sectors - 1),
        };
        let is_inside = role == Role::Logical;
        let taken = self
            .parts()
            .filter(|part| (part.role == Role::Logical) == is_inside);
        let mut taken: Vec<_> = taken.map(|part| (part.first, part.last)).collect();
        taken.sort_unstable();
        let mut gaps = Vec::new();
        for (first, last) in taken {
            if first > at {
                gaps.push(at..=first - 1);
            }
            at = last + 1 + u64::from(is_inside);
        }
        if at <= end {
            gaps.push(at..=end);
        }
        gaps
    }

    pub(super) fn set_part_flag(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        self.check_device(step, "set_part_flag")?;
        let index = self.tagged(step, "tag")?;
        let flag = step.text("flag")?;
        let effect = types::of_flag(&flag, self.table?);
        let place = step.place_of("flag");
        let effect = step.findings.check(&place, effect)?;
        let state = step
            .optional_text("state")?
            .unwrap_or_else(|| "enabled".to_owned());
        let is_on = match state.as_str() {
            "enabled" | "on" => true,
            "disabled" | "off" => false,
            _ => {
                return step.refuse(
                    "state",
                    format!("'{state}' is neither enabled nor disabled"),
                );
            }
        };
        let device = &mut self.devices[index];
        let Origin::Partition(part) = &mut device.origin else {
            let message = format!("'{}' is no partition, which alone has flags", device.tag);
            return step.refuse("tag", message);
        };
        match effect {
            Effect::Type(kind) => part.kind = if is_on { kind } else { part.first_kind },
            Effect::Mark(mark) => {
                part.flags.retain(|it| *it != mark);
                if is_on {
                    part.flags.push(mark);
                }
            }
            Effect::Nothing => {}
        }
        self.add(format!("set_part_flag: {flag}"), None, Action::Planned);
        Some(())
    }

    pub(super) fn kpartx(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        self.check_device(step, "kpartx")?;
        if !step.list("tags", &[])?.is_empty() {
            let message =
                "tags of partitions that exist already can't be given: the image is a new one";
            return step.refuse("tags", message);
        }
        self.add("kpartx".to_owned(), None, Action::Planned);
        Some(())
    }

    pub(super) fn mkfs(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        let index = self.tagged(step, "partition")?;
        let word = step.text("mkfs")?;
        self.check_free(step, "partition", index)?;
        let text = step.optional_text("options")?.unwrap_or_default();
        let place = step.place_of("options");
        let chosen = step.findings.check(&place, mkfs::parse(&word, &text))?;
        // The program gets both, and the later one wins.
        let label = step.optional_text("label")?;
        let label = chosen.label.clone().or(label);
        // The feature that it leaves out is one that is never made here: orphan_file.
        step.flag("target_old", false)?;
        let made = self.made(step, index, &word, label, chosen)?;
        let device = &mut self.devices[index];
        device.holds = Held::Filesystem(Box::new(made));
        let title = format!("mkfs: {word} on {}", device.tag);
        self.add(title, None, Action::Planned);
        Some(())
    }

    fn made(
        &self,
        step: &mut Step<'_, '_>,
        index: usize,
        word: &str,
        label: Option<String>,
        chosen: mkfs::Chosen,
    ) -> Option<Made> {
        let identity = self.filesystem_identity(index);
        let mut spec = Filesystem::new(word, FileTree::new(self.settings.time));
        spec.label = label;
        spec.misfits = self.settings.misfits;
        spec.uuid = match chosen.uuid.as_deref().map(Uuid::parse_str) {
            Some(_) if Identifier::of(word) != Identifier::Uuid => {
                return step.refuse("options", format!("no UUID can be chosen for {word}"));
            }
            Some(Err(_)) => return step.refuse("options", "the UUID that is chosen is none"),
            Some(Ok(uuid)) => Some(uuid),
            None => None,
        };
        spec.options = chosen.options;
        let Some(uuid) = identifiers::identify(&mut spec, &identity) else {
            let message = "the value of '-i' is no number of eight digits";
            return step.refuse("options", message);
        };
        if word == "ext4" {
            without_new_features(&mut spec.options);
        }
        Some(Made {
            word: identifiers::mounted_as(word).to_owned(),
            spec,
            uuid,
            path: step.place().path.clone(),
        })
    }

    /// What the identifiers of a device's filesystem derive from: a partition's number, a volume's name.
    fn filesystem_identity(&self, index: usize) -> Identity {
        let slot = &self.devices[self.slot(index)];
        let name = match &slot.origin {
            Origin::Partition(part) => part.number.to_string(),
            Origin::Logical(it) => format!("{}/{}", self.groups[it.group].name, slot.tag),
            Origin::Opened(_) => slot.tag.clone(),
        };
        self.identity.child(&format!("filesystem {name}"))
    }

    /// Makes sure that `key` says the image that is made.
    fn check_device(&self, step: &mut Step<'_, '_>, key: &str) -> Option<()> {
        let device = step.text(key)?;
        match device == self.settings.device {
            true => Some(()),
            false => step.refuse(
                key,
                format!("'{device}' isn't the image that is made: give '{{{{ output }}}}'"),
            ),
        }
    }

    /// The size of the image in bytes.
    fn image(&self, step: &mut Step<'_, '_>) -> Option<u64> {
        match self.size {
            Some(size) => Some(size),
            None => step.refuse(
                "device",
                "there is no image yet: have a step 'mkimg' before",
            ),
        }
    }
}

/// Leaves out what a GRUB before 2.06-8 can't read, as vmdb2 does; what the specification says comes
/// behind it, and wins.
fn without_new_features(options: &mut Options) {
    let mut features = "^large_dir,^metadata_csum_seed".to_owned();
    if let Some(chosen) = options.get("features") {
        features = format!("{features},{chosen}");
    }
    options.set("features", features);
}
