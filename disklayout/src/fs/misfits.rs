//! What a format can't hold of a tree: refused, or left out with one warning for each kind.

use std::collections::BTreeMap;

use super::{Misfits, Request};
use crate::error::{Error, Result};
use crate::tree::{Attributes, Node, NodeKind};

/// Something that isn't kept as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Misfit {
    Symlink,
    Device,
    NamedPipe,
    Socket,
    /// One more name of a file that has one already.
    HardLink,
    Xattrs,
    /// The set-user-ID or the set-group-ID bit.
    SetId,
    /// A name that the format can't hold, or not beside another one.
    Name,
    Owner,
    Permissions,
    /// A time out of the format's range.
    Time,
}

impl Misfit {
    /// Whether it is refused where nothing may be lost. Without owners, permissions and times files
    /// are still what they were.
    const fn is_refused(self) -> bool {
        !matches!(self, Self::Owner | Self::Permissions | Self::Time)
    }

    /// What is said of one.
    const fn of_one(self) -> &'static str {
        match self {
            Self::Symlink => "is a symbolic link",
            Self::Device => "is a device",
            Self::NamedPipe => "is a named pipe",
            Self::Socket => "is a socket",
            Self::HardLink => "is one more name of a file (a hard link)",
            Self::Xattrs => "has extended attributes",
            Self::SetId => "has the set-user-ID or set-group-ID bit",
            Self::Name => "has a name that isn't possible",
            Self::Owner => "has an owner",
            Self::Permissions => "has permissions",
            Self::Time => "has a time",
        }
    }

    /// What becomes of all.
    const fn of_all(self) -> &'static str {
        match self {
            Self::Symlink => "symbolic links are left out",
            Self::Device => "devices are left out",
            Self::NamedPipe => "named pipes are left out",
            Self::Socket => "sockets are left out",
            Self::HardLink => "further names of a file (hard links) became copies of it",
            Self::Xattrs => "extended attributes are left out",
            Self::SetId => "set-user-ID and set-group-ID bits are left out",
            Self::Name => "what has a name that isn't possible is left out",
            Self::Owner => "owners other than root are left out",
            Self::Permissions => "permissions are left out",
            Self::Time => "times that aren't possible became the nearest that are",
        }
    }
}

/// What was found of one kind.
#[derive(Debug)]
struct Found {
    count: u64,
    example: String,
}

/// Collects what can't be held.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    place: &'a str,
    kind: &'a str,
    misfits: Misfits,
    found: BTreeMap<Misfit, Found>,
}

impl<'a> Survey<'a> {
    pub(crate) fn new(request: &Request<'a>) -> Self {
        Self {
            place: request.place,
            kind: request.kind,
            misfits: request.misfits,
            found: BTreeMap::new(),
        }
    }

    /// Notes that what lies at `path` isn't kept as it is; `detail` says more of it.
    ///
    /// # Errors
    /// `Unsupported` where nothing may be lost.
    pub(crate) fn note(&mut self, misfit: Misfit, path: &[u8], detail: &str) -> Result<()> {
        if misfit.is_refused() && self.misfits == Misfits::Refuse {
            return Err(self.refusal(misfit, path, detail));
        }
        let found = self.found.entry(misfit).or_insert_with(|| Found {
            count: 0,
            example: format!("'{}'{}", path.escape_ascii(), bracketed(detail)),
        });
        found.count += 1;
        Ok(())
    }

    fn refusal(&self, misfit: Misfit, path: &[u8], detail: &str) -> Error {
        let message = format!(
            "'{}' {}{}, which {} can't hold; leave it away, or let be dropped what doesn't fit \
             (lossy)",
            path.escape_ascii(),
            misfit.of_one(),
            bracketed(detail),
            self.kind
        );
        Error::unsupported(self.place, message)
    }

    /// A sentence for each kind, with how often and one example.
    pub(crate) fn into_warnings(self) -> Vec<String> {
        let sentence = |(misfit, found): (&Misfit, &Found)| {
            let (kind, what) = (self.kind, misfit.of_all());
            format!("{kind}: {what} ({}, like {})", found.count, found.example)
        };
        self.found.iter().map(sentence).collect()
    }

    /// Notes what isn't kept of a node in a format that has directories and files with data and a
    /// time, no more than a read-only mark besides, and one name for each. Tells whether the node
    /// can be held at all. `path` is asked for where there is something to say.
    ///
    /// # Errors
    /// `Unsupported` where nothing may be lost.
    pub(crate) fn node(&mut self, node: &Node, path: impl Fn() -> Vec<u8>) -> Result<bool> {
        if let Some(misfit) = without_place(&node.kind) {
            self.note(misfit, &path(), "")?;
            return Ok(false);
        }
        let attributes = &node.attributes;
        let is_lost = [
            (Misfit::Xattrs, !node.xattrs.is_empty()),
            (Misfit::SetId, attributes.permissions & 0o6000 != 0),
            (Misfit::Owner, (attributes.uid, attributes.gid) != (0, 0)),
            (Misfit::Permissions, has_permissions(&node.kind, attributes)),
        ];
        for (misfit, _) in is_lost.into_iter().filter(|(_, is_lost)| *is_lost) {
            self.note(misfit, &path(), "")?;
        }
        Ok(true)
    }
}

