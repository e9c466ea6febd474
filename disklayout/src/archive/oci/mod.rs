//! Images of containers: a tree as the one layer of an image, in an archive that programs for
//! containers load.
//!
//! OCI image specification 1.1: "Image Layout", "Image Manifest", "Image Configuration" and "Image
//! Layer Filesystem Changeset". A `manifest.json` as in archives of `docker save` lies beside the
//! index, so that programs that know no layouts load it too.

mod config;
mod digest;
mod documents;
mod layer;
mod name;
mod time;

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use self::documents::{Blob, Documents};
use self::layer::Layer;
use super::{Scratch, tar};
use crate::compress::{Codec, Compression};
use crate::error::{Error, Result};
use crate::fs::misfits::Survey;
use crate::fs::{Misfits, Progress, Unwatched};
use crate::identity::Timestamp;
use crate::place::Place;
use crate::source::oci::Platform;
use crate::tree::{Attributes, Content, FileTree, Store};

pub use config::{Config, Port, Protocol};
pub use name::Name;

/// What layers are called where something can't be held.
const FORMAT: &str = "a layer of an image";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Image {
    /// What it is called.
    pub name: Option<Name>,
    /// What it runs on.
    pub platform: Platform,
    /// When it was made, which is also the time of all files in the archive.
    pub created: Timestamp,
    /// Who made it.
    pub author: Option<String>,
    /// How it is run.
    pub config: Config,
    /// How its layer is compressed, with gzip or zstd.
    pub compression: Option<Compression>,
}

impl Image {
    /// An image without a name, of which nothing is run, with a layer that is compressed with gzip.
    pub fn new(platform: Platform, created: Timestamp) -> Self {
        Self {
            name: None,
            platform,
            created,
            author: None,
            config: Config::default(),
            compression: Some(Compression::new(Codec::Gzip)),
        }
    }
}

/// An image of which all is decided but its digests, which are those of the bytes of its layer.
#[derive(Debug)]
pub struct Plan {
    place: Place,
    image: Image,
    /// When it was made, as documents have it.
    created: String,
    layer: tar::Plan,
}

/// What an image was given when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The digest of the manifest, by which registries know the image: `sha256:` and 64 digits.
    pub manifest: String,
    /// The digest of the configuration, by which Docker knows it.
    pub config: String,
}

impl Plan {
    /// Plans an image with `tree` in it, which is asked for at `place`. `misfits` tells what becomes
    /// of what a layer can't hold: what tar can't (see [`tar::Plan::new`]) and names that begin with
    /// `.wh.`, by which a layer removes what is below it. Holes are filled with zeroes, as programs
    /// for containers know none.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when the description can't be that of an image, `Unsupported` where
    /// something of the tree would be lost that may not be, `DoesNotFit` where the layer would have
    /// 2^64 bytes or more.
    pub fn new(
        place: impl Into<Place>,
        mut tree: FileTree,
        misfits: Misfits,
        image: Image,
    ) -> Result<Self> {
        let place = place.into();
        check_compression(&place, image.compression)?;
        image.config.check(&place)?;
        let created = time::rfc_3339(image.created).ok_or_else(|| {
            let seconds = image.created.seconds;
            let message =
                format!("the image can't be of {seconds} s from 1970: years have 4 digits");
            Error::invalid(&place, message)
        })?;
        let mut survey = Survey::of(place.clone(), misfits, FORMAT);
        layer::adapt(&mut tree, &mut survey)?;
        let warnings = survey.into_warnings();
        let layer = tar::Plan::of_adapted(place.clone(), tree, warnings, layer::OPTIONS)?;
        Ok(Self {
            place,
            image,
            created,
            layer,
        })
    }

    /// What is in it.
    pub fn tree(&self) -> &FileTree {
        self.layer.tree()
    }

    /// What was left out because a layer can't hold it: a sentence for each kind of loss.
    pub fn warnings(&self) -> &[String] {
        self.layer.warnings()
    }

    /// Emits it into `out`, and tells `progress` of the files that are in it. The layer goes into a
    /// file of `scratch` first, as its digest comes before it; another one may be asked for, see
    /// [`tar::Plan::write`].
    ///
    /// # Errors
    /// `Io` when a source, a scratch file or `out` fails.
    pub fn write(
        &self,
        out: &mut dyn Write,
        scratch: Scratch<'_>,
        progress: &dyn Progress,
    ) -> Result<Digests> {
        let file = scratch().map_err(|error| {
            Error::io(
                &self.place,
                "can't make a temporary file for the layer",
                error,
            )
        })?;
        let compression = self.image.compression;
        let layer = Layer::write(
            &self.layer,
            &self.place,
            compression,
            &file,
            scratch,
            progress,
        )?;
        let documents = Documents::new(&self.image, &self.created, &layer)
            .map_err(|error| Error::io(&self.place, "can't make the image's documents", error))?;
        let tree = self.layout(&documents, &layer, file)?;
        let options = tar::Options {
            has_root: false,
            ..tar::Options::default()
        };
        let archive = tar::Plan::new(self.place.clone(), tree, Misfits::Refuse, options)?;
        archive.write(out, scratch, &Unwatched)?;
        Ok(Digests {
            manifest: documents.manifest.digest,
            config: documents.config.digest,
        })
    }

    /// "Image Layout".
    fn layout(&self, documents: &Documents, layer: &Layer, file: File) -> Result<FileTree> {
        let time = Timestamp::from_seconds(self.image.created.seconds);
        let place = self.place.to_string();
        let mut tree = FileTree::new(time);
        let mut put = |path: &str, content| {
            let path = format!("/{path}");
            let put = tree.put_file(&place, path.as_bytes(), content, Attributes::file(time));
            put.map(drop)
        };
        let store = Arc::new(Store::file("the layer's temporary file", file));
        put(
            &layer.blob.path(),
            Content::stored(&store, 0, layer.blob.size),
        )?;
        for (blob, bytes) in [
            (&documents.config, &documents.config_bytes),
            (&documents.manifest, &documents.manifest_bytes),
        ] {
            put(&Blob::path(blob), Content::inline(bytes))?;
        }
        for (path, bytes) in [
            (documents::INDEX, &documents.index_bytes),
            (documents::SAVED, &documents.saved_bytes),
            (documents::LAYOUT, &documents.layout_bytes),
        ] {
            put(path, Content::inline(bytes))?;
        }
        Ok(tree)
    }
}

fn check_compression(place: &Place, compression: Option<Compression>) -> Result<()> {
    match compression.map(Compression::codec) {
        None | Some(Codec::Gzip | Codec::Zstd) => Ok(()),
        Some(other) => {
            let name = other.name();
            let message = format!("layers of images are compressed with gzip or zstd, not {name}");
            Err(Error::invalid(place, message))
        }
    }
}
