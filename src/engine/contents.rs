//! Finds the data of uploads: in the data directories, or on the network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Error, Result, anyhow, bail};
use disklayout::Timestamp;
use disklayout::source::oci::{self, Choice, Platform};
use disklayout::source::{self, Entry, EntryKind, FileSource, Rules};
use disklayout::tree::{Content, FileTree};
use rayon::prelude::*;

use super::container::{InputFormat, Taker};
use super::digest;
use super::download::Downloads;
use super::event::{Event, Reporter};
use crate::image::{Image, LayoutRecipe, Object, ObjectKind, Recipe, Source, Upload};
use crate::tools::nameless::NamelessFile;
use crate::virtinstall::Kickstart;

/// Finds the files that images need: what is below `uploads/` by its path there, and kickstarts.
pub trait Find: Sync {
    /// The file called `name`.
    ///
    /// # Errors
    /// When there is none.
    fn file(&self, name: &str) -> Result<Content>;

    /// The directory called `name`.
    ///
    /// # Errors
    /// When there is none.
    fn directory(&self, name: &str) -> Result<PathBuf> {
        bail!("there is no directory '{name}'")
    }

    /// What the installer of `image` is told.
    ///
    /// # Errors
    /// When there is none.
    fn kickstart(&self, image: &Image) -> Result<Kickstart> {
        bail!("there is no kickstart file for the group '{}'", image.group)
    }
}

/// A function knows files only.
impl<F: Fn(&str) -> Result<Content> + Sync> Find for F {
    fn file(&self, name: &str) -> Result<Content> {
        self(name)
    }
}

/// The data of all uploads of a run.
pub struct Contents<'a> {
    find: &'a dyn Find,
    urls: BTreeMap<&'a str, Result<Content, Arc<Error>>>,
    /// The latest time that a file of a directory or an archive may have.
    latest: Option<Timestamp>,
}

impl std::fmt::Debug for Contents<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contents")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

impl<'a> Contents<'a> {
    /// Downloads what the uploads of `images` need from the network, each address once and
    /// several at a time. What fails is told to those who ask for it.
    pub fn gather(
        images: &'a [Image],
        find: &'a dyn Find,
        downloads: &Downloads,
        reporter: &dyn Reporter,
    ) -> Self {
        let urls = wanted_sums(images)
            .into_par_iter()
            .map(|(url, sums)| {
                let content = fetch(url, &sums, downloads, reporter);
                (url, content.map_err(Arc::new))
            })
            .collect();
        Self {
            find,
            urls,
            latest: None,
        }
    }

    /// The same, with no file later than `latest`.
    #[must_use]
    pub fn not_after(self, latest: Option<Timestamp>) -> Self {
        Self { latest, ..self }
    }

    /// The data of `upload`.
    ///
    /// # Errors
    /// When there is no such file, or when its sum isn't the wanted one. A failed download reads
    /// the same for every upload that wants it.
    pub fn content(&self, upload: &Upload) -> Result<Content> {
        match &upload.source {
            Source::File(name) => self
                .file(name, upload.sha256.as_deref())
                .with_context(|| format!("{}.source", upload.place)),
            Source::Url(url) => match self.urls.get(url.as_str()) {
                Some(Ok(content)) => Ok(content.clone()),
                Some(Err(error)) => Err(anyhow!("{error:#}")),
                None => bail!("'{url}' wasn't downloaded"),
            },
        }
    }

    fn file(&self, name: &str, sha256: Option<&str>) -> Result<Content> {
        let content = self.find.file(name)?;
        if let Some(sum) = sha256 {
            digest::check(name, &content, sum)?;
        }
        Ok(content)
    }
}

