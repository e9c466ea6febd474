//! What the head of a server's answer says about its body.

use anyhow::anyhow;
use ureq::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING,
};
use ureq::http::{HeaderMap, StatusCode};

use super::transfer::Fault;
use super::version::{Version, text};

/// What has arrived of a file before: how much, and of which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Have {
    /// So many bytes.
    pub(super) len: u64,
    /// Its version.
    pub(super) version: Version,
}

/// Where the data of an answer belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// After what has arrived already, up to the byte before `end`.
    Rest { version: Version, end: u64 },
    /// It is the whole file.
    Whole { version: Version },
    /// It isn't what was asked for: ask for the whole file.
    AskAgain,
}

/// Reads the head of an answer, after what is missing behind `have` was asked for, or all of the
/// file.
///
/// # Errors
/// When there is no file in it.
pub(super) fn body_of(
    status: StatusCode,
    headers: &HeaderMap,
    have: Option<&Have>,
) -> Result<Body, Fault> {
    match (status, have) {
        (StatusCode::OK, _) => whole(headers, have),
        (StatusCode::PARTIAL_CONTENT, Some(have)) => {
            Ok(rest(headers, have).unwrap_or(Body::AskAgain))
        }
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => Ok(Body::AskAgain),
        (StatusCode::PARTIAL_CONTENT, None) => Err(Fault::Lasting(anyhow!(
            "the server answered {status} although all of the file was asked for"
        ))),
        _ => Err(refused(status)),
    }
}

fn whole(headers: &HeaderMap, have: Option<&Have>) -> Result<Body, Fault> {
    if is_multipart(headers) {
        return Err(Fault::Lasting(anyhow!(
            "the server sent several ranges although all of the file was asked for"
        )));
    }
    if let Some(coding) = coding(headers, TRANSFER_ENCODING, "chunked") {
        return Err(Fault::Lasting(anyhow!(
            "the server sent it in the transfer coding '{coding}', which wasn't asked for"
        )));
    }
    let mut version = Version::of_whole(headers);
    // What it has said of this version holds, whether it says it again or not.
    let same = have.filter(|have| have.version.is_that_of(headers));
    version.len = version.len.or(same.and_then(|have| have.version.len));
    Ok(Body::Whole { version })
}

/// `None` for anything that isn't, byte by byte, what is missing behind `have`.
fn rest(headers: &HeaderMap, have: &Have) -> Option<Body> {
    let is_plain = !is_multipart(headers)
        && encoding(headers).is_none()
        && coding(headers, TRANSFER_ENCODING, "chunked").is_none();
    if !is_plain || !have.version.is_that_of(headers) {
        return None;
    }
    let range = text(headers, CONTENT_RANGE).and_then(Range::parse)?;
    let end = range.last.checked_add(1)?;
    // Without a length, nobody knows whether it is all that is missing.
    let len = range.total.or(have.version.len)?;
    let lens_agree = have.version.len.is_none_or(|known| len == known);
    let fits = range.first == have.len && end > have.len && end <= len;
    // In a stream of chunks, the length of the body is another's business.
    let body = text(headers, CONTENT_LENGTH).filter(|_| !headers.contains_key(TRANSFER_ENCODING));
    let is_all = body.is_none_or(|body| body.parse() == Ok(end - range.first));
    let version = Version {
        len: Some(len),
        ..have.version.clone()
    };
    (lens_agree && fits && is_all).then_some(Body::Rest { version, end })
}

/// `bytes FIRST-LAST/TOTAL` (RFC 9110, section 14.4).
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    total: Option<u64>,
}

impl Range {
    fn parse(value: &str) -> Option<Self> {
        let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = match total {
            "*" => None,
            total => Some(total.parse().ok()?),
        };
        Some(Self {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            total,
        })
    }
}

/// How the file is encoded in an answer; `None` when its bytes come as they are.
pub(super) fn encoding(headers: &HeaderMap) -> Option<String> {
    coding(headers, CONTENT_ENCODING, "identity")
}

/// The value of the header `name`, unless it says `plain` only.
fn coding(headers: &HeaderMap, name: HeaderName, plain: &str) -> Option<String> {
    let values = headers.get_all(name).into_iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    let value = values.join(", ");
    let is_plain = |word: &str| word.is_empty() || word.eq_ignore_ascii_case(plain);
    let is_coded = value.split(',').any(|word| !is_plain(word.trim()));
    is_coded.then(|| value.escape_debug().to_string())
}

fn is_multipart(headers: &HeaderMap) -> bool {
    const RANGES: &str = "multipart/byteranges";
    let start =
        text(headers, CONTENT_TYPE).and_then(|value| value.trim_start().get(..RANGES.len()));
    start.is_some_and(|start| start.eq_ignore_ascii_case(RANGES))
}

fn refused(status: StatusCode) -> Fault {
    let error = anyhow!("the server answered {status}");
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    if status.is_server_error() || passing.contains(&status) {
        Fault::Passing(error)
    } else {
        Fault::Lasting(error)
    }
}

