//! The formats of files, as users ask for them.

use disklayout::fs::Options;
use disklayout::{About, Place, container};

use crate::checksum::Algorithm;
pub use crate::image::{FileFormat, Holds, Stream};

/// A format of files.
#[derive(Clone, Copy, Debug)]
struct Format {
    about: About,
    holds: Holds,
}

/// All formats: those of disks, and then those of archives.
fn all() -> Vec<Format> {
    let (disks, archives) = (container::Registry::default(), foreign::archives());
    let disks = disks.formats().map(|format| Format {
        about: format.about(),
        holds: match format.holds_disk() {
            true => Holds::Disk,
            false => Holds::Map,
        },
    });
    let archives = archives.formats().map(|format| Format {
        about: format.about(),
        holds: Holds::Files,
    });
    disks.chain(archives).collect()
}

/// All formats, as a word for help texts and errors.
pub fn known() -> String {
    let names = all().into_iter().map(|format| format.about.name());
    names.collect::<Vec<_>>().join(", ")
}

/// The formats called `names`, each with those of `options` that it has. One that is called
/// `qcow2:compression_type` is that of qcow2 alone. `place` is where they are asked for.
///
/// # Errors
/// Why it can't be: a format that isn't known or comes twice, an option that none of them has.
pub fn asked<S: AsRef<str>>(
    names: &[S],
    options: &Options,
    place: &Place,
) -> Result<Vec<FileFormat>, String> {
    let all = all();
    let mut formats: Vec<Format> = Vec::new();
    for name in names {
        let name = name.as_ref();
        let format = find(&all, name).ok_or_else(|| {
            let known = known();
            format!("'{name}' is no format of images; there are {known}")
        })?;
        let is_same = |it: &Format| it.about.name() == format.about.name();
        if formats.iter().any(is_same) {
            return Err(format!("'{name}' is asked for twice"));
        }
        formats.push(*format);
    }
    for (name, _) in options.iter() {
        if !formats.iter().any(|format| has(format, name)) {
            return Err(unknown(name, &formats));
        }
    }
    let chosen = formats.iter().map(|it| chosen(it, options, place));
    Ok(chosen.collect())
}

/// Whether the format called `name` has an option.
pub fn has_option(name: &str, option: &str) -> bool {
    find(&all(), name).is_some_and(|format| has(format, option))
}

fn find<'a>(formats: &'a [Format], name: &str) -> Option<&'a Format> {
    formats.iter().find(|it| it.about.names.contains(&name))
}

/// The same formats with sums beside all that hold more than a map.
pub fn with_checksums(files: Vec<FileFormat>, checksums: &[Algorithm]) -> Vec<FileFormat> {
    let files = files.into_iter().map(|file| match file.holds {
        Holds::Map => file,
        Holds::Disk | Holds::Files => FileFormat {
            checksums: checksums.to_vec(),
            ..file
        },
    });
    files.collect()
}

/// The name of the format that the name of a file ends in, if it is one's, and what it holds: the
/// longest, as `tar` is the end of others.
pub fn of_file(file_name: &str) -> Option<(&'static str, Holds)> {
    let ends = all().into_iter().flat_map(|Format { about, holds }| {
        let ends = about.names.iter().copied().chain([about.extension]);
        ends.map(move |end| (end, (about.name(), holds)))
    });
    let is_end = |end: &str| {
        let stem = file_name.strip_suffix(end);
        stem.is_some_and(|stem| stem.ends_with('.'))
    };
    let found = ends.filter(|(end, _)| is_end(end));
    let longest = found.max_by_key(|(end, _)| end.len());
    longest.map(|(_, found)| found)
}

/// The names of files in several formats: `name` with the extension of each, in the place of one of
/// theirs that it has. Where all but one are maps, that one is called `name`.
pub fn names(name: &str, files: &[FileFormat]) -> Vec<String> {
    let is_map = |file: &FileFormat| file.holds == Holds::Map;
    let others = files.iter().filter(|file| !is_map(file)).count();
    let mut stems = files.iter().filter_map(|file| {
        let stem = name.strip_suffix(file.extension.as_str())?;
        stem.strip_suffix('.')
    });
    let stem = stems.next().filter(|stem| !stem.is_empty()).unwrap_or(name);
    let names = files.iter().map(|file| match !is_map(file) && others == 1 {
        true => name.to_owned(),
        false => format!("{stem}.{}", file.extension),
    });
    names.collect()
}

