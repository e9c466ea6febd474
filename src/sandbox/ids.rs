//! Which users and groups a namespace has: root is the user who runs it, and the others are the
//! subordinate ids that this user has by subuid(5) and subgid(5).

use std::fmt;

/// How many ids a Debian needs: the last one, `nogroup` and `nobody`, is 65534.
pub const NEEDED: u64 = 65_535;

/// One of the two kinds of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Users.
    Users,
    /// Groups.
    Groups,
}

/// Ids that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first of them.
    pub first: u64,
    /// How many there are.
    pub count: u64,
}

/// A line of a map of ids: those from `inside` on in the namespace are those from `outside` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The first one in the namespace.
    pub inside: u64,
    /// The first one outside of it.
    pub outside: u64,
    /// How many there are.
    pub count: u64,
}

/// All ids as they are.
pub const EVERYBODY: Line = Line {
    inside: 0,
    outside: 0,
    count: u32::MAX as u64,
};

impl Kind {
    /// The file of a process that has its map.
    pub(super) const fn of_process(self) -> &'static str {
        match self {
            Self::Users => "uid_map",
            Self::Groups => "gid_map",
        }
    }

    /// The file that gives them to users.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Users => "/etc/subuid",
            Self::Groups => "/etc/subgid",
        }
    }

    /// The program that makes a map of them.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Users => "newuidmap",
            Self::Groups => "newgidmap",
        }
    }

    /// The option of usermod that gives some to a user.
    const fn option(self) -> &'static str {
        match self {
            Self::Users => "--add-subuids",
            Self::Groups => "--add-subgids",
        }
    }
}

/// What `text`, the content of a file of subordinate ids, gives to the user called `name` with the
/// number `uid`, in the order of the file. A line is `USER:FIRST:COUNT`, the user by name or number;
/// others are passed over, as newuidmap does.
pub fn ranges(text: &str, name: &str, uid: u32) -> Vec<Range> {
    let number = uid.to_string();
    let range = |line: &str| {
        let mut fields = line.split(':');
        let user = fields.next()?;
        let first = fields.next()?.trim().parse().ok()?;
        let count = fields.next()?.trim().parse().ok()?;
        let is_mine = user == name || user == number;
        (is_mine && count > 0).then_some(Range { first, count })
    };
    text.lines().filter_map(range).collect()
}

/// The map that gives `own`, the id of the user who runs it, to root, and `ranges` to the others,
/// as far as they are needed.
///
/// # Errors
/// When there are too few of them: what to do.
pub fn map(kind: Kind, name: &str, own: u32, ranges: &[Range]) -> Result<Vec<Line>, TooFew> {
    let mut lines = vec![Line {
        inside: 0,
        outside: own.into(),
        count: 1,
    }];
    let mut inside = 1;
    for range in ranges {
        let count = range.count.min(NEEDED - inside);
        if count == 0 {
            break;
        }
        lines.push(Line {
            inside,
            outside: range.first,
            count,
        });
        inside += count;
    }
    match inside {
        NEEDED => Ok(lines),
        _ => Err(TooFew {
            kind,
            name: name.to_owned(),
            found: inside - 1,
        }),
    }
}

/// Too few subordinate ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooFew {
    /// What there are too few of.
    pub kind: Kind,
    /// The user's name.
    pub name: String,
    /// How many there are.
    pub found: u64,
}

impl fmt::Display for TooFew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, found } = self;
        let (file, option) = (kind.file(), kind.option());
        let has = match found {
            0 => format!("{file} has no line for '{name}'"),
            _ => format!("{file} gives '{name}' {found} ids"),
        };
        write!(
            f,
            "{has}, but a system needs 65534 of them: add the line '{name}:100000:65536' to {file}, \
             with other numbers if another user has these (usermod {option} 100000-165535 {name})"
        )
    }
}

impl std::error::Error for TooFew {}

/// `lines` as arguments of newuidmap and newgidmap.
pub fn arguments(lines: &[Line]) -> Vec<String> {
    let numbers = lines
        .iter()
        .flat_map(|it| [it.inside, it.outside, it.count]);
    numbers.map(|number| number.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn range(first: u64, count: u64) -> Range {
        Range { first, count }
    }

    #[test]
    fn lines_of_a_user_are_found_by_name_and_number() {
        let text = "ann:100000:65536\n# x\nbob:1:2\n\n1000:300000:10\nann:400000:0\nann:x:1\nann:5\n\
                    anna:7:8\nann:500000:5";
        let expected = [
            range(100_000, 65_536),
            range(300_000, 10),
            range(500_000, 5),
        ];
        assert_eq!(ranges(text, "ann", 1000), expected);
        assert_eq!(ranges(text, "bob", 1001), [range(1, 2)]);
        assert_eq!(ranges(text, "eve", 1002), []);
        assert_eq!(ranges("", "ann", 1000), []);
    }

    #[test]
    fn a_map_has_root_and_as_many_as_are_needed() {
        let maps = |ranges: &[Range]| {
            let map = map(Kind::Users, "ann", 1000, ranges);
            map.map(|lines| arguments(&lines).join(" "))
        };
        for (ranges, expected) in [
            (&[range(100_000, 65_536)][..], "0 1000 1 1 100000 65534"),
            (&[range(100_000, 65_534)], "0 1000 1 1 100000 65534"),
            (
                &[range(100_000, 65_533), range(7, 9)],
                "0 1000 1 1 100000 65533 65534 7 1",
            ),
            (
                &[range(100_000, 1), range(200_000, 100_000), range(7, 9)],
                "0 1000 1 1 100000 1 2 200000 65533",
            ),
        ] {
            assert_eq!(maps(ranges).as_deref(), Ok(expected));
        }
        let found = |ranges: &[Range]| maps(ranges).unwrap_err().found;
        assert_eq!(found(&[range(100_000, 65_533)]), 65_533);
        assert_eq!(found(&[]), 0);
    }

    #[test]
    fn an_error_has_the_line_to_add() {
        let too_few = |kind, found| {
            let name = "ann".to_owned();
            TooFew { kind, name, found }.to_string()
        };
        let text = too_few(Kind::Users, 0);
        for part in [
            "/etc/subuid has no line for 'ann'",
            "'ann:100000:65536' to /etc/subuid",
            "usermod --add-subuids 100000-165535 ann",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let text = too_few(Kind::Groups, 10);
        for part in ["/etc/subgid gives 'ann' 10 ids", "--add-subgids"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
