//! Who owns what a source brings.

use crate::error::{Error, Result};

/// Who owns what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Owners {
    /// Whom the source names.
    #[default]
    Kept,
    /// One user and one group.
    Forced {
        /// The owner's number.
        uid: u32,
        /// The group's number.
        gid: u32,
    },
    /// Others than the source names, by these tables; who is in none of them keeps the number.
    Mapped {
        /// For the owners.
        users: Vec<Mapping>,
        /// For the groups.
        groups: Vec<Mapping>,
    },
}

/// `count` numbers from `from` on become those from `to` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The first number in the source.
    pub from: u32,
    /// What it becomes.
    pub to: u32,
    /// How many numbers.
    pub count: u32,
}

/// The highest number of a user or a group: Linux takes the one above it for "none".
const HIGHEST: u32 = u32::MAX - 1;

impl Owners {
    /// Reads `UID:GID`, one owner for everything.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when the text isn't two numbers up to 4294967294.
    pub fn parse_forced(place: &str, text: &str) -> Result<Self> {
        let refuse = |reason| refused(place, text, "UID:GID", reason);
        let [uid, gid] = numbers(text).map_err(refuse)?[..] else {
            return Err(refuse("has to be two numbers"));
        };
        if uid.max(gid) > HIGHEST {
            return Err(refuse("has a number over 4294967294"));
        }
        Ok(Self::Forced { uid, gid })
    }

    /// The owner and the group that take the place of these.
    pub(super) fn of(&self, uid: u32, gid: u32) -> (u32, u32) {
        match self {
            Self::Kept => (uid, gid),
            Self::Forced { uid, gid } => (*uid, *gid),
            Self::Mapped { users, groups } => (map(users, uid), map(groups, gid)),
        }
    }
}

impl Mapping {
    /// Reads `FROM:TO`, which maps one number, or `FROM:TO:COUNT`.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when the text isn't that, or leads to numbers over 4294967294. That
    /// above it, which stands for nobody, can become another.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let refuse = |reason| refused(place, text, "FROM:TO:COUNT", reason);
        let (from, to, count) = match numbers(text).map_err(refuse)?[..] {
            [from, to] => (from, to, 1),
            [from, to, count] => (from, to, count),
            _ => return Err(refuse("has to be two or three numbers")),
        };
        if count == 0 {
            return Err(refuse("maps nothing: COUNT has to be 1 or more"));
        }
        let last = to.checked_add(count - 1).filter(|last| *last <= HIGHEST);
        if last.is_none() || from.checked_add(count - 1).is_none() {
            return Err(refuse("goes on beyond 4294967294"));
        }
        Ok(Self { from, to, count })
    }
}

fn refused(place: &str, text: &str, form: &str, reason: &str) -> Error {
    Error::invalid(place, format!("'{text}' {reason}; write {form}"))
}

fn numbers(text: &str) -> Result<Vec<u32>, &'static str> {
    let number = |text: &str| {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("has a part that is no number");
        }
        text.parse().map_err(|_| "has a number over 4294967295")
    };
    text.split(':').map(number).collect()
}

/// The first mapping counts that has the number.
fn map(mappings: &[Mapping], number: u32) -> u32 {
    let mapped = mappings.iter().find_map(|mapping| {
        let offset = number.checked_sub(mapping.from)?;
        (offset < mapping.count).then(|| mapping.to.checked_add(offset))?
    });
    mapped.unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn mapping(from: u32, to: u32, count: u32) -> Mapping {
        Mapping { from, to, count }
    }

    #[test]
    fn owners_are_kept_forced_or_mapped() {
        let mapped = Owners::Mapped {
            users: vec![mapping(0, 7, 1), mapping(999, 5, 2)],
            groups: vec![mapping(101, 0, 1)],
        };
        for (owners, expected) in [
            (Owners::Kept, (1000, 100)),
            (Owners::Forced { uid: 1, gid: 2 }, (1, 2)),
            (mapped, (6, 100)),
        ] {
            assert_eq!(owners.of(1000, 100), expected);
        }
    }

    #[test]
    fn owners_are_read_from_text() {
        let forced = Owners::parse_forced("x", "0:4294967294").unwrap();
        let gid = 4_294_967_294;
        assert_eq!(forced, Owners::Forced { uid: 0, gid });
        for (text, expected) in [
            ("1:2", mapping(1, 2, 1)),
            ("1000:0:65536", mapping(1000, 0, 65536)),
            ("0:4294967294", mapping(0, 4_294_967_294, 1)),
            ("0:0:4294967295", mapping(0, 0, u32::MAX)),
            ("4294967294:1:2", mapping(4_294_967_294, 1, 2)),
        ] {
            assert_eq!(Mapping::parse("x", text).unwrap(), expected);
        }
    }

    #[test]
    fn what_names_no_owner_is_refused() {
        for (text, reason) in [
            ("", "no number"),
            ("1", "two numbers"),
            ("1:2:3", "two numbers"),
            ("1:", "no number"),
            ("+1:2", "no number"),
            ("root:root", "no number"),
            ("0:4294967295", "over 4294967294"),
        ] {
            let error = Owners::parse_forced("owner", text).unwrap_err();
            assert!(error.message().contains(reason), "{error}");
            assert!(error.message().ends_with("write UID:GID"), "{error}");
        }
        for (text, reason) in [
            ("1", "two or three"),
            ("1:2:3:4", "two or three"),
            ("1:2:0", "maps nothing"),
            ("1:2:x", "no number"),
            ("1:4294967294:2", "goes on beyond"),
            ("4294967295:1:2", "goes on beyond"),
            ("1:4294967295", "goes on beyond"),
            ("1:4294967296", "over 4294967295"),
        ] {
            let error = Mapping::parse("map", text).unwrap_err();
            assert!(error.message().contains(reason), "{error}");
        }
    }
}
