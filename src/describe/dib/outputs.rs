//! What comes out of a build: files by their types.

use disklayout::Place;
use disklayout::fs::Options;

use super::request::Request;
use crate::checksum::Algorithm;
use crate::config::nearest;
use crate::formats::{self, FileFormat};

/// A file that comes out of a build.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name behind that of the image: `.qcow2`.
    pub suffix: String,
    /// How it is written.
    pub format: FileFormat,
    /// What is in it.
    pub holds: Holds,
}

impl Output {
    /// Whether it is an image of a container, for Docker or Podman.
    pub fn is_container(&self) -> bool {
        self.format.name == CONTAINER
    }
}

/// What is in a file that comes out of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The disk.
    Disk,
    /// The tree, without what is in `/proc` and `/sys`.
    Tree,
    /// The tree without `/proc` and `/sys`.
    Archive,
    /// The same in a directory `rootfs`, with the manifest of an image of App Container beside it.
    AppContainer,
}

/// A type as users know it.
struct Type {
    name: &'static str,
    suffix: &'static str,
    /// The format by its name here.
    format: &'static str,
    holds: Holds,
}

const fn disk(name: &'static str, suffix: &'static str) -> Type {
    let (format, holds) = (name, Holds::Disk);
    Type {
        name,
        suffix,
        format,
        holds,
    }
}

/// The format of images of containers.
const CONTAINER: &str = "oci";

/// All types.
const TYPES: [Type; 12] = [
    disk("qcow2", ".qcow2"),
    disk("raw", ".raw"),
    disk("vhd", ".vhd"),
    Type {
        name: "vpc",
        suffix: ".vpc",
        ..disk("vhd", ".vhd")
    },
    disk("vhdx", ".vhdx"),
    disk("vmdk", ".vmdk"),
    disk("vdi", ".vdi"),
    Type {
        name: "tar",
        suffix: ".tar",
        format: "tar",
        holds: Holds::Archive,
    },
    Type {
        name: "tgz",
        suffix: ".tgz",
        format: "tar.gz",
        holds: Holds::Archive,
    },
    Type {
        name: "squashfs",
        suffix: ".squash",
        format: "squashfs",
        holds: Holds::Tree,
    },
    Type {
        name: "docker",
        suffix: ".oci.tar",
        format: CONTAINER,
        holds: Holds::Archive,
    },
    Type {
        name: "aci",
        suffix: ".aci",
        format: "tar",
        holds: Holds::AppContainer,
    },
];

/// The types by their names, as a word for help texts and errors.
pub fn known() -> String {
    let names: Vec<_> = TYPES.iter().map(|it| it.name).collect();
    names.join(", ")
}

/// What comes out of a build called `name`, each once, in the order of `types`.
///
/// # Errors
/// A type that isn't known, and options that no type has.
pub(super) fn outputs(
    types: &[String],
    request: &Request,
    name: &str,
    checksums: &[Algorithm],
) -> Result<Vec<Output>, String> {
    let mut chosen: Vec<&Type> = Vec::new();
    for asked in types {
        let found = TYPES.iter().find(|it| it.name == asked);
        let found = found.ok_or_else(|| unknown(asked))?;
        if !chosen.iter().any(|it| it.name == found.name) {
            chosen.push(found);
        }
    }
    check_options(&chosen, request)?;
    let mut outputs = Vec::new();
    for one in chosen {
        let options = options(one, request, name);
        let formats = formats::asked(&[one.format], &options, &place(one, request))?;
        let formats = formats::with_checksums(formats, checksums);
        outputs.extend(formats.into_iter().map(|format| Output {
            suffix: one.suffix.to_owned(),
            format,
            holds: one.holds,
        }));
    }
    Ok(outputs)
}

fn unknown(name: &str) -> String {
    let names = TYPES.map(|it| it.name);
    let advice = match nearest(name, &names) {
        Some(other) => format!("did you mean '{other}'?"),
        None => format!("there are {}", known()),
    };
    match name {
        "" => format!("an image needs a type: {}", known()),
        _ => format!("'{name}' is no type of images: {advice}"),
    }
}