#[cfg(test)]
mod tests {
    use super::super::version::tests::headers;
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];

    const TAG: (&str, &str) = ("etag", "\"a\"");

    /// Four bytes of ten.
    fn have() -> Have {
        let version = Version::of_whole(&headers(&[TAG, ("content-length", "10")]));
        Have { len: 4, version }
    }

    /// `rest to END of LEN`, `whole of LEN`, `again`, or how lasting the fault is.
    fn read(status: u16, pairs: Pairs, have: Option<&Have>) -> String {
        let shown = |len: Option<u64>| len.map_or("?".to_owned(), |len| len.to_string());
        let status = StatusCode::from_u16(status).unwrap();
        match body_of(status, &headers(pairs), have) {
            Ok(Body::Rest { version, end }) => format!("rest to {end} of {}", shown(version.len)),
            Ok(Body::Whole { version }) => format!("whole of {}", shown(version.len)),
            Ok(Body::AskAgain) => "again".to_owned(),
            Err(Fault::Passing(_)) => "passing".to_owned(),
            Err(Fault::Lasting(_)) => "lasting".to_owned(),
        }
    }

    #[test]
    fn whole_files_are_taken_whatever_was_asked_for() {
        let table: [(Pairs, &str); 6] = [
            (&[("content-length", "12")], "whole of 12"),
            (&[], "whole of ?"),
            (&[("transfer-encoding", "chunked")], "whole of ?"),
            (&[("content-encoding", "identity")], "whole of ?"),
            (
                &[("content-type", "multipart/byteranges; boundary=x")],
                "lasting",
            ),
            (&[("transfer-encoding", "gzip, chunked")], "lasting"),
        ];
        for (pairs, expected) in table {
            assert_eq!(read(200, pairs, None), expected, "{pairs:?}");
            assert_eq!(read(200, pairs, Some(&have())), expected, "{pairs:?}");
        }
        // The length that was announced for the same version.
        assert_eq!(read(200, &[TAG], Some(&have())), "whole of 10");
    }

    #[test]
    fn a_rest_must_be_that_of_the_same_version_and_fit() {
        const LEN: (&str, &str) = ("content-length", "6");
        const RANGE: (&str, &str) = ("content-range", "bytes 4-9/10");
        let table: [(Pairs, &str); 17] = [
            (&[TAG, RANGE, LEN], "rest to 10 of 10"),
            (&[TAG, RANGE], "rest to 10 of 10"),
            (
                &[TAG, ("content-range", "bytes 4-9/*"), LEN],
                "rest to 10 of 10",
            ),
            (&[TAG, ("content-range", "bytes 4-6/10")], "rest to 7 of 10"),
            (&[("etag", "\"b\""), RANGE, LEN], "again"),
            (&[RANGE, LEN], "again"),
            (&[TAG, ("content-range", "bytes 4-11/12")], "again"),
            (&[TAG, ("content-range", "bytes 4-11/*")], "again"),
            (&[TAG, ("content-range", "bytes 5-9/10")], "again"),
            (&[TAG, ("content-range", "bytes 0-9/10")], "again"),
            (&[TAG, ("content-range", "bytes 4-3/10")], "again"),
            (
                &[TAG, ("content-range", "bytes 4-18446744073709551615/*")],
                "again",
            ),
            (&[TAG, ("content-range", "nonsense")], "again"),
            (&[TAG], "again"),
            (&[TAG, RANGE, ("content-length", "7")], "again"),
            (&[TAG, RANGE, LEN, ("content-encoding", "gzip")], "again"),
            (
                &[
                    TAG,
                    RANGE,
                    ("content-type", "Multipart/ByteRanges; boundary=x"),
                ],
                "again",
            ),
        ];
        for (pairs, expected) in table {
            assert_eq!(read(206, pairs, Some(&have())), expected, "{pairs:?}");
        }
        // Nobody has asked for a part.
        assert_eq!(read(206, &[TAG, RANGE, LEN], None), "lasting");
    }

    #[test]
    fn other_answers_are_refused() {
        for (status, has, expected) in [
            (416, true, "again"),
            (416, false, "lasting"),
            (404, false, "lasting"),
            (403, true, "lasting"),
            (301, false, "lasting"),
            (203, false, "lasting"),
            (204, true, "lasting"),
            (429, false, "passing"),
            (503, true, "passing"),
        ] {
            let have = has.then(have);
            assert_eq!(read(status, &[], have.as_ref()), expected, "{status}");
        }
    }

    #[test]
    fn encodings_are_found_in_any_spelling() {
        let table: [(Pairs, Option<&str>); 6] = [
            (&[], None),
            (&[("content-encoding", "")], None),
            (&[("content-encoding", "Identity")], None),
            (&[("content-encoding", "gzip")], Some("gzip")),
            (
                &[("content-encoding", "identity, br")],
                Some("identity, br"),
            ),
            (
                &[
                    ("content-encoding", "identity"),
                    ("content-encoding", "x-gzip"),
                ],
                Some("identity, x-gzip"),
            ),
        ];
        for (pairs, expected) in table {
            // Repeated headers are collected as the last one only.
            let mut map = HeaderMap::new();
            for (name, value) in pairs {
                map.append(*name, value.parse().unwrap());
            }
            assert_eq!(encoding(&map).as_deref(), expected, "{pairs:?}");
        }
    }
}
