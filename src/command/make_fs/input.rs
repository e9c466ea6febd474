//! Opens what goes into an image, and keeps it apart from what comes out.

use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};
use disklayout::tree::Content;

use super::Input;
use crate::engine::{self, Opened};

/// What standard input is called in messages.
const STDIN: &str = "standard input";

/// What goes into the image, open.
#[derive(Debug)]
pub(super) struct Inputs(Mutex<Vec<Opened>>);

impl Inputs {
    /// Opens all of `inputs`.
    ///
    /// # Errors
    /// When one is missing, can't be read, or is neither a directory nor a file nor a pipe.
    pub(super) fn open(inputs: &[Input]) -> Result<Self> {
        let opened = inputs.iter().map(|input| match input {
            Input::Stdin => open_stdin(),
            Input::Path(path) => open_path(path),
        });
        Ok(Self(Mutex::new(opened.collect::<Result<_>>()?)))
    }

    /// Refuses an output that is one of the inputs or lies in one: it would be lost, or contain
    /// itself.
    ///
    /// # Errors
    /// That, and when directories can't be looked at.
    pub(super) fn check_apart(&self, directory: &Path, name: &str) -> Result<()> {
        check_apart(&self.list(), directory, name)
    }

    fn list(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl engine::Find for Inputs {
    fn file(&self, name: &str) -> Result<Content> {
        bail!("there is no file '{name}' among the inputs")
    }

    fn inputs(&self) -> Result<Vec<Opened>> {
        Ok(std::mem::take(&mut *self.list()))
    }
}

fn open_stdin() -> Result<Opened> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        bail!("{STDIN} is a terminal, not an archive");
    }
    let file = stdin.as_fd().try_clone_to_owned().map(File::from);
    of_file(STDIN.to_owned(), file.context("can't open standard input")?)
}

fn open_path(path: &Path) -> Result<Opened> {
    let shown = path.display().to_string();
    let context = || format!("can't open the input '{shown}'");
    let metadata = fs::metadata(path).with_context(context)?;
    if metadata.is_dir() {
        fs::read_dir(path).with_context(context)?;
        return Ok(Opened::Directory(path.to_path_buf()));
    }
    refuse_device(&shown, &metadata)?;
    let file = File::open(path).with_context(context)?;
    of_file(shown, file)
}

/// Refuses what may never end.
fn refuse_device(name: &str, metadata: &Metadata) -> Result<()> {
    let kind = metadata.file_type();
    if kind.is_char_device() || kind.is_block_device() {
        bail!("the input '{name}' is a device, neither a directory nor an archive");
    }
    Ok(())
}

/// A file that can be read anywhere is taken as it is; from a pipe, or from the middle of a file,
/// all that follows is.
fn of_file(name: String, mut file: File) -> Result<Opened> {
    let metadata = file
        .metadata()
        .with_context(|| format!("can't look at '{name}'"))?;
    if metadata.is_dir() {
        bail!("{name} is a directory; give its path instead of '-'");
    }
    refuse_device(&name, &metadata)?;
    let at_start = metadata.is_file() && file.stream_position().is_ok_and(|at| at == 0);
    Ok(if at_start {
        Opened::Archive { name, file }
    } else {
        Opened::Pipe { name, file }
    })
}

fn check_apart(inputs: &[Opened], directory: &Path, name: &str) -> Result<()> {
    let output = directory.join(name);
    let existing = match fs::metadata(&output) {
        Ok(metadata) => Some(identity(&metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("can't look at {output:?}")),
    };
    let above = ancestors(directory)?;
    for input in inputs {
        match input {
            Opened::Directory(path) => {
                let metadata = fs::metadata(path);
                let metadata =
                    metadata.with_context(|| format!("can't look at '{}'", path.display()))?;
                if above.contains(&identity(&metadata)) {
                    bail!(
                        "the output '{}' lies in the input '{}', so that it would contain itself: \
                         put it elsewhere",
                        output.display(),
                        path.display()
                    );
                }
            }
            Opened::Archive { name, file } | Opened::Pipe { name, file } => {
                let metadata = file.metadata();
                let metadata = metadata.with_context(|| format!("can't look at '{name}'"))?;
                if existing == Some(identity(&metadata)) {
                    bail!(
                        "the output '{}' is an input too and would be lost: give it another name",
                        output.display()
                    );
                }
            }
        }
    }
    Ok(())
}

/// A file's device and number on it.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// `directory` and all directories above it.
fn ancestors(directory: &Path) -> Result<Vec<(u64, u64)>> {
    let context = || format!("can't look at the directory '{}'", directory.display());
    let path: PathBuf = fs::canonicalize(directory).with_context(context)?;
    let all = path.ancestors().map(|path| {
        let metadata = fs::metadata(path).with_context(context)?;
        Ok(identity(&metadata))
    });
    all.collect()
}
