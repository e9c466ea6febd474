//! Groups of layout images: `guestfs[]`.

use std::collections::HashSet;

use disklayout::table::Kind;

use super::model::{Label, LayoutGroup};
use super::{file_format, files, keys, names, part, size, table, volume};
use crate::config::{Findings, Object, Value};

const DEFAULT_LABEL: &str = "mbr";
const DEFAULT_FILESYSTEM: &str = "ext4";

/// Reads a group; `None` when anything is wrong with it.
pub(super) fn read(value: &Value<'_>, reserved: &[&str], f: &mut Findings) -> Option<LayoutGroup> {
    let object = value.object(&keys::LAYOUT_GROUP, f)?;
    let name = read_name(&object, reserved, f);
    let size = object.required("size", f).and_then(|value| {
        let text = value.text(f)?;
        f.check(value.place(), size::parse_disk_size(&text))
    });
    let imgver = read_imgver(&object, f);
    let labels = labels(&object, f);
    let filesystems = words(&object, "filesystems", DEFAULT_FILESYSTEM, f);
    let sector_size = object.optionally("sector_size", f, table::sector_size);
    let disk_id = object.optionally("disk_id", f, table::disk_id);
    let disk_guid = object.optionally("disk_guid", f, table::guid);
    let hybrid_mbr = object.optionally("hybrid_mbr", f, |value, f| {
        value.each("partitions", f, |value, f| value.integer(f))
    });
    let has_mbr = labels.iter().flatten().any(|it| it.kind == Kind::Mbr);
    let parts = object
        .required("parts", f)
        .and_then(|value| value.each("partitions", f, |value, f| part::read(value, has_mbr, f)));
    let volumes = object.optionally("volumes", f, |value, f| {
        value.each("volumes", f, |value, f| volume::read(value, size, f))
    });
    let volume_groups = object.optionally("volume_groups", f, |value, f| {
        value.each("groups", f, volume::group)
    });
    let volumes_of = object.optionally("volumes_of", f, Value::string);
    let count = parts.as_ref().map(Vec::len);
    let writes = object.optionally("writes", f, |value, f| {
        value.each("files", f, |value, f| files::write(value, count, f))
    });
    let uploads = object.optionally("uploads", f, |value, f| {
        value.each("files", f, |value, f| files::upload(value, count, f))
    });
    let sector_size = sector_size?.unwrap_or_default();
    let blobs = object.optionally("blobs", f, |value, f| {
        value.each("bytes", f, |value, f| files::blob(value, sector_size, f))
    });
    let formats = file_format::read(&object, f);
    // Uploads go over what is written.
    let mut files = writes?.unwrap_or_default();
    files.extend(uploads?.unwrap_or_default());
    let group = LayoutGroup {
        place: f.named(value.place()),
        name: name?,
        imgver: imgver?,
        size: size?,
        sector_size,
        disk_id: disk_id?,
        disk_guid: disk_guid?,
        hybrid_mbr: hybrid_mbr?.unwrap_or_default(),
        labels: labels?,
        filesystems: filesystems?,
        parts: parts?,
        volumes_of: volumes_of?.map(str::to_owned),
        family: None,
        volumes: volumes?.unwrap_or_default(),
        volume_groups: volume_groups?.unwrap_or_default(),
        files,
        blobs: blobs?.unwrap_or_default(),
        formats: formats?,
    };
    warn_of_equal_images(&group, &object, f);
    Some(group)
}

/// The name of a group of either kind, which is a subcommand beside the `reserved` ones.
pub(super) fn read_name(
    object: &Object<'_>,
    reserved: &[&str],
    f: &mut Findings,
) -> Option<String> {
    let value = object.required("name", f)?;
    let name = value.string(f)?;
    f.check(value.place(), names::check_word(name))?;
    if name.starts_with('-') {
        let message = format!("'{name}' starts with a '-'; as a command it would be an option");
        return f.refuse(value.place(), message);
    }
    if reserved.contains(&name) {
        let message = format!("'{name}' is a command of this program; give the group another name");
        return f.refuse(value.place(), message);
    }
    Some(name.to_string())
}

/// The image version of a group of either kind. The original takes an empty one and the number 0
/// for none.
pub(super) fn read_imgver(object: &Object<'_>, f: &mut Findings) -> Option<Option<String>> {
    let Some(value) = object.optional("imgver") else {
        return Some(None);
    };
    let text = value.text(f)?;
    if text.is_empty() || value.is_number_zero() {
        return Some(None);
    }
    f.check(value.place(), names::check_word(&text))
        .map(|()| Some(text))
}

fn labels(object: &Object<'_>, f: &mut Findings) -> Option<Vec<Label>> {
    let words = words(object, "labels", DEFAULT_LABEL, f)?.into_iter();
    let labels = words.enumerate().map(|(index, word)| {
        let place = object.place_of("labels").index(index, None);
        let kind = f.check(&place, table::kind(&word))?;
        Some(Label { word, kind })
    });
    labels.collect()
}

/// A list of different words, each of which may be in a file name.
fn words(object: &Object<'_>, key: &str, default: &str, f: &mut Findings) -> Option<Vec<String>> {
    let Some(list) = object.optional(key) else {
        return Some(vec![default.to_string()]);
    };
    let mut seen = HashSet::new();
    let words = list.each("strings", f, |value, f| {
        let word = value.string(f)?;
        f.check(value.place(), names::check_word(word))?;
        if !seen.insert(word) {
            return f.refuse(value.place(), format!("'{word}' is in the list already"));
        }
        Some(word.to_string())
    })?;
    if words.is_empty() {
        let message = format!("the list is empty; without the key it is '{default}'");
        return f.refuse(list.place(), message);
    }
    Some(words)
}

