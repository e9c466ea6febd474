//! A directory of everything that these filesystems can hold.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{FileType, XattrFlags, lsetxattr, makedev};
use tempfile::TempDir;

use testkit::metadata::set_time;
use testkit::root::is_root_user;

use crate::rootfs::awkward::mknod;

/// What any user can make, and what only root can where the test runs as root.
pub(super) fn sample() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    files(path);
    names(path);
    special(path);
    attributes(path);
    if is_root_user() {
        of_root(path);
    }
    times(path);
    root
}

fn files(root: &Path) {
    let below = root.join("files");
    fs::create_dir(&below).unwrap();
    // Around what is in an inode, in a leaf, in one block, in the addresses of an inode.
    for len in [
        0,
        1,
        60,
        2047,
        2049,
        3488,
        3489,
        4095,
        4096,
        4097,
        873 * 4096 + 1,
        5_000_000,
    ] {
        let data: Vec<u8> = (0..len)
            .map(|at: usize| (at % 251 + at / 4096 % 5) as u8)
            .collect();
        fs::write(below.join(len.to_string()), data).unwrap();
    }
    let sparse = File::create(below.join("sparse")).unwrap();
    sparse.set_len(20_000_000).unwrap();
    for at in [5, 4_000_000, 4_100_000, 19_999_999] {
        sparse.write_all_at(b"!", at).unwrap();
    }
    File::create(below.join("hole"))
        .unwrap()
        .set_len(70_000)
        .unwrap();
    fs::hard_link(below.join("4097"), root.join("another name")).unwrap();
    fs::hard_link(below.join("4097"), below.join("z")).unwrap();
}

fn names(root: &Path) {
    let many = root.join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..1500 {
        let name = format!("file number {number}");
        if number % 3 == 0 {
            fs::write(many.join(name), format!("{number}")).unwrap();
        } else {
            fs::write(many.join(format!("{number}")), "").unwrap();
        }
    }
    let below = root.join("names");
    fs::create_dir_all(below.join("a/b c/d/e")).unwrap();
    let long = "x".repeat(255);
    for name in [
        "with space",
        "tab\there",
        "line\nbreak",
        ":colon",
        "a b",
        " b",
        "-option",
        "\u{f6}",
        &long,
        "$x",
    ] {
        fs::write(below.join(name), name).unwrap();
    }
    for (name, target) in [
        ("short", "t"),
        ("spaces", "a b c"),
        ("long", &"t".repeat(300)),
    ] {
        symlink(target, below.join(name)).unwrap();
    }
}

fn special(root: &Path) {
    let below = root.join("special");
    fs::create_dir(&below).unwrap();
    mknod(&below.join("fifo"), FileType::Fifo, 0);
    UnixListener::bind(below.join("socket")).unwrap();
    for mode in [0o4755, 0o2755, 0o1600, 0o7777, 0o400] {
        let path = below.join(format!("{mode:o}"));
        fs::write(&path, "").unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    let sticky = below.join("directory");
    fs::create_dir(&sticky).unwrap();
    fs::set_permissions(sticky, PermissionsExt::from_mode(0o3777)).unwrap();
}

fn set(path: &Path, name: &str, value: &[u8]) {
    lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
}

fn attributes(root: &Path) {
    let below = root.join("attributes");
    fs::create_dir(&below).unwrap();
    let file = below.join("file");
    fs::write(&file, "data").unwrap();
    set(&file, "user.name", b"value\0");
    set(&file, "user.empty", b"");
    // Owner, user 61234, group, mask, others.
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in [
        (1_u16, 6_u16, u32::MAX),
        (2, 4, 61_234),
        (4, 4, u32::MAX),
        (16, 6, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        acl.extend(tag.to_le_bytes());
        acl.extend(permissions.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    let with_acl = below.join("acl");
    fs::write(&with_acl, "").unwrap();
    set(&with_acl, "system.posix_acl_access", &acl);
    set(&below, "system.posix_acl_default", &acl);
}

fn of_root(root: &Path) {
    let below = root.join("of root");
    fs::create_dir(&below).unwrap();
    for (major, minor) in [(1, 3), (8, 255), (8, 256), (259, 7), (511, 262_143)] {
        mknod(
            &below.join(format!("c {major} {minor}")),
            FileType::CharacterDevice,
            makedev(major, minor),
        );
        mknod(
            &below.join(format!("b {major} {minor}")),
            FileType::BlockDevice,
            makedev(major, minor),
        );
    }
    fs::hard_link(below.join("c 1 3"), below.join("null")).unwrap();
    let capable = below.join("capable");
    fs::write(&capable, "x").unwrap();
    lchown(&capable, Some(1000), Some(4_294_967_294)).unwrap();
    let mut capability = [0; 20];
    capability[..6].copy_from_slice(&[1, 0, 0, 2, 0, 0x20]);
    set(&capable, "security.capability", &capability);
    set(
        &capable,
        "security.selinux",
        b"system_u:object_r:etc_t:s0\0",
    );
    symlink("capable", below.join("link")).unwrap();
    lchown(below.join("link"), Some(70_000), Some(100)).unwrap();
    set(
        &below.join("link"),
        "security.selinux",
        b"system_u:object_r:etc_t:s0\0",
    );
    set(&below.join("null"), "trusted.name", b"null");
}

fn times(root: &Path) {
    let below = root.join("times");
    fs::create_dir(&below).unwrap();
    for (seconds, nanoseconds) in [
        (-1, 999_999_999),
        (-2_147_483_648, 0),
        (0, 1),
        (4_294_967_296, 5),
        (15_032_385_535, 0),
    ] {
        let path = below.join(format!("{seconds} {nanoseconds}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), "").unwrap();
        symlink("target", path.join("link")).unwrap();
        for name in ["file", "link", ""] {
            set_time(&path.join(name), seconds, nanoseconds);
        }
    }
}
