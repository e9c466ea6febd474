//! The Debian that `scripts/rootfs` has made.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::cache;
use testkit::host;
use testkit::listing::{Kind, Listing};
use testkit::root::is_root_user;

/// `debian-root.tar`.
pub(crate) fn archive() -> PathBuf {
    in_cache("debian-root.tar")
}

/// `debian-root/`, the same unpacked.
pub(crate) fn directory() -> PathBuf {
    in_cache("debian-root")
}

fn in_cache(name: &str) -> PathBuf {
    let path = cache::path(name);
    assert!(
        path.exists(),
        "{} is missing: scripts/rootfs makes it",
        path.display()
    );
    path
}

/// What is in the directory; it is read once.
pub(crate) fn listing() -> &'static Listing {
    static LISTING: OnceLock<Listing> = OnceLock::new();
    LISTING.get_or_init(|| {
        let listing = host::list(&directory());
        let files = listing
            .values()
            .filter(|entry| matches!(entry.kind, Kind::File { .. }));
        assert!(
            listing.len() > 15_000 && files.count() > 10_000,
            "{} is no whole system",
            directory().display()
        );
        listing
    })
}

/// What an image of the archive has to hold: what GNU tar has unpacked of it. Without root that is
/// less, which `from_image` is reduced to.
pub(crate) fn as_unpacked(mut from_image: Listing) -> Listing {
    if is_root_user() {
        return from_image;
    }
    let owner = listing()[&b""[..]].owner;
    from_image.retain(|path, _| !path.starts_with(b"dev/"));
    for entry in from_image.values_mut() {
        entry.owner = owner;
        for xattr in entry.xattrs.iter_mut() {
            xattr.retain(|name, _| name.starts_with(b"user."));
        }
    }
    from_image
}
