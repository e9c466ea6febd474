//! `disk-image-get-kernel`: the kernel that is in an image, and its ramdisk, as files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use disklayout::inspect::Image;
use disklayout::inspect::fs::{Filesystem, Node, NodeKind};
use indicatif::MultiProgress;

use crate::command::{Settings, answer, inspect, set};
use crate::describe::dib::Kernel;
use crate::engine::{Directory, Output, Temporaries, check_target};

/// Where kernels are: in a system, and at the top of a filesystem that is mounted there.
const DIRECTORIES: [&[u8]; 2] = [b"/boot/", b"/"];

/// What has no files, whoever reads it.
const SWAP: &str = "swap";

/// What is read, and where it goes.
#[derive(Clone, Debug)]
pub struct Options {
    /// The image, relative to the directory of images.
    pub image: PathBuf,
    /// The directory of the files.
    pub directory: PathBuf,
    /// What their names begin with.
    pub prefix: String,
}

/// Writes the kernel of an image, and the ramdisk of that, as `PREFIX-vmlinuz` and `PREFIX-initrd`.
///
/// # Errors
/// When the image can't be read or has none, and when the files can't be written.
pub fn run(settings: &Settings, bars: &MultiProgress, options: &Options) -> Result<()> {
    let directory = Arc::new(Directory::share(
        &settings.directory.join(&options.directory),
    )?);
    let temporaries = Temporaries::default();
    set::clean_up_on_signals(&temporaries, bars)?;
    let names = ["vmlinuz", "initrd"].map(|kind| format!("{}-{kind}", options.prefix));
    for name in &names {
        check_target(&directory, name)?;
    }
    let read = inspect::Options {
        images: vec![options.image.clone()],
        ..inspect::Options::default()
    };
    let context = || format!("'{}'", options.image.display());
    let made = inspect::with_image(&options.image, (settings, &read), |found| {
        let started = Started::find(&found.image)?;
        let mut outputs = Vec::new();
        for (name, node) in names.iter().zip([&started.kernel, &started.ramdisk]) {
            let output = Output::create(&directory, &temporaries, name)?;
            let failed = format!("can't write '{}'", output.temporary_name());
            let file = started.filesystem.open(node)?;
            inspect::copy(&file, &mut output.file(), &failed)?;
            outputs.push(output);
        }
        Ok(outputs)
    });
    for mut output in made.with_context(context)? {
        output.publish(settings.sync)?;
    }
    answer::print(&match settings.json {
        true => format!(
            "{:#}\n",
            serde_json::json!({ "kernel": names[0], "ramdisk": names[1] })
        ),
        false => format!("{}\n", names.join(",")),
    })
}

/// What a machine with an image starts.
struct Started<'a> {
    filesystem: &'a Filesystem<'a>,
    kernel: Node,
    ramdisk: Node,
}

impl<'a> Started<'a> {
    /// Finds it: in the system that is in the image, else at the top of another filesystem.
    fn find(image: &'a Image<'_>) -> Result<Self> {
        let filesystems = image.volumes.iter();
        let filesystems = filesystems.filter_map(|volume| volume.filesystem.as_ref().ok());
        let (filesystems, unread): (Vec<_>, Vec<_>) = filesystems
            .flatten()
            .partition(|filesystem| filesystem.has_files());
        let files = filesystems.iter().map(|filesystem| files_in(filesystem));
        let mut files = files.collect::<Result<Vec<_>>>()?;
        let mut without = None;
        for place in 0..DIRECTORIES.len() {
            for (filesystem, files) in filesystems.iter().zip(&mut files) {
                let files = &mut files[place];
                let names: BTreeSet<_> = files.keys().cloned().collect();
                let Some(found) = Kernel::best(&names) else {
                    continue;
                };
                let ramdisk = found.ramdisk.and_then(|name| files.remove(&name));
                match (files.remove(&found.kernel), ramdisk) {
                    (Some(kernel), Some(ramdisk)) => {
                        return Ok(Self {
                            filesystem,
                            kernel,
                            ramdisk,
                        });
                    }
                    _ => without = Some(found.kernel),
                }
            }
        }
        match without {
            Some(kernel) => bail!(
                "the kernel '{kernel}' has no ramdisk beside it: its name would be that of the \
                 kernel with initrd or initramfs in place of vmlinuz"
            ),
            None => bail!(
                "it has no kernel: none of its filesystems has a file whose name begins with \
                 vmlinuz, in /boot or at its top{}",
                unread_ones(&unread)
            ),
        }
    }
}

/// What there is of filesystems in which a kernel may be, but can't be found.
fn unread_ones(filesystems: &[&Filesystem<'_>]) -> String {
    let kinds: BTreeSet<_> = filesystems.iter().map(|it| it.facts().kind).collect();
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| *kind != SWAP).collect();
    match kinds.is_empty() {
        true => String::new(),
        false => format!("; files of {} can't be read here", kinds.join(" and ")),
    }
}

/// Files by their names.
type Files = BTreeMap<String, Node>;

/// The files in each of the directories. What isn't UTF-8 is no kernel's.
fn files_in(filesystem: &Filesystem<'_>) -> Result<[Files; DIRECTORIES.len()]> {
    let mut found = [(); DIRECTORIES.len()].map(|()| Files::new());
    let mut walk = filesystem.walk()?;
    while let Some(entry) = walk.next()? {
        if entry.node.kind != NodeKind::File {
            continue;
        }
        for (directory, files) in DIRECTORIES.iter().zip(&mut found) {
            let name = entry.path.strip_prefix(*directory);
            let name = name.and_then(|name| std::str::from_utf8(name).ok());
            if let Some(name) = name.filter(|name| !name.contains('/')) {
                files.insert(name.to_owned(), entry.node.clone());
            }
        }
    }
    Ok(found)
}
