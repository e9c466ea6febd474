//! From inputs that are open to the tree that goes into an image.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Error, Result, anyhow, bail};
use disklayout::ErrorKind;
use disklayout::source::Rules;
use disklayout::source::oci::Choice;
use disklayout::tree::FileTree;

use super::Settings;
use super::container::{InputFormat, Taker};

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

/// What inputs are taken for.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Files, or images of containers.
    pub format: InputFormat,
    /// Which image of those that an input holds.
    pub choice: Choice,
    /// What a user sets the format by.
    pub advice: &'static str,
}

/// Reads what is in `inputs`, each over those before it.
///
/// # Errors
/// When one can't be read, when there is no room to keep what comes from a pipe or what has to be
/// decompressed first, or when an image is asked for and there is none.
pub fn read_inputs(
    inputs: Vec<Opened>,
    rules: &Rules,
    taken: &Taken,
    settings: &Settings,
) -> Result<FileTree> {
    let mut tree = FileTree::new(settings.time);
    let scratch = || settings.temporaries.scratch(&settings.directory);
    let taker = Taker {
        format: taken.format,
        choice: &taken.choice,
        rules,
        scratch: &scratch,
        advice: taken.advice,
    };
    let mut has_image = false;
    for input in inputs {
        has_image |= match input {
            Opened::Directory(path) => {
                let place = path.display().to_string();
                taker.directory(&mut tree, &place, &path)?
            }
            Opened::Archive { name, file } => {
                taker.file(&mut tree, &name, &name, file).map_err(hint)?
            }
            Opened::Pipe { name, file } => {
                let file = keep(&name, file, settings)?;
                taker.file(&mut tree, &name, &name, file).map_err(hint)?
            }
        };
    }
    refuse_idle(&taken.choice, has_image)?;
    rules.tell_useless(&mut tree, "--exclude");
    Ok(tree)
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
