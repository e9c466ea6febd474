//! Groups of layout images: `guestfs[]`.

use std::collections::HashSet;

use disklayout::fs::Misfits;
use disklayout::layout::Label;
use disklayout::layout::guestfs::{FileSpec, Start};
use disklayout::tree::Content;

use super::model::{LayoutGroup, Part};
use super::{bounds, contents, keys, mkfs, names, size, source, table};
use crate::config::{Findings, Object, Value};
use crate::image::Upload;

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
    let labels = words(&object, "labels", DEFAULT_LABEL, f);
    let filesystems = words(&object, "filesystems", DEFAULT_FILESYSTEM, f);
    let sector_size = object.optionally("sector_size", f, table::sector_size);
    let disk_id = object.optionally("disk_id", f, table::disk_id);
    let disk_guid = object.optionally("disk_guid", f, table::guid);
    let hybrid_mbr = object.optionally("hybrid_mbr", f, |value, f| {
        value.each("partitions", f, |value, f| value.integer(f))
    });
    let has_mbr = labels
        .iter()
        .flatten()
        .any(|label| Label::parse(label) == Some(Label::Mbr));
    let parts = object
        .required("parts", f)
        .and_then(|value| value.each("partitions", f, |value, f| part(value, has_mbr, f)));
    let count = parts.as_ref().map(Vec::len);
    let writes = object.optionally("writes", f, |value, f| {
        value.each("files", f, |value, f| write(value, count, f))
    });
    let uploads = object.optionally("uploads", f, |value, f| {
        value.each("files", f, |value, f| upload(value, count, f))
    });
    let group = LayoutGroup {
        place: f.named(value.place()),
        name: name?,
        imgver: imgver?,
        size: size?,
        sector_size: sector_size?.unwrap_or_default(),
        disk_id: disk_id?,
        disk_guid: disk_guid?,
        hybrid_mbr: hybrid_mbr?.unwrap_or_default(),
        labels: labels?,
        filesystems: filesystems?,
        parts: parts?,
        writes: writes?.unwrap_or_default(),
        uploads: uploads?.unwrap_or_default(),
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

fn part(value: &Value<'_>, has_mbr: bool, f: &mut Findings) -> Option<Part> {
    let object = value.object(&keys::PART, f)?;
    // Only an MBR tells them apart.
    let prlogex = match has_mbr {
        true => object
            .required("type", f)
            .and_then(|value| value.string(f))
            .map(Some),
        false => object.optionally("type", f, Value::string),
    };
    let start = object.optionally("start", f, bounds::start);
    let end = bounds::end(&object, f);
    let align = object.optionally("align", f, bounds::align);
    let name = object.optionally("name", f, Value::string);
    let uuid = object.optionally("uuid", f, table::guid);
    let mbr_type = object.optionally("mbr_type", f, table::mbr_type);
    let flags = object.optionally("flags", f, table::flags);
    let filesystem = object.optionally("filesystem", f, Value::string);
    let label = object.optionally("label", f, Value::string);
    let gpt_type = gpt_type(&object, f);
    let options = object.optionally("mkfs", f, mkfs::read);
    let lossy = object.optionally("lossy", f, Value::boolean);
    let contents = object.optionally("contents", f, |value, f| {
        value.each("objects", f, contents::read)
    });
    let is_lossy = lossy? == Some(true);
    let mut contents = contents?.unwrap_or_default();
    for object in &mut contents {
        if let Some(rules) = object.kind.rules_mut() {
            rules.lossy = is_lossy;
        }
    }
    Some(Part {
        place: f.named(value.place()),
        prlogex: prlogex?.unwrap_or("p").to_string(),
        start: start?.unwrap_or(Start::Next),
        end: end?,
        align: align?,
        name: name?.map(str::to_string),
        uuid: uuid?,
        mbr_type: mbr_type?,
        flags: flags?.unwrap_or_default(),
        gpt_type: gpt_type?,
        filesystem: filesystem?.map(str::to_string),
        label: label?.map(str::to_string),
        options: options?.unwrap_or_default(),
        misfits: match is_lossy {
            true => Misfits::Drop,
            false => Misfits::Refuse,
        },
        contents,
    })
}

/// The partition type by either spelling: the original's code reads one and its manual names the
/// other.
fn gpt_type(object: &Object<'_>, f: &mut Findings) -> Option<Option<String>> {
    let underscore = object.optionally("gpt_type", f, Value::string);
    let hyphen = object.optionally("gpt-type", f, Value::string);
    let chosen = match (underscore?, hyphen?) {
        (Some(one), Some(other)) if !one.eq_ignore_ascii_case(other) => {
            let message = format!("'gpt_type' is '{one}', but 'gpt-type' is '{other}'");
            return f.refuse(object.place(), message);
        }
        (one, other) => one.or(other),
    };
    Some(chosen.map(str::to_string))
}

fn write(value: &Value<'_>, parts: Option<usize>, f: &mut Findings) -> Option<FileSpec> {
    let object = value.object(&keys::WRITE, f)?;
    let part = part_index(&object, parts, f);
    let path = object.required("path", f).and_then(|value| value.string(f));
    let content = object
        .required("content", f)
        .and_then(|value| value.string(f));
    Some(FileSpec {
        place: f.named(value.place()),
        part: part?,
        path: path?.to_string(),
        content: Content::inline(content?.as_bytes()),
    })
}

fn upload(value: &Value<'_>, parts: Option<usize>, f: &mut Findings) -> Option<Upload> {
    let object = value.object(&keys::UPLOAD, f)?;
    let part = part_index(&object, parts, f);
    let target = object
        .required("target", f)
        .and_then(|value| value.string(f));
    let source = object.required("source", f).and_then(|value| {
        let text = value.string(f)?;
        f.check(value.place(), source::parse_source(text))
    });
    let sha256 = object.optionally("sha256", f, |value, f| {
        let text = value.string(f)?;
        f.check(value.place(), source::parse_sha256(text))
    });
    Some(Upload {
        place: f.named(value.place()),
        part: part?,
        target: target?.to_string(),
        source: source?,
        sha256: sha256?,
    })
}

/// Which partition a file belongs to; `parts` is how many there are, if their list is sound.
fn part_index(object: &Object<'_>, parts: Option<usize>, f: &mut Findings) -> Option<i64> {
    let value = object.required("part", f)?;
    let part = value.integer(f)?;
    let count = i64::try_from(parts.unwrap_or(usize::MAX)).unwrap_or(i64::MAX);
    if !(1..=count).contains(&part) {
        let message = match count {
            0 => format!("partition {part} doesn't exist: the group has no partitions"),
            _ => format!("partition {part} doesn't exist: they are counted from 1 to {count}"),
        };
        return f.refuse(value.place(), message);
    }
    Some(part)
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
    use disklayout::layout::guestfs::End;

    use super::*;
    use crate::config::tests;
    use crate::image::Source;

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
        assert_eq!(group.labels, ["mbr"]);
        assert_eq!(group.filesystems, ["ext4"]);
        assert_eq!(group.size, DiskSize::Fixed(Bytes::new(100 << 20)));
        assert_eq!(group.imgver, None);
        assert!(group.parts.is_empty() && group.writes.is_empty() && group.uploads.is_empty());
    }

    #[test]
    fn numbers_may_be_numbers_or_strings_everywhere() {
        let json = r#"{"name": "x", "size": 1048576, "imgver": 2,
            "parts": [{"type": "p", "start": 4096, "end": "-1", "label": null,
                       "gpt-type": "G"}],
            "writes": [{"part": 1, "path": "/a", "content": ""}],
            "uploads": [{"part": "1", "target": "/b", "source": "b"}]}"#;
        let (group, problems) = group(json);
        let group = group.unwrap();
        assert_eq!(problems, [""; 0]);
        assert_eq!(group.imgver.as_deref(), Some("2"));
        let part = &group.parts[0];
        assert_eq!(
            (part.start, part.end),
            (Start::Sector(4096), End::Sector(-1))
        );
        assert_eq!(
            (part.label.as_deref(), part.gpt_type.as_deref()),
            (None, Some("G"))
        );
        assert_eq!(group.writes[0].part, 1);
        assert!(group.writes[0].content.is_empty());
        assert_eq!(group.uploads[0].source, Source::File("b".to_string()));
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
        let (same, problems) = part(r#""gpt_type": "aB", "gpt-type": "Ab""#);
        assert_eq!(same.unwrap().parts[0].gpt_type.as_deref(), Some("aB"));
        assert_eq!(problems, [""; 0]);
        let (_, problems) = part(r#""gpt_type": "a", "gpt-type": "b""#);
        assert_eq!(
            problems,
            ["parts[0]: 'gpt_type' is 'a', but 'gpt-type' is 'b'"]
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
