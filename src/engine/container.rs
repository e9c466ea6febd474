//! Images of containers among the inputs: found by their content, or asked for.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use disklayout::source::oci::{self, Choice, ContainerImage, Recognized};
use disklayout::source::{self, Rules};
use disklayout::tree::FileTree;

use crate::image::InputFormat;

/// Puts inputs into a tree, be they files or images.
pub(super) struct Taker<'a> {
    pub(super) format: InputFormat,
    pub(super) choice: &'a Choice,
    pub(super) rules: &'a Rules,
    /// A file without a name, for what has to be decompressed.
    pub(super) scratch: &'a dyn Fn() -> io::Result<File>,
    /// What a user sets [`Self::format`] by.
    pub(super) advice: &'a str,
}

impl Taker<'_> {
    /// Puts in a directory. Tells whether it was an image.
    pub(super) fn directory(&self, tree: &mut FileTree, place: &str, path: &Path) -> Result<bool> {
        let image = match self.format {
            InputFormat::Auto => oci::recognize_directory(place, path)?,
            InputFormat::Files => None,
            InputFormat::Image => Some(ContainerImage::directory(place, path)),
        };
        let is_image = image.is_some();
        match image {
            Some(image) => oci::add_image(tree, &image, self.choice, self.rules)?,
            None => source::add_directory(tree, place, path, self.rules)?,
        }
        self.hint(tree, is_image, &path.display().to_string());
        Ok(is_image)
    }

    /// Puts in a file that can be read at any place. Tells whether it was an image.
    pub(super) fn file(
        &self,
        tree: &mut FileTree,
        place: &str,
        name: &str,
        file: File,
    ) -> Result<bool> {
        let (image, file) = match self.format {
            InputFormat::Auto => self.recognize(place, name, file)?,
            InputFormat::Files => (None, file),
            InputFormat::Image => {
                let plain = self.plain(place, name, file.try_clone()?)?;
                (Some(ContainerImage::archive(place, name, plain)?), file)
            }
        };
        let is_image = image.is_some();
        match image {
            Some(image) => oci::add_image(tree, &image, self.choice, self.rules)?,
            None => source::add_archive(tree, place, name, file, self.rules)?,
        }
        self.hint(tree, is_image, name);
        Ok(is_image)
    }

    /// The image that a file is, if it is one, or else what can be read as an archive.
    fn recognize(
        &self,
        place: &str,
        name: &str,
        file: File,
    ) -> Result<(Option<ContainerImage>, File)> {
        let file = match oci::recognize(place, name, &file)? {
            Recognized::Files => return Ok((None, file)),
            Recognized::Image(image) => return Ok((Some(image), file)),
            Recognized::Compressed => self.plain(place, name, file)?,
        };
        Ok(match oci::recognize(place, name, &file)? {
            Recognized::Image(image) => (Some(image), file),
            Recognized::Files | Recognized::Compressed => (None, file),
        })
    }

    /// The bytes of a file without their compression: a layer in a compressed archive could only be
    /// read from the archive's start.
    fn plain(&self, place: &str, name: &str, file: File) -> Result<File> {
        if !oci::is_compressed(&file).with_context(|| format!("can't read '{name}'"))? {
            return Ok(file);
        }
        let context = || format!("can't keep '{name}' in a file without a name");
        let scratch = (self.scratch)().with_context(context)?;
        let mut to = BufWriter::with_capacity(1 << 20, scratch);
        oci::decompress(place, name, file, self.rules, &mut to)?;
        to.flush().with_context(context)?;
        to.into_inner()
            .map_err(|error| error.into_error())
            .with_context(context)
    }

    /// Tells of what seems to be taken for the wrong thing.
    fn hint(&self, tree: &mut FileTree, is_image: bool, name: &str) {
        let is_chosen = self.format == InputFormat::Files;
        if !is_image && !is_chosen && oci::holds_image_files(tree, self.rules) {
            tree.notice(format!(
                "'{name}' seems to hold an image of a container, of which the files themselves are \
                 taken; {} takes what is in it",
                self.advice
            ));
        }
    }
}
