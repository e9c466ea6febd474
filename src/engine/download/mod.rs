//! Files from the network: downloaded once, then always taken from the cache.
//!
//! What is in the cache isn't asked for again, however old it is. It is downloaded anew only when
//! a configuration gives it a SHA-256 that it doesn't have, or when its file is removed.
//!
//! A download that was cut off goes on where it ended, when the server can tell that the file is
//! still the same; else it starts over. Nothing gets into the cache that isn't of one version, of
//! the length that was announced and of the sum that is wanted. The certificates are those that the system trusts, or a
//! built-in list when it has none.

mod answer;
mod cache;
mod pace;
mod transfer;
mod version;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use disklayout::Bytes;
use disklayout::tree::Content;
use foreign::address;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy, ProxyProtocol};

use super::digest;
use cache::{Entry, Part};
use transfer::Fault;

/// The variable that sets [`Downloads::limit`].
const LIMIT_VARIABLE: &str = "CREATEHDDS_DOWNLOAD_LIMIT";

/// The variable that sets how many bytes have to arrive in a second.
const SPEED_VARIABLE: &str = "CREATEHDDS_DOWNLOAD_MIN_SPEED";

/// How many bytes have to arrive in a second without the variable.
const DEFAULT_SPEED: u64 = Bytes::KIB;

/// How long a transfer may be slower, in seconds.
const SLOW_SECONDS: u64 = 30;

/// The variables that may have a proxy, the first one that does counts.
const PROXY_VARIABLES: [&str; 6] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

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
    /// How many bytes have to arrive in each `window`, so that an attempt goes on.
    pub least: u64,
    /// How long a transfer is watched before it is judged.
    pub window: Duration,
    /// How often a transfer is tried, at least once.
    pub attempts: u32,
    /// How long to wait before the second attempt; before each further one that much longer.
    pub pause: Duration,
    /// The proxy to go through. It is asked to connect (CONNECT), for http as well.
    pub proxy: Option<Proxy>,
    /// What is wrong with the proxy that the environment asks for. No file is downloaded past it.
    pub proxy_fault: Option<String>,
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
            least: DEFAULT_SPEED * SLOW_SECONDS,
            window: Duration::from_secs(SLOW_SECONDS),
            attempts: 3,
            pause: Duration::from_secs(1),
            proxy: None,
            proxy_fault: None,
            offline: false,
        }
    }
}

impl Downloads {
    /// The defaults, with the cache directory, the limits and the proxy that the environment asks
    /// for: `CREATEHDDS_CACHE_DIR`, `XDG_CACHE_HOME`, `HOME`, `CREATEHDDS_DOWNLOAD_LIMIT`,
    /// `CREATEHDDS_DOWNLOAD_MIN_SPEED`, and the first of `ALL_PROXY`, `HTTPS_PROXY` and
    /// `HTTP_PROXY`, with the exceptions of `NO_PROXY`.
    ///
    /// # Errors
    /// When a limit is no number of bytes.
    pub fn from_environment() -> Result<Self> {
        let default = Self::default();
        let speed = bytes_in(SPEED_VARIABLE)?.unwrap_or(DEFAULT_SPEED);
        Ok(Self {
            directory: cache::directory(|name| std::env::var_os(name)),
            limit: bytes_in(LIMIT_VARIABLE)?.unwrap_or(default.limit),
            least: speed.saturating_mul(SLOW_SECONDS),
            proxy: Proxy::try_from_env(),
            proxy_fault: proxy_fault(|name| std::env::var(name).ok()),
            ..default
        })
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
        if let Some(fault) = &self.proxy_fault {
            bail!("can't download '{url}': {fault}");
        }
        std::fs::create_dir_all(directory)
            .with_context(|| format!("can't make the cache '{}'", directory.display()))?;
        let https = uri.scheme_str() == Some("https");
        let agent = self.agent(https, sha256.is_some());
        self.download(&agent, url, &entry, sha256, progress)
            .with_context(|| format!("can't download '{url}'"))
    }

    /// The file at `url` where it is in the cache, and of the sum `sha256` when that is given.
    ///
    /// # Errors
    /// When `url` is no address, or when the cache can't be read.
    pub fn cached(&self, url: &str, sha256: Option<&str>) -> Result<Option<Content>> {
        let uri = checked(url)?;
        match &self.directory {
            Some(directory) => Entry::new(directory, url, uri.path()).content(sha256),
            None => Ok(None),
        }
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
        match self.transfer(agent, url, &mut part, sha256.is_some(), progress) {
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
        has_sum: bool,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<(), Fault> {
        let mut attempt = 1;
        loop {
            match transfer::get(agent, url, part, self, has_sum, progress) {
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
            .timeout_resolve(Some(self.connect_timeout))
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

/// The number of bytes in a variable, if it is set.
fn bytes_in(variable: &str) -> Result<Option<u64>> {
    let Some(value) = std::env::var_os(variable) else {
        return Ok(None);
    };
    let number = value.to_str().and_then(|text| text.parse().ok());
    let number =
        number.ok_or_else(|| anyhow!("{variable} is '{}', not a number of bytes", value.display()));
    number.map(Some)
}

/// What is wrong with the proxy that counts among those that `variable` knows.
fn proxy_fault(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let (name, value) = PROXY_VARIABLES
        .iter()
        .find_map(|name| Some((name, set(name)?)))?;
    use ProxyProtocol::{Http, Https};
    match Proxy::new(&value) {
        Ok(proxy) if matches!(proxy.protocol(), Http | Https) => None,
        Ok(_) => Some(format!(
            "{name} asks for a SOCKS proxy; only those of HTTP are understood"
        )),
        Err(_) => Some(format!(
            "{name} is '{}', which is no address of a proxy",
            address::masked(&value)
        )),
    }
}

/// Refuses what is no address of a file.
fn checked(url: &str) -> Result<Uri> {
    let shown = address::masked(url);
    if shown != url {
        bail!("'{shown}' must not contain a user name");
    }
    let uri: Uri = url
        .parse()
        .with_context(|| format!("'{}' is no address", url.escape_default()))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        bail!("'{url}' starts with neither 'http://' nor 'https://'");
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

    #[test]
    fn a_proxy_that_is_not_understood_is_told_without_its_password() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("ALL_PROXY", ""), ("HTTP_PROXY", "http://p:8080")], None),
            (&[("https_proxy", "p:8080")], None),
            (
                &[("all_proxy", "socks5h://u:secret@p")],
                Some("all_proxy asks for a SOCKS proxy"),
            ),
            (
                &[("HTTPS_PROXY", "http://u:secret@p q"), ("HTTP_PROXY", "p")],
                Some("HTTPS_PROXY is 'http://***@p q'"),
            ),
        ] {
            let get = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let fault = proxy_fault(get);
            let starts = |part| fault.as_deref().is_some_and(|it| it.starts_with(part));
            assert!(expected.map_or(fault.is_none(), starts), "{fault:?}");
        }
    }
}
