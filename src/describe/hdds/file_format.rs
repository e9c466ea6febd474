//! The formats of the files of a group: `format`, `formats`, `format_options`.

use super::mkfs;
use crate::config::{Findings, Object};
use crate::formats;
use crate::image::FileFormat;

const RAW: &str = "raw";

/// Reads the formats of a group; one at least.
pub(super) fn read(object: &Object<'_>, f: &mut Findings) -> Option<Vec<FileFormat>> {
    let one = object.optionally("format", f, |value, f| value.string(f).map(str::to_owned));
    let several = object.optionally("formats", f, |value, f| {
        value.each("strings", f, |value, f| value.string(f).map(str::to_owned))
    });
    let options = object.optionally("format_options", f, mkfs::read);
    let (key, names) = match (one?, several?) {
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
    let place = f.named(object.place());
    let formats = f.check(
        &object.place_of(key),
        formats::asked(&names, &disklayout::fs::Options::default(), &place),
    )?;
    match options? {
        None => Some(formats),
        Some(options) => f.check(
            &object.place_of("format_options"),
            formats::asked(&names, &options, &place),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Keys, tests};

    const KEYS: Keys = Keys {
        known: &["format", "formats", "format_options"],
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
            (
                r#"{"formats": ["qcow2", "raw"], "format_options": {"cluster_size": "2M"}}"#,
                named(&[("qcow2", 1), ("raw", 0)]),
            ),
        ] {
            assert_eq!(formats(json), (expected, vec![]), "{json}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_its_place() {
        for (json, place) in [
            (r#"{"format": "qcow2", "formats": ["raw"]}"#, "formats: "),
            (r#"{"formats": []}"#, "formats: "),
            (r#"{"format": "zip"}"#, "format: 'zip'"),
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