/// A format with those of `options` that it has.
fn chosen(format: &Format, options: &Options, place: &Place) -> FileFormat {
    let own = options.iter().filter(|(name, _)| has(format, name));
    let (alone, shared): (Vec<_>, Vec<_>) = own.partition(|(name, _)| name.contains(':'));
    // What is said of one format alone goes over what is said of all.
    let all = shared.into_iter().chain(alone);
    FileFormat {
        place: place.clone(),
        name: format.about.name().to_owned(),
        extension: format.about.extension.to_owned(),
        holds: format.holds,
        options: all.fold(Options::default(), |options, (name, value)| {
            options.with(own_name(name).1, value)
        }),
        is_named: true,
        stream: None,
        checksums: Vec::new(),
    }
}

/// Whether an option is one of a format.
fn has(format: &Format, option: &str) -> bool {
    let (whose, name) = own_name(option);
    let About { names, choices, .. } = format.about;
    let is_its = whose.is_none_or(|whose| names.contains(&whose));
    is_its && choices.iter().any(|choice| choice.name == name)
}

/// The format that an option is that of, where it says so, and its name there.
fn own_name(option: &str) -> (Option<&str>, &str) {
    match option.split_once(':') {
        Some((format, name)) => (Some(format), name),
        None => (None, option),
    }
}

fn unknown(option: &str, formats: &[Format]) -> String {
    let each = formats.iter().map(|Format { about, .. }| {
        let choices: Vec<_> = about.choices.iter().map(|choice| choice.name).collect();
        match choices.is_empty() {
            true => format!("{} has none", about.name()),
            false => format!("{} has {}", about.name(), choices.join(", ")),
        }
    });
    let each: Vec<_> = each.collect();
    format!(
        "there is no option '{option}' of the format; {}",
        each.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(names: &[&str], options: &Options) -> String {
        asked(names, options, &"p".into()).unwrap_err()
    }

    #[test]
    fn options_go_to_the_formats_that_have_them() {
        let options = Options::default()
            .with("compression_type", "zlib")
            .with("qcow2:compression_level", 3);
        let found = asked(&["qcow2", "raw"], &options, &"p".into()).unwrap();
        let own = Options::default()
            .with("compression_type", "zlib")
            .with("compression_level", 3);
        let found: Vec<_> = found.iter().map(|it| (&*it.name, &it.options)).collect();
        assert_eq!(found, [("qcow2", &own), ("raw", &Options::default())]);
    }

    #[test]
    fn files_are_named_by_their_formats() {
        for (name, format) in [
            ("a.qcow2", Some("qcow2")),
            ("a.img", Some("raw")),
            ("a.raw", Some("raw")),
            ("qcow2", None),
            ("a", None),
            ("a.img.zst", Some("raw.zst")),
            ("a.tar", Some("tar")),
            ("a.b.tgz", Some("tar.gz")),
            (".tar.zst", Some("tar.zst")),
            ("a.txz", Some("tar.xz")),
            ("a.oci.tar", Some("oci")),
            ("a.oci", Some("oci")),
            ("tar", None),
            ("atar", None),
            ("a.tar.img", Some("raw")),
            ("a.squashfs", Some("squashfs")),
        ] {
            let found = of_file(name).map(|(name, _)| name);
            assert_eq!(found, format, "{name}");
        }
        let files = asked(&["raw", "qcow2"], &Options::default(), &"p".into()).unwrap();
        for (name, expected) in [
            ("a", ["a.img", "a.qcow2"]),
            ("a.qcow2", ["a.img", "a.qcow2"]),
            ("a.b", ["a.b.img", "a.b.qcow2"]),
            (".img", [".img.img", ".img.qcow2"]),
        ] {
            assert_eq!(names(name, &files), expected);
        }
        let files = asked(&["raw", "bmap"], &Options::default(), &"p".into()).unwrap();
        for (name, map) in [
            ("a", "a.bmap"),
            ("a.img", "a.bmap"),
            ("a.raw", "a.raw.bmap"),
        ] {
            assert_eq!(names(name, &files), [name, map]);
        }
    }

    #[test]
    fn what_is_unknown_is_refused_by_its_name() {
        let none = Options::default();
        let twice = said(&["raw", "qcow2", "raw"], &none);
        assert_eq!(twice, "'raw' is asked for twice");
        let text = said(&["zip"], &none);
        assert!(
            text.starts_with("'zip' is no format of images; there are raw, qcow2"),
            "{text}"
        );
        for name in [
            "compressions",
            "raw:compression_type",
            "vhd:compression_type",
        ] {
            let text = said(&["raw", "qcow2"], &Options::default().with(name, 1));
            assert!(text.contains(&format!("no option '{name}'")), "{text}");
            assert!(
                text.contains("raw has none; qcow2 has compression_type"),
                "{text}"
            );
        }
    }
}
