//! The formats of the files of a group: `format`, `formats`, `format_options`, `bmap`; and
//! what is beside them: `checksum`.

use super::mkfs;
use crate::checksum::Algorithm;
use crate::config::{Findings, Object, Value};
use crate::formats;
use crate::image::FileFormat;

const RAW: &str = "raw";

/// The key, and the format that it adds.
const BMAP: &str = "bmap";

const CHECKSUM: &str = "checksum";

/// Reads the formats of a group; one at least.
pub(super) fn read(object: &Object<'_>, f: &mut Findings) -> Option<Vec<FileFormat>> {
    let one = object.optionally("format", f, |value, f| value.string(f).map(str::to_owned));
    let several = object.optionally("formats", f, |value, f| {
        value.each("strings", f, |value, f| value.string(f).map(str::to_owned))
    });
    let options = object.optionally("format_options", f, |value, f| {
        mkfs::read_with(value, f, option)
    });
    let bmap = object.optionally(BMAP, f, Value::boolean);
    let checksums = object.optionally(CHECKSUM, f, checksums);
    let (key, mut names) = match (one?, several?) {
        (Some(_), Some(_)) => {
            let message = "the group has a 'format' too; give one of them";
            return f.refuse(&object.place_of("formats"), message);
        }
        (Some(one), None) => ("format", vec![one]),
        (None, Some(several)) => ("formats", several),
        (None, None) => ("format", vec![RAW.to_owned()]),
    };
    if names.is_empty() {
        let message = format!("the list is empty; without the key it is '{RAW}'");
        return f.refuse(&object.place_of("formats"), message);
    }
    if bmap?.unwrap_or_default() && !names.iter().any(|name| name == BMAP) {
        names.push(BMAP.to_owned());
    }
    let place = f.named(object.place());
    let formats = f.check(
        &object.place_of(key),
        formats::asked(&names, &disklayout::fs::Options::default(), &place),
    )?;
    let formats = match options? {
        None => formats,
        Some(options) => f.check(
            &object.place_of("format_options"),
            formats::asked(&names, &options, &place),
        )?,
    };
    Some(formats::with_checksums(
        formats,
        &checksums?.unwrap_or_default(),
    ))
}

/// Lists and objects as JSON, which formats that have such options read.
fn option(value: &Value<'_>, f: &mut Findings) -> Option<String> {
    if value.is_list() {
        let texts = value.each("strings", f, Value::text)?;
        return Some(serde_json::json!(texts).to_string());
    }
    if value.is_object() {
        let entries = value.entries("an object", f)?;
        let texts = entries.iter().map(|(name, value)| {
            let text = value.text(f)?;
            Some(((*name).to_owned(), serde_json::json!(text)))
        });
        let texts: Option<serde_json::Map<_, _>> = texts.collect();
        return Some(serde_json::Value::Object(texts?).to_string());
    }
    mkfs::text(value, f)
}

/// `true` for a SHA-256, a word for one kind, or a list of such words.
pub(super) fn checksums(value: &Value<'_>, f: &mut Findings) -> Option<Vec<Algorithm>> {
    let one = |value: &Value<'_>, f: &mut Findings| {
        let name = value.string(f)?;
        f.check(value.place(), Algorithm::named(name))
    };
    if value.is_boolean() {
        let is_wanted = value.boolean(f)?;
        return Some(is_wanted.then_some(Algorithm::Sha256).into_iter().collect());
    }
    let mut all = match value.is_list() {
        true => value.each("strings", f, one)?,
        false => vec![one(value, f)?],
    };
    let mut seen = Vec::new();
    all.retain(|it| {
        !seen.contains(it) && {
            seen.push(*it);
            true
        }
    });
    Some(all)
}

#[cfg(test)]
mod tests {
    use disklayout::fs::Options;

    use super::*;
    use crate::config::{Keys, tests};

