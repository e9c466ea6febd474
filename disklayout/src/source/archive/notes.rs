//! What of an archive is left out, changed or doubtful: refused, or told once for each kind.

use std::collections::BTreeMap;

use super::fault::{Fault, Result};

/// A kind of what isn't taken as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Note {
    /// A slash in front of a path or of what a hard link leads to.
    Absolute,
    /// An ACL that has no mask but needs one.
    Mask,
    /// A name in an ACL whose number is this machine's.
    HostName,
    /// A name in an ACL that has no number.
    NoNumber,
    /// An ACL that Linux hasn't, or not there.
    Acl,
    /// An extended attribute over Linux' limits.
    Xattr,
}

/// What was found of one kind.
#[derive(Debug)]
struct Found {
    count: u64,
    examples: Vec<String>,
}

/// How many examples are shown of most kinds.
const EXAMPLES: usize = 3;

/// What was found in an archive.
#[derive(Debug)]
pub(super) struct Notes {
    /// Whether what can't be kept is left out. Otherwise it is refused.
    is_lossy: bool,
    found: BTreeMap<Note, Found>,
}

impl Notes {
    pub(super) const fn new(is_lossy: bool) -> Self {
        Self {
            is_lossy,
            found: BTreeMap::new(),
        }
    }

    /// Notes something that is changed or doubtful.
    pub(super) fn tell(&mut self, note: Note, example: &str) {
        let found = self.found.entry(note).or_insert_with(|| Found {
            count: 0,
            examples: Vec::new(),
        });
        found.count += 1;
        // Another machine has to know every name to make the same image.
        let most = match note {
            Note::HostName => usize::MAX,
            _ => EXAMPLES,
        };
        if found.examples.len() < most && !found.examples.iter().any(|known| known == example) {
            found.examples.push(example.to_owned());
        }
    }

    /// Notes something that is left out.
    ///
    /// # Errors
    /// `Unsupported` where nothing may be lost.
    pub(super) fn lose(&mut self, note: Note, what: &str) -> Result<()> {
        if !self.is_lossy {
            let offer = "leave it out, or have such things dropped (--lossy)";
            return Err(Fault::unsupported(format!("{what}: {offer}")));
        }
        self.tell(note, what);
        Ok(())
    }

    /// One sentence for each kind.
    pub(super) fn sentences(&self) -> Vec<String> {
        let sentences = self.found.iter().map(|(note, found)| note.sentence(found));
        sentences.collect()
    }
}

impl Note {
    fn sentence(self, found: &Found) -> String {
        let count = found.count;
        let examples = found.examples.join(", ");
        let more = match count > EXAMPLES as u64 && self != Self::HostName {
            true => format!("{examples} ..."),
            false => examples.clone(),
        };
        let some = |one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        };
        match self {
            Self::Absolute => {
                let paths = some("path", "paths");
                format!("left out the slash in front of {paths} (--strict-paths refuses): {more}")
            }
            Self::Mask => {
                let lists = some("ACL that has", "ACLs that have");
                format!("made the mask of {lists} none, from all that it limits: {more}")
            }
            Self::HostName => format!(
                "took numbers of this machine for names in ACLs that no etc/passwd or etc/group \
                 of the archive or below it has, so that other machines may make another image: \
                 {more}"
            ),
            Self::NoNumber => {
                let entries = some("entry", "entries");
                format!("left out {entries} of ACLs with names that have no number: {more}")
            }
            Self::Acl => {
                let lists = some("ACL", "ACLs");
                format!("left out {lists} that Linux can't have: {more}")
            }
            Self::Xattr => {
                let attributes = some("extended attribute", "extended attributes");
                format!("left out {attributes} over the limits of Linux: {more}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_counted_and_the_first_ones_are_shown() {
        let mut notes = Notes::new(true);
        for name in ["/a", "/b", "/b", "/c", "/d"] {
            notes.tell(Note::Absolute, name);
        }
        notes.lose(Note::Xattr, "user.a of 9 bytes").unwrap();
        assert_eq!(
            notes.sentences(),
            [
                "left out the slash in front of 5 paths (--strict-paths refuses): /a, /b, /c ...",
                "left out 1 extended attribute over the limits of Linux: user.a of 9 bytes",
            ]
        );
        let fault = Notes::new(false).lose(Note::Xattr, "user.a").unwrap_err();
        let error = fault.at("p", "x").to_string();
        assert_eq!(
            error,
            "p: x: user.a: leave it out, or have such things dropped (--lossy)"
        );
    }
}
