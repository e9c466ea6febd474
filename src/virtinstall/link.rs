//! A connection to libvirt that may break and is made again.

use anyhow::Result;

use super::connect;
use super::hypervisor::Hypervisor;

/// The way to a libvirt.
pub(super) struct Link {
    uri: Option<String>,
    host: Option<Box<dyn Hypervisor>>,
}

impl Link {
    /// The way to the libvirt at `uri`; it isn't connected yet.
    pub(super) fn new(uri: Option<&str>) -> Self {
        Self {
            uri: uri.map(str::to_owned),
            host: None,
        }
    }

    /// Asks it something. When that fails, once more with a new connection: libvirtd may have been
    /// started anew.
    pub(super) fn ask<T>(&mut self, question: impl Fn(&dyn Hypervisor) -> Result<T>) -> Result<T> {
        if let Some(host) = &self.host {
            if let Ok(answer) = question(&**host) {
                return Ok(answer);
            }
            self.host = None;
        }
        let host = connect::open(self.uri.as_deref())?;
        let answer = question(&*host);
        if answer.is_ok() {
            self.host = Some(host);
        }
        answer
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}
