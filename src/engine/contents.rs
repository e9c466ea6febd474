//! Finds the data of uploads: in the data directories, or on the network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Context, Error, Result, anyhow, bail};
use disklayout::layout::spec::{Disk, Holds};
use disklayout::source::oci::{self, Choice, Platform};
use disklayout::source::{self, Entry, EntryKind, FileSource, Rules};
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{Field, Timestamp};
use rayon::prelude::*;

use super::build::lock;
use super::container::Taker;
use super::download::Downloads;
use super::event::{Event, Reporter};
use super::input::{Opened, Scratch, add_inputs};
use super::{accounts, digest, keys};
use crate::image::{
    Data, FileContent, Filling, Image, InputFormat, Keys, Layout, Object, ObjectKind, Source,
};
use crate::virtinstall::Kickstart;

/// Finds what images need: what is below `uploads/` by its path there, kickstarts, and what was named
/// on the command line.
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

    /// What was named on the command line, open. It is asked for once.
    ///
    /// # Errors
    /// When there is nothing.
    fn inputs(&self) -> Result<Vec<Opened>> {
        bail!("nothing was named on the command line")
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

/// How many files are downloaded at a time.
const DOWNLOADS: usize = 4;

/// The data of all uploads of a run.
pub(super) struct Contents<'a> {
    find: &'a dyn Find,
    scratch: &'a Scratch<'a>,
    urls: BTreeMap<&'a str, Download>,
    /// The latest time that a file of a directory or an archive may have.
    latest: Option<Timestamp>,
    /// Whether keys of what is encrypted are read; nothing that is planned without them is written.
    reads_keys: bool,
}

/// A file of the network.
#[derive(Debug, Default)]
struct Download {
    /// The sums that it is given.
    sums: BTreeSet<String>,
    /// What came of it, once it was tried.
    content: OnceLock<Result<Content, Arc<Error>>>,
}

impl Download {
    /// The sum of the file at `url`, where it is given one.
    ///
    /// # Errors
    /// When it is given different ones.
    fn sum(&self, url: &str) -> Result<Option<&str>> {
        let sums: Vec<_> = self.sums.iter().map(String::as_str).collect();
        match sums.as_slice() {
            [] => Ok(None),
            [sum] => Ok(Some(sum)),
            _ => bail!(
                "'{url}' is given different SHA-256 sums: {}",
                sums.join(", ")
            ),
        }
    }
}

impl std::fmt::Debug for Contents<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contents")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

impl<'a> Contents<'a> {
    /// What `images` need, with nothing downloaded yet. What has to be kept until it is written goes
    /// into files that `scratch` makes; no file is later than `latest`.
    pub(super) fn of(
        images: &'a [Image],
        find: &'a dyn Find,
        scratch: &'a Scratch<'a>,
        latest: Option<Timestamp>,
    ) -> Self {
        Self {
            find,
            scratch,
            urls: wanted(images),
            latest,
            reads_keys: false,
        }
    }

    /// The same, which reads keys.
    pub(super) fn with_keys(self) -> Self {
        let reads_keys = true;
        Self { reads_keys, ..self }
    }

    /// Downloads what isn't there yet, and tells `arrived` of each address when it has been tried.
    pub(super) fn download(
        &self,
        downloads: &Downloads,
        reporter: &dyn Reporter,
        arrived: &(dyn Fn(&str) + Sync),
    ) {
        let queue = Mutex::new(self.urls.iter());
        let work = || {
            loop {
                let next = lock(&queue).next();
                let Some((url, download)) = next else { return };
                let get = || fetch(url, download, downloads, reporter).map_err(Arc::new);
                download.content.get_or_init(get);
                arrived(url);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.urls.len().min(DOWNLOADS) {
                let thread = std::thread::Builder::new();
                if let Err(error) = thread.spawn_scoped(scope, work) {
                    tracing::debug!("fewer downloads at a time: {error}");
                    break;
                }
            }
            work();
        });
    }

    /// Takes what needs no network: files in the cache, and what can't be right.
    pub(super) fn take_cached(&self, downloads: &Downloads, reporter: &dyn Reporter) {
        self.urls.par_iter().for_each(|(url, download)| {
            let known = match download.sum(url) {
                Ok(sum) => downloads.cached(url, sum).ok().flatten().map(Ok),
                Err(error) => Some(Err(Arc::new(error))),
            };
            if let Some(content) = known {
                let success = content.is_ok();
                if success {
                    reporter.report(&Event::DownloadStarted { url });
                    reporter.report(&Event::DownloadEnded { url, success });
                }
                download.content.get_or_init(|| content);
            }
        });
    }

    /// Whether all that `layout` needs from the network is here.
    pub(super) fn is_downloaded(&self, layout: &Layout) -> bool {
        layout.data().all(|data| match &data.source {
            Source::File(_) => true,
            Source::Url(url) => matches!(self.downloaded(url), Some(Ok(_))),
        })
    }

    /// Whether all that `image` needs from the network has been tried.
    pub(super) fn is_ready(&self, image: &Image) -> bool {
        let tried = |url| {
            let download = self.urls.get(url);
            download.is_some_and(|download| download.content.get().is_some())
        };
        urls_of(image).all(|(url, _)| tried(url))
    }

    /// The bytes of `data`.
    ///
    /// # Errors
    /// When there is no such file, or when its sum isn't the wanted one. A failed download reads
    /// the same for all that want it.
    pub(super) fn content(&self, data: &Data) -> Result<Content> {
        match &data.source {
            Source::File(name) => self
                .file(name, data.sha256.as_deref())
                .with_context(|| data.place.field(Field::Source)),
            Source::Url(url) => match self.downloaded(url) {
                Some(Ok(content)) => Ok(content.clone()),
                Some(Err(error)) => Err(anyhow!("{error:#}")),
                None => bail!("'{url}' wasn't downloaded"),
            },
        }
    }

