//! What is planned, and what debugfs and ext4-view find of it.

use std::path::Path;

use disklayout::tree::FileTree;
use testkit::compare::differences;
use testkit::host;
use testkit::listing::{Entry, Kind, Knows, Listing, seen_by};
use testkit::readers::{VIEW_KNOWS, ext4_view};

use crate::checkers;
use crate::support::{Scratch, TIME};

/// What a filesystem with this tree has to hold, lost+found included.
pub(crate) fn planned(tree: &FileTree) -> Listing {
    let mut listing = testkit::planned::planned(tree);
    let lost_found = Entry {
        kind: Kind::Directory,
        permissions: Some(0o700),
        owner: Some((0, 0)),
        mtime: Some((TIME.seconds, 0)),
        names: None,
        xattrs: Some([].into()),
        allocated: None,
    };
    let name = b"lost+found".to_vec();
    listing.entry(name).or_insert(lost_found);
    listing
}

/// What ext4-view finds that isn't as it was planned.
pub(crate) fn ext4_view_differences(tree: &FileTree, image: &Path) -> Vec<String> {
    differences(&seen_by(&planned(tree), VIEW_KNOWS), &ext4_view(image))
}

/// A listing as a reader sees it that knows neither times nor the set-user-ID, set-group-ID and
/// sticky bits.
pub(crate) fn with_rwx_only(listing: &Listing) -> Listing {
    let mut listing = seen_by(listing, Knows::NOTHING);
    for entry in listing.values_mut() {
        entry.permissions = entry.permissions.map(|all| all & 0o777);
    }
    listing
}

/// All that debugfs reads, but for times and special permissions: its dump sets no nanoseconds,
/// and the owner after the permissions, at which the kernel drops some.
pub(crate) fn debugfs(image: &Path) -> Listing {
    let scratch = Scratch::new();
    let target = scratch.path("dump");
    std::fs::create_dir(&target).unwrap();
    let said = checkers::debugfs(&format!("rdump / {}", target.display()), image);
    assert!(said.lines().count() <= 1, "{said}");
    let mut listing = with_rwx_only(&host::list(&target));
    // The directory that is dumped into stands for the root; only what is below it is copied.
    let root = listing.get_mut(&b""[..]).unwrap();
    (root.permissions, root.owner) = (Some(0o755), Some((0, 0)));
    listing
}
