//! What overlayfs puts into its upper directories (Linux, Documentation/filesystems/overlayfs.rst):
//! devices and attributes that remove what lower directories bring.

use super::layer::Layer;
use crate::tree::{Device, NodeKind, Xattr, Xattrs};

/// Where the attributes are: those of root's mounts, and of those with `userxattr`.
const NAMESPACES: [&[u8]; 2] = [b"trusted.overlay.", b"user.overlay."];
/// In front of the name of an attribute that another overlayfs inside has put there.
const ESCAPE: &[u8] = b"overlay.";

/// What overlayfs means by a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Only itself.
    Nothing,
    /// What lower layers have under its name is gone.
    Whiteout,
    /// What lower layers have in this directory is gone.
    Opaque,
}

/// What overlayfs means by a node of this kind. Its attributes for that are taken off.
///
/// # Errors
/// Where the data or the entries are in another place: why it can't be taken.
pub(super) fn take(kind: &NodeKind, xattrs: &mut Xattrs) -> Result<Sign, String> {
    let mut sign = match is_whiteout(kind) {
        true => Sign::Whiteout,
        false => Sign::Nothing,
    };
    if !xattrs.iter().any(|xattr| key(&xattr.name).is_some()) {
        return Ok(sign);
    }
    let mut kept = Vec::new();
    for xattr in xattrs.iter() {
        let Some((namespace, key)) = key(&xattr.name) else {
            kept.push(xattr.clone());
            continue;
        };
        match key {
            b"opaque" if kind.is_directory() && &*xattr.value == b"y" => sign = Sign::Opaque,
            b"whiteout" if is_empty_file(kind) => sign = Sign::Whiteout,
            b"redirect" | b"metacopy" => return Err(elsewhere(xattr)),
            _ => kept.extend(key.strip_prefix(ESCAPE).map(|inner| Xattr {
                name: [namespace, inner].concat().into(),
                value: xattr.value.clone(),
            })),
        }
    }
    *xattrs = Xattrs::new(kept);
    Ok(sign)
}

fn elsewhere(xattr: &Xattr) -> String {
    format!(
        "overlayfs has its content elsewhere (attribute '{}'); give the mounted overlay instead of \
         its upper directory, or make it without redirect_dir and metacopy",
        xattr.name.escape_ascii()
    )
}

/// The namespace of an attribute of overlayfs, and the rest of its name.
fn key(name: &[u8]) -> Option<(&'static [u8], &[u8])> {
    let mut namespaces = NAMESPACES.into_iter();
    namespaces.find_map(|namespace| Some((namespace, name.strip_prefix(namespace)?)))
}

fn is_whiteout(kind: &NodeKind) -> bool {
    matches!(
        kind,
        NodeKind::CharacterDevice(Device { major: 0, minor: 0 })
    )
}

fn is_empty_file(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::File(content) if content.is_empty())
}

/// What was taken as it is although overlayfs means something by it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    devices: Option<Seen>,
    attributes: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    count: u64,
    first: Vec<u8>,
}

impl Kept {
    /// Takes in what is at a path of the source.
    pub(super) fn note(&mut self, path: impl Fn() -> Vec<u8>, kind: &NodeKind, xattrs: &Xattrs) {
        if is_whiteout(kind) {
            see(&mut self.devices, &path);
        }
        let tells = |xattr: &Xattr| {
            let key = key(&xattr.name).map(|(_, key)| key);
            matches!(
                key,
                Some(b"opaque" | b"whiteout" | b"redirect" | b"metacopy")
            )
        };
        if xattrs.iter().any(tells) {
            see(&mut self.attributes, &path);
        }
    }

    /// Tells whoever asked for the tree.
    pub(super) fn tell(self, layer: &mut Layer<'_>) {
        for (seen, what) in [
            (self.devices, "character device 0:0"),
            (self.attributes, "file with attributes of overlayfs"),
        ] {
            if let Some(Seen { count, first }) = seen {
                let (what, they) = match count {
                    1 => (format!("a {what} is"), "it removes"),
                    _ => (format!("{count} times a {what} is"), "they remove"),
                };
                let message = format!(
                    "{}: {what} kept, at first '/{}'; in an upper directory of overlayfs {they} \
                     what lower ones bring, which the option 'whiteouts' does",
                    layer.place,
                    first.escape_ascii()
                );
                layer.tree.notice(message);
            }
        }
    }
}

fn see(seen: &mut Option<Seen>, path: impl Fn() -> Vec<u8>) {
    let seen = seen.get_or_insert_with(|| Seen {
        count: 0,
        first: path(),
    });
    seen.count += 1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Content;

    fn xattrs(all: &[(&str, &str)]) -> Xattrs {
        Xattrs::new(all.iter().map(|(name, value)| Xattr {
            name: name.as_bytes().into(),
            value: value.as_bytes().into(),
        }))
    }

    #[test]
    fn devices_and_attributes_are_signs_and_bookkeeping_goes() {
        let file = |text: &str| NodeKind::File(Content::inline(text.as_bytes()));
        let device = |minor| NodeKind::CharacterDevice(Device { major: 0, minor });
        let directory = NodeKind::Directory;
        for (kind, before, sign, after) in [
            (device(0), &[][..], Sign::Whiteout, &[][..]),
            (device(1), &[], Sign::Nothing, &[]),
            (
                file(""),
                &[("user.overlay.whiteout", "")],
                Sign::Whiteout,
                &[],
            ),
            (
                file("x"),
                &[("user.overlay.whiteout", "")],
                Sign::Nothing,
                &[],
            ),
            (
                directory.clone(),
                &[("trusted.overlay.opaque", "y")],
                Sign::Opaque,
                &[],
            ),
            (
                directory.clone(),
                &[("user.overlay.opaque", "x")],
                Sign::Nothing,
                &[],
            ),
            (
                directory.clone(),
                &[
                    ("trusted.overlay.origin", "o"),
                    ("trusted.overlay.overlay.opaque", "y"),
                    ("user.overlayed", "kept"),
                ],
                Sign::Nothing,
                &[("trusted.overlay.opaque", "y"), ("user.overlayed", "kept")],
            ),
        ] {
            let mut found = xattrs(before);
            assert_eq!(take(&kind, &mut found), Ok(sign), "{kind:?} {before:?}");
            assert_eq!(found, xattrs(after), "{kind:?} {before:?}");
        }
        for name in ["trusted.overlay.redirect", "user.overlay.metacopy"] {
            let refused = take(&directory, &mut xattrs(&[(name, "/d")])).unwrap_err();
            assert!(refused.contains(name), "{refused}");
        }
    }
}
