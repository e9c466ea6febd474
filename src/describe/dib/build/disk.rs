//! The disks of a build: the configuration that counts, and what it is read with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use disklayout::fs::Misfits;

use super::Host;
use super::sizes::number;
use crate::config::yaml;
use crate::describe::dib::block::{self, Configuration, Root};
use crate::describe::dib::elements::Element;
use crate::describe::dib::environment::Environment;
use crate::describe::dib::request::Request;

/// A filesystem on the whole disk, for elements that have no configuration of it.
const BARE: &str = "\
- local_loop:
    name: image0
    mkfs:
      name: mkfs_root
      mount:
        mount_point: /
        fstab:
          options: defaults
          fsck-passno: 1
";

pub(super) fn block_settings(
    request: &Request,
    environment: &Environment,
    name: &str,
    host: &Host,
    misfits: Misfits,
) -> Result<block::Settings> {
    let text = |variable: &str| environment.text(variable).map(str::to_owned);
    let journal = match request.journal_size {
        Some(size) => Some(size),
        None => number(environment, "DIB_JOURNAL_SIZE")?,
    };
    let usual = Root::default();
    let root = Root {
        kind: request
            .fs_type
            .clone()
            .or_else(|| text("FS_TYPE"))
            .unwrap_or(usual.kind),
        label: request.root_label.clone().or_else(|| text("ROOT_LABEL")),
        options: request.mkfs_options.clone().unwrap_or_default(),
        journal: journal.unwrap_or(usual.journal),
        resize: request
            .max_online_resize
            .clone()
            .or_else(|| text("MAX_ONLINE_RESIZE")),
        without_checksums: environment.text("DIB_RELEASE") == Some("trusty"),
    };
    Ok(block::Settings {
        image_name: name.to_owned(),
        time: host.time,
        root,
        block_size: number(environment, "DIB_BLOCK_SIZE")?,
        misfits,
    })
}

/// The configuration of the disks: that of the user, or else of an element.
pub(super) fn configuration(
    request: &Request,
    environment: &Environment,
    elements: &[&Element],
    arch: &str,
    settings: &block::Settings,
) -> Result<Configuration> {
    const VARIABLE: &str = "DIB_BLOCK_DEVICE_CONFIG";
    let (text, name) = match environment.text(VARIABLE) {
        _ if request.is_ramdisk => (BARE.to_owned(), "the usual configuration".to_owned()),
        Some(given) => match given.strip_prefix("file://") {
            Some(path) => (read(path.as_ref())?, path.to_owned()),
            None => (given.to_owned(), VARIABLE.to_owned()),
        },
        None => match of_elements(elements, arch)? {
            Some(path) => (read(&path)?, path.display().to_string()),
            None => (BARE.to_owned(), "the usual configuration".to_owned()),
        },
    };
    let document = yaml::parse(&text, &name)?;
    Ok(block::read(&document, settings)?)
}

fn read(path: &Path) -> Result<String> {
    let shown = path.display();
    fs::read_to_string(path)
        .with_context(|| format!("can't read the configuration of the disk '{shown}'"))
}

/// The configuration that an element has for `arch`, or for all. One of them may have one.
fn of_elements(elements: &[&Element], arch: &str) -> Result<Option<PathBuf>> {
    let arch = match arch {
        "ppc64le" => "ppc64el",
        arch => arch,
    };
    let found = elements.iter().filter_map(|element| {
        let names = [
            format!("block-device-{arch}.yaml"),
            "block-device-default.yaml".to_owned(),
        ];
        let mut paths = names.map(|name| element.path.join(name)).into_iter();
        paths.find(|path| path.is_file())
    });
    match found.collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        [one, other, ..] => bail!(
            "both '{}' and '{}' are configurations of the disk: leave one of the elements out, or \
             give your own in DIB_BLOCK_DEVICE_CONFIG",
            one.display(),
            other.display()
        ),
    }
}
