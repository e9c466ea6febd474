//! Makes a directory of everything that is awkward to pack: limits of names, times, owners and
//! links, every kind of node, attributes, holes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, lsetxattr, makedev, mknodat};

use testkit::metadata::{acl, set_time};

use crate::checkers::approved;

/// A directory that goes away with this value, whatever its depth: the standard library holds a
/// file descriptor for every level.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap().keep())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn join(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.0.join(Path::new(&name))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(said) = approved("rm", &["-rf"], &self.0) {
            eprintln!("{said}");
        }
    }
}

/// What any user can make.
pub(crate) fn of_a_user() -> Directory {
    let root = Directory::new();
    names(&root);
    symlinks(&root);
    sizes(&root);
    holes(&root);
    hard_links(&root);
    permissions(&root);
    fifo_and_socket(&root);
    user_xattrs(&root);
    acls(&root);
    many_names(&root);
    depth(&root);
    times(&root);
    root
}

/// The same with what only root can make.
pub(crate) fn of_root() -> Directory {
    let root = of_a_user();
    devices(&root);
    owners(&root);
    security_xattrs(&root);
    root
}

fn make(root: &Directory, name: &str) -> PathBuf {
    let path = root.join(name);
    fs::create_dir(&path).unwrap();
    path
}

fn names(root: &Directory) {
    let below = make(root, "names");
    let not_text: Vec<u8> = (1..=255).filter(|byte| *byte != b'/').collect();
    let names: [&[u8]; 9] = [
        &[b'x'; 255],
        &not_text,
        &[0xff; 255],
        b"\x80",
        b"with\nlines and\ttabs",
        b"\\\"'$(quotes)",
        b"-option",
        " g\u{f6}del \u{2126}".as_bytes(),
        b"...",
    ];
    for name in names {
        fs::write(below.join(OsStr::from_bytes(name)), name).unwrap();
    }
}

/// Up to 59 bytes are in the inode, 4095 are the most that Linux allows.
fn symlinks(root: &Directory) {
    let below = make(root, "symlinks");
    for len in [1, 59, 60, 61, 255, 1023, 1024, 4095] {
        let target = "t".repeat(len);
        symlink(target, below.join(format!("{len}"))).unwrap();
    }
    symlink("/absolute/\u{f6}", below.join("absolute")).unwrap();
    symlink(OsStr::from_bytes(b"\xfe\xff"), below.join("not text")).unwrap();
}

/// Around what one block, direct blocks and an indirect block hold.
fn sizes(root: &Directory) {
    let below = make(root, "sizes");
    for blocks in [0, 1, 12, 12 + 1024] {
        for len in [
            blocks * 4096_usize + 1,
            blocks * 4096,
            (blocks * 4096).saturating_sub(1),
        ] {
            let data: Vec<u8> = (0..len)
                .map(|at| (at % 251 + at / 4096 % 5) as u8)
                .collect();
            fs::write(below.join(format!("{len}")), data).unwrap();
        }
    }
}

const GIB: u64 = 1 << 30;

fn holes(root: &Directory) {
    let below = make(root, "holes");
    let files: [(&str, u64, &[u64]); 5] = [
        ("everywhere", GIB, &[5, GIB / 10, GIB / 3 * 2, GIB - 1]),
        ("only", GIB, &[]),
        ("at the start", 10_000_000, &[9_999_999]),
        ("at the end", 10_000_001, &[0]),
        (
            "every other block",
            800_000,
            &[0, 8192, 16384, 24576, 32768, 40960],
        ),
    ];
    for (name, len, places) in files {
        let file = File::create(below.join(name)).unwrap();
        file.set_len(len).unwrap();
        for place in places {
            file.write_all_at(b"!", *place).unwrap();
        }
    }
}

fn hard_links(root: &Directory) {
    let (one, other) = (make(root, "links"), make(root, "other links"));
    fs::write(one.join("file"), "one inode").unwrap();
    symlink("file", one.join("symlink")).unwrap();
    for name in ["file", "symlink"] {
        fs::hard_link(one.join(name), other.join(name)).unwrap();
        fs::hard_link(one.join(name), root.join(format!("~{name}"))).unwrap();
    }
}

fn permissions(root: &Directory) {
    let below = make(root, "permissions");
    for mode in [0o000, 0o4755, 0o2755, 0o1644, 0o7777, 0o600] {
        let file = below.join(format!("file {mode:o}"));
        fs::write(&file, "").unwrap();
        let directory = below.join(format!("directory {mode:o}"));
        fs::create_dir(&directory).unwrap();
        // What a user can't enter can't be packed by that user.
        let readable = PermissionsExt::from_mode(mode | 0o500);
        fs::set_permissions(directory, readable).unwrap();
        fs::set_permissions(file, PermissionsExt::from_mode(mode | 0o400)).unwrap();
    }
}

fn fifo_and_socket(root: &Directory) {
    let below = make(root, "special");
    mknod(&below.join("fifo"), FileType::Fifo, 0);
    fs::hard_link(below.join("fifo"), below.join("the same fifo")).unwrap();
    UnixListener::bind(below.join("socket")).unwrap();
}

pub(crate) fn mknod(path: &Path, kind: FileType, device: u64) {
    mknodat(CWD, path, kind, Mode::from_raw_mode(0o640), device).unwrap();
}

