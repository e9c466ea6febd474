//! From inputs that are open to the tree that goes into an image.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Error, Result, anyhow, bail};
use disklayout::ErrorKind;
use disklayout::source::Rules;
use disklayout::source::oci::Choice;
use disklayout::tree::FileTree;

use super::container::Taker;
use crate::image::Taken;

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

/// A file without a name, for what has to be kept until it is written.
pub(super) type Scratch<'a> = dyn Fn() -> io::Result<File> + Sync + 'a;

/// Puts what is in `inputs` into `tree`, each over those before it.
///
/// # Errors
/// When one can't be read, when there is no room to keep what comes from a pipe or what has to be
/// decompressed first, or when an image is asked for and there is none.
pub(super) fn add_inputs(
    tree: &mut FileTree,
    inputs: Vec<Opened>,
    rules: &Rules,
    taken: &Taken,
    scratch: &Scratch<'_>,
) -> Result<()> {
    let taker = Taker {
        format: taken.format,
        choice: &taken.choice,
        rules,
        scratch,
        advice: taken.advice,
    };
    let mut has_image = false;
    for input in inputs {
        has_image |= match input {
            Opened::Directory(path) => {
                let place = path.display().to_string();
                taker.directory(tree, &place, &path)?
            }
            Opened::Archive { name, file } => taker.file(tree, &name, &name, file).map_err(hint)?,
            Opened::Pipe { name, file } => {
                let file = keep(&name, file, scratch)?;
                taker.file(tree, &name, &name, file).map_err(hint)?
            }
        };
    }
    refuse_idle(&taken.choice, has_image)?;
    rules.tell_useless(tree, "--exclude");
    Ok(())
}

/// Refuses to choose from what isn't there.
fn refuse_idle(choice: &Choice, has_image: bool) -> Result<()> {
    for (is_given, option) in [
        (choice.reference.is_some(), choice.reference_option),
        (choice.platform.is_some(), choice.platform_option),
    ] {
        if is_given && !has_image {
            bail!("{option} chooses an image of a container, but no input holds one");
        }
    }
    Ok(())
}

/// The error. What is no archive may be an image that was to be the output.
fn hint(error: Error) -> Error {
    let known = error.downcast_ref::<disklayout::Error>();
    match known.map(disklayout::Error::kind) {
        Some(ErrorKind::NotAnArchive) => {
            anyhow!("{error}. What goes into an image comes first, the image last: INPUT... OUTPUT")
        }
        _ => error,
    }
}

/// Copies what comes from a pipe to a file without a name: it is read twice, once to plan and once
/// to write.
fn keep(name: &str, mut pipe: File, scratch: &Scratch<'_>) -> Result<File> {
    let context = || format!("can't keep {name} in a file without a name");
    let mut file = scratch().with_context(context)?;
    io::copy(&mut pipe, &mut file).with_context(context)?;
    Ok(file)
}
