//! One HTTP exchange: asks for what is missing of a file and adds it.

use std::io::{self, ErrorKind, Read};
use std::time::Instant;

use anyhow::{Error, Result, anyhow};
use foreign::address;
use indicatif::BinaryBytes;
use ureq::Agent;
use ureq::http::{Response, header};

use super::Downloads;
use super::answer::{self, Body, Have, body_of};
use super::cache::Part;
use super::pace::Pace;
use super::version::Version;

/// How much is read and written at once.
const CHUNK: usize = 1 << 17;

/// Why an exchange failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// It may succeed when it is tried again.
    Passing(Error),
    /// It will fail again.
    Lasting(Error),
}

impl Fault {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Passing(error) | Self::Lasting(error) => error,
        }
    }
}

/// What an exchange adds to a file.
struct Addition {
    /// How many bytes there are before.
    start: u64,
    /// How many there are afterwards, where that is known.
    end: Option<u64>,
    /// How many the whole file has, where that is known.
    total: Option<u64>,
}

/// Adds to `part` what is missing of the file at `url`, or gets all of it. `has_sum` tells that
/// the whole of it is compared with a known sum afterwards.
///
/// `progress` is told how many bytes there are and how many there will be.
pub(super) fn get(
    agent: &Agent,
    url: &str,
    part: &mut Part,
    settings: &Downloads,
    has_sum: bool,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), Fault> {
    let have = resumable(part).map_err(|error| storage(part, error))?;
    let (mut response, body) = match ask(agent, url, have.as_ref())? {
        (_, Body::AskAgain) => ask(agent, url, None)?,
        answer => answer,
    };
    let addition = begin(&response, body, url, part, has_sum)?;
    let total = addition.total;
    check_limit(total.unwrap_or(addition.start), settings.limit)?;
    let mut pace = Pace::new(settings.least, settings.window, Instant::now());
    let mut report = |received, count| {
        progress(received, total);
        check_limit(received, settings.limit)?;
        check_pace(&mut pace, count, settings)
    };
    let reader = &mut response.body_mut().as_reader();
    let received = copy(reader, part, &addition, &mut report)?;
    match total {
        Some(total) if received != total => Err(Fault::Passing(anyhow!(
            "the connection ended after {received} of {total} bytes"
        ))),
        _ => Ok(()),
    }
}

/// Makes `part` ready for what `response` brings.
fn begin(
    response: &Response<ureq::Body>,
    body: Body,
    url: &str,
    part: &mut Part,
    has_sum: bool,
) -> Result<Addition, Fault> {
    match body {
        Body::Rest { version, end } => {
            let remembered = part.remember(&version).and_then(|()| part.seek_end());
            Ok(Addition {
                start: remembered.map_err(|error| storage(part, error))?,
                end: Some(end),
                total: version.len,
            })
        }
        Body::Whole { version } => {
            check_encoding(response, has_sum)?;
            if version.len.is_none() && !has_sum {
                tracing::warn!(
                    "the server doesn't tell how long {url} is, so that an end that is missing \
                     can't be noticed: give the upload a 'sha256'"
                );
            }
            let restarted = part.restart(&version);
            restarted.map_err(|error| storage(part, error))?;
            Ok(Addition {
                start: 0,
                end: version.len,
                total: version.len,
            })
        }
        Body::AskAgain => Err(Fault::Lasting(anyhow!(
            "the server answered {} although all of the file was asked for",
            response.status()
        ))),
    }
}

/// What can be gone on from: without a validator, the file may have changed in the meantime.
fn resumable(part: &Part) -> io::Result<Option<Have>> {
    let len = part.len()?;
    let version = part.version();
    let fits = len > 0 && version.len.is_none_or(|total| len < total);
    let is_known = version.validator().is_some();
    Ok((fits && is_known).then_some(Have { len, version }))
}