/// Numbers of the old 8 bits and of the new 12 and 20.
fn devices(root: &Directory) {
    let below = make(root, "devices");
    for (major, minor) in [
        (0, 0),
        (1, 3),
        (8, 255),
        (8, 256),
        (255, 1),
        (256, 0),
        (4095, 1_048_575),
    ] {
        for (name, kind) in [
            ("character", FileType::CharacterDevice),
            ("block", FileType::BlockDevice),
        ] {
            let path = below.join(format!("{name} {major} {minor}"));
            mknod(&path, kind, makedev(major, minor));
        }
    }
}

fn owners(root: &Directory) {
    let below = make(root, "owners");
    for (uid, gid) in [
        (1000, 100),
        (65_535, 65_536),
        (65_536, 65_535),
        (4_294_967_294, 100_000),
    ] {
        let path = below.join(format!("{uid} {gid}"));
        fs::write(&path, "").unwrap();
        let link = below.join(format!("link of {uid} {gid}"));
        symlink("nowhere", &link).unwrap();
        lchown(path, Some(uid), Some(gid)).unwrap();
        lchown(link, Some(uid), Some(gid)).unwrap();
    }
}

fn set_xattr(path: &Path, name: &str, value: &[u8]) {
    lsetxattr(path, name, value, XattrFlags::empty()).unwrap_or_else(|error| {
        let shown = path.display();
        panic!("{name} of {shown}: {error}; TMPDIR has to be on a filesystem with attributes")
    });
}

/// What fits into an inode, what needs a block, equal ones that can share it, and many.
fn user_xattrs(root: &Directory) {
    let below = make(root, "xattrs");
    for (name, values) in [
        ("small", &[("user.a", 1)][..]),
        ("empty", &[("user.empty", 0)]),
        ("large", &[("user.large", 3072)]),
        ("as large", &[("user.large", 3072)]),
        ("both", &[("user.small", 20), ("user.large", 3000)]),
    ] {
        let path = below.join(name);
        fs::write(&path, name).unwrap();
        for (name, len) in values {
            set_xattr(&path, name, &vec![0xa5; *len]);
        }
    }
    let many = below.join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..50 {
        set_xattr(
            &many,
            &format!("user.number.{number}"),
            format!("{number}\0").as_bytes(),
        );
    }
}

fn acls(root: &Directory) {
    const NOBODY: u32 = u32::MAX;
    // Owner, user 61234, owning group, group 70000, mask, others. GNU tar 1.34 puts the names of
    // those that have one on this machine into its archives, whatever it is told.
    let full = acl(&[
        (1, 6, NOBODY),
        (2, 4, 61_234),
        (4, 4, NOBODY),
        (8, 6, 70_000),
        (16, 6, NOBODY),
        (32, 0, NOBODY),
    ]);
    let below = make(root, "acls");
    let file = below.join("file");
    fs::write(&file, "").unwrap();
    set_xattr(&file, "system.posix_acl_access", &full);
    let directory = below.join("directory");
    fs::create_dir(&directory).unwrap();
    set_xattr(&directory, "system.posix_acl_access", &full);
    set_xattr(&directory, "system.posix_acl_default", &full);
}

fn security_xattrs(root: &Directory) {
    let below = make(root, "security");
    // CAP_NET_RAW, permitted and effective, as version 2 of struct vfs_cap_data has it.
    let mut capability = [0; 20];
    capability[..6].copy_from_slice(&[1, 0, 0, 2, 0, 0x20]);
    let file = below.join("capable");
    fs::write(&file, "").unwrap();
    set_xattr(&file, "security.capability", &capability);
    let label = b"system_u:object_r:etc_t:s0\0";
    symlink("capable", below.join("symlink")).unwrap();
    for name in ["capable", "symlink", ""] {
        set_xattr(&below.join(name), "security.selinux", label);
    }
    set_xattr(&below, "trusted.overlay.opaque", b"y");
}

/// How many names the largest directory has, and how many of them lead to one inode: ext2 and ext3
/// hold 32000 of those.
const MANY: usize = 200_000;
const SHARED: usize = 25_000;

fn many_names(root: &Directory) {
    let below = make(root, "many");
    let mut first = PathBuf::new();
    for number in 0..MANY {
        let path = below.join(format!("name {number}"));
        if number % SHARED == 0 {
            fs::write(&path, "").unwrap();
            first = path;
        } else {
            fs::hard_link(&first, path).unwrap();
        }
    }
}

const DEPTH: usize = 1000;

fn depth(root: &Directory) {
    let mut path = root.join("deep");
    path.extend(vec!["d"; DEPTH - 1]);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("file"), "at the bottom").unwrap();
}

/// Before 1970, after 2038 and 2106, the last second that ext4 has, and fractions of seconds.
fn times(root: &Directory) {
    let below = make(root, "times");
    for (seconds, nanoseconds) in [
        (-1, 999_999_999),
        (-2_147_483_648, 0),
        (0, 1),
        (2_147_483_647, 999_999_999),
        (2_147_483_648, 5),
        (4_294_967_295, 0),
        (4_294_967_296, 123_456_789),
        (15_032_385_535, 0),
    ] {
        let path = below.join(format!("{seconds} {nanoseconds}"));
        fs::create_dir(&path).unwrap();
        symlink("target", path.join("symlink")).unwrap();
        fs::write(path.join("file"), "").unwrap();
        for name in ["symlink", "file", ""] {
            set_time(&path.join(name), seconds, nanoseconds);
        }
    }
}
