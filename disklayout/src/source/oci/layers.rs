//! The layers of one image: what its manifest and its configuration say of them.

use super::candidates::{Candidate, What, check_version};
use super::digest::Digest;
use super::document::{Config, Descriptor, Document, Saved};
use super::files::Files;
use crate::error::{Error, Result};
use crate::tree::Section;

/// Media types of configurations of images: OCI's and Docker's.
const CONFIGS: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];
/// Media types of layers. How a layer is compressed is seen in its bytes.
const LAYERS: [&str; 6] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
];
/// What the media types of layers begin with that may be left out of copies.
const FOREIGN: [&str; 2] = [
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
];
/// What the media types of encrypted layers end in.
const ENCRYPTED: &str = "+encrypted";

/// A layer, where it lies.
#[derive(Debug)]
pub(super) struct Layer {
    /// What it is called in messages.
    pub(super) name: String,
    pub(super) section: Section,
    /// The digest of its bytes, where something says it.
    pub(super) digest: Option<Digest>,
    /// The digest of its bytes without their compression.
    pub(super) diff_id: Digest,
}

/// Whether a configuration is that of an image.
pub(super) fn is_config(media_type: &str) -> bool {
    CONFIGS.contains(&media_type)
}

/// The layers of an image, the lowest one first.
pub(super) fn of(files: &Files, candidate: &Candidate) -> Result<Vec<Layer>> {
    match &candidate.what {
        What::Described(descriptor) => of_manifest(files, descriptor),
        What::Saved(saved) => of_saved(files, saved),
    }
}

fn of_manifest(files: &Files, descriptor: &Descriptor) -> Result<Vec<Layer>> {
    let (digest, manifest): (_, Document) = files.described("manifest", descriptor)?;
    let what = digest.to_string();
    check_version(files, &what, &manifest)?;
    if manifest.manifests.is_some() {
        return Err(files.invalid(format!("'{what}' is an index and a manifest at once")));
    }
    let (Some(config), Some(layers)) = (&manifest.config, &manifest.layers) else {
        let message = format!("the manifest {what} has no 'config' or no 'layers'");
        return Err(files.corrupt(message));
    };
    if !is_config(&config.media_type) {
        return Err(files.unsupported(format!(
            "{what} is no image of a container: its configuration is of the media type '{}'",
            config.media_type.escape_debug()
        )));
    }
    let (_, config): (_, Config) = files.described("configuration", config)?;
    let diff_ids = diff_ids(files, &config, layers.len())?;
    let described = layers.iter().zip(diff_ids);
    described
        .map(|(layer, diff_id)| described_layer(files, layer, diff_id))
        .collect()
}

fn described_layer(files: &Files, descriptor: &Descriptor, diff_id: Digest) -> Result<Layer> {
    let digest = files.digest("layer", &descriptor.digest)?;
    let media_type = descriptor.media_type.as_str();
    let is_foreign = FOREIGN.iter().any(|start| media_type.starts_with(start));
    if media_type.ends_with(ENCRYPTED) {
        return Err(files.unsupported(format!(
            "the layer {digest} is encrypted; decrypt the image first (skopeo copy \
             --decryption-key)"
        )));
    }
    if !is_foreign && !LAYERS.contains(&media_type) {
        return Err(files.unsupported(format!(
            "the layer {digest} is of the media type '{}', which isn't known",
            media_type.escape_debug()
        )));
    }
    if is_foreign && files.find(&digest.path())?.is_none() {
        return Err(files.invalid(format!(
            "the layer {digest} isn't in it: it is of the media type '{media_type}', which may not \
             be passed on and is left out of copies"
        )));
    }
    let section = files.blob("layer", &digest)?;
    let len = len(files, &digest.path(), &section)?;
    files.check_size("layer", &digest, descriptor.size, len)?;
    Ok(Layer {
        name: name(files, &digest.to_string()),
        section,
        digest: Some(digest),
        diff_id,
    })
}

fn of_saved(files: &Files, saved: &Saved) -> Result<Vec<Layer>> {
    let path = &saved.config;
    let shown = path.escape_debug();
    let Some(section) = files.find(path)? else {
        return Err(files.corrupt(format!("the configuration '{shown}' is missing")));
    };
    let bytes = files.bytes(path, &section)?;
    if let Some(digest) = Digest::of_name(path) {
        files.check_digest("configuration", &digest, &bytes)?;
    }
    let config: Config = files.parse(&format!("the configuration '{shown}'"), &bytes)?;
    let layers = saved.layers.as_deref().unwrap_or_default();
    let diff_ids = diff_ids(files, &config, layers.len())?;
    let saved = layers.iter().zip(diff_ids);
    saved
        .map(|(path, diff_id)| saved_layer(files, path, diff_id))
        .collect()
}

fn saved_layer(files: &Files, path: &str, diff_id: Digest) -> Result<Layer> {
    let shown = path.escape_debug();
    let Some(section) = files.find(path)? else {
        return Err(files.corrupt(format!("the layer '{shown}' is missing")));
    };
    // Elsewhere names are older than the digests, or mean something else.
    let digest = path
        .starts_with("blobs/")
        .then(|| Digest::of_name(path))
        .flatten();
    len(files, path, &section)?;
    Ok(Layer {
        name: name(files, path),
        section,
        digest,
        diff_id,
    })
}

fn len(files: &Files, path: &str, section: &Section) -> Result<u64> {
    section
        .len()
        .map_err(|error| files.failed(&format!("look at '{path}'"), error))
}

/// What a layer is called in messages.
fn name(files: &Files, layer: &str) -> String {
    format!("{}: layer {}", files.name(), layer.escape_debug())
}

/// The digests that a configuration says of the layers, of which there are so many.
fn diff_ids(files: &Files, config: &Config, layers: usize) -> Result<Vec<Digest>> {
    let platform = config.platform();
    if let Some(platform) = platform.filter(|platform| platform.os() == "windows") {
        let message = format!("it is for {platform}, whose layers are no root filesystem");
        return Err(files.unsupported(message));
    }
    let ids = config.diff_ids();
    if layers == 0 {
        return Err(no_layers(files));
    }
    if ids.len() != layers {
        return Err(files.corrupt(format!(
            "its manifest has {layers} layers, its configuration {}",
            ids.len()
        )));
    }
    ids.iter()
        .map(|id| files.digest("configuration's layer", id))
        .collect()
}

fn no_layers(files: &Files) -> Error {
    files.invalid("it has no layers, so that nothing would be in the filesystem")
}
