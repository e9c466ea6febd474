//! Images of `make-fs` in every format that is written here, byte for byte as they have always been.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use testkit::sparse::digest;

use crate::world::World;

/// Bytes that aren't zero and go round after `period`.
fn bytes(len: usize, period: usize) -> Vec<u8> {
    (0..len).map(|at| (at % period + 1) as u8).collect()
}

/// Files, a directory in a directory, a long name and a link, all of one time.
fn tree(root: &Path) {
    let deep = root.join("dir/deep");
    fs::create_dir_all(&deep).unwrap();
    for (path, content) in [
        ("file", b"hello".to_vec()),
        ("empty", Vec::new()),
        ("dir/inner", bytes(10_000, 251)),
        (
            "dir/deep/a name with more than eleven letters",
            bytes(70_000, 250),
        ),
    ] {
        fs::write(root.join(path), content).unwrap();
        settle(&root.join(path), 0o644);
    }
    symlink("file", root.join("link")).unwrap();
    let status = std::process::Command::new("touch")
        .args(["--no-dereference", "--date=@1600000000"])
        .arg(root.join("link"))
        .status();
    assert!(status.unwrap().success());
    for directory in [&deep, &root.join("dir"), root] {
        settle(directory, 0o755);
    }
}

/// Gives a file its permissions and the time of all.
fn settle(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    File::open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn every_format_in_every_table_has_its_pinned_bytes() {
    let world = World::new("", "", "");
    tree(&world.root().join("tree"));
    let pinned = include_str!("../data/make-fs-digests.txt");
    let pinned = pinned.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for line in pinned {
        let [kind, table, size, expected] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let asked = format!(
            "--no-sync make-fs --force --lossy --owner 0:0 -t {kind} --partition={table} -s {size}"
        );
        world.run(&format!("{asked} ../tree x.img")).expect(0);
        let found = digest(&world.path("x.img"));
        assert_eq!(found, expected, "{kind} {table} {size}");
        count += 1;
    }
    assert_eq!(count, 60);
}
