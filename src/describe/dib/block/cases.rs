//! Configurations of `tests/data/dib/block`, each with what is said of it, or with what it describes.
//! `UPDATE_EXPECTED=1` writes that into the files. Comments before a configuration set what it is read
//! with: `# image-size: 3GiB`.

use std::path::Path;

use disklayout::fs::Misfits;
use disklayout::layout::spec::{DiskTable, End, Holds, LogicalVolume, Start, VolumeGroup};
use disklayout::table::{Entry, Partition};
use disklayout::volume::lvm;
use disklayout::{Bytes, Identity, Timestamp, layout};
use testkit::cases::{self, Case};

use super::{Configuration, Image, Root, Settings, read, size};
use crate::config::yaml;
use crate::system::Volume;

/// The value of a comment in front of a configuration.
fn set<'c>(case: &'c Case, key: &str) -> Option<&'c str> {
    let comments = case.text.lines().take_while(|line| line.starts_with('#'));
    let mut pairs = comments.filter_map(|line| line.strip_prefix("# ")?.split_once(": "));
    pairs
        .find(|(known, _)| *known == key)
        .map(|(_, value)| value)
}

/// Settings of which nothing is chosen.
pub(super) fn usual() -> Settings {
    Settings {
        image_name: "a.img".into(),
        time: Timestamp::default(),
        root: Root::default(),
        block_size: None,
        misfits: Misfits::default(),
    }
}

/// Those that the comments of a case choose.
fn settings(case: &Case) -> Settings {
    let usual = usual();
    let root = usual.root;
    let root = Root {
        kind: set(case, "type").map_or(root.kind, str::to_owned),
        label: set(case, "label").map(str::to_owned),
        options: set(case, "mkfs-options").map_or(root.options, str::to_owned),
        journal: set(case, "journal").map_or(root.journal, |text| text.parse().unwrap()),
        resize: set(case, "resize").map(str::to_owned),
        without_checksums: set(case, "release") == Some("trusty"),
    };
    let block_size = set(case, "block-size").map(|text| text.parse().unwrap());
    Settings {
        root,
        block_size,
        ..usual
    }
}

/// What is said of a configuration.
fn said(case: &Case) -> Vec<String> {
    let settings = settings(case);
    let text = set(case, "image-size").unwrap_or("1GiB");
    let size = Bytes::new(size::bytes(text).unwrap());
    let document = yaml::parse(&case.text, "c");
    let configuration = document.and_then(|document| read(&document, &settings));
    let laid_out = configuration.and_then(|it| Ok((it.lay_out(size)?, it)));
    let text = match laid_out {
        Ok((images, configuration)) => listing(&images, &configuration),
        Err(error) => error.to_string(),
    };
    text.lines().map(str::to_owned).collect()
}

/// Images, fstab, values and warnings, a line each.
fn listing(images: &[Image], configuration: &Configuration) -> String {
    let mut lines = Vec::new();
    for image in images {
        match self::image(image) {
            Ok(shown) => lines.extend(shown),
            Err(error) => return error,
        }
    }
    let fstab = configuration.fstab.iter();
    lines.extend(fstab.map(|line| format!("fstab {line}")));
    for symbol in ["root-label", "root-fstype", "boot-label", "mount-points"] {
        let value = configuration.values.get(symbol).unwrap();
        lines.push(format!("{symbol} '{value}'"));
    }
    lines.push(format!("order {}", configuration.order.join(", ")));
    let warnings = configuration.warnings.iter();
    lines.extend(warnings.map(|warning| format!("warning: {warning}")));
    lines.join("\n")
}

