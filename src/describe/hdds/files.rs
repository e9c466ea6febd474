//! Files that go into partitions by their numbers, and bytes beside the partitions: `guestfs[].writes[]`,
//! `guestfs[].uploads[]` and `guestfs[].blobs[]`.

use disklayout::layout::spec::Blob;
use disklayout::tree::Content;
use disklayout::{Place, SectorSize};

use super::model::PartFile;
use super::{bounds, keys, source};
use crate::config::{Findings, Object, Value};
use crate::image::{self, Data, FileContent, ObjectKind};

/// A file with its content; `parts` is how many partitions there are, if their list is sound.
pub(super) fn write(value: &Value<'_>, parts: Option<usize>, f: &mut Findings) -> Option<PartFile> {
    let object = value.object(&keys::WRITE, f)?;
    let part = part_index(&object, parts, f);
    let path = object.required("path", f).and_then(|value| value.string(f));
    let content = object
        .required("content", f)
        .and_then(|value| value.string(f));
    let content = FileContent::Inline(content?.as_bytes().to_vec());
    Some(file(f.named(value.place()), part?, path?, content))
}

/// A file with its content elsewhere.
pub(super) fn upload(
    value: &Value<'_>,
    parts: Option<usize>,
    f: &mut Findings,
) -> Option<PartFile> {
    let object = value.object(&keys::UPLOAD, f)?;
    let part = part_index(&object, parts, f);
    let target = object
        .required("target", f)
        .and_then(|value| value.string(f));
    let data = source::data(value, &object, f);
    Some(file(
        f.named(value.place()),
        part?,
        target?,
        FileContent::Data(data?),
    ))
}

fn file(place: Place, part: i64, path: &str, content: FileContent) -> PartFile {
    let kind = ObjectKind::File {
        path: path.to_string(),
        content,
    };
    PartFile {
        part,
        object: image::Object { place, kind },
    }
}

/// Bytes beside the partitions of a disk with sectors of this size.
pub(super) fn blob(
    value: &Value<'_>,
    sector: SectorSize,
    f: &mut Findings,
) -> Option<(Blob, Data)> {
    let object = value.object(&keys::BLOB, f)?;
    let start = object
        .required("start", f)
        .and_then(|value| bounds::offset(value, sector, f));
    let data = source::data(value, &object, f);
    let blob = Blob {
        place: f.named(value.place()),
        offset: start?,
        content: Content::inline(&[]),
    };
    Some((blob, data?))
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