    fn downloaded(&self, url: &str) -> Option<&Result<Content, Arc<Error>>> {
        self.urls.get(url)?.content.get()
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
    /// The disk of `layout` with all that is in it. What has no time of its own is of `time`.
    ///
    /// # Errors
    /// When something is missing, can't be read, or doesn't go together.
    pub(super) fn fill(&self, layout: &Layout, time: Timestamp) -> Result<Disk> {
        let mut disk = layout.disk.clone();
        for (holds, filling) in disk.slots_mut().zip(&layout.contents) {
            match (holds, filling) {
                (Holds::Filesystem(filesystem), Filling::Files(objects)) => {
                    filesystem.tree = self.tree(objects, time)?;
                }
                (Holds::Bytes(content), Filling::Bytes(data)) => *content = self.content(data)?,
                _ => {}
            }
        }
        for (blob, data) in disk.blobs.iter_mut().zip(&layout.blobs) {
            blob.content = self.content(data)?;
        }
        match self.reads_keys {
            true => keys::give(&mut disk, &layout.keys, self.find)?,
            false => Keys::pretend(&mut disk, &layout.keys),
        }
        Ok(disk)
    }

    fn tree(&self, objects: &[Object], time: Timestamp) -> Result<FileTree> {
        let mut tree = FileTree::new(time);
        for object in objects {
            self.add(&mut tree, object, time)?;
        }
        Ok(tree)
    }

    fn add(&self, tree: &mut FileTree, object: &Object, time: Timestamp) -> Result<()> {
        let place = object.place.to_string();
        let (place, source) = (place.as_str(), || object.place.field(Field::Source));
        let within = |rules: &Rules| Rules {
            latest: self.latest,
            ..rules.clone()
        };
        let of_archive = |rules: &Rules| Rules {
            accounts: accounts::of_host(),
            ..within(rules)
        };
        match &object.kind {
            ObjectKind::Directory { path, rules } => {
                let found = self.find.directory(path);
                let found = found.with_context(source)?;
                source::add_directory(tree, place, &found, &within(rules))?;
                rules.tell_useless(tree, &format!("{place}.exclude"));
                hint(tree, place, rules);
            }
            ObjectKind::Archive { path, rules } => {
                let found = self.archive(path);
                let (name, file) = found.with_context(source)?;
                source::add_archive(tree, place, &name, file, &of_archive(rules))?;
                rules.tell_useless(tree, &format!("{place}.exclude"));
                hint(tree, place, rules);
            }
            ObjectKind::Oci {
                path,
                image,
                platform,
                rules,
            } => {
                let choice = choice(image.as_ref(), platform.as_ref());
                self.add_image(tree, object, path, &choice, &of_archive(rules))?;
                rules.tell_useless(tree, &format!("{place}.exclude"));
            }
            ObjectKind::Entry { entry, mtime } => {
                let entry = self.entry(entry, mtime.unwrap_or(time));
                let entry = entry.with_context(source)?;
                source::add_entry(tree, place, &entry, &within(&Rules::default()))?;
            }
            ObjectKind::File { path, content } => {
                let content = match content {
                    FileContent::Inline(bytes) => Content::inline(bytes),
                    FileContent::Data(data) => self.content(data)?,
                };
                tree.put_file(place, path.as_bytes(), content, Attributes::file(time))?;
            }
            ObjectKind::Inputs { taken, rules } => {
                let inputs = self.find.inputs()?;
                add_inputs(tree, inputs, &of_archive(rules), taken, self.scratch)?;
            }
        }
        Ok(())
    }

    /// Puts the image of a container in: a directory or an archive below `uploads/`.
    fn add_image(
        &self,
        tree: &mut FileTree,
        object: &Object,
        path: &str,
        choice: &Choice,
        rules: &Rules,
    ) -> Result<()> {
        let taker = Taker {
            format: InputFormat::Image,
            choice,
            rules,
            scratch: self.scratch,
            advice: "'oci'",
        };
        let place = object.place.to_string();
        if let Ok(found) = self.find.directory(path) {
            taker.directory(tree, &place, &found)?;
            return Ok(());
        }
        let found = self.archive(path);
        let (name, file) = found.with_context(|| object.place.field(Field::Source))?;
        taker.file(tree, &place, &name, file)?;
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
fn wanted(images: &[Image]) -> BTreeMap<&str, Download> {
    let mut wanted: BTreeMap<&str, Download> = BTreeMap::new();
    for (url, sum) in images.iter().flat_map(urls_of) {
        let sums = &mut wanted.entry(url).or_default().sums;
        sums.extend(sum.map(str::to_ascii_lowercase));
    }
    wanted
}

/// The addresses that `image` needs, each with its sum where it is given one.
fn urls_of(image: &Image) -> impl Iterator<Item = (&str, Option<&str>)> {
    let data = image.layout().into_iter().flat_map(Layout::data);
    data.filter_map(|data| match &data.source {
        Source::Url(url) => Some((url.as_str(), data.sha256.as_deref())),
        Source::File(_) => None,
    })
}

fn fetch(
    url: &str,
    download: &Download,
    downloads: &Downloads,
    reporter: &dyn Reporter,
) -> Result<Content> {
    let sum = download.sum(url)?;
    reporter.report(&Event::DownloadStarted { url });
    let mut progress = |received, total| {
        reporter.report(&Event::DownloadProgress {
            url,
            received,
            total,
        });
    };
    let result = downloads.fetch(url, sum, &mut progress);
    let success = result.is_ok();
    reporter.report(&Event::DownloadEnded { url, success });
    result
}
