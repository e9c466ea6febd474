//! Names of images, as registries and programs for containers know them (the grammar of
//! `distribution/reference`).

use std::fmt;

use crate::error::{Error, Result};
use crate::place::Place;

/// The registry that is meant where none is named, and the part of it.
const REGISTRY: &str = "docker.io";
const LIBRARY: &str = "library";
/// The tag that is meant where none is given.
const LATEST: &str = "latest";
/// The longest name without its tag, and the longest tag, in bytes.
const NAME_MAX: usize = 255;
const TAG_MAX: usize = 128;

/// The name of an image with its tag: `app:1`, `registry.example.org:5000/group/app:1.2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    name: String,
    tag: String,
}

impl Name {
    /// A name as it is written; without a tag it is `latest`.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when no image can be called so.
    pub fn parse(place: &Place, text: &str) -> Result<Self> {
        let last = text.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match text[last..].find(':') {
            Some(colon) => (&text[..last + colon], &text[last + colon + 1..]),
            None => (text, LATEST),
        };
        let why = why_no_name(name).or_else(|| why_no_tag(tag));
        match why {
            None => Ok(Self {
                name: name.to_owned(),
                tag: tag.to_owned(),
            }),
            Some(why) => {
                let shown = text.escape_debug();
                let message = format!("'{shown}' can't be the name of an image: {why}");
                Err(Error::invalid(place, message))
            }
        }
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The name and the tag with the registry that is meant: `docker.io/library/app:1`.
    pub fn qualified(&self) -> String {
        let (registry, path) = split(&self.name);
        let registry = registry.unwrap_or(REGISTRY);
        match registry == REGISTRY && !path.contains('/') {
            true => format!("{registry}/{LIBRARY}/{path}:{}", self.tag),
            false => format!("{registry}/{path}:{}", self.tag),
        }
    }
}

impl fmt::Display for Name {
    /// With its tag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}

/// The registry of a name, and the path in it.
fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), path)
        }
        _ => (None, name),
    }
}

fn why_no_name(name: &str) -> Option<&'static str> {
    let (registry, path) = split(name);
    if name.len() > NAME_MAX {
        Some("it has more than 255 bytes")
    } else if !registry.is_none_or(is_registry) {
        Some("the registry is no name of a host")
    } else if !path.split('/').all(is_component) {
        Some(
            "between slashes there are lower-case letters and digits, with '.', '_', '__' or '-' \
             between them",
        )
    } else {
        None
    }
}

fn why_no_tag(tag: &str) -> Option<&'static str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_fine = tag.len() <= TAG_MAX
        && tag.bytes().next().is_some_and(is_word)
        && tag
            .bytes()
            .all(|byte| is_word(byte) || b".-".contains(&byte));
    let why = "a tag has 1 to 128 letters, digits, '_', '.' and '-', the latter two not first";
    (!is_fine).then_some(why)
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let is_label = |label: &str| {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(is_fine)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(is_label) && port.parse::<u16>().is_ok()
}

/// Letters and digits in groups, with a separator between two of them.
fn is_component(text: &str) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_separator = |part: &[u8]| match part {
        b"." | b"_" | b"__" => true,
        _ => part.iter().all(|byte| *byte == b'-'),
    };
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.into_iter().all(|byte| byte.is_some_and(is_letter))
        && bytes.split(is_letter).all(is_separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_registries() {
        let place = Place::from("image");
        let parse = |text| Name::parse(&place, text);
        for (text, shown, qualified) in [
            ("app", "app:latest", "docker.io/library/app:latest"),
            ("group/app:1", "group/app:1", "docker.io/group/app:1"),
            (
                "docker.io/app",
                "docker.io/app:latest",
                "docker.io/library/app:latest",
            ),
            (
                "localhost/a__b:A_1",
                "localhost/a__b:A_1",
                "localhost/a__b:A_1",
            ),
            (
                "h.org:5000/a/b-c.d",
                "h.org:5000/a/b-c.d:latest",
                "h.org:5000/a/b-c.d:latest",
            ),
        ] {
            let name = parse(text).unwrap();
            assert_eq!(
                (name.to_string(), name.qualified()),
                (shown.into(), qualified.into())
            );
        }
        for text in [
            "",
            "App",
            "a//b",
            "/a",
            "a/",
            "a..b",
            "a___b",
            "-a",
            "a:",
            "a:.1",
            "a:b c",
            "a@sha256:00",
            "h.org:x/a",
            "-h.org/a",
            "h.org:70000/a",
            "a\n",
            "\u{e9}",
            &"a".repeat(256),
            &format!("a:{}", "1".repeat(129)),
        ] {
            parse(text).expect_err(text);
        }
    }
}
