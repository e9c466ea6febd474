//! From inputs that are open to the tree that goes into an image.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use disklayout::source::{self, Rules};
use disklayout::tree::FileTree;
use disklayout::{Error, ErrorKind};

use super::Settings;

/// Something that goes into an image.
#[derive(Debug)]
pub enum Opened {
    /// A directory.
    Directory(PathBuf),
    /// An archive of which every byte can be had at any time.
    Archive {
        /// What it is called in messages.
        name: String,
        /// The archive.
        file: File,
    },
    /// An archive that can be read once, from where it is.
    Pipe {
        /// What it is called in messages.
        name: String,
        /// The pipe.
        file: File,
    },
}

/// Reads what is in `inputs`, each over those before it.
///
/// # Errors
/// When one can't be read, or when there is no room to keep what comes from a pipe.
pub fn read_inputs(inputs: Vec<Opened>, rules: &Rules, settings: &Settings) -> Result<FileTree> {
    let mut tree = FileTree::new(settings.time);
    for input in inputs {
        match input {
            Opened::Directory(path) => {
                let place = path.display().to_string();
                source::add_directory(&mut tree, &place, &path, rules)?;
            }
            Opened::Archive { name, file } => {
                source::add_archive(&mut tree, &name, &name, file, rules).map_err(hint)?;
            }
            Opened::Pipe { name, file } => {
                let file = keep(&name, file, settings)?;
                source::add_archive(&mut tree, &name, &name, file, rules).map_err(hint)?;
            }
        }
    }
    rules.tell_useless(&mut tree, "--exclude");
    Ok(tree)
}

/// The error. What is no archive may be an image that was to be the output.
fn hint(error: Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotAnArchive => {
            anyhow!("{error}. What goes into an image comes first, the image last: INPUT... OUTPUT")
        }
        _ => error.into(),
    }
}

/// Copies what comes from a pipe to a file without a name beside the output: it is read twice,
/// once to plan and once to write.
fn keep(name: &str, mut pipe: File, settings: &Settings) -> Result<File> {
    let directory = settings.directory.path().display();
    let context = || format!("can't keep {name} in a file without a name in '{directory}'");
    let scratch = settings.temporaries.scratch(&settings.directory);
    let mut file = scratch.with_context(context)?;
    io::copy(&mut pipe, &mut file).with_context(context)?;
    Ok(file)
}
