//! The UUIDs of LVM, which are no UUIDs of RFC 9562.

use std::fmt;
use std::str::FromStr;

use crate::identity::Identity;

/// The letters that LVM takes at random.
const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// How many letters stand between hyphens where people see them.
const GROUPS: [usize; 7] = [6, 4, 4, 4, 4, 4, 6];

/// The UUID of a group, a physical or a logical volume: 32 letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; Id::LEN]);

impl Id {
    /// How many letters it has.
    pub const LEN: usize = 32;

    /// The one of what `purpose` is called in `identity`.
    pub fn new(identity: &Identity, purpose: &str) -> Self {
        let identity = identity.child(purpose);
        let mut letters = [0; Self::LEN];
        for (part, letters) in letters.chunks_mut(8).enumerate() {
            let mut number = identity.number(&part.to_string());
            for letter in letters {
                *letter = LETTERS[(number % LETTERS.len() as u64) as usize];
                number /= LETTERS.len() as u64;
            }
        }
        Self(letters)
    }

    /// The one of these letters; `None` where LVM has others. It reads `!` and `#` too.
    pub fn from_letters(letters: [u8; Self::LEN]) -> Option<Self> {
        let is_one = |letter: &u8| letter.is_ascii_alphanumeric() || matches!(letter, b'!' | b'#');
        letters.iter().all(is_one).then_some(Self(letters))
    }

    /// Its letters, as they are in a physical volume's header.
    pub const fn letters(&self) -> [u8; Self::LEN] {
        self.0
    }
}

impl fmt::Display for Id {
    /// With hyphens, as in metadata and on terminals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.iter();
        for (number, count) in GROUPS.into_iter().enumerate() {
            if number > 0 {
                f.write_str("-")?;
            }
            for letter in letters.by_ref().take(count) {
                write!(f, "{}", char::from(*letter))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = String;

    /// With all hyphens or with none.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
        let id = <[u8; Self::LEN]>::try_from(plain).ok();
        id.and_then(Self::from_letters)
            .filter(|id| text.len() == Self::LEN || id.to_string() == text)
            .ok_or_else(|| {
                format!(
                    "'{}' is no UUID of LVM: it has 32 letters and digits, 6-4-4-4-4-4-6",
                    text.escape_default()
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;

    #[test]
    fn texts_are_read_as_they_are_shown() {
        let identity = Identity::new("x", Timestamp::default());
        let id = Id::new(&identity, "volume group");
        assert_eq!(id.to_string().len(), 38);
        assert_eq!(id.to_string().parse(), Ok(id));
        let plain = String::from_utf8(id.letters().to_vec()).unwrap();
        assert_eq!(plain.parse(), Ok(id));
        assert_ne!(id, Id::new(&identity, "volume"));
        for wrong in [
            "",
            &plain[1..],
            &format!("{}-{}", &plain[..5], &plain[5..]),
            &plain.replace(&plain[..1], "."),
            "ä",
        ] {
            assert!(wrong.parse::<Id>().is_err(), "{wrong}");
        }
    }
}
