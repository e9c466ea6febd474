//! The kernel goes on where we have written. Needs root.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use testkit::mount::Mounted;

/// Lets the kernel make, fill, extend and remove files and directories in an image.
pub(crate) fn go_on_writing(image: &Path) {
    let mounted = Mounted::new(image, "rw");
    let new = mounted.path().join("written by the kernel");
    fs::create_dir(&new).unwrap();
    for number in 0..300 {
        fs::write(new.join(format!("{number}")), vec![7; number * 100]).unwrap();
    }
    for (index, path) in files(mounted.path()).into_iter().enumerate() {
        match index % 20 {
            0 => fs::remove_file(path).unwrap(),
            1 => append(&path),
            2 => fs::hard_link(&path, new.join(format!("link to {index}"))).unwrap(),
            _ => (),
        }
    }
}

fn append(path: &Path) {
    let mut file = File::options().append(true).open(path).unwrap();
    file.write_all(&[8; 10_000]).unwrap();
}

/// The regular files below `root`, sorted.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            pending.extend(entries.map(|entry| entry.unwrap().path()));
        } else if metadata.is_file() {
            files.push(path);
        }
    }
    files.sort();
    files
}
