//! Sums by which an image can be checked, and the files beside it that have them.

/// How a sum is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-256, as `sha256sum` prints it.
    Sha256,
    /// MD5, as `md5sum` prints it. It tells of accidents, not of attacks.
    Md5,
}

impl Algorithm {
    /// All that there are.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    /// What users call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Md5 => "md5",
        }
    }

    /// The one that users call `name`.
    ///
    /// # Errors
    /// That there is none, and which there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(" and ");
            format!("'{name}' is no kind of checksum; there are {known}")
        })
    }

    /// How many hexadecimal digits a sum has.
    pub const fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Md5 => 32,
        }
    }

    /// The name of the file beside the image `file_name` that has its sum.
    pub fn file_name(self, file_name: &str) -> String {
        format!("{file_name}.{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_have_names() {
        for one in Algorithm::ALL {
            assert_eq!(Algorithm::named(one.name()), Ok(one));
        }
        let error = Algorithm::named("crc32").unwrap_err();
        assert_eq!(
            error,
            "'crc32' is no kind of checksum; there are sha256 and md5"
        );
        assert_eq!(Algorithm::Md5.file_name("a.img"), "a.img.md5");
    }
}