/// Several filesystems make no difference where every partition names its own.
fn warn_of_equal_images(group: &LayoutGroup, object: &Object<'_>, f: &mut Findings) {
    if group.filesystems.len() > 1 && group.parts.iter().all(|part| part.filesystem.is_some()) {
        f.warn(
            &object.place_of("filesystems"),
            "the images are all the same: every partition names its own filesystem",
        );
    }
}

#[cfg(test)]
mod tests {
    use disklayout::Bytes;
    use disklayout::layout::DiskSize;
    use disklayout::layout::spec::{End, Start};
    use disklayout::table::types::PartitionType;

    use super::*;
    use crate::config::tests;
    use crate::image::{FileContent, ObjectKind, Source};

    /// The group that `json` is, and all errors and warnings.
    fn group(json: &str) -> (Option<LayoutGroup>, Vec<String>) {
        tests::read(json, |value, f| read(value, &[], f))
    }

    #[test]
    fn defaults() {
        let json = r#"{"name": "x", "size": "100M", "parts": [],
            "labels": null, "filesystems": null, "writes": null, "uploads": null, "imgver": null}"#;
        let (group, problems) = group(json);
        let group = group.unwrap();
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            (group.labels[0].word.as_str(), group.labels.len()),
            ("mbr", 1)
        );
        assert_eq!(group.filesystems, ["ext4"]);
        assert_eq!(group.size, DiskSize::Fixed(Bytes::new(100 << 20)));
        assert_eq!(group.imgver, None);
        assert!(group.parts.is_empty() && group.files.is_empty());
    }

    #[test]
    fn numbers_may_be_numbers_or_strings_everywhere() {
        let json = r#"{"name": "x", "size": 1048576, "imgver": 2,
            "parts": [{"type": "p", "start": 4096, "end": "-1", "label": null,
                       "gpt-type": "esp"}],
            "writes": [{"part": 1, "path": "/a", "content": ""}],
            "uploads": [{"part": "1", "target": "/b", "source": "b"}]}"#;
        let (group, problems) = group(json);
        let group = group.unwrap();
        assert_eq!(problems, [""; 0]);
        assert_eq!(group.imgver.as_deref(), Some("2"));
        let part = &group.parts[0].partition;
        assert_eq!(
            (part.start, part.end),
            (Start::Sector(4096), End::Sector(-1))
        );
        assert_eq!(part.kind.gpt, PartitionType::parse_guid("esp").ok());
        assert_eq!((group.files[0].part, group.files[1].part), (1, 1));
        let sources = group.files.iter().map(|file| match &file.object.kind {
            ObjectKind::File { path, content } => match content {
                FileContent::Inline(bytes) => (path.as_str(), bytes.len(), None),
                FileContent::Data(data) => (path.as_str(), 0, Some(data.source.clone())),
            },
            other => panic!("{other:?}"),
        });
        let upload = Source::File("b".to_string());
        assert!(sources.eq([("/a", 0, None), ("/b", 0, Some(upload))]));
    }

    #[test]
    fn an_empty_version_is_none_and_the_string_0_is_one() {
        for (imgver, expected) in [
            ("\"\"", None),
            ("0", None),
            ("\"0\"", Some("0")),
            ("1.5", Some("1.5")),
        ] {
            let json = format!(r#"{{"name": "x", "size": 1, "parts": [], "imgver": {imgver}}}"#);
            assert_eq!(group(&json).0.unwrap().imgver.as_deref(), expected);
        }
    }

    #[test]
    fn both_spellings_of_the_partition_type_have_to_agree() {
        let part = |types: &str| {
            let parts = format!(r#"[{{"type": "p", "start": 1, "end": 2, {types}}}]"#);
            group(&format!(r#"{{"name": "x", "size": 1, "parts": {parts}}}"#))
        };
        let (same, problems) = part(r#""gpt_type": "esP", "gpt-type": "EFI System""#);
        let kind = same.unwrap().parts[0].partition.kind;
        assert_eq!(kind.gpt, PartitionType::parse_guid("esp").ok());
        assert_eq!(problems, [""; 0]);
        let (_, problems) = part(r#""gpt_type": "esp", "gpt-type": "lvm""#);
        assert_eq!(
            problems,
            ["parts[0]: 'gpt_type' is 'esp', but 'gpt-type' is 'lvm'"]
        );
    }

    #[test]
    fn several_filesystems_without_effect_are_warned_of() {
        let json = r#"{"name": "x", "size": 1, "filesystems": ["ext4", "ntfs"],
            "parts": [{"type": "p", "start": 1, "end": 2, "filesystem": "ext4"}]}"#;
        let (group, problems) = group(json);
        assert!(group.is_some());
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn an_unsound_list_of_partitions_makes_no_second_error() {
        let json = r#"{"name": "x", "size": 1, "parts": 7,
            "writes": [{"part": 9, "path": "/a", "content": ""}]}"#;
        let (_, problems) = group(json);
        assert_eq!(
            problems,
            ["parts: expected a list of partitions, found the number 7"]
        );
    }
}