fn bracketed(detail: &str) -> String {
    match detail {
        "" => String::new(),
        _ => format!(" ({detail})"),
    }
}

const fn without_place(kind: &NodeKind) -> Option<Misfit> {
    match kind {
        NodeKind::Directory | NodeKind::File(_) => None,
        NodeKind::Symlink(_) => Some(Misfit::Symlink),
        NodeKind::CharacterDevice(_) | NodeKind::BlockDevice(_) => Some(Misfit::Device),
        NodeKind::Fifo => Some(Misfit::NamedPipe),
        NodeKind::Socket => Some(Misfit::Socket),
    }
}

/// Whether the permissions are others than what a read-only mark can tell.
const fn has_permissions(kind: &NodeKind, attributes: &Attributes) -> bool {
    let told = attributes.permissions & 0o1777;
    match kind {
        NodeKind::Directory => told != 0o755,
        _ => told != 0o644 && told != 0o444,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::identity::{Identity, Timestamp};
    use crate::tree::{Content, Device, Xattr, Xattrs};
    use crate::units::Bytes;

    const TIME: Timestamp = Timestamp::from_seconds(1);

    fn survey(misfits: Misfits) -> Survey<'static> {
        let identity = Identity::new("t", TIME);
        let mut request = Request::new("parts[0]", "vfat", Bytes::new(1), identity);
        request.misfits = misfits;
        Survey::new(&request)
    }

    fn node(kind: NodeKind) -> Node {
        Node::new(kind, Attributes::file(TIME))
    }

    fn file(change: impl FnOnce(&mut Node)) -> Node {
        let mut node = node(NodeKind::File(Content::inline(b"x")));
        change(&mut node);
        node
    }

    fn every_misfit() -> Vec<(Node, bool, &'static str)> {
        let device = Device { major: 1, minor: 3 };
        let xattrs = Xattrs::new([Xattr {
            name: (*b"user.x").into(),
            value: (*b"1").into(),
        }]);
        vec![
            (
                node(NodeKind::Symlink((*b"x").into())),
                false,
                "symbolic link",
            ),
            (node(NodeKind::CharacterDevice(device)), false, "device"),
            (node(NodeKind::BlockDevice(device)), false, "device"),
            (node(NodeKind::Fifo), false, "named pipe"),
            (node(NodeKind::Socket), false, "socket"),
            (file(|it| it.xattrs = xattrs), true, "extended attributes"),
            (
                file(|it| it.attributes.permissions = 0o4755),
                true,
                "set-user-ID",
            ),
            (
                file(|it| it.attributes.permissions = 0o2644),
                true,
                "set-user-ID",
            ),
        ]
    }

    #[test]
    fn everything_is_refused_where_nothing_may_be_lost() {
        for (node, _, said) in every_misfit() {
            let error = survey(Misfits::Refuse).node(&node, || b"/a\xFF".to_vec());
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let text = error.to_string();
            assert!(text.starts_with(r"parts[0]: '/a\xff' "), "{text}");
            assert!(text.contains(said) && text.contains("vfat"), "{text}");
        }
    }

    #[test]
    fn what_may_be_lost_is_counted_with_one_example() {
        let mut survey = survey(Misfits::Drop);
        for (number, (node, is_held, _)) in every_misfit().iter().enumerate() {
            let path = || format!("/{number}").into_bytes();
            assert_eq!(survey.node(node, path).unwrap(), *is_held);
        }
        survey.note(Misfit::Name, b"/a:b", "':'").unwrap();
        let expected = [
            "vfat: symbolic links are left out (1, like '/0')",
            "vfat: devices are left out (2, like '/1')",
            "vfat: named pipes are left out (1, like '/3')",
            "vfat: sockets are left out (1, like '/4')",
            "vfat: extended attributes are left out (1, like '/5')",
            "vfat: set-user-ID and set-group-ID bits are left out (2, like '/6')",
            "vfat: what has a name that isn't possible is left out (1, like '/a:b' (':'))",
            "vfat: permissions are left out (1, like '/6')",
        ];
        assert_eq!(survey.into_warnings(), expected);
    }

    #[test]
    fn owners_and_permissions_are_never_refused() {
        let mut survey = survey(Misfits::Refuse);
        for (permissions, uid) in [(0o644, 0), (0o444, 0), (0o755, 0), (0o644, 7)] {
            let changed = file(|it| {
                (it.attributes.permissions, it.attributes.uid) = (permissions, uid);
            });
            assert!(survey.node(&changed, || b"/f".to_vec()).unwrap());
        }
        let warnings = survey.into_warnings();
        let expected = [
            "vfat: owners other than root are left out (1, like '/f')",
            "vfat: permissions are left out (1, like '/f')",
        ];
        assert_eq!(warnings, expected);
    }
}
