//! Files from the network: downloaded once, then always taken from the cache.
//!
//! What is in the cache isn't asked for again, however old it is. It is downloaded anew only when
//! a configuration gives it a SHA-256 that it doesn't have, or when its file is removed.
//!
//! A download that was cut off goes on where it ended, when the server can tell that the file is
//! still the same; else it starts over. The certificates are those that the system trusts, or a
//! built-in list when it has none.

mod cache;
mod transfer;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use disklayout::Bytes;
use disklayout::tree::Content;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

use super::digest;
use cache::{Entry, Part};
use transfer::Fault;

/// The variable that sets [`Downloads::limit`].
const LIMIT_VARIABLE: &str = "CREATEHDDS_DOWNLOAD_LIMIT";

/// How files are downloaded and where they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloads {
    /// The cache directory; made when it is needed. Without one, no download is possible.
    pub directory: Option<PathBuf>,
    /// The largest file to download, in bytes.
    pub limit: u64,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long the server may be silent.
    pub read_timeout: Duration,
    /// How often a transfer is tried, at least once.
    pub attempts: u32,
    /// How long to wait before the second attempt; before each further one that much longer.
    pub pause: Duration,
    /// The proxy to go through. It is asked to connect (CONNECT), for http as well.
    pub proxy: Option<Proxy>,
    /// Never touch the network: what isn't in the cache is an error.
    pub offline: bool,
}

impl Default for Downloads {
    fn default() -> Self {
        Self {
            directory: None,
            limit: 4 * Bytes::GIB,
            connect_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(60),
            attempts: 3,
            pause: Duration::from_secs(1),
            proxy: None,
            offline: false,
        }
    }
}

impl Downloads {
    /// The defaults, with the cache directory, the limit and the proxy that the environment asks
    /// for: `CREATEHDDS_CACHE_DIR`, `XDG_CACHE_HOME`, `HOME`, `CREATEHDDS_DOWNLOAD_LIMIT`, and
    /// the first of `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, with the exceptions of `NO_PROXY`.
    ///
    /// # Errors
    /// When the limit is no number of bytes.
    pub fn from_environment() -> Result<Self> {
        let mut downloads = Self {
            directory: cache::directory(|name| std::env::var_os(name)),
            proxy: Proxy::try_from_env(),
            ..Self::default()
        };
        if let Some(value) = std::env::var_os(LIMIT_VARIABLE) {
            let number = value.to_str().and_then(|text| text.parse().ok());
            downloads.limit = number.ok_or_else(|| {
                anyhow!(
                    "{LIMIT_VARIABLE} is '{}', not a number of bytes",
                    value.display()
                )
            })?;
        }
        Ok(downloads)
    }

