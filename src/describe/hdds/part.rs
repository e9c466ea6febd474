//! One partition: `guestfs[].parts[]`.

use disklayout::fs::Misfits;
use disklayout::layout::spec::{Filesystem, Holds, Kinds, Partition, Start};
use disklayout::table::Role;
use disklayout::table::types::PartitionType;
use disklayout::tree::{Content, FileTree};

use super::model::Part;
use super::{bounds, contents, keys, mkfs, source, table};
use crate::config::{Findings, Object, Value};
use crate::image::{Filling, Object as FileObject};

/// What stands for no filesystem.
pub(super) const NONE: &str = "none";

/// Reads a partition; `None` when anything is wrong with it.
pub(super) fn read(value: &Value<'_>, has_mbr: bool, f: &mut Findings) -> Option<Part> {
    let object = value.object(&keys::PART, f)?;
    // Only an MBR tells them apart.
    let role = match has_mbr {
        true => object
            .required("type", f)
            .and_then(|value| table::role(value, f))
            .map(Some),
        false => object.optionally("type", f, table::role),
    };
    let start = object.optionally("start", f, bounds::start);
    let end = bounds::end(&object, f);
    let align = object.optionally("align", f, bounds::align);
    let name = object.optionally("name", f, Value::string);
    let guid = object.optionally("uuid", f, table::guid);
    let mbr = object.optionally("mbr_type", f, table::mbr_type);
    let gpt = gpt_type(&object, f);
    let flags = object.optionally("flags", f, table::flags);
    let held = match object.optional("source") {
        Some(_) => bytes(value, &object, f),
        None => filesystem(&object, f),
    };
    let (word, holds, filling) = held?;
    let partition = Partition {
        role: role?.unwrap_or(Role::Primary),
        start: start?.unwrap_or(Start::Next),
        end: end?,
        align: align?,
        name: name?.map(str::to_string),
        guid: guid?,
        kind: Kinds {
            mbr: mbr?,
            gpt: gpt?,
        },
        flags: flags?.unwrap_or_default(),
        ..Partition::new(f.named(value.place()), holds)
    };
    Some(Part {
        partition,
        filesystem: word,
        filling,
    })
}

/// What a partition holds: the word for its filesystem, and what goes into it.
type Held = (Option<String>, Holds, Filling);

/// Bytes that stand for themselves. Nothing else can be said of what is in the partition.
fn bytes(value: &Value<'_>, object: &Object<'_>, f: &mut Findings) -> Option<Held> {
    for key in [
        "filesystem",
        "label",
        "fs_uuid",
        "mkfs",
        "lossy",
        "contents",
    ] {
        if let Some(value) = object.optional(key) {
            let message = "the partition holds the bytes of its 'source'; leave this out";
            return f.refuse(value.place(), message);
        }
    }
    let data = source::data(value, object, f)?;
    Some((
        None,
        Holds::Bytes(Content::inline(&[])),
        Filling::Bytes(data),
    ))
}

fn filesystem(object: &Object<'_>, f: &mut Findings) -> Option<Held> {
    if let Some(sum) = object.optional("sha256") {
        return f.refuse(
            sum.place(),
            "there is no 'source' whose SHA-256 this could be",
        );
    }
    let word = object.optionally("filesystem", f, Value::string);
    let label = object.optionally("label", f, Value::string);
    let uuid = object.optionally("fs_uuid", f, table::guid);
    let options = object.optionally("mkfs", f, mkfs::read);
    let lossy = object.optionally("lossy", f, Value::boolean);
    let contents = object.optionally("contents", f, |value, f| {
        value.each("objects", f, contents::read)
    });
    let is_lossy = lossy? == Some(true);
    let word = word?.map(str::to_string);
    // Without a word of its own it is the variant's.
    let format = word.clone().unwrap_or_default();
    let filesystem = Filesystem {
        label: label?.map(str::to_string),
        uuid: uuid?,
        options: options?.unwrap_or_default(),
        misfits: match is_lossy {
            true => Misfits::Drop,
            false => Misfits::Refuse,
        },
        ..Filesystem::new(format, FileTree::new(Default::default()))
    };
    let contents = with_losses(contents?.unwrap_or_default(), is_lossy);
    Some((word, filesystem.into(), Filling::Files(contents)))
}

/// The same objects, from which what can't be is left out or refused.
fn with_losses(mut objects: Vec<FileObject>, lossy: bool) -> Vec<FileObject> {
    for object in &mut objects {
        if let Some(rules) = object.kind.rules_mut() {
            rules.lossy = lossy;
        }
    }
    objects
}

/// The partition type by either spelling: the original's code reads one and its manual names the
/// other.
fn gpt_type(object: &Object<'_>, f: &mut Findings) -> Option<Option<PartitionType>> {
    let underscore = object.optionally("gpt_type", f, table::gpt_type);
    let hyphen = object.optionally("gpt-type", f, table::gpt_type);
    match (underscore?, hyphen?) {
        (Some(one), Some(other)) if one != other => {
            let message = format!("'gpt_type' is {one}, but 'gpt-type' is {other}");
            f.refuse(object.place(), message)
        }
        (one, other) => Some(one.or(other)),
    }
}
