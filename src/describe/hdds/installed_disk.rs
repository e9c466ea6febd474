//! The disk of an installed system: its format, the ending of its name, and what is done with it
//! in the end.

use super::names::Extension;
use crate::config::{Findings, Object, Value};
use crate::image::{DiskFormat, Finish};

/// What a group says of its disks.
#[derive(Debug)]
pub(super) struct InstalledDisk {
    pub(super) format: DiskFormat,
    pub(super) extension: Extension,
    pub(super) finish: Finish,
}

/// Reads the keys of a group; `None` when anything is wrong with them.
pub(super) fn read(group: &Object<'_>, f: &mut Findings) -> Option<InstalledDisk> {
    let format = group.optionally("format", f, format);
    let extension = group.optionally("extension", f, extension);
    let finish = finish(group, f);
    let format = format?.unwrap_or_default();
    let named = extension.and_then(|extension| named(group, format, extension, f));
    let finish = finish.and_then(|finish| possible(group, format, finish, f));
    Some(InstalledDisk {
        format,
        extension: named?,
        finish: finish?,
    })
}

fn format(value: &Value<'_>, f: &mut Findings) -> Option<DiskFormat> {
    let text = value.string(f)?;
    let formats = [DiskFormat::Qcow2, DiskFormat::Raw];
    let format = formats.into_iter().find(|format| format.as_str() == text);
    let message = || format!("'{text}' is no format of a disk; 'qcow2' and 'raw' are");
    f.check(value.place(), format.ok_or_else(message))
}

/// The ending of a name, with its dot or without.
fn extension(value: &Value<'_>, f: &mut Findings) -> Option<Extension> {
    let text = value.string(f)?;
    let extension = Extension::from_name(text.strip_prefix('.').unwrap_or(text));
    let message = || format!("no image ends in '{text}'; 'qcow2' and 'img' are possible");
    f.check(value.place(), extension.ok_or_else(message))
}

/// The ending that suits the format. `.img` tells nothing of what is in a file, `.qcow2` does.
fn named(
    group: &Object<'_>,
    format: DiskFormat,
    extension: Option<Extension>,
    f: &mut Findings,
) -> Option<Extension> {
    match (format, extension) {
        (DiskFormat::Raw, Some(Extension::Qcow2)) => f.refuse(
            &group.place_of("extension"),
            "a raw disk isn't what 'qcow2' says; leave the extension out for 'img', or make the \
             format 'qcow2'",
        ),
        (DiskFormat::Raw, None) => Some(Extension::Img),
        (_, extension) => Some(extension.unwrap_or_default()),
    }
}

fn finish(group: &Object<'_>, f: &mut Findings) -> Option<Finish> {
    let mut flag = |key: &str| group.optionally(key, f, Value::boolean);
    let flags = [flag("sparsify"), flag("compress"), flag("checksum")];
    let [sparsify, compress, checksum] = flags;
    Some(Finish {
        sparsify: sparsify?.unwrap_or_default(),
        compress: compress?.unwrap_or_default(),
        checksum: checksum?.unwrap_or_default(),
    })
}

/// Refuses what the format can't have.
fn possible(
    group: &Object<'_>,
    format: DiskFormat,
    finish: Finish,
    f: &mut Findings,
) -> Option<Finish> {
    if finish.compress && format == DiskFormat::Raw {
        return f.refuse(
            &group.place_of("compress"),
            "a raw disk can't be compressed; make the format 'qcow2', or leave this out",
        );
    }
    Some(finish)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests;
    use crate::describe::hdds::keys;

    fn disk(json: &str) -> (Option<InstalledDisk>, Vec<String>) {
        tests::read(json, |value, f| {
            read(&value.object(&keys::INSTALL_GROUP, f)?, f)
        })
    }

    #[test]
    fn the_ending_follows_the_format_and_img_may_hold_both() {
        use DiskFormat::{Qcow2, Raw};
        for (json, format, extension) in [
            ("{}", Qcow2, "qcow2"),
            (r#"{"format": null, "extension": null}"#, Qcow2, "qcow2"),
            (r#"{"format": "qcow2"}"#, Qcow2, "qcow2"),
            (r#"{"extension": ".qcow2"}"#, Qcow2, "qcow2"),
            (r#"{"extension": "img"}"#, Qcow2, "img"),
            (r#"{"format": "qcow2", "extension": ".img"}"#, Qcow2, "img"),
            (r#"{"format": "raw"}"#, Raw, "img"),
            (r#"{"format": "raw", "extension": "img"}"#, Raw, "img"),
        ] {
            let (disk, problems) = disk(json);
            assert_eq!(problems, [""; 0], "{json}");
            let disk = disk.unwrap();
            let found = (disk.format, disk.extension.as_str());
            assert_eq!(found, (format, extension), "{json}");
        }
    }

    #[test]
    fn what_is_done_in_the_end_is_chosen_key_by_key() {
        for (json, flags) in [
            ("{}", [false, false, false]),
            (r#"{"sparsify": true}"#, [true, false, false]),
            (r#"{"compress": true}"#, [false, true, false]),
            (r#"{"checksum": true}"#, [false, false, true]),
            (
                r#"{"format": "raw", "sparsify": true, "compress": false, "checksum": true}"#,
                [true, false, true],
            ),
        ] {
            let (disk, problems) = disk(json);
            assert_eq!(problems, [""; 0], "{json}");
            let finish = disk.unwrap().finish;
            let found = [finish.sparsify, finish.compress, finish.checksum];
            assert_eq!(found, flags, "{json}");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_its_key() {
        let json = r#"{"format": "raw", "extension": "qcow2", "compress": true}"#;
        let (disk, problems) = disk(json);
        assert!(disk.is_none());
        let places: Vec<_> = problems
            .iter()
            .map(|problem| problem.split(':').next().unwrap())
            .collect();
        assert_eq!(places, ["extension", "compress"], "{problems:?}");
    }
}
