//! Files with checksums beside images. They go into their places right behind their images; those of
//! an older image, which would be wrong then, go away.

use std::io::Write;

use anyhow::{Context, Result};

use super::output::Output;
use super::{Settings, digest};
use crate::checksum::Algorithm;

/// The files with checksums of an image that is complete, ready to be put into their places.
#[derive(Debug)]
pub(super) struct Beside(Vec<Output>);

impl Beside {
    /// Sums up what is in `output`, which becomes the image `image`.
    ///
    /// # Errors
    /// When it can't be read, or a file can't be made.
    pub(super) fn of(
        output: &Output,
        image: &str,
        algorithms: &[Algorithm],
        settings: &Settings,
    ) -> Result<Self> {
        if algorithms.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let context = || format!("can't sum up '{image}'");
        let sums = digest::of_open_file(output.file(), algorithms).with_context(context)?;
        let files = algorithms.iter().zip(sums).map(|(algorithm, sum)| {
            let Settings {
                directory,
                temporaries,
                ..
            } = settings;
            let name = algorithm.file_name(image);
            let file = Output::create(directory, temporaries, &name)?;
            let written = file
                .file()
                .write_all(format!("{sum}  {image}\n").as_bytes());
            written.with_context(|| format!("can't write '{name}'"))?;
            Ok(file)
        });
        Ok(Self(files.collect::<Result<_>>()?))
    }

    /// Puts them into their places beside `image`, and removes others that are there.
    ///
    /// # Errors
    /// What the filesystem says.
    pub(super) fn publish(self, image: &str, settings: &Settings) -> Result<()> {
        let Self(mut files) = self;
        for algorithm in Algorithm::ALL {
            let name = algorithm.file_name(image);
            match files.iter_mut().find(|file| file.name() == name) {
                Some(file) => file.publish(settings.sync).map(drop)?,
                None => remove(&name, settings)?,
            }
        }
        Ok(())
    }
}

fn remove(name: &str, settings: &Settings) -> Result<()> {
    match settings.directory.remove_if_there(name) {
        // Too long: there can't be a file of such a name.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidFilename => Ok(()),
        removed => removed.with_context(|| format!("can't remove '{name}'")),
    }
}
