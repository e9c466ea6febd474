//! Platforms of images (OCI image specification, "Image Index"), by the names that Go has for them.

use std::fmt;

use crate::error::{Error, Result};
use crate::place::Place;

/// What an image runs on: an operating system, an architecture and its variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    os: String,
    architecture: String,
    /// None for the one that is meant when none is named.
    variant: Option<String>,
}

impl Platform {
    /// A platform by its name: `linux/arm64`, `linux/arm/v7`, or `amd64` for that of Linux. The
    /// names of the kernel, such as `x86_64`, are taken too.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when it is no such name.
    pub fn parse(place: impl Into<Place>, text: &str) -> Result<Self> {
        let parts: Vec<_> = text.split('/').collect();
        let is_name = |part: &&str| {
            let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !part.is_empty() && part.bytes().all(is_fine)
        };
        match parts.as_slice() {
            _ if !parts.iter().all(is_name) => {}
            [architecture] => return Ok(Self::new("linux", architecture, None)),
            [os, architecture] => return Ok(Self::new(os, architecture, None)),
            [os, architecture, variant] => return Ok(Self::new(os, architecture, Some(variant))),
            _ => {}
        }
        let shown = text.escape_debug();
        let message = format!("'{shown}' is no platform: give one like linux/amd64, linux/arm/v7");
        Err(Error::invalid(place, message))
    }

    /// The platform of these names, whichever spelling they have.
    pub(super) fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let lower = architecture.to_ascii_lowercase();
        let (architecture, implied) = match lower.as_str() {
            "x86_64" | "x86-64" => ("amd64", None),
            "i386" | "i486" | "i586" | "i686" | "x86" => ("386", None),
            "aarch64" => ("arm64", None),
            "armhf" | "armv7l" => ("arm", Some("v7")),
            "armel" | "armv6l" => ("arm", Some("v6")),
            "powerpc64le" => ("ppc64le", None),
            "loongarch64" => ("loong64", None),
            other => (other, None),
        };
        let variant = variant.filter(|variant| !variant.is_empty()).or(implied);
        // What is meant without a variant.
        let usual = match architecture {
            "amd64" => Some("v1"),
            "arm64" => Some("v8"),
            "arm" => Some("v7"),
            _ => None,
        };
        Self {
            os: os.to_ascii_lowercase(),
            architecture: architecture.to_owned(),
            variant: variant.filter(|it| Some(*it) != usual).map(str::to_owned),
        }
    }

    /// The operating system.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The architecture.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant of the architecture, unless it is the usual one.
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// Whether it is what builders say of what runs nowhere, such as attestations.
    pub(super) fn is_unknown(&self) -> bool {
        self.os == "unknown" || self.architecture == "unknown"
    }

    /// Whether it is the same but for the variant.
    pub(super) fn is_akin(&self, other: &Self) -> bool {
        (&self.os, &self.architecture) == (&other.os, &other.architecture)
    }

    /// Whether it has no variant but the usual one.
    pub(super) const fn is_usual(&self) -> bool {
        self.variant.is_none()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_platform_has_many_spellings() {
        for (text, expected) in [
            ("linux/amd64", Some("linux/amd64")),
            ("amd64", Some("linux/amd64")),
            ("x86_64", Some("linux/amd64")),
            ("linux/amd64/v1", Some("linux/amd64")),
            ("linux/amd64/v3", Some("linux/amd64/v3")),
            ("Linux/aarch64", Some("linux/arm64")),
            ("linux/arm64/v8", Some("linux/arm64")),
            ("linux/arm/v7", Some("linux/arm")),
            ("armel", Some("linux/arm/v6")),
            ("windows/amd64", Some("windows/amd64")),
            ("", None),
            ("linux/", None),
            ("a/b/c/d", None),
            ("linux/a b", None),
        ] {
            let found = Platform::parse("x", text).ok().map(|it| it.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        let error = Platform::parse("--platform", "a/b/c/d").unwrap_err();
        assert!(
            error.to_string().contains("'a/b/c/d' is no platform"),
            "{error}"
        );
    }
}
