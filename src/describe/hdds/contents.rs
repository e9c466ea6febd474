//! What goes into a partition: `guestfs[].parts[].contents[]`.

use std::path::PathBuf;

use disklayout::Timestamp;
use disklayout::source::oci::Platform;
use disklayout::source::{DirectoryLinks, Entry, EntryKind, Exclude, FileSource, Owners, Rules};
use disklayout::tree::Device;

use super::{keys, source};
use crate::config::{Findings, Object as Json, Value};
use crate::image::{Object, ObjectKind, Source};

/// The types of entries.
const TYPES: [&str; 7] = [
    "file",
    "directory",
    "symlink",
    "char",
    "block",
    "fifo",
    "hardlink",
];

/// Reads an object; `None` when anything is wrong with it.
pub(super) fn read(value: &Value<'_>, f: &mut Findings) -> Option<Object> {
    let entries = value.entries("an object", f)?;
    let has = |key: &str| entries.iter().any(|(name, _)| *name == key);
    let layers = ["directory", "archive", "oci"];
    let layers: Vec<_> = layers.into_iter().filter(|key| has(key)).collect();
    let kind = match layers.as_slice() {
        ["directory"] => directory(value, f),
        ["archive"] => archive(value, f),
        ["oci"] => oci(value, f),
        [one, other, ..] => {
            let message = format!("'{one}' and '{other}' are two objects; give one of them");
            return f.refuse(value.place(), message);
        }
        _ if has("path") => entry(value, f),
        _ => {
            let message = "an object has a 'directory', an 'archive', an 'oci' or a 'path'";
            return f.refuse(value.place(), message);
        }
    };
    Some(Object {
        place: f.named(value.place()),
        kind: kind?,
    })
}

fn directory(value: &Value<'_>, f: &mut Findings) -> Option<ObjectKind> {
    let object = value.object(&keys::LAYER, f)?;
    let path = object.required("directory", f).and_then(|value| {
        let text = value.string(f)?;
        // A slash at the end says what it is.
        f.check(value.place(), path_below(text.trim_end_matches('/')))
    });
    let rules = rules(&object, f);
    let one_file_system = object.optionally("one_file_system", f, Value::boolean);
    Some(ObjectKind::Directory {
        path: path?,
        rules: Rules {
            one_file_system: one_file_system?.unwrap_or_default(),
            ..rules?
        },
    })
}

fn archive(value: &Value<'_>, f: &mut Findings) -> Option<ObjectKind> {
    let object = value.object(&keys::LAYER, f)?;
    let path = object
        .required("archive", f)
        .and_then(|value| upload(value, f));
    let rules = rules(&object, f);
    if let Some(value) = object.optional("one_file_system") {
        return f.refuse(value.place(), "only a directory has a 'one_file_system'");
    }
    Some(ObjectKind::Archive {
        path: path?,
        rules: rules?,
    })
}

fn oci(value: &Value<'_>, f: &mut Findings) -> Option<ObjectKind> {
    let object = value.object(&keys::OCI, f)?;
    let path = object.required("oci", f).and_then(|value| {
        let text = value.string(f)?;
        f.check(value.place(), path_below(text.trim_end_matches('/')))
    });
    let image = object.optionally("image", f, Value::string);
    let platform = object.optionally("platform", f, platform);
    let rules = rules(&object, f);
    Some(ObjectKind::Oci {
        path: path?,
        image: image?.map(str::to_owned),
        platform: platform?,
        rules: rules?,
    })
}

fn platform(value: &Value<'_>, f: &mut Findings) -> Option<Platform> {
    let text = value.string(f)?;
    let parsed = Platform::parse(&value.place().path, text);
    f.check(
        value.place(),
        parsed.map_err(|error| error.message().to_string()),
    )
}

/// The path of a file below `uploads/`.
fn upload(value: &Value<'_>, f: &mut Findings) -> Option<String> {
    let text = value.string(f)?;
    f.check(value.place(), path_below(text))
}

fn path_below(text: &str) -> Result<String, String> {
    match source::parse_source(text)? {
        Source::File(path) => Ok(path),
        Source::Url(address) => Err(format!(
            "'{address}' is an address; only uploads come from the network, here give a path \
             below uploads/"
        )),
    }
}

fn rules(object: &Json<'_>, f: &mut Findings) -> Option<Rules> {
    let target = object.optionally("target", f, absolute_path);
    let owner = object.optionally("owner", f, owner);
    let excluded = object.optionally("exclude", f, |value, f| value.each("patterns", f, pattern));
    let whiteouts = object.optionally("whiteouts", f, Value::boolean);
    let strict_paths = object.optionally("strict_paths", f, Value::boolean);
    let long = object.optionally("long", f, Value::boolean);
    let directory_links = object.optionally("directory_links", f, directory_links);
    Some(Rules {
        owners: match owner? {
            Some((uid, gid)) => Owners::Forced { uid, gid },
            None => Owners::Kept,
        },
        target: target?.unwrap_or_default(),
        excluded: excluded?.unwrap_or_default(),
        whiteouts: whiteouts?.unwrap_or_default(),
        strict_paths: strict_paths?.unwrap_or_default(),
        long_windows: long?.unwrap_or_default(),
        directory_links: directory_links?,
        ..Rules::default()
    })
}

