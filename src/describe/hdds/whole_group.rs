//! What no part of a group can see alone: which tables it has, and which number a partition gets.

use disklayout::layout::spec::Holds;
use disklayout::table::{Kind, Role};

use super::model::LayoutGroup;
use super::{holding, variants};
use crate::image::Filling;

/// What is wrong with `group` as a whole, by the paths of what is to be changed.
pub(super) fn objections(group: &LayoutGroup) -> Vec<(String, String)> {
    let mut wrong = identifiers(group);
    for part in &group.parts {
        let word = part.filesystem.as_deref();
        let place = part.partition.place.object();
        wrong.extend(nothing(
            group,
            place,
            (word, &part.partition.holds),
            &part.filling,
        ));
    }
    for volume in &group.volumes {
        let (word, spec) = (volume.filesystem.as_deref(), &volume.volume);
        let place = spec.place.object();
        wrong.extend(nothing(group, place, (word, &spec.holds), &volume.filling));
    }
    wrong.extend(equal_options(group));
    for label in &group.labels {
        wrong.extend(files(group, label.kind));
    }
    wrong.dedup();
    wrong
}

/// What identifies a disk in a kind of table that none of the images has.
fn identifiers(group: &LayoutGroup) -> Vec<(String, String)> {
    let has = |kind| group.labels.iter().any(|label| label.kind == kind);
    let kind = group.labels.first().map_or(Kind::None, |label| label.kind);
    let wrong = [
        (
            group.disk_id.is_some() && !has(Kind::Mbr),
            "disk_id",
            format!("only an MBR has a disk signature, {kind} has none; a GPT has a 'disk_guid'"),
        ),
        (
            group.disk_guid.is_some() && !has(Kind::Gpt),
            "disk_guid",
            format!("only a GPT has a disk GUID, {kind} has none; an MBR has a 'disk_id'"),
        ),
        (
            !group.hybrid_mbr.is_empty() && !has(Kind::Gpt),
            "hybrid_mbr",
            format!("only in front of a GPT there is a hybrid MBR, not with {kind}"),
        ),
    ];
    let wrong = wrong.into_iter().filter(|(is_wrong, ..)| *is_wrong);
    wrong
        .map(|(_, key, message)| (format!("{}.{key}", group.place.object()), message))
        .collect()
}

/// What is said twice of one group of volumes.
fn equal_options(group: &LayoutGroup) -> Vec<(String, String)> {
    let options = &group.volume_groups;
    let again = options.iter().enumerate().filter(|(index, one)| {
        let mut before = options[..*index].iter();
        before.any(|other| other.name == one.name)
    });
    again
        .map(|(_, one)| {
            let message = format!("what is said of the group '{}' stands before", one.name);
            (format!("{}.name", one.place.object()), message)
        })
        .collect()
}

/// What needs a filesystem in the object at `place`, which has none in one of the images.
fn nothing(
    group: &LayoutGroup,
    place: &str,
    (word, holds): (Option<&str>, &Holds),
    filling: &Filling,
) -> Option<(String, String)> {
    let Holds::Filesystem(filesystem) = holds.innermost() else {
        return None;
    };
    let is_nothing = match word {
        Some(word) => word == holding::NONE,
        None => group.filesystems.iter().any(|word| word == holding::NONE),
    };
    let wanted = [
        ("label", filesystem.label.is_some()),
        ("fs_uuid", filesystem.uuid.is_some()),
        ("mkfs", !filesystem.options.is_empty()),
        ("contents", filling.is_some()),
    ];
    let (key, _) = wanted
        .iter()
        .find(|(_, is_wanted)| is_nothing && *is_wanted)?;
    let message = "it has no filesystem ('none') that could have this";
    Some((format!("{place}.{key}"), message.to_owned()))
}

/// Files in partitions that hold none.
fn files(group: &LayoutGroup, kind: Kind) -> Vec<(String, String)> {
    let order = variants::by_number(group, kind);
    let wrong = group.files.iter().filter_map(|file| {
        let number = file.part;
        let part = &group.parts[variants::of_number(&order, number)?];
        let message = match part.partition.holds.innermost() {
            _ if kind == Kind::Mbr && part.partition.role == Role::Extended => format!(
                "part {number} is the extended partition, which holds no files; name one of its \
                 logical partitions, which come after the primary ones"
            ),
            Holds::Bytes(_) => format!("part {number} holds the bytes of its 'source', no files"),
            _ if part.filesystem.as_deref() == Some(holding::NONE) => {
                format!("part {number} has no filesystem ('none') that could have files")
            }
            Holds::Member(_) | Holds::Hashes(_) => {
                format!("part {number} has no filesystem of its own that could have files")
            }
            _ => return None,
        };
        Some((format!("{}.part", file.object.place.object()), message))
    });
    wrong.collect()
}
