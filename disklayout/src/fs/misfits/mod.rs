//! What a format can't hold of a tree: it is refused, or lost and told of.
//!
//! What loses content or meaning is refused unless misfits are dropped: files of other kinds, names,
//! hard links, extended attributes. Owners, permissions, labels of SELinux and times are only told
//! of: they belong to the system that a tree comes from, or whoever mounts the filesystem chooses
//! them. A format says what it can't hold; the words are the same for all of them.

mod adapt;
mod keep;
mod windows;
mod xattrs;

use std::collections::BTreeMap;

use super::{Misfits, Request};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::tree::{Attributes, NodeKind, Xattr};

pub use adapt::{Rules, adapt};
pub use windows::check_windows_name;
pub use xattrs::{VALUE_MAX, check_acl, check_xattr};

/// Labels of files for SELinux.
const SELINUX: &[u8] = b"security.selinux";

/// A kind of loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// A file of a kind that there is not, with what people call it: a [`NodeKind::noun`].
    Special(&'static str),
    /// A name that can't be.
    Name,
    /// A name that is the same as another one in its directory to the format.
    Collision,
    /// A symbolic link whose target can't be.
    Target,
    /// A device whose numbers can't be.
    Device,
    /// A file of more bytes than there can be.
    TooLarge,
    /// One more name of a file that has one already.
    HardLink,
    /// The set-user-ID or the set-group-ID bit of a file.
    SetId,
    /// An extended attribute.
    Xattr,
    /// An owner of the number that stands for none.
    NoOwner,
    /// A time that can't be, and would with other choices.
    FarTime,
    /// An owner other than root.
    Owner,
    /// Permissions.
    Permissions,
    /// The label of a file for SELinux.
    Selinux,
    /// A time that can't be, which becomes the nearest that can.
    Time,
}

impl Loss {
    /// Whether it is told of, but never refused.
    const fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::Owner | Self::Permissions | Self::Selinux | Self::Time
        )
    }

    /// What was done about `count` of them.
    fn sentence(self, count: u64, format: &str) -> String {
        let some = |one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        };
        let entries = || some("entry", "entries");
        match self {
            Self::Special(noun) => {
                let what = some(noun, &format!("{noun}s"));
                format!("left out {what}, which {format} can't hold")
            }
            Self::Name => format!("left out {} with names that {format} can't hold", entries()),
            Self::Collision => format!(
                "left out {} with names that differ only in case, which {format} ignores",
                entries()
            ),
            Self::Target => {
                let links = some("symbolic link", "symbolic links");
                format!("left out {links} with targets that {format} can't hold")
            }
            Self::Device => {
                let devices = some("device", "devices");
                format!("left out {devices} with numbers that {format} can't hold")
            }
            Self::TooLarge => {
                let files = some("file", "files");
                format!("left out {files} of more bytes than {format} can hold")
            }
            Self::HardLink => {
                let copies = some("copy", "copies");
                format!("made {copies} of files with several names, which {format} can't hold")
            }
            Self::SetId => {
                let files = some("file", "files");
                format!("left out set-ID bits of {files}, which {format} can't hold")
            }
            Self::Xattr => {
                let what = some("extended attribute", "extended attributes");
                format!("left out {what}, which {format} can't hold")
            }
            Self::Owner => {
                let owners = some("owner", "owners");
                format!("left out {owners} other than root, which {format} can't hold")
            }
            Self::Permissions => {
                format!(
                    "left out permissions of {}, which {format} can't hold",
                    entries()
                )
            }
            Self::Selinux => {
                let labels = some("SELinux label", "SELinux labels");
                format!("left out {labels}, which {format} can't hold")
            }
            Self::NoOwner => {
                let owners = some("owner", "owners");
                format!("changed {owners} that {format} can't hold to nobody (65534)")
            }
            Self::Time | Self::FarTime => {
                let times = some("time", "times");
                format!("changed {times} to the nearest that {format} can hold")
            }
        }
    }
}

/// What was found of one kind.
#[derive(Debug)]
struct Found {
    count: u64,
    example: String,
}

/// Collects what a format can't hold.
#[derive(Debug)]
pub struct Survey {
    place: Place,
    format: &'static str,
    misfits: Misfits,
    found: BTreeMap<Loss, Found>,
}

impl Survey {
    /// Nothing found yet of what `request` asks of `format`, as people call it.
    pub fn new(request: &Request<'_>, format: &'static str) -> Self {
        Self::of(request.place.clone(), request.misfits, format)
    }

    /// Nothing found yet of what is asked for at `place` in `format`, as people call it.
    pub const fn of(place: Place, misfits: Misfits, format: &'static str) -> Self {
        Self {
            place,
            format,
            misfits,
            found: BTreeMap::new(),
        }
    }

    /// Notes that something is lost of what lies at `path`. `why` completes a sentence that begins
    /// with the path: `has ':'`. Both are asked for where they are shown.
    ///
    /// # Errors
    /// `Unsupported` at the request's place where nothing may be lost.
    pub fn note(
        &mut self,
        loss: Loss,
        path: impl FnOnce() -> Vec<u8>,
        why: impl FnOnce() -> String,
    ) -> Result<()> {
        if !loss.is_harmless() && self.misfits == Misfits::Refuse {
            return Err(self.refusal(&path(), &why()));
        }
        let found = self.found.entry(loss).or_insert_with(|| Found {
            count: 0,
            example: match loss {
                Loss::Special(_) => shown(&path()),
                _ => format!("{} {}", shown(&path()), why()),
            },
        });
        found.count += 1;
        Ok(())
    }

