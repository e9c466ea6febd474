//! Images made blob by blob, and what becomes of them in a tree.

mod choices;
mod layers;
mod recognized;
mod refused;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{Choice, ContainerImage, Platform, add_image};
use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::source::Rules;
use crate::source::archive::tests::{Archive, file_of};
use crate::tree::FileTree;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The files of an image in the making.
#[derive(Clone, Default)]
pub(super) struct Image(BTreeMap<String, Vec<u8>>);

fn sum(bytes: &[u8]) -> String {
    let sum = Sha256::digest(bytes);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

/// A way to store a layer, and what a media type says of it.
type Packing = (fn(&[u8]) -> Vec<u8>, &'static str);

const PACKINGS: [Packing; 4] = [
    (plain, ""),
    (gzip, "+gzip"),
    (zstd, "+zstd"),
    // The media type lies.
    (plain, "+gzip"),
];

impl Image {
    fn put(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), bytes.into());
        self
    }

    /// Adds a blob; tells its descriptor.
    fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let sum = sum(bytes);
        self.0.insert(format!("blobs/sha256/{sum}"), bytes.to_vec());
        json!({"mediaType": media_type, "digest": format!("sha256:{sum}"), "size": bytes.len()})
    }

    /// Adds a document as a blob; tells its descriptor.
    fn document(&mut self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    /// Adds an image of these layers; tells the descriptor of its manifest.
    fn image(&mut self, layers: &[Vec<u8>], (pack, suffix): Packing, runs: &Value) -> Value {
        let ids: Vec<_> = layers
            .iter()
            .map(|it| format!("sha256:{}", sum(it)))
            .collect();
        let mut config = runs.clone();
        config["rootfs"] = json!({"type": "layers", "diff_ids": ids});
        let config = self.document(CONFIG, &config);
        let media_type = format!("{LAYER}{suffix}");
        let layers = layers.iter().map(|it| self.blob(&media_type, &pack(it)));
        let layers: Vec<_> = layers.collect();
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.document(MANIFEST, &manifest)
    }

    /// Makes it a layout of these manifests.
    fn layout(self, manifests: &[Value]) -> Self {
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        self.put("oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#)
            .put("index.json", index.to_string())
    }

    fn tar(&self) -> Vec<u8> {
        let files = self.0.iter();
        let archive = files.fold(Archive::default(), |archive, (path, bytes)| {
            archive.entry(b'0', path.as_bytes(), b"", bytes)
        });
        archive.end()
    }

    fn directory(&self) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (path, bytes) in &self.0 {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        directory
    }
}

/// A layout of one image with one file in it.
fn small() -> Image {
    let layer = Archive::default().file("etc/os-release", "x").end();
    let mut image = Image::default();
    let manifest = image.image(&[layer], PACKINGS[0], &json!({"architecture": "amd64"}));
    image.layout(&[manifest])
}

fn platform(text: &str) -> Option<Platform> {
    Platform::parse("t", text).ok()
}

fn choice(reference: &str, platform: Option<Platform>) -> Choice {
    Choice {
        reference: Some(reference.to_owned()).filter(|it| !it.is_empty()),
        platform,
        machine: None,
        reference_option: "--image",
        platform_option: "--platform",
    }
}

fn tree_with(image: &Image, choice: &Choice) -> Result<FileTree> {
    let mut tree = FileTree::new(Timestamp::default());
    let image = ContainerImage::archive("p", "i.tar", file_of(&image.tar()))?;
    add_image(&mut tree, &image, choice, &Rules::default())?;
    Ok(tree)
}

fn tree_of(image: &Image) -> Result<FileTree> {
    tree_with(image, &choice("", None))
}

/// The error that an image must give; it names the place and the image.
#[track_caller]
fn error_of(result: Result<FileTree>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.place(), "p");
    assert!(error.message().contains("'i.tar"), "{error}");
    error
}
