//! Finds the data of uploads: in the data directories, or on the network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Error, Result, anyhow, bail};
use disklayout::tree::Content;
use rayon::prelude::*;

use super::digest;
use super::download::Downloads;
use super::event::{Event, Reporter};
use crate::image::{Image, Recipe, Source, Upload};

/// Finds a file below `uploads/` by its path there.
pub type FindFile<'a> = dyn Fn(&str) -> Result<Content> + Sync + 'a;

/// The data of all uploads of a run.
pub struct Contents<'a> {
    find: &'a FindFile<'a>,
    urls: BTreeMap<&'a str, Result<Content, Arc<Error>>>,
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
        find: &'a FindFile<'a>,
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
        Self { find, urls }
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
        let content = (self.find)(name)?;
        if let Some(sum) = sha256 {
            digest::check(name, &content, sum)?;
        }
        Ok(content)
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