fn directory_links(value: &Value<'_>, f: &mut Findings) -> Option<DirectoryLinks> {
    match value.string(f)? {
        "follow" => Some(DirectoryLinks::Follow),
        "replace" => Some(DirectoryLinks::Replace),
        other => {
            let other = other.escape_debug();
            let message = format!("'{other}' is neither \"follow\" nor \"replace\"");
            f.refuse(value.place(), message)
        }
    }
}

fn absolute_path(value: &Value<'_>, f: &mut Findings) -> Option<Vec<u8>> {
    let text = value.string(f)?;
    if !text.starts_with('/') {
        let message = format!("'{}' doesn't start with a '/'", text.escape_debug());
        return f.refuse(value.place(), message);
    }
    // The root is no name of its own.
    Some(text.trim_end_matches('/').as_bytes().to_vec())
}

fn pattern(value: &Value<'_>, f: &mut Findings) -> Option<Exclude> {
    let text = value.string(f)?;
    let parsed = Exclude::parse(&value.place().path, text.as_bytes());
    f.check(
        value.place(),
        parsed.map_err(|error| error.message().to_string()),
    )
}

fn owner(value: &Value<'_>, f: &mut Findings) -> Option<(u32, u32)> {
    let text = value.string(f)?;
    match Owners::parse_forced(&value.place().path, text) {
        Ok(Owners::Forced { uid, gid }) => Some((uid, gid)),
        Ok(_) => None,
        Err(error) => f.refuse(value.place(), error.message()),
    }
}

fn entry(value: &Value<'_>, f: &mut Findings) -> Option<ObjectKind> {
    let object = value.object(&keys::ENTRY, f)?;
    let path = object.required("path", f).and_then(|value| value.string(f));
    let kind = kind(&object, f);
    let owner = object.optionally("owner", f, owner);
    let mode = object.optionally("mode", f, mode);
    let mtime = object.optionally("mtime", f, Value::integer);
    let (owner, kind) = (owner?, kind?);
    let entry = Entry {
        path: path?.as_bytes().to_vec(),
        kind,
        uid: owner.map(|(uid, _)| uid),
        gid: owner.map(|(_, gid)| gid),
        mode: mode?,
        mtime: Timestamp::default(),
    };
    let mtime = mtime?.map(Timestamp::from_seconds);
    Some(ObjectKind::Entry { entry, mtime })
}

/// The permission bits, in octal digits as everywhere.
fn mode(value: &Value<'_>, f: &mut Findings) -> Option<u32> {
    let text = value.string(f)?;
    let is_octal = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let mode = u32::from_str_radix(text, 8).ok();
    match mode.filter(|mode| is_octal && *mode <= 0o7777) {
        Some(mode) => Some(mode),
        None => {
            let message = format!(
                "'{}' is no mode: give up to four octal digits like \"0644\"",
                text.escape_debug()
            );
            f.refuse(value.place(), message)
        }
    }
}

fn kind(object: &Json<'_>, f: &mut Findings) -> Option<EntryKind> {
    let name = object
        .optionally("type", f, Value::string)?
        .unwrap_or("file");
    refuse_foreign_keys(object, name, f)?;
    Some(match name {
        "file" => EntryKind::File(file(object, f)?),
        "directory" => EntryKind::Directory,
        "symlink" => EntryKind::Symlink {
            target: object.required("target", f)?.string(f)?.as_bytes().to_vec(),
        },
        "char" => EntryKind::CharacterDevice(device(object, f)?),
        "block" => EntryKind::BlockDevice(device(object, f)?),
        "fifo" => EntryKind::Fifo,
        "hardlink" => EntryKind::HardLink {
            to: object.required("target", f)?.string(f)?.as_bytes().to_vec(),
        },
        other => {
            let known = TYPES.join(", ");
            let message = format!("unknown type '{}'; known are {known}", other.escape_debug());
            let place = object.optional("type")?.place();
            return f.refuse(place, message);
        }
    })
}

/// Refuses what another type of entry has: it would be without effect.
fn refuse_foreign_keys(object: &Json<'_>, kind: &str, f: &mut Findings) -> Option<()> {
    for (key, kinds) in [
        ("content", &["file"][..]),
        ("source", &["file"]),
        ("target", &["symlink", "hardlink"]),
        ("major", &["char", "block"]),
        ("minor", &["char", "block"]),
    ] {
        let is_foreign = TYPES.contains(&kind) && !kinds.contains(&kind);
        if let Some(value) = object.optional(key)
            && is_foreign
        {
            let message = format!("an entry of type '{kind}' has no '{key}'");
            return f.refuse(value.place(), message);
        }
    }
    Some(())
}

