//! What is in a tree and what readers find in an image, as far as exFAT keeps it.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use disklayout::tree::FileTree;
use exfat::ExFat;
use exfat::directory::Item;
use testkit::compare;
use testkit::host;
use testkit::listing::{Entry, Kind, Knows, Listing, seen_by};
use testkit::log::accepted;

/// What a tree of directories and files asks for.
pub(crate) fn planned(tree: &FileTree) -> Listing {
    as_kept(&testkit::planned::planned(tree))
}

/// What a mounted image shows. The driver shows all files as writable.
pub(crate) fn of_host(root: &Path) -> Listing {
    as_kept(&host::list(root))
}

/// Nobody owns anything, times are told in seconds here, and the root has none.
fn as_kept(listing: &Listing) -> Listing {
    let times = true;
    let knows = Knows {
        times,
        ..Knows::NOTHING
    };
    let mut listing = seen_by(listing, knows);
    listing.remove(&b""[..]);
    for entry in listing.values_mut() {
        entry.mtime = entry.mtime.map(|(seconds, _)| (seconds, 0));
        (entry.permissions, entry.owner) = (None, None);
    }
    listing
}

/// What the crate exfat finds that isn't as it was planned. It tells of neither times nor
/// attributes, and directories with an entry in the last place of a cluster are none that it can
/// read.
pub(crate) fn crate_differences(tree: &FileTree, image: &Path) -> Vec<String> {
    let expected = seen_by(&planned(tree), Knows::NOTHING);
    compare::differences(&expected, &of_crate(image))
}

fn of_crate(image: &Path) -> Listing {
    let mut listing = Listing::new();
    let volume = ExFat::open(File::open(image).unwrap()).unwrap();
    add_items(volume.into_iter().collect(), "", &mut listing);
    accepted("exfat (crate)", image);
    listing
}

fn add_items<I: Read + Seek>(items: Vec<Item<I>>, parent: &str, listing: &mut Listing) {
    for item in items {
        let (path, kind) = match item {
            Item::Directory(directory) => {
                let path = format!("{parent}{}", directory.name());
                add_items(directory.open().unwrap(), &format!("{path}/"), listing);
                (path, Kind::Directory)
            }
            Item::File(mut file) => {
                let mut bytes = Vec::new();
                if let Some(mut reader) = file.open().unwrap() {
                    reader.read_to_end(&mut bytes).unwrap();
                }
                (format!("{parent}{}", file.name()), Kind::file(&bytes))
            }
        };
        listing.insert(path.into_bytes(), Entry::of_kind(kind));
    }
}