impl Contents<'_> {
    /// What goes into the partitions of `recipe`, by their index; those without contents are left
    /// out. What has no time of its own is of `time`.
    ///
    /// # Errors
    /// When something is missing, can't be read, or doesn't go together.
    pub fn trees(
        &self,
        recipe: &LayoutRecipe,
        time: Timestamp,
    ) -> Result<BTreeMap<usize, FileTree>> {
        let contents = recipe.contents.iter().enumerate();
        let filled = contents.filter(|(_, objects)| !objects.is_empty());
        let trees = filled.map(|(index, objects)| {
            let mut tree = FileTree::new(time);
            for object in objects {
                self.add(&mut tree, object, time)?;
            }
            Ok((index, tree))
        });
        trees.collect()
    }

    fn add(&self, tree: &mut FileTree, object: &Object, time: Timestamp) -> Result<()> {
        let place = &object.place;
        let within = |rules: &Rules| Rules {
            latest: self.latest,
            ..rules.clone()
        };
        match &object.kind {
            ObjectKind::Directory { path, rules } => {
                let found = self.find.directory(path);
                let found = found.with_context(|| format!("{place}.directory"))?;
                source::add_directory(tree, place, &found, &within(rules))?;
                hint(tree, place, rules);
            }
            ObjectKind::Archive { path, rules } => {
                let found = self.archive(path);
                let (name, file) = found.with_context(|| format!("{place}.archive"))?;
                source::add_archive(tree, place, &name, file, &within(rules))?;
                hint(tree, place, rules);
            }
            ObjectKind::Oci {
                path,
                image,
                platform,
                rules,
            } => {
                let choice = choice(image.as_ref(), platform.as_ref());
                self.add_image(tree, place, path, &choice, &within(rules))?;
            }
            ObjectKind::Entry { entry, mtime } => {
                let entry = self.entry(entry, mtime.unwrap_or(time));
                let entry = entry.with_context(|| format!("{place}.source"))?;
                source::add_entry(tree, place, &entry, &within(&Rules::default()))?;
            }
        }
        Ok(())
    }

    /// Puts the image of a container in: a directory or an archive below `uploads/`.
    fn add_image(
        &self,
        tree: &mut FileTree,
        place: &str,
        path: &str,
        choice: &Choice,
        rules: &Rules,
    ) -> Result<()> {
        let taker = Taker {
            format: InputFormat::Image,
            choice,
            rules,
            scratch: &|| NamelessFile::new()?.file().try_clone(),
            advice: "'oci'",
        };
        if let Ok(found) = self.find.directory(path) {
            taker.directory(tree, place, &found)?;
            return Ok(());
        }
        let found = self.archive(path);
        let (name, file) = found.with_context(|| format!("{place}.oci"))?;
        taker.file(tree, place, &name, file)?;
        Ok(())
    }

    /// The archive below `uploads/`, open, and its name.
    fn archive(&self, path: &str) -> Result<(String, File)> {
        let content = self.find.file(path)?;
        let host = content
            .host_path()
            .with_context(|| format!("'{path}' is no file of this machine"))?;
        let name = host.display().to_string();
        let file = File::open(host).with_context(|| format!("can't open '{name}'"))?;
        Ok((name, file))
    }

    /// The entry with its time, and with the data of its file where that is below `uploads/`.
    fn entry(&self, entry: &Entry, mtime: Timestamp) -> Result<Entry> {
        let mut entry = Entry {
            mtime,
            ..entry.clone()
        };
        if let EntryKind::File(FileSource::Host(path)) = &entry.kind {
            let path = path.to_str().context("the path isn't UTF-8")?;
            let content = self.find.file(path)?;
            let source = match (content.host_path(), content.inline_bytes()) {
                (Some(host), _) => FileSource::Host(host.to_path_buf()),
                (None, Some(bytes)) => FileSource::Inline(bytes.to_vec()),
                (None, None) => bail!("'{path}' is no file of this machine"),
            };
            entry.kind = EntryKind::File(source);
        }
        Ok(entry)
    }
}

/// Tells of an image of a container that is taken as its files.
fn hint(tree: &mut FileTree, place: &str, rules: &Rules) {
    if oci::holds_image_files(tree, rules) {
        tree.notice(format!(
            "{place}: this seems to be an image of a container, of which the files themselves are \
             taken; 'oci' takes what is in it"
        ));
    }
}

/// Which image is meant: the same on every machine.
fn choice(image: Option<&String>, platform: Option<&Platform>) -> Choice {
    Choice {
        reference: image.cloned(),
        platform: platform.cloned(),
        machine: None,
        reference_option: "'image'",
        platform_option: "'platform'",
    }
}

/// Every address in `images` with the sums that it is given.
fn wanted_sums(images: &[Image]) -> BTreeMap<&str, BTreeSet<String>> {
    let uploads = images.iter().flat_map(|image| match &image.recipe {
        Recipe::Layout(recipe) => recipe.uploads.as_slice(),
        Recipe::Install(_) => &[],
    });
    let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for upload in uploads {
        if let Source::Url(url) = &upload.source {
            let sums = wanted.entry(url).or_default();
            sums.extend(upload.sha256.as_ref().map(|sum| sum.to_ascii_lowercase()));
        }
    }
    wanted
}

fn fetch(
    url: &str,
    sums: &BTreeSet<String>,
    downloads: &Downloads,
    reporter: &dyn Reporter,
) -> Result<Content> {
    if sums.len() > 1 {
        let sums: Vec<_> = sums.iter().map(String::as_str).collect();
        bail!(
            "'{url}' is given different SHA-256 sums: {}",
            sums.join(", ")
        );
    }
    reporter.report(&Event::DownloadStarted { url });
    let mut progress = |received, total| {
        reporter.report(&Event::DownloadProgress {
            url,
            received,
            total,
        });
    };
    let result = downloads.fetch(url, sums.first().map(String::as_str), &mut progress);
    let success = result.is_ok();
    reporter.report(&Event::DownloadEnded { url, success });
    result
}