fn file(object: &Json<'_>, f: &mut Findings) -> Option<FileSource> {
    let content = object.optionally("content", f, Value::string);
    let source = object.optionally("source", f, upload);
    match (content?, source?) {
        (Some(_), Some(_)) => f.refuse(
            object.place(),
            "a file has a 'content' or a 'source', not both",
        ),
        (None, Some(path)) => Some(FileSource::Host(PathBuf::from(path))),
        (content, None) => Some(FileSource::Inline(
            content.unwrap_or_default().as_bytes().to_vec(),
        )),
    }
}

fn device(object: &Json<'_>, f: &mut Findings) -> Option<Device> {
    let mut number = |key: &str| {
        let value = object.required(key, f)?;
        let number = value.unsigned(f)?;
        let most = u32::MAX;
        let number = u32::try_from(number).map_err(|_| format!("{number} exceeds {most}"));
        f.check(value.place(), number)
    };
    let (major, minor) = (number("major"), number("minor"));
    Some(Device {
        major: major?,
        minor: minor?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests;

    /// What `json` is, and all errors and warnings.
    fn object(json: &str) -> (Option<ObjectKind>, Vec<String>) {
        let (object, problems) = tests::read(json, read);
        (object.map(|object| object.kind), problems)
    }

    #[test]
    fn layers_are_directories_and_archives_with_rules() {
        let json = r#"{"directory": "tree/", "target": "/opt/", "owner": "1:2",
                       "exclude": ["*.o"], "whiteouts": true, "strict_paths": true,
                       "long": true, "directory_links": "follow", "one_file_system": true}"#;
        let rules = Rules {
            owners: Owners::Forced { uid: 1, gid: 2 },
            target: b"/opt".to_vec(),
            excluded: vec![Exclude::parse("t", b"*.o").unwrap()],
            whiteouts: true,
            strict_paths: true,
            long_windows: true,
            directory_links: Some(DirectoryLinks::Follow),
            one_file_system: true,
            ..Rules::default()
        };
        let path = "tree".to_string();
        let expected = ObjectKind::Directory { path, rules };
        assert_eq!(object(json), (Some(expected), vec![]));
        let archive = ObjectKind::Archive {
            path: "a.tar".to_string(),
            rules: Rules::default(),
        };
        let json = r#"{"archive": "a.tar", "target": "/"}"#;
        assert_eq!(object(json), (Some(archive), vec![]));
    }

    #[test]
    fn images_of_containers_may_be_chosen() {
        let json = r#"{"oci": "image/", "image": "app:1", "platform": "linux/arm64/v8",
                       "target": "/opt"}"#;
        let rules = Rules {
            target: b"/opt".to_vec(),
            ..Rules::default()
        };
        let expected = ObjectKind::Oci {
            path: "image".to_string(),
            image: Some("app:1".to_string()),
            platform: Platform::parse("t", "arm64").ok(),
            rules,
        };
        assert_eq!(object(json), (Some(expected), vec![]));
    }

    #[test]
    fn entries_are_of_every_type() {
        let device = Device { major: 1, minor: 3 };
        let target = b"/x".to_vec();
        for (json, expected) in [
            ("", EntryKind::File(FileSource::Inline(vec![]))),
            (
                r#", "content": "text""#,
                EntryKind::File(FileSource::Inline(b"text".to_vec())),
            ),
            (
                r#", "source": "a/b""#,
                EntryKind::File(FileSource::Host("a/b".into())),
            ),
            (r#", "type": "directory""#, EntryKind::Directory),
            (
                r#", "type": "symlink", "target": "/x""#,
                EntryKind::Symlink {
                    target: target.clone(),
                },
            ),
            (
                r#", "type": "hardlink", "target": "/x""#,
                EntryKind::HardLink { to: target },
            ),
            (
                r#", "type": "char", "major": 1, "minor": 3"#,
                EntryKind::CharacterDevice(device),
            ),
            (
                r#", "type": "block", "major": 1, "minor": 3"#,
                EntryKind::BlockDevice(device),
            ),
            (r#", "type": "fifo""#, EntryKind::Fifo),
        ] {
            let (found, problems) = object(&format!(r#"{{"path": "/p"{json}}}"#));
            let entry = Entry::new(b"/p".to_vec(), expected, Timestamp::default());
            let expected = ObjectKind::Entry { entry, mtime: None };
            assert_eq!((found, problems), (Some(expected), vec![]), "{json}");
        }
    }

    #[test]
    fn owner_mode_and_time_of_an_entry_may_be_given() {
        let json = r#"{"path": "/p", "owner": "7:8", "mode": "4755", "mtime": 5}"#;
        let (Some(ObjectKind::Entry { entry, mtime }), _) = object(json) else {
            panic!("no entry");
        };
        let attributes = (entry.uid, entry.gid, entry.mode);
        assert_eq!(attributes, (Some(7), Some(8), Some(0o4755)));
        assert_eq!(mtime, Some(Timestamp::from_seconds(5)));
    }
}
