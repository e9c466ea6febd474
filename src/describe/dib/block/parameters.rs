//! What `dib-block-device` is told beside its command: a file of parameters in YAML.

use std::path::PathBuf;

use disklayout::Bytes;

use super::root::Root;
use super::size;
use crate::config::{ConfigError, Document, Findings, Object, Value};

/// What a file of parameters says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The configuration: `config`.
    pub configuration: PathBuf,
    /// The directory that images are in: `image-dir`.
    pub images: PathBuf,
    /// The directory of the build, in which the tree is called `built`: `build-dir`.
    pub build: Option<PathBuf>,
    /// The size of images that have none of their own: `image-size`.
    pub size: Option<Bytes>,
    /// What the root filesystem gets: `root-fs-type`, `root-label`, `root-fs-opts`.
    pub root: Root,
}

impl Parameters {
    /// Reads a file of parameters; what it has beside these is for others.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(document: &Document) -> Result<Self, ConfigError> {
        let mut findings = Findings::default();
        let root = document.root();
        let read = match root.as_object() {
            Some(object) => of(&object, &mut findings),
            None => findings.refuse(
                root.place(),
                "parameters are names and values, like 'config: FILE'",
            ),
        };
        match read.filter(|_| findings.errors.is_empty()) {
            Some(parameters) => Ok(parameters),
            None => Err(ConfigError::new(findings.errors)),
        }
    }
}

fn of(object: &Object<'_>, findings: &mut Findings) -> Option<Parameters> {
    let configuration = required(object, "config", findings);
    let images = required(object, "image-dir", findings);
    let text = |key: &str, findings: &mut Findings| {
        let value = object.optional(key)?;
        value.text(findings).filter(|text| !text.is_empty())
    };
    let usual = Root::default();
    let size = object.optional("image-size");
    Some(Parameters {
        configuration: configuration?.into(),
        images: images?.into(),
        build: text("build-dir", findings).map(PathBuf::from),
        size: match size {
            Some(value) => Some(bytes(value, findings)?),
            None => None,
        },
        root: Root {
            kind: text("root-fs-type", findings).unwrap_or(usual.kind),
            label: text("root-label", findings),
            options: text("root-fs-opts", findings).unwrap_or_default(),
            ..Root::default()
        },
    })
}

fn required(object: &Object<'_>, key: &str, findings: &mut Findings) -> Option<String> {
    object.required(key, findings)?.text(findings)
}

fn bytes(value: &Value<'_>, findings: &mut Findings) -> Option<Bytes> {
    let text = value.text(findings)?;
    match size::bytes(&text) {
        Ok(bytes) => Some(Bytes::new(bytes)),
        Err(message) => findings.refuse(value.place(), message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::yaml;

    fn parameters(text: &str) -> Result<Parameters, String> {
        let document = yaml::parse(text, "p").unwrap();
        Parameters::read(&document).map_err(|error| error.to_string())
    }

    #[test]
    fn parameters_are_those_of_diskimage_builder() {
        let text = "config: c.yaml\nimage-dir: /images\nroot-fs-type: xfs\nroot-label: ''\n\
            mount-base: /build/mnt\nbuild-dir: /build\nimage-size: 67136KiB\nroot-fs-opts: '-m crc=1'\n";
        let found = parameters(text).unwrap();
        let expected = Parameters {
            configuration: "c.yaml".into(),
            images: "/images".into(),
            build: Some("/build".into()),
            size: Some(Bytes::new(67_136 << 10)),
            root: Root {
                kind: "xfs".to_owned(),
                options: "-m crc=1".to_owned(),
                ..Root::default()
            },
        };
        assert_eq!(found, expected);
        for (text, part) in [
            ("config: c\n", "image-dir"),
            ("- a\n", "names and values"),
            ("config: c\nimage-dir: i\nimage-size: big\n", "p:3:13"),
        ] {
            let error = parameters(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