/// An image and what is planned of it, or what the planner says against it.
fn image(image: &Image) -> Result<Vec<String>, String> {
    let disk = &image.disk;
    let sector = disk.sector_size.get();
    let kind = disk.table.kind().as_str();
    let (name, size) = (&image.name, disk.size);
    let mut lines = vec![format!("image {name} {kind} sectors of {sector}, {size:?}")];
    let identity = Identity::new("a.img", Timestamp::default());
    let plan = layout::plan(disk.clone(), &identity, &foreign::registry());
    let plan = plan.map_err(|error| error.to_string())?;
    let table = plan.table();
    for (part, volume) in disk.partitions.iter().zip(&image.volumes) {
        let planned = table
            .partitions
            .iter()
            .find(|it| Some(it.number) == volume.location.number());
        let (tag, uuid) = (&volume.tag, &volume.uuid);
        let at = volume.mounted_at.as_deref().unwrap_or("-");
        let sectors = match (&disk.table, part.start, part.end) {
            (DiskTable::None, ..) => "all".to_owned(),
            (_, Start::Sector(first), End::Sector(last)) => {
                format!(
                    "{first} {} {}",
                    last - first + 1,
                    recorded(planned.unwrap())
                )
            }
            other => panic!("{other:?}"),
        };
        lines.push(format!(
            "{} '{tag}' {sectors} UUID={uuid} at {at}",
            volume.location.number().unwrap_or(0)
        ));
        lines.extend(held(&part.holds));
    }
    let mut known = image.volumes.iter().skip(disk.partitions.len());
    for (group, planned) in disk.groups.iter().zip(&plan.groups) {
        let members = planned.lvm.members().iter();
        let extents: Vec<_> = members.map(|it| it.extents.to_string()).collect();
        let (extents, each) = (extents.join(" + "), group.extent_size);
        let (name, uuid) = (&group.name, group.uuid.unwrap());
        lines.push(format!("group '{name}' {extents} extents of {each} {uuid}"));
        for (volume, planned) in group.volumes.iter().zip(planned.lvm.volumes()) {
            lines.extend(logical(volume, planned, group, known.next().unwrap()));
        }
    }
    assert!(known.next().is_none());
    Ok(lines)
}

/// A logical volume with the extents that it lies on, by the physical volume.
fn logical(
    volume: &LogicalVolume,
    planned: &lvm::Volume,
    group: &VolumeGroup,
    known: &Volume,
) -> Vec<String> {
    let extent = group.extent_size.get();
    let areas = planned.segments.iter().flat_map(|segment| &segment.areas);
    let places: Vec<_> = areas
        .map(|area| {
            // Physical volumes begin with 1 MiB of LVM's own.
            let first = (area.offset.get() - Bytes::MIB) / extent;
            let last = first + area.size.get() / extent - 1;
            format!("{}:{first}-{last}", area.member)
        })
        .collect();
    let striped = planned.segments.first().and_then(|it| it.stripe_size);
    let striped = striped.map(|size| format!(" striped {size}"));
    let mut lines = vec![format!(
        "'{}' {} extents at {}{}{} {} UUID={} at {}",
        volume.name,
        planned.size.get() / extent,
        places.join(" "),
        striped.unwrap_or_default(),
        planned
            .tags
            .iter()
            .map(|tag| format!(" @{tag}"))
            .collect::<String>(),
        volume.uuid.unwrap(),
        known.uuid,
        known.mounted_at.as_deref().unwrap_or("-")
    )];
    assert_eq!(known.tag, volume.name);
    lines.extend(held(&volume.holds));
    lines
}

/// What is in a partition or a volume.
fn held(holds: &Holds) -> Option<String> {
    match holds {
        Holds::Filesystem(it) => {
            let label = it.label.as_deref().unwrap_or("-");
            Some(format!("  {} '{label}' {:?}", it.format, it.options))
        }
        Holds::Member(it) => Some(format!("  part {} of '{}'", it.order + 1, it.group)),
        _ => None,
    }
}

/// Type, mark and name, as the table has them.
fn recorded(part: &Partition) -> String {
    match &part.entry {
        Entry::Mbr { kind, active: true } => format!("{kind:x} active"),
        Entry::Mbr { kind, .. } => format!("{kind:x}"),
        Entry::Gpt { kind, name, .. } => format!("{:X} '{name}'", kind.hyphenated()),
        Entry::None => String::new(),
    }
}

#[test]
fn configurations_are_laid_out_or_refused() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dib/block");
    cases::check(&directory, said);
}
