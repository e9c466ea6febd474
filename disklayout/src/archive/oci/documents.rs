//! The documents of an image, each in the order of fields that its specification has.

use std::collections::BTreeMap;

use serde::Serialize;

use super::layer::Layer;
use super::{Config, Image, digest};

/// The paths of documents at the top.
pub(super) const INDEX: &str = "index.json";
pub(super) const LAYOUT: &str = "oci-layout";
pub(super) const SAVED: &str = "manifest.json";

const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// `schemaVersion`, and that of layouts.
const SCHEMA: u8 = 2;
const LAYOUT_VERSION: &str = "1.0.0";

/// The annotations that name an image in an index: OCI's for the tag, and containerd's.
const TAG: &str = "org.opencontainers.image.ref.name";
const NAME: &str = "io.containerd.image.name";

/// A document or a layer that others name by its digest.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob {
    pub media_type: &'static str,
    pub digest: String,
    pub size: u64,
}

impl Blob {
    fn of(media_type: &'static str, bytes: &[u8]) -> Self {
        Self {
            media_type,
            digest: digest::of(bytes),
            size: bytes.len() as u64,
        }
    }

    /// Where it lies in a layout.
    pub(super) fn path(&self) -> String {
        format!("blobs/{}", self.digest.replace(':', "/"))
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Documents {
    pub config: Blob,
    pub config_bytes: Vec<u8>,
    pub manifest: Blob,
    pub manifest_bytes: Vec<u8>,
    pub index_bytes: Vec<u8>,
    pub saved_bytes: Vec<u8>,
    pub layout_bytes: Vec<u8>,
}

impl Documents {
    /// Those of an image that was made at `created` and has this layer.
    pub(super) fn new(image: &Image, created: &str, layer: &Layer) -> serde_json::Result<Self> {
        let config_bytes = serde_json::to_vec(&Configuration::of(image, created, layer))?;
        let config = Blob::of(CONFIG_TYPE, &config_bytes);
        let manifest_bytes = serde_json::to_vec(&Manifest {
            schema_version: SCHEMA,
            media_type: MANIFEST_TYPE,
            config: &config,
            layers: [&layer.blob],
        })?;
        let manifest = Blob::of(MANIFEST_TYPE, &manifest_bytes);
        let saved = Saved {
            config: config.path(),
            repo_tags: image.name.as_ref().map(|name| [name.to_string()]),
            layers: [layer.blob.path()],
        };
        Ok(Self {
            index_bytes: serde_json::to_vec(&Index::of(image, &manifest))?,
            saved_bytes: serde_json::to_vec(&[saved])?,
            layout_bytes: serde_json::to_vec(&Layout {
                image_layout_version: LAYOUT_VERSION,
            })?,
            config,
            config_bytes,
            manifest,
            manifest_bytes,
        })
    }
}

/// "Image Layout", `oci-layout`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Layout {
    image_layout_version: &'static str,
}

/// "Image Index".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'static str,
    manifests: [Listed<'a>; 1],
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    blob: &'a Blob,
    platform: Runs<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, String>,
}

impl<'a> Index<'a> {
    fn of(image: &'a Image, manifest: &'a Blob) -> Self {
        let names = image.name.iter();
        let names = names.flat_map(|name| [(NAME, name.qualified()), (TAG, name.tag().to_owned())]);
        let listed = Listed {
            blob: manifest,
            platform: Runs::of(image),
            annotations: names.collect(),
        };
        Self {
            schema_version: SCHEMA,
            media_type: INDEX_TYPE,
            manifests: [listed],
        }
    }
}

/// What an image runs on.
#[derive(Serialize)]
struct Runs<'a> {
    architecture: &'a str,
    os: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
}

impl<'a> Runs<'a> {
    fn of(image: &'a Image) -> Self {
        Self {
            architecture: image.platform.architecture(),
            os: image.platform.os(),
            variant: image.platform.variant(),
        }
    }
}

/// "Image Manifest".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u8,
    media_type: &'static str,
    config: &'a Blob,
    layers: [&'a Blob; 1],
}

/// "Image Configuration".
#[derive(Serialize)]
struct Configuration<'a> {
    created: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    #[serde(flatten)]
    runs: Runs<'a>,
    config: Execution<'a>,
    rootfs: RootFs<'a>,
    history: [History<'a>; 1],
}

#[derive(Serialize)]
struct RootFs<'a> {
    r#type: &'static str,
    diff_ids: [&'a str; 1],
}

#[derive(Serialize)]
struct History<'a> {
    created: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
}

impl<'a> Configuration<'a> {
    fn of(image: &'a Image, created: &'a str, layer: &'a Layer) -> Self {
        let author = image.author.as_deref();
        Self {
            created,
            author,
            runs: Runs::of(image),
            config: Execution::of(&image.config),
            rootfs: RootFs {
                r#type: "layers",
                diff_ids: [&layer.diff_id],
            },
            history: [History { created, author }],
        }
    }
}

/// The object that stands for a member of a set.
#[derive(Serialize)]
struct Member {}

/// "Image Configuration", `config`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Execution<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    exposed_ports: BTreeMap<String, Member>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    entrypoint: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cmd: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<&'a str, Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_signal: Option<&'a str>,
}

impl<'a> Execution<'a> {
    fn of(config: &'a Config) -> Self {
        let ports = config.exposed_ports.iter();
        let volumes = config.volumes.iter();
        let variables = config.env.iter();
        Self {
            user: config.user.as_deref(),
            exposed_ports: ports.map(|port| (port.to_string(), Member {})).collect(),
            env: variables
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            entrypoint: &config.entrypoint,
            cmd: &config.cmd,
            volumes: volumes.map(|path| (path.as_str(), Member {})).collect(),
            working_dir: config.working_dir.as_deref(),
            labels: &config.labels,
            stop_signal: config.stop_signal.as_deref(),
        }
    }
}

/// An image in the `manifest.json` of `docker save`, all by paths.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<[String; 1]>,
    layers: [String; 1],
}
