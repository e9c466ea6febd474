//! An image in which everything is decided.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use super::documents::{self, Blob, Documents};
use super::layer::{self, Layer};
use super::{Image, time};
use crate::archive::{self, Facts, tar};
use crate::compress::{Codec, Compression};
use crate::disk::MakeFile;
use crate::error::{Error, Result};
use crate::fs::misfits::Survey;
use crate::fs::{Misfits, Progress, Unwatched};
use crate::identity::Timestamp;
use crate::place::Place;
use crate::tree::{Attributes, Content, FileTree, Store};
use crate::units::Bytes;

/// What layers are called where something can't be held.
const FORMAT: &str = "a layer of an image";

/// An image of which all is decided but its digests, which are those of the bytes of its layer.
#[derive(Debug)]
pub struct Plan {
    place: Place,
    image: Image,
    /// When it was made, as documents have it.
    created: String,
    layer: tar::Plan,
}

impl Plan {
    /// Plans an image with `tree` in it, which is asked for at `place`. `misfits` tells what becomes
    /// of what a layer can't hold: what tar can't (see [`tar::Plan::new`]), names that begin with
    /// `.wh.`, by which a layer removes what is below it, and extended attributes without a value.
    /// Holes are filled with zeroes, as programs for containers know none.
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

    /// Writes the layer into a file, as its digest comes before it in the archive.
    fn layer(&self, make: &MakeFile<'_>, progress: &dyn Progress) -> Result<(Layer, File)> {
        let message = "can't make a temporary file for the layer";
        let file = make().map_err(|error| Error::io(&self.place, message, error))?;
        let compression = self.image.compression;
        let layer = Layer::write(&self.layer, compression, &file, make, progress)?;
        Ok((layer, file))
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

impl archive::Plan for Plan {
    fn tree(&self) -> &FileTree {
        self.layer.tree()
    }

    fn warnings(&self) -> &[String] {
        self.layer.warnings()
    }

    /// None: how long documents are depends on what the layer has become.
    fn len(&self) -> Option<Bytes> {
        None
    }

    /// The facts are the digest of the manifest, by which registries know the image, and that of the
    /// configuration, by which Docker does: `sha256:` and 64 digits.
    fn write(
        &self,
        out: &mut dyn Write,
        make: &MakeFile<'_>,
        progress: &dyn Progress,
    ) -> Result<Facts> {
        let (layer, file) = self.layer(make, progress)?;
        let documents = Documents::new(&self.image, &self.created, &layer)
            .map_err(|error| Error::io(&self.place, "can't make the image's documents", error))?;
        let tree = self.layout(&documents, &layer, file)?;
        let options = tar::Options {
            has_root: false,
            ..tar::Options::default()
        };
        let archive = tar::Plan::new(self.place.clone(), tree, Misfits::Refuse, options)?;
        archive.write(out, make, &Unwatched)?;
        Ok(vec![
            ("manifest_digest", documents.manifest.digest),
            ("config_digest", documents.config.digest),
        ])
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
