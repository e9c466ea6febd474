//! What a partition or a logical volume holds: a filesystem with its files, bytes, a part of a group of
//! volumes, the hash tree of another partition; each of them encrypted or not.

use disklayout::fs::Misfits;
use disklayout::layout::spec::{Filesystem, Hashes, Holds, Member};
use disklayout::tree::{Content, FileTree};

use super::{contents, encryption, keys, mkfs, source, table};
use crate::config::{Findings, Object, Value};
use crate::describe::hexadecimal;
use crate::image::{Filling, Keys, Object as FileObject};

/// What stands for no filesystem.
pub(super) const NONE: &str = "none";

/// What is said of a filesystem.
const OF_FILESYSTEM: [&str; 6] = [
    "filesystem",
    "label",
    "fs_uuid",
    "mkfs",
    "lossy",
    "contents",
];

/// What something holds.
#[derive(Debug)]
pub(super) struct Held {
    /// The word for its own filesystem, or for none.
    pub(super) word: Option<String>,
    pub(super) holds: Holds,
    /// What goes into it.
    pub(super) filling: Filling,
    /// What opens it, from the outermost container in.
    pub(super) keys: Vec<Keys>,
}

impl Held {
    /// Something without a filesystem of its own.
    fn of(holds: Holds) -> Self {
        Self {
            word: None,
            holds,
            filling: Filling::Files(Vec::new()),
            keys: Vec::new(),
        }
    }
}

/// Makes a filesystem, encrypted or not, one of the format that is called `word`.
pub(super) fn choose(holds: &mut Holds, word: &str) {
    let holds = holds.innermost_mut();
    if let Holds::Filesystem(held) = holds {
        match word {
            NONE => *holds = Holds::Nothing,
            word => held.format = word.to_string(),
        }
    }
}

/// The group that something is a part of.
pub(super) fn member(holds: &Holds) -> Option<&str> {
    match holds.innermost() {
        Holds::Member(member) => Some(&member.group),
        _ => None,
    }
}

/// Reads what `object`, which is a `what`, holds.
pub(super) fn read(
    value: &Value<'_>,
    object: &Object<'_>,
    what: &str,
    f: &mut Findings,
) -> Option<Held> {
    let held = innermost(value, object, what, f);
    match object.optional("luks") {
        None => held,
        Some(luks) => {
            let (encrypted, keys) = encryption::read(luks, f)?;
            let held = held?;
            Some(Held {
                holds: encrypted(held.holds),
                keys: vec![keys],
                ..held
            })
        }
    }
}

fn innermost(value: &Value<'_>, object: &Object<'_>, what: &str, f: &mut Findings) -> Option<Held> {
    let kinds = ["source", "holds", "verity"];
    let Some(kind) = kinds
        .into_iter()
        .find(|kind| object.optional(kind).is_some())
    else {
        return filesystem(object, f);
    };
    // Nothing else can be said of what is in it.
    let others = kinds.into_iter().filter(|other| *other != kind);
    let others = OF_FILESYSTEM.into_iter().chain(others);
    let others = others.chain((kind != "source").then_some("sha256"));
    for other in others.chain((kind == "verity").then_some("luks")) {
        if let Some(value) = object.optional(other) {
            let message = match kind {
                "source" => format!("the {what} holds the bytes of its 'source'; leave this out"),
                "holds" => format!("the {what} is a part of a group of volumes; leave this out"),
                _ => format!("the {what} holds a hash tree; leave this out"),
            };
            return f.refuse(value.place(), message);
        }
    }
    match kind {
        "source" => bytes(value, object, f),
        "holds" => {
            let group = object.required("holds", f)?.string(f)?;
            Some(Held::of(Member::of(group).into()))
        }
        _ => hashes(object.required("verity", f)?, f),
    }
}

/// The hash tree of another partition.
fn hashes(value: &Value<'_>, f: &mut Findings) -> Option<Held> {
    let object = value.object(&keys::VERITY, f)?;
    let of = object.required("part", f).and_then(|value| {
        let number = value.unsigned(f)?;
        let index = number
            .checked_sub(1)
            .and_then(|it| usize::try_from(it).ok());
        let message = "partitions are counted from 1";
        f.check(value.place(), index.ok_or_else(|| message.to_owned()))
    });
    let block = object.optionally("block_size", f, |value, f| {
        let number = value.unsigned(f)?;
        let block = u32::try_from(number);
        let message = |_| format!("there are no blocks of {number} bytes; give 4096");
        f.check(value.place(), block.map_err(message))
    });
    let salt = object.optionally("salt", f, |value, f| {
        let text = value.string(f)?;
        f.check(value.place(), hexadecimal(text))
    });
    let uuid = object.optionally("uuid", f, table::guid);
    Some(Held::of(Holds::Hashes(Box::new(Hashes {
        of: of?,
        block: block?,
        salt: salt?,
        uuid: uuid?,
    }))))
}

/// Bytes that stand for themselves.
fn bytes(value: &Value<'_>, object: &Object<'_>, f: &mut Findings) -> Option<Held> {
    let data = source::data(value, object, f)?;
    Some(Held {
        filling: Filling::Bytes(data),
        ..Held::of(Holds::Bytes(Content::inline(&[])))
    })
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
    Some(Held {
        word,
        filling: Filling::Files(contents),
        ..Held::of(filesystem.into())
    })
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