    /// Notes that a file is of a kind that there is not.
    ///
    /// # Errors
    /// Those of [`Self::note`].
    pub fn note_special(&mut self, kind: &NodeKind, path: impl FnOnce() -> Vec<u8>) -> Result<()> {
        let noun = kind.noun();
        self.note(Loss::Special(noun), path, || format!("is a {noun}"))
    }

    /// Notes that an extended attribute is lost; `reason` tells why, where others are held.
    ///
    /// # Errors
    /// Those of [`Self::note`].
    pub fn note_xattr(
        &mut self,
        xattr: &Xattr,
        path: impl FnOnce() -> Vec<u8>,
        reason: Option<&str>,
    ) -> Result<()> {
        let loss = match &*xattr.name {
            SELINUX => Loss::Selinux,
            _ => Loss::Xattr,
        };
        self.note(loss, path, || {
            let reason = reason.map(|reason| format!(" ({reason})"));
            let name = xattr.name.escape_ascii();
            format!(
                "has the extended attribute {name}{}",
                reason.unwrap_or_default()
            )
        })
    }

    /// Notes the owner if it isn't root.
    ///
    /// # Errors
    /// Those of [`Self::note`]; there is none, as owners are never refused.
    pub fn note_owner(
        &mut self,
        attributes: &Attributes,
        path: impl FnOnce() -> Vec<u8>,
    ) -> Result<()> {
        let Attributes { uid, gid, .. } = attributes;
        match (uid, gid) {
            (0, 0) => Ok(()),
            _ => self.note(Loss::Owner, path, || format!("belongs to {uid}:{gid}")),
        }
    }

    fn refusal(&self, path: &[u8], why: &str) -> Error {
        let message = format!(
            "{} {why}, which {} can't hold: leave it out, have such things dropped (--lossy), or \
             use another format",
            shown(path),
            self.format
        );
        Error::unsupported(&self.place, message)
    }

    /// A sentence for each kind of loss, with how often and one example.
    pub fn into_warnings(self) -> Vec<String> {
        let sentence = |(loss, found): (&Loss, &Found)| {
            let others = if found.count > 1 { ", and others" } else { "" };
            let what = loss.sentence(found.count, self.format);
            format!("{what}: {}{others}", found.example)
        };
        self.found.iter().map(sentence).collect()
    }
}

fn shown(path: &[u8]) -> String {
    match path {
        b"" => "'/'".to_owned(),
        _ => format!("'{}'", path.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::identity::{Identity, Timestamp};

    const REFUSED: [Loss; 11] = [
        Loss::Special("socket"),
        Loss::Name,
        Loss::Collision,
        Loss::Target,
        Loss::Device,
        Loss::TooLarge,
        Loss::HardLink,
        Loss::SetId,
        Loss::Xattr,
        Loss::NoOwner,
        Loss::FarTime,
    ];
    const TOLD: [Loss; 4] = [Loss::Owner, Loss::Permissions, Loss::Selinux, Loss::Time];

    fn survey(misfits: Misfits) -> Survey {
        let identity = Identity::new("t", Timestamp::from_seconds(1));
        let mut request = Request::new("parts[0]", "vfat", identity);
        request.misfits = misfits;
        Survey::new(&request, "FAT")
    }

    fn note(survey: &mut Survey, loss: Loss, path: &[u8]) -> Result<()> {
        survey.note(loss, || path.to_vec(), || "is so".to_owned())
    }

    #[test]
    fn what_loses_content_is_refused_where_nothing_may_be_lost() {
        for loss in REFUSED {
            let error = note(&mut survey(Misfits::Refuse), loss, b"/a\xFF").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let expected = "parts[0]: '/a\\xff' is so, which FAT can't hold: leave it out, have \
                such things dropped (--lossy), or use another format";
            assert_eq!(error.to_string(), expected);
        }
        let mut survey = survey(Misfits::Refuse);
        for loss in TOLD {
            note(&mut survey, loss, b"/a").unwrap();
        }
        assert_eq!(survey.into_warnings().len(), TOLD.len());
    }

    #[test]
    fn each_kind_has_a_sentence_with_its_count_and_an_example() {
        let warnings = |times| {
            let mut survey = survey(Misfits::Drop);
            for loss in TOLD.into_iter().chain(REFUSED) {
                for path in &[&b""[..], b"/b"][..times] {
                    note(&mut survey, loss, path).unwrap();
                }
            }
            survey.into_warnings()
        };
        let expected = [
            "left out 1 socket, which FAT can't hold: '/'",
            "left out 1 entry with names that FAT can't hold: '/' is so",
            "left out 1 entry with names that differ only in case, which FAT ignores: '/' is so",
            "left out 1 symbolic link with targets that FAT can't hold: '/' is so",
            "left out 1 device with numbers that FAT can't hold: '/' is so",
            "left out 1 file of more bytes than FAT can hold: '/' is so",
            "made 1 copy of files with several names, which FAT can't hold: '/' is so",
            "left out set-ID bits of 1 file, which FAT can't hold: '/' is so",
            "left out 1 extended attribute, which FAT can't hold: '/' is so",
            "changed 1 owner that FAT can't hold to nobody (65534): '/' is so",
            "changed 1 time to the nearest that FAT can hold: '/' is so",
            "left out 1 owner other than root, which FAT can't hold: '/' is so",
            "left out permissions of 1 entry, which FAT can't hold: '/' is so",
            "left out 1 SELinux label, which FAT can't hold: '/' is so",
            "changed 1 time to the nearest that FAT can hold: '/' is so",
        ];
        assert_eq!(warnings(1), expected);
        let two = warnings(2);
        let expected = "left out 2 sockets, which FAT can't hold: '/', and others";
        assert_eq!(two[0], expected);
        for warning in two {
            assert!(
                warning.contains(" 2 ") && warning.ends_with(", and others"),
                "{warning}"
            );
        }
    }
}
