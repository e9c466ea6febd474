//! What tells one version of a file on a server from others.

use std::fmt::Write;

use ureq::http::HeaderMap;
use ureq::http::header::{
    CONTENT_LENGTH, DATE, ETAG, HeaderName, LAST_MODIFIED, TRANSFER_ENCODING,
};

/// A version of a file, as a server describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Version {
    /// The strong tag.
    pub(super) etag: Option<String>,
    /// The time of the last change.
    pub(super) modified: Option<String>,
    /// The length of the whole file in bytes.
    pub(super) len: Option<u64>,
}

impl Version {
    /// The version of the file that an answer holds as a whole.
    pub(super) fn of_whole(headers: &HeaderMap) -> Self {
        // A time that isn't over yet doesn't tell two changes apart (RFC 9110, section 8.8.2.2).
        let is_over = |time: &&str| text(headers, DATE) != Some(*time);
        // In a stream of chunks, it isn't the length that counts.
        let is_chunked = headers.contains_key(TRANSFER_ENCODING);
        let len = text(headers, CONTENT_LENGTH).filter(|_| !is_chunked);
        Self {
            etag: text(headers, ETAG)
                .filter(|tag| !tag.starts_with("W/"))
                .map(str::to_owned),
            modified: text(headers, LAST_MODIFIED)
                .filter(is_over)
                .map(str::to_owned),
            len: len.and_then(|len| len.parse().ok()),
        }
    }

    /// What a server is asked to compare before it sends a part of the file. `None` where it has
    /// said nothing that tells versions apart byte by byte.
    pub(super) fn validator(&self) -> Option<&str> {
        self.etag.as_deref().or(self.modified.as_deref())
    }

    /// Whether an answer with `headers` says that it is of this version, and nothing against it.
    pub(super) fn is_that_of(&self, headers: &HeaderMap) -> bool {
        let compared = [(&self.etag, ETAG), (&self.modified, LAST_MODIFIED)].map(|(ours, name)| {
            let theirs = text(headers, name)?;
            ours.as_ref().map(|ours| ours == theirs)
        });
        compared.contains(&Some(true)) && !compared.contains(&Some(false))
    }

    /// The version in a file that [`Version::to_text`] has made; the empty one for anything else.
    pub(super) fn from_text(text: &str) -> Self {
        let value = |name: HeaderName| {
            let mut pairs = text.lines().filter_map(|line| line.split_once(": "));
            let (_, value) = pairs.find(|(found, _)| *found == name.as_str())?;
            Some(value.to_owned())
        };
        Self {
            etag: value(ETAG),
            modified: value(LAST_MODIFIED),
            len: value(CONTENT_LENGTH).and_then(|len| len.parse().ok()),
        }
    }

    /// The version as lines like those of a head.
    pub(super) fn to_text(&self) -> String {
        let len = self.len.map(|len| len.to_string());
        let mut text = String::new();
        for (name, value) in [
            (ETAG, &self.etag),
            (LAST_MODIFIED, &self.modified),
            (CONTENT_LENGTH, &len),
        ] {
            if let Some(value) = value {
                // Writing to a string doesn't fail.
                let _ = writeln!(text, "{name}: {value}");
            }
        }
        text
    }
}

/// The value of a header, where it is text.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    pub(crate) fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    fn version(pairs: &[(&'static str, &'static str)]) -> Version {
        Version::of_whole(&headers(pairs))
    }

    #[test]
    fn only_strong_validators_count() {
        for (pairs, expected) in [
            (
                &[("etag", "\"a\""), ("last-modified", "then")][..],
                Some("\"a\""),
            ),
            (
                &[("etag", "W/\"a\""), ("last-modified", "then")],
                Some("then"),
            ),
            (&[("last-modified", "then"), ("date", "now")], Some("then")),
            (&[("last-modified", "now"), ("date", "now")], None),
            (&[("etag", "W/\"a\"")], None),
            (&[], None),
        ] {
            assert_eq!(version(pairs).validator(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_length_counts_unless_the_body_comes_in_chunks() {
        let len = ("content-length", "7");
        assert_eq!(version(&[len]).len, Some(7));
        assert_eq!(version(&[len, ("transfer-encoding", "chunked")]).len, None);
    }

    #[test]
    fn an_answer_must_confirm_the_version_and_must_not_deny_it() {
        let etag = ("etag", "\"a\"");
        let modified = ("last-modified", "then");
        for (ours, theirs, expected) in [
            (&[etag][..], &[etag][..], true),
            (&[etag], &[("etag", "\"b\"")], false),
            (&[etag], &[("etag", "W/\"a\"")], false),
            (&[etag], &[modified], false),
            (&[etag], &[], false),
            (&[modified], &[modified], true),
            (&[modified], &[modified, etag], true),
            (&[modified], &[("last-modified", "later")], false),
            (&[etag, modified], &[etag], true),
            (
                &[etag, modified],
                &[etag, ("last-modified", "later")],
                false,
            ),
            (&[], &[etag, modified], false),
        ] {
            let is_same = version(ours).is_that_of(&headers(theirs));
            assert_eq!(is_same, expected, "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn versions_are_kept_as_text() {
        for pairs in [
            &[][..],
            &[("etag", "\"a: b\"")],
            &[("last-modified", "Thu, 26 Nov 2026 01:12:00 GMT")],
            &[("etag", "\"a\""), ("content-length", "300000")],
        ] {
            let version = version(pairs);
            assert_eq!(Version::from_text(&version.to_text()), version);
        }
        assert_eq!(Version::from_text("\"a\""), Version::default());
    }
}