    /// The file at `url`, from the cache when it is there, and of the sum `sha256` when that is
    /// given.
    ///
    /// `progress` is told how many bytes have arrived and how many there will be, where that is
    /// known; it isn't called for a file that is in the cache.
    ///
    /// # Errors
    /// When there is no such file, when it can't be downloaded or stored, when it exceeds the
    /// limit, or when its sum is another.
    pub fn fetch(
        &self,
        url: &str,
        sha256: Option<&str>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Content> {
        let uri = checked(url)?;
        let directory = self.directory.as_ref().with_context(|| {
            format!("no directory to download '{url}' to: set CREATEHDDS_CACHE_DIR")
        })?;
        let entry = Entry::new(directory, url, uri.path());
        if let Some(content) = entry.content(sha256)? {
            return Ok(content);
        }
        if self.offline {
            bail!("'{url}' isn't downloaded yet, so its size isn't known");
        }
        std::fs::create_dir_all(directory)
            .with_context(|| format!("can't make the cache '{}'", directory.display()))?;
        let https = uri.scheme_str() == Some("https");
        let agent = self.agent(https, sha256.is_some());
        self.download(&agent, url, &entry, sha256, progress)
            .with_context(|| format!("can't download '{url}'"))
    }

    fn download(
        &self,
        agent: &Agent,
        url: &str,
        entry: &Entry,
        sha256: Option<&str>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Content> {
        let mut part = Part::lock(entry)?;
        // Another process may have been faster.
        if let Some(content) = entry.content(sha256)? {
            part.remove()?;
            return Ok(content);
        }
        match self.transfer(agent, url, &mut part, progress) {
            Ok(()) => {}
            // Whoever comes next goes on with what there is.
            Err(Fault::Passing(error)) if part.len()? > 0 => return Err(error),
            Err(fault) => {
                part.remove()?;
                return Err(fault.into_error());
            }
        }
        if let Some(sum) = sha256
            && let Err(error) = digest::check(url, &part.content()?, sum)
        {
            part.remove()?;
            return Err(error);
        }
        let shown = part.path().display().to_string();
        part.publish()
            .with_context(|| format!("can't complete '{shown}'"))?;
        let content = entry.content(None)?;
        content.with_context(|| format!("'{shown}' has vanished from the cache"))
    }

    fn transfer(
        &self,
        agent: &Agent,
        url: &str,
        part: &mut Part,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<(), Fault> {
        let mut attempt = 1;
        loop {
            match transfer::get(agent, url, part, self.limit, progress) {
                Ok(()) => return Ok(()),
                Err(Fault::Passing(error)) if attempt < self.attempts => {
                    tracing::info!("Attempt {attempt} to download {url} failed: {error:#}");
                    std::thread::sleep(self.pause * attempt);
                    attempt += 1;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// `any_scheme` allows a redirect from https to http, which only a known sum makes safe.
    fn agent(&self, https: bool, any_scheme: bool) -> Agent {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(self.proxy.clone())
            .https_only(https && !any_scheme)
            .timeout_connect(Some(self.connect_timeout))
            .timeout_recv_response(Some(self.read_timeout))
            .timeout_per_read(Some(self.read_timeout))
            .timeout_per_write(Some(self.read_timeout))
            .user_agent(concat!("createhdds/", env!("CARGO_PKG_VERSION")))
            // The length and the ranges of an encoded answer aren't those of the file.
            .accept_encoding("identity");
        if https {
            config = config.tls_config(TlsConfig::builder().root_certs(root_certs()).build());
        }
        config.build().new_agent()
    }
}

/// The certificates that the system trusts, those of a company's own proxy among them.
fn root_certs() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!("Can't read a certificate of the system: {error}");
    }
    if found.certs.is_empty() {
        return RootCerts::WebPki;
    }
    let certs: Vec<_> = found
        .certs
        .iter()
        .map(|cert| Certificate::from_der(cert).to_owned())
        .collect();
    RootCerts::new_with_certs(&certs)
}

/// Refuses what is no address of a file.
fn checked(url: &str) -> Result<Uri> {
    let uri: Uri = url
        .parse()
        .with_context(|| format!("'{}' is no address", url.escape_default()))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        bail!("'{url}' starts with neither 'http://' nor 'https://'");
    }
    if uri
        .authority()
        .is_some_and(|host| host.as_str().contains('@'))
    {
        bail!(
            "an address of '{}' must not contain a user name",
            uri.host().unwrap_or_default()
        );
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_addresses_are_accepted() {
        for (url, message) in [
            ("http://host/file", None),
            ("https://host:8443/dir/file?query", None),
            ("HTTPS://host/file", None),
            ("ftp://host/file", Some("neither")),
            ("host/file", Some("address")),
            ("file:///etc/passwd", Some("")),
            ("http://user:secret@host/file", Some("user name")),
            ("http://host/a b", Some("address")),
        ] {
            match (checked(url), message) {
                (Ok(_), None) => {}
                (Err(error), Some(part)) => {
                    let text = format!("{error:#}");
                    assert!(text.contains(part) && !text.contains("secret"), "{text}");
                }
                (result, _) => panic!("{url}: {result:?}"),
            }
        }
    }
}
