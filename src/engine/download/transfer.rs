//! One HTTP exchange: asks for what is missing of a file and adds it.

use std::io::{self, ErrorKind, Read};

use anyhow::{Error, Result, anyhow};
use indicatif::BinaryBytes;
use ureq::Agent;
use ureq::http::header::{self, HeaderMap, HeaderName};
use ureq::http::{Response, StatusCode};

use super::cache::Part;

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

/// Where the data of a response belongs.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    /// After what has arrived already; the whole file has `total` bytes.
    Rest { total: Option<u64> },
    /// It is the whole file.
    Whole { total: Option<u64> },
    /// The server doesn't have what was asked for: ask for the whole file.
    AskAgain,
}

/// What has arrived of a file before, and the validator that its version had.
type Have = (u64, String);

/// Adds to `part` what is missing of the file at `url`, or gets all of it.
///
/// `progress` is told how many bytes there are and how many there will be.
pub(super) fn get(
    agent: &Agent,
    url: &str,
    part: &mut Part,
    limit: u64,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), Fault> {
    let have = resumable(part).map_err(|error| storage(part, error))?;
    let (mut response, body) = match ask(agent, url, have.as_ref())? {
        (_, Body::AskAgain) => ask(agent, url, None)?,
        answer => answer,
    };
    let (total, start) = match body {
        Body::Rest { total } => (total, part.seek_end()),
        Body::Whole { total } => {
            let validator = validator(response.headers());
            (total, part.restart(validator.as_deref()).map(|()| 0))
        }
        Body::AskAgain => return Err(answered(response.status())),
    };
    let start = start.map_err(|error| storage(part, error))?;
    check_limit(total.unwrap_or(start), limit)?;
    let mut report = |received| {
        progress(received, total);
        check_limit(received, limit)
    };
    let received = copy(
        &mut response.body_mut().as_reader(),
        part,
        start,
        &mut report,
    )?;
    match total {
        Some(total) if received != total => Err(Fault::Passing(anyhow!(
            "the connection ended after {received} of {total} bytes"
        ))),
        _ => Ok(()),
    }
}

/// What can be gone on from: without a validator, the file may have changed in the meantime.
fn resumable(part: &Part) -> io::Result<Option<Have>> {
    let len = part.len()?;
    Ok(part
        .validator()
        .filter(|_| len > 0)
        .map(|validator| (len, validator)))
}

fn ask(
    agent: &Agent,
    url: &str,
    have: Option<&Have>,
) -> Result<(Response<ureq::Body>, Body), Fault> {
    let mut request = agent.get(url);
    if let Some((len, validator)) = have {
        request = request
            .header(header::RANGE, format!("bytes={len}-"))
            .header(header::IF_RANGE, validator);
    }
    let response = request.call().map_err(exchange)?;
    let body = body_of(
        response.status(),
        response.headers(),
        have.map(|(len, _)| *len),
    )?;
    Ok((response, body))
}

/// Reads the head of a response, when the bytes from `have` on were asked for.
fn body_of(status: StatusCode, headers: &HeaderMap, have: Option<u64>) -> Result<Body, Fault> {
    match (status, have) {
        (StatusCode::OK, _) => Ok(Body::Whole {
            total: text(headers, header::CONTENT_LENGTH).and_then(|len| len.parse().ok()),
        }),
        (StatusCode::PARTIAL_CONTENT, Some(have)) => {
            let range = text(headers, header::CONTENT_RANGE).and_then(content_range);
            Ok(match range {
                Some((first, total)) if first == have => Body::Rest { total },
                _ => Body::AskAgain,
            })
        }
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => Ok(Body::AskAgain),
        _ => Err(answered(status)),
    }
}

/// The first byte and the total of `bytes FIRST-LAST/TOTAL` (RFC 9110, section 14.4).
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _last) = range.split_once('-')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((first.parse().ok()?, total))
}

/// What tells this version of a file from others, byte by byte: a weak tag doesn't.
fn validator(headers: &HeaderMap) -> Option<String> {
    text(headers, header::ETAG)
        .filter(|tag| !tag.starts_with("W/"))
        .or_else(|| text(headers, header::LAST_MODIFIED))
        .map(str::to_owned)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Copies to the end, and tells how many bytes there are then, `received` from before included.
fn copy(
    body: &mut dyn Read,
    part: &mut Part,
    mut received: u64,
    report: &mut dyn FnMut(u64) -> Result<(), Fault>,
) -> Result<u64, Fault> {
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
        report(received)?;
        part.write(&buf[..count])
            .map_err(|error| storage(part, error))?;
    }
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

fn answered(status: StatusCode) -> Fault {
    let error = anyhow!("the server answered {status}");
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    if status.is_server_error() || passing.contains(&status) {
        Fault::Passing(error)
    } else {
        Fault::Lasting(error)
    }
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

#[cfg(test)]
mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    #[test]
    fn responses_are_placed_or_refused() {
        let rest = |total| Ok(Body::Rest { total });
        let whole = |total| Ok(Body::Whole { total });
        for (status, pairs, have, expected) in [
            (200, [("content-length", "10")], None, whole(Some(10))),
            (200, [("content-length", "10")], Some(4), whole(Some(10))),
            (200, [("x", "")], None, whole(None)),
            (
                206,
                [("content-range", "bytes 4-9/10")],
                Some(4),
                rest(Some(10)),
            ),
            (206, [("content-range", "bytes 4-9/*")], Some(4), rest(None)),
            (
                206,
                [("content-range", "bytes 5-9/10")],
                Some(4),
                Ok(Body::AskAgain),
            ),
            (
                206,
                [("content-range", "nonsense")],
                Some(4),
                Ok(Body::AskAgain),
            ),
            (
                206,
                [("content-range", "bytes 0-9/10")],
                None,
                Err("lasting"),
            ),
            (
                416,
                [("content-range", "bytes */4")],
                Some(4),
                Ok(Body::AskAgain),
            ),
            (416, [("x", "")], None, Err("lasting")),
            (404, [("x", "")], None, Err("lasting")),
            (403, [("x", "")], Some(4), Err("lasting")),
            (301, [("x", "")], None, Err("lasting")),
            (429, [("x", "")], None, Err("passing")),
            (503, [("x", "")], Some(4), Err("passing")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let body = body_of(status, &headers(&pairs), have).map_err(|fault| match fault {
                Fault::Passing(_) => "passing",
                Fault::Lasting(_) => "lasting",
            });
            assert_eq!(body, expected, "{status} {pairs:?} {have:?}");
        }
    }

    #[test]
    fn only_strong_validators_count() {
        for (pairs, expected) in [
            (
                [("etag", "\"a\""), ("last-modified", "then")],
                Some("\"a\""),
            ),
            (
                [("etag", "W/\"a\""), ("last-modified", "then")],
                Some("then"),
            ),
            ([("etag", "W/\"a\""), ("x", "")], None),
            ([("x", ""), ("y", "")], None),
        ] {
            assert_eq!(
                validator(&headers(&pairs)).as_deref(),
                expected,
                "{pairs:?}"
            );
        }
    }
}
