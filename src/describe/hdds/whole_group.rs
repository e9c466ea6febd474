//! What no part of a group can see alone: which tables it has, and which number a partition gets.

use disklayout::layout::spec::Holds;
use disklayout::table::{Kind, Role};

use super::model::{LayoutGroup, Part};
use super::reader::Findings;
use super::{part, variants};

/// Refuses what none of the images of `group` could have.
pub(super) fn check(group: &LayoutGroup, f: &mut Findings) {
    check_identifiers(group, f);
    for part in &group.parts {
        check_nothing(part, group, f);
    }
    for label in &group.labels {
        check_files(group, label.kind, f);
    }
    warn_of_equal_images(group, f);
}

/// Refuses what identifies a disk in a kind of table that none of the images has.
fn check_identifiers(group: &LayoutGroup, f: &mut Findings) {
    let has = |kind| group.labels.iter().any(|label| label.kind == kind);
    let kind = group.labels.first().map_or(Kind::None, |label| label.kind);
    let mut refuse = |key: &str, message: String| {
        f.refuse::<()>(&format!("{}.{key}", group.place), message);
    };
    if group.disk_id.is_some() && !has(Kind::Mbr) {
        refuse(
            "disk_id",
            format!("only an MBR has a disk signature, {kind} has none; a GPT has a 'disk_guid'"),
        );
    }
    if group.disk_guid.is_some() && !has(Kind::Gpt) {
        refuse(
            "disk_guid",
            format!("only a GPT has a disk GUID, {kind} has none; an MBR has a 'disk_id'"),
        );
    }
    if !group.hybrid_mbr.is_empty() && !has(Kind::Gpt) {
        refuse(
            "hybrid_mbr",
            format!("only in front of a GPT there is a hybrid MBR, not with {kind}"),
        );
    }
}

/// Refuses what needs a filesystem in a partition that has none in one of the images.
fn check_nothing(part: &Part, group: &LayoutGroup, f: &mut Findings) {
    let Holds::Filesystem(filesystem) = &part.partition.holds else {
        return;
    };
    let is_nothing = match &part.filesystem {
        Some(word) => word == part::NONE,
        None => group.filesystems.iter().any(|word| word == part::NONE),
    };
    let wanted = [
        ("label", filesystem.label.is_some()),
        ("fs_uuid", filesystem.uuid.is_some()),
        ("mkfs", !filesystem.options.is_empty()),
        ("contents", part.filling.is_some()),
    ];
    for (key, _) in wanted
        .iter()
        .filter(|(_, is_wanted)| is_nothing && *is_wanted)
    {
        let message = "the partition has no filesystem ('none') that could have this";
        f.refuse::<()>(&format!("{}.{key}", part.partition.place), message);
    }
}

/// Refuses files in partitions that hold none.
fn check_files(group: &LayoutGroup, kind: Kind, f: &mut Findings) {
    let order = variants::by_number(group, kind);
    for file in &group.files {
        let Some(index) = variants::of_number(&order, file.part) else {
            continue;
        };
        let (part, number) = (&group.parts[index], file.part);
        let word = part.filesystem.as_deref();
        let message = match part.partition.holds {
            _ if kind == Kind::Mbr && part.partition.role == Role::Extended => format!(
                "part {number} is the extended partition, which holds no files; name one of its \
                 logical partitions, which come after the primary ones"
            ),
            Holds::Bytes(_) => format!("part {number} holds the bytes of its 'source', no files"),
            _ if word == Some(part::NONE) => {
                format!("part {number} has no filesystem ('none') that could have files")
            }
            _ => continue,
        };
        f.refuse::<()>(&format!("{}.part", file.object.place), message);
    }
}

/// Several filesystems make no difference where every partition names its own.
fn warn_of_equal_images(group: &LayoutGroup, f: &mut Findings) {
    if group.filesystems.len() > 1 && group.parts.iter().all(|part| part.filesystem.is_some()) {
        let place = format!("{}.filesystems", group.place);
        f.warn(
            &place,
            "the images are all the same: every partition names its own filesystem",
        );
    }
}
