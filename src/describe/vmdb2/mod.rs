//! Specifications of vmdb2: a list of steps, of which each is an object whose keys say what it does.
//!
//! Everything is decided from the text alone: which sectors partitions get, the UUIDs of filesystems,
//! which steps are left out. What can't be is refused with its place before anything is touched.

mod builder;
#[cfg(test)]
mod cases;
mod crypttab;
mod device;
mod disk;
mod finish;
mod grub;
mod keys;
mod names;
mod parted;
mod size;
mod step;
mod template;
mod tree;
mod types;
mod volumes;

use std::path::PathBuf;
use std::sync::Arc;

use disklayout::Timestamp;
use disklayout::fs::Misfits;

use crate::config::{ConfigError, Document, Findings, Problem};
use crate::system::System;
use builder::Builder;
use template::Templates;

/// What a specification is read with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What `{{ output }}` stands for: the path of the disk while steps write to it.
    pub device: String,
    /// What UUIDs derive from: the name of the image.
    pub image_name: String,
    /// The time of everything that has none of its own.
    pub time: Timestamp,
    /// The archive of the root filesystem, if there is to be one.
    pub rootfs_tarball: Option<PathBuf>,
    /// Whether it is there.
    pub tarball_exists: bool,
    /// What templates use.
    pub variables: Vec<(String, String)>,
    /// The architecture of this machine by Debian's name.
    pub arch: String,
    /// Where relative paths of the host begin.
    pub directory: PathBuf,
    /// What becomes of files that a filesystem can't hold.
    pub misfits: Misfits,
}

/// What a specification describes.
#[derive(Clone, Debug)]
pub struct Described {
    /// The system.
    pub system: System,
    /// The format of the image that it asks for, if it does: `qcow2`.
    pub format: Option<String>,
    /// What is doubtful but does no harm.
    pub warnings: Vec<Problem>,
}

/// Reads a specification.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(document: &Document, settings: &Settings) -> Result<Described, ConfigError> {
    let mut findings = Findings::default();
    let expanded = Arc::new(expand(document, settings, &mut findings));
    if !findings.errors.is_empty() {
        return Err(ConfigError::new(findings.errors));
    }
    let described = Builder::new(settings).build(&expanded, &mut findings);
    match described {
        Some((system, format)) if findings.errors.is_empty() => Ok(Described {
            system,
            format,
            warnings: findings.warnings,
        }),
        _ => Err(ConfigError::new(findings.errors)),
    }
}

/// The same document with the templates in its steps rendered.
fn expand(document: &Document, settings: &Settings, findings: &mut Findings) -> Document {
    for (name, _) in &settings.variables {
        if template::BUILT_IN.contains(&name.as_str()) {
            let message = format!("the variable '{name}' is set already, and can't be given");
            findings.refuse::<()>(document.root().place(), message);
        }
    }
    let templates = Templates::new(settings);
    let mut root = document.root.clone();
    if let Some(steps) = root.get_mut("steps") {
        let spot = document.spot("steps");
        *steps = templates.expand(steps, spot.place(), findings);
    }
    Document {
        file: document.file.clone(),
        root,
    }
}

#[cfg(test)]
impl Settings {
    /// Those of a machine of tests.
    pub(crate) fn for_tests() -> Self {
        Self {
            device: "/d/a.img.disk.tmp".into(),
            image_name: "a.img".into(),
            time: Timestamp::default(),
            rootfs_tarball: None,
            tarball_exists: false,
            variables: Vec::new(),
            arch: "amd64".into(),
            directory: "/d".into(),
            misfits: Misfits::default(),
        }
    }
}