fn ask(
    agent: &Agent,
    url: &str,
    have: Option<&Have>,
) -> Result<(Response<ureq::Body>, Body), Fault> {
    let mut request = agent.get(url);
    if let Some(Have { len, version }) = have {
        let validator = version.validator().unwrap_or_default();
        request = request
            .header(header::RANGE, format!("bytes={len}-"))
            .header(header::IF_RANGE, validator);
    }
    let response = request.call().map_err(exchange)?;
    let body = body_of(response.status(), response.headers(), have)?;
    Ok((response, body))
}

/// Encoded bytes aren't those of the file, unless its sum says so: servers call an archive that
/// is compressed by itself encoded as well.
fn check_encoding(response: &Response<ureq::Body>, has_sum: bool) -> Result<(), Fault> {
    match answer::encoding(response.headers()) {
        Some(encoding) if !has_sum => Err(Fault::Lasting(anyhow!(
            "the server sent it with the content encoding '{encoding}', although it was asked for \
             the bytes as they are: give the upload a 'sha256' if these are the bytes of the \
             file, else have the server changed"
        ))),
        Some(encoding) => {
            tracing::info!("the server says that it has encoded the file: {encoding}");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Copies to the end, and tells how many bytes there are then, those from before included.
fn copy(
    body: &mut dyn Read,
    part: &mut Part,
    addition: &Addition,
    report: &mut dyn FnMut(u64, u64) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let mut received = addition.start;
    let mut buf = vec![0; CHUNK];
    loop {
        let count = match body.read(&mut buf) {
            Ok(0) => return Ok(received),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                let message = format!("the transfer stopped after {received} bytes");
                return Err(Fault::Passing(Error::new(error).context(message)));
            }
        };
        received += count as u64;
        check_end(received, addition.end, part)?;
        part.write(&buf[..count])
            .map_err(|error| storage(part, error))?;
        report(received, count as u64)?;
    }
}

/// Refuses more than was announced, and all that came with it.
fn check_end(received: u64, end: Option<u64>, part: &mut Part) -> Result<(), Fault> {
    let Some(end) = end.filter(|end| received > *end) else {
        return Ok(());
    };
    let restarted = part.restart(&Version::default());
    restarted.map_err(|error| storage(part, error))?;
    Err(Fault::Passing(anyhow!(
        "the server sent more than the {end} bytes that it had announced"
    )))
}

fn check_limit(len: u64, limit: u64) -> Result<(), Fault> {
    if len <= limit {
        return Ok(());
    }
    Err(Fault::Lasting(anyhow!(
        "the file is larger than the limit of {}: set {} to a higher number of bytes",
        BinaryBytes(limit),
        super::LIMIT_VARIABLE,
    )))
}

fn check_pace(pace: &mut Pace, count: u64, settings: &Downloads) -> Result<(), Fault> {
    if !pace.is_too_slow(count, Instant::now()) {
        return Ok(());
    }
    Err(Fault::Passing(anyhow!(
        "less than {} arrived in {} s: set {} to a lower number of bytes a second, or to 0",
        BinaryBytes(settings.least),
        settings.window.as_secs(),
        super::SPEED_VARIABLE,
    )))
}

fn exchange(error: ureq::Error) -> Fault {
    use ureq::Error as E;
    match error {
        E::Io(_) | E::Timeout(_) | E::Protocol(_) | E::ConnectionFailed => {
            Fault::Passing(error.into())
        }
        E::RequireHttpsOnly(_) => Fault::Lasting(anyhow!(
            "it redirects from https to plain http: give the upload a 'sha256' to allow that"
        )),
        // A redirect may lead to an address with a password.
        E::BadUri(text) => Fault::Lasting(anyhow!("bad address: {}", address::masked(&text))),
        E::ConnectProxyFailed(reason) => Fault::Lasting(anyhow!(
            "the proxy doesn't connect to the server: {reason}; NO_PROXY has the servers that are \
             reached without it"
        )),
        error => Fault::Lasting(error.into()),
    }
}

/// Storage that fails once fails again.
fn storage(part: &Part, error: io::Error) -> Fault {
    Fault::Lasting(Error::new(error).context(format!(
        "can't store it as '{}' (CREATEHDDS_CACHE_DIR chooses another directory)",
        part.path().display()
    )))
}