    const KEYS: Keys = Keys {
        known: &["format", "formats", "format_options", "bmap", "checksum"],
        mistaken: &[],
    };

    fn formats(json: &str) -> (Option<Vec<(String, usize)>>, Vec<String>) {
        let (formats, problems) = tests::read(json, |value, f| {
            let object = value.object(&KEYS, f)?;
            read(&object, f)
        });
        let formats = formats.map(|all| {
            let all = all.into_iter();
            all.map(|it| (it.name, it.options.iter().count())).collect()
        });
        (formats, problems)
    }

    #[test]
    fn one_or_several_with_their_options() {
        let named = |all: &[(&str, usize)]| {
            let all = all.iter();
            Some(
                all.map(|(name, options)| ((*name).to_owned(), *options))
                    .collect(),
            )
        };
        for (json, expected) in [
            ("{}", named(&[("raw", 0)])),
            (r#"{"format": "qcow2"}"#, named(&[("qcow2", 0)])),
            (r#"{"bmap": true}"#, named(&[("raw", 0), ("bmap", 0)])),
            (
                r#"{"formats": ["bmap", "raw.zst"], "bmap": true}"#,
                named(&[("bmap", 0), ("raw.zst", 0)]),
            ),
            (
                r#"{"formats": ["qcow2", "raw"], "format_options": {"cluster_size": "2M"}}"#,
                named(&[("qcow2", 1), ("raw", 0)]),
            ),
        ] {
            assert_eq!(formats(json), (expected, vec![]), "{json}");
        }
    }

    #[test]
    fn lists_and_objects_are_json() {
        let json = r#"{"format": "oci", "format_options":
            {"cmd": ["sh", "-c", "a, b"], "labels": {"a": 1}, "user": "me"}}"#;
        let (formats, problems) = tests::read(json, |value, f| {
            let object = value.object(&KEYS, f)?;
            read(&object, f)
        });
        let expected = Options::default()
            .with("cmd", r#"["sh","-c","a, b"]"#)
            .with("labels", r#"{"a":"1"}"#)
            .with("user", "me");
        assert_eq!(
            (&formats.unwrap()[0].options, problems),
            (&expected, vec![])
        );
    }

    #[test]
    fn checksums_are_of_what_holds_the_disk() {
        use Algorithm::{Md5, Sha256};
        for (json, expected) in [
            ("false", vec![]),
            ("true", vec![Sha256]),
            (r#""md5""#, vec![Md5]),
            (r#"["md5", "sha256", "md5"]"#, vec![Md5, Sha256]),
        ] {
            let json = format!(r#"{{"bmap": true, "checksum": {json}}}"#);
            let (formats, problems) = tests::read(&json, |value, f| {
                let object = value.object(&KEYS, f)?;
                read(&object, f)
            });
            let formats = formats.unwrap().into_iter();
            let found: Vec<_> = formats.map(|it| it.checksums).collect();
            assert_eq!(
                (found, problems),
                (vec![expected, vec![]], vec![]),
                "{json}"
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_its_place() {
        for (json, place) in [
            (r#"{"format": "qcow2", "formats": ["raw"]}"#, "formats: "),
            (r#"{"formats": []}"#, "formats: "),
            (r#"{"format": "zip"}"#, "format: 'zip'"),
            (r#"{"checksum": "crc32"}"#, "checksum: 'crc32'"),
            (r#"{"checksum": ["md5", 5]}"#, "checksum[1]: "),
            (r#"{"checksum": {}}"#, "checksum: "),
            (r#"{"formats": ["raw", "raw"]}"#, "formats: 'raw'"),
            (
                r#"{"format": "raw", "format_options": {"cluster_size": 512}}"#,
                "format_options: ",
            ),
        ] {
            let (found, problems) = formats(json);
            assert_eq!((found, problems.len()), (None, 1), "{json}");
            assert!(problems[0].contains(place), "{problems:?}");
        }
    }
}