/// Refuses options of image files that none of them has.
fn check_options(chosen: &[&Type], request: &Request) -> Result<(), String> {
    let place = Place::from(OF_DISKS);
    let disks = chosen.iter().filter(|it| it.holds == Holds::Disk);
    let disks: Vec<_> = disks.map(|it| it.format).collect();
    for (name, value) in &request.qemu_img_options {
        if disks.iter().any(|disk| formats::has_option(disk, name)) {
            continue;
        }
        if disks.is_empty() {
            return Err(format!(
                "'{name}' is an option of disks, and no type that is asked for is one"
            ));
        }
        let one = Options::default().with(name, value);
        // Whoever has several disks is told what each of them has.
        let mut names = disks.clone();
        names.sort_unstable();
        names.dedup();
        formats::asked(&names, &one, &place)?;
    }
    Ok(())
}

/// What says what is chosen for disks.
const OF_DISKS: &str = "--qemu-img-options";

/// What says what is chosen for a type.
fn place(one: &Type, request: &Request) -> Place {
    let word = match (one.holds, one.format) {
        (Holds::Disk, _) => OF_DISKS,
        (_, CONTAINER) if request.docker_target.is_some() => "--docker-target",
        (_, CONTAINER) => "-o",
        _ => "-t",
    };
    Place::from(word)
}

/// What is chosen for a type.
fn options(one: &Type, request: &Request, name: &str) -> Options {
    let mut options = Options::default();
    match (one.name, one.holds) {
        ("qcow2", _) if !request.is_uncompressed => {
            options = options.with("compression_type", "zlib");
        }
        ("squashfs", _) => options = options.with("compression", "xz"),
        ("docker", _) => {
            let own = name.rsplit('/').next().unwrap_or(name);
            let target = request.docker_target.as_deref();
            options = options.with("name", target.unwrap_or(own));
        }
        _ => {}
    }
    if one.holds == Holds::Disk {
        for (name, value) in &request.qemu_img_options {
            if formats::has_option(one.format, name) {
                options = options.with(name, value);
            }
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs_of(types: &str, options: &[(&str, &str)]) -> Result<Vec<Output>, String> {
        let options = options.iter();
        let options = options.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = Request {
            qemu_img_options: options.collect(),
            ..Request::default()
        };
        let types: Vec<_> = types.split(',').map(str::to_owned).collect();
        outputs(&types, &request, "dir/image", &[Algorithm::Md5])
    }

    #[test]
    fn every_type_is_written() {
        let types = TYPES.map(|it| it.name).join(",");
        let found = outputs_of(&format!("{types},raw"), &[]).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|it| (it.suffix.as_str(), it.format.name.as_str(), it.holds))
            .collect();
        let expected = TYPES.map(|it| (it.suffix, it.format, it.holds));
        assert_eq!(names, expected);
        assert!(
            found
                .iter()
                .all(|it| it.format.checksums == [Algorithm::Md5])
        );
        let option =
            |index: usize, name: &str| found[index].format.options.get(name).map(str::to_owned);
        assert_eq!(option(0, "compression_type").as_deref(), Some("zlib"));
        assert_eq!(option(9, "compression").as_deref(), Some("xz"));
        assert_eq!(option(10, "name").as_deref(), Some("image"));
    }

    #[test]
    fn options_go_to_the_types_that_have_them() {
        let found = outputs_of("raw,qcow2,tar", &[("compat", "0.10")]).unwrap();
        assert_eq!(found[1].format.options.get("compat"), Some("0.10"));
        assert_eq!(found[0].format.options, Options::default());
        for (types, options, part) in [
            ("raw,tar", &[("compat", "0.10")][..], "raw has none"),
            ("qcow2", &[("compatt", "0.10")], "no option 'compatt'"),
            ("vhd,vpc", &[("x", "")], "vhd has "),
            ("tar", &[("x", "")], "'x' is an option of disks"),
            ("qcow", &[], "did you mean 'qcow2'?"),
            ("zip", &[], "there are qcow2, raw"),
            ("", &[], "an image needs a type"),
        ] {
            let error = outputs_of(types, options).unwrap_err();
            assert!(error.contains(part), "{types}: {error}");
        }
    }
}
