//! The documents of images: OCI image specification 1.1 and the manifests of Docker it derives
//! from, and the list in an archive of `docker save`. What isn't needed is left out of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::platform::Platform;

/// The annotations that name an image in an index: OCI's, and that of containerd with the whole
/// name.
const NAMES: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];
/// What BuildKit says of an attestation.
const ATTESTATION: &str = "vnd.docker.reference.type";

/// `oci-layout`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layout {
    pub(super) image_layout_version: String,
}

/// What a blob is, and which one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
    platform: Option<Runs>,
}

impl Descriptor {
    /// The names that an index gives it.
    pub(super) fn names(&self) -> Vec<String> {
        let annotations = self.annotations.iter();
        let names = annotations.flat_map(|it| NAMES.iter().filter_map(|name| it.get(*name)));
        names.cloned().collect()
    }

    /// Whether it is something about an image, and none itself.
    pub(super) fn is_beside(&self) -> bool {
        let annotations = self.annotations.as_ref();
        self.artifact_type.as_ref().is_some_and(|it| !it.is_empty())
            || annotations.is_some_and(|it| it.contains_key(ATTESTATION))
            || self
                .platform()
                .is_some_and(|platform| platform.is_unknown())
    }

    pub(super) fn platform(&self) -> Option<Platform> {
        self.platform.as_ref().and_then(Runs::platform)
    }
}

/// What an image runs on, as documents say it.
#[derive(Clone, Debug, Deserialize)]
struct Runs {
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
}

impl Runs {
    fn platform(&self) -> Option<Platform> {
        let architecture = self.architecture.as_deref().filter(|it| !it.is_empty())?;
        let os = self.os.as_deref().filter(|it| !it.is_empty());
        let os = os.unwrap_or("linux");
        Some(Platform::new(os, architecture, self.variant.as_deref()))
    }
}

/// An index, or a manifest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    #[serde(default)]
    pub(super) schema_version: u64,
    /// Of an index.
    pub(super) manifests: Option<Vec<Descriptor>>,
    /// Of a manifest.
    pub(super) config: Option<Descriptor>,
    pub(super) layers: Option<Vec<Descriptor>>,
    /// Of a manifest of version 1.
    pub(super) fs_layers: Option<IgnoredAny>,
}

/// The configuration of an image.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(flatten)]
    runs: Runs,
    rootfs: Option<RootFs>,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    diff_ids: Option<Vec<String>>,
}

impl Config {
    pub(super) fn platform(&self) -> Option<Platform> {
        self.runs.platform()
    }

    /// The digests of the layers without their compression.
    pub(super) fn diff_ids(&self) -> &[String] {
        let rootfs = self.rootfs.as_ref();
        rootfs
            .and_then(|rootfs| rootfs.diff_ids.as_deref())
            .unwrap_or_default()
    }
}

/// An image in the `manifest.json` of `docker save`, all by paths.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    pub(super) config: String,
    pub(super) repo_tags: Option<Vec<String>>,
    pub(super) layers: Option<Vec<String>>,
}
