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
mod options;
mod plan;
mod time;
mod words;

use super::{Format, Request};
use crate::about::About;
use crate::compress::{Codec, Compression};
use crate::error::Result;
use crate::identity::Timestamp;
use crate::source::oci::Platform;

pub use config::{Config, Port, Protocol};
pub use name::Name;
pub use plan::Plan;

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

/// Archives of images of containers.
#[derive(Clone, Copy, Debug)]
pub struct Oci;

impl Format for Oci {
    fn about(&self) -> About {
        About {
            names: &["oci", "oci-archive"],
            extension: "oci.tar",
            choices: options::CHOICES,
        }
    }

    fn plan(&self, request: Request<'_>) -> Result<Box<dyn super::Plan>> {
        request.check(self)?;
        let created = request.identity.time();
        let image = options::image(&request.place, request.options, created)?;
        let Request {
            place,
            tree,
            misfits,
            ..
        } = request;
        Ok(Box::new(Plan::new(place, tree, misfits, image)?))
    }
}
