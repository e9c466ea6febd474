//! Block-device configurations of diskimage-builder: what images, partitions and filesystems there are,
//! and where these are mounted.
//!
//! [`read`] checks everything that doesn't depend on the size of the image, and tells what scripts ask
//! for before that is known; [`Configuration::lay_out`] gives every partition its sectors. Nothing is
//! written. What diskimage-builder refuses is refused with its place, and so is what it would silently
//! make something else of.

#[cfg(test)]
mod cases;
mod codes;
mod disk;
mod entry;
mod gpt;
mod image;
mod lvm;
mod mbr;
mod mkfs;
mod mount;
mod names;
mod nodes;
mod order;
mod parameters;
mod partitioning;
mod placed;
mod plugin;
mod root;
mod rules;
mod size;
mod tree;
mod values;

use std::sync::Arc;

use disklayout::fs::Misfits;
use disklayout::layout::spec::Disk;
use disklayout::{Bytes, Timestamp};

use crate::config::{ConfigError, Document, Findings, Problem};
use crate::system::Volume;
use disk::Maker;
use names::Names;
use nodes::Nodes;

pub use parameters::Parameters;
pub use root::Root;
pub use rules::IMAGE;
pub use values::{Device, DeviceKind, Values};

/// What a configuration is read with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What UUIDs derive from: the name of the image.
    pub image_name: String,
    /// The time of everything that has none of its own.
    pub time: Timestamp,
    /// What the filesystem called `mkfs_root` gets where the configuration doesn't say it.
    pub root: Root,
    /// Bytes of a sector, whatever images say: `DIB_BLOCK_SIZE`.
    pub block_size: Option<u64>,
    /// What becomes of files that a filesystem can't hold.
    pub misfits: Misfits,
}

/// A configuration that is right so far as can be told without sizes.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The lines of fstab, in the order in which filesystems are mounted.
    pub fstab: Vec<String>,
    /// What is told to scripts that ask for it.
    pub values: Values,
    /// The names of all nodes in the order in which they are made.
    pub order: Vec<String>,
    /// What is doubtful but does no harm.
    pub warnings: Vec<Problem>,
    nodes: Nodes,
    settings: Settings,
    document: Arc<Document>,
}

/// An image in which everything is decided but its files.
#[derive(Clone, Debug)]
pub struct Image {
    /// What the configuration calls it; its file is `NAME.raw`.
    pub name: String,
    /// The directory of that file, where the configuration says it.
    pub directory: Option<String>,
    /// The disk. Each of its partitions has its sectors, and each filesystem and each volume of LVM its
    /// UUID; the filesystems are empty.
    pub disk: Disk,
    /// What is to be known of each partition and logical volume beside that, in the order of the disk's
    /// [slots](Disk::slots). The extended one of an MBR has no tag; on a disk without a table the number
    /// is 0.
    pub volumes: Vec<Volume>,
}

/// Reads a configuration.
///
/// # Errors
/// Everything that is wrong with it, and whatever of it isn't written here: thin volumes of LVM.
pub fn read(document: &Document, settings: &Settings) -> Result<Configuration, ConfigError> {
    let mut findings = Findings::default();
    let nodes = nodes(document, settings, &mut findings);
    let Some(nodes) = nodes.filter(|_| findings.errors.is_empty()) else {
        findings.errors.sort_by_key(line_and_column);
        return Err(ConfigError::new(findings.errors));
    };
    Ok(Configuration {
        fstab: values::fstab(&nodes),
        values: Values::of(&nodes),
        order: order::of(&nodes),
        warnings: findings.warnings,
        nodes,
        settings: settings.clone(),
        document: Arc::new(document.clone()),
    })
}

/// Where a problem is; what is about the whole file comes first.
fn line_and_column(problem: &Problem) -> Option<(usize, usize)> {
    problem.place.position.map(|at| (at.line, at.column))
}

fn nodes(document: &Document, settings: &Settings, findings: &mut Findings) -> Option<Nodes> {
    let root = document.root();
    let entries = tree::flatten(&root, findings);
    // Of what is missing, more would be said to be wrong that isn't.
    if !findings.errors.is_empty() {
        return None;
    }
    let nodes = nodes::read(&entries, settings, findings)?;
    rules::check(&nodes, root.place(), findings)?;
    Some(nodes)
}

impl Configuration {
    /// MiB of the journal that the root filesystem has, if it is one that has any.
    pub const fn root_journal(&self) -> u64 {
        self.settings.root.journal
    }

    /// All images, in the order of the configuration. Those that have no size of their own have `size`.
    ///
    /// # Errors
    /// Every image whose size is no whole number of sectors, and in each the first partition that has no
    /// room or doesn't fit into its table.
    pub fn lay_out(&self, size: Bytes) -> Result<Vec<Image>, ConfigError> {
        let mut findings = Findings::default();
        let maker = Maker {
            nodes: &self.nodes,
            settings: &self.settings,
            names: Arc::new(Names::of(Arc::clone(&self.document), &self.nodes)),
        };
        let images = self.nodes.images.iter();
        let images: Vec<_> = images
            .filter_map(|raw| maker.image(raw, size, &mut findings))
            .collect();
        match findings.errors.is_empty() {
            true => Ok(images),
            false => Err(ConfigError::new(findings.errors)),
        }
    }
}
