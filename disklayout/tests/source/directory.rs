//! Directories read into a tree, compared with what `find` and `getfattr` say of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use disklayout::Timestamp;
use disklayout::source::{Rules, add_directory};
use disklayout::tree::{Device, FileTree, NodeId, NodeKind};
use rustix::fs::{
    CWD, FileType, Mode, OFlags, XattrFlags, lsetxattr, makedev, mkdirat, mknodat, openat,
};

use testkit::metadata::{getfattr, set_time};
use testkit::program::output;
use testkit::root::is_root;

const EMPTY: Timestamp = Timestamp::from_seconds(0);

fn read(path: &Path) -> FileTree {
    let mut tree = FileTree::new(EMPTY);
    add_directory(&mut tree, "d", path, &Rules::default()).unwrap();
    tree
}

/// What `find` prints of every file, by path.
type Lines = BTreeMap<Vec<u8>, Vec<u8>>;

/// Mode with its type, owner, group, time, links, target and, for files, the size.
fn found(top: &Path) -> Lines {
    let format = "%P\\0%M %m %U %G %T@ %n \\0%l\\0%s\\0";
    let arguments = [top.as_os_str(), OsStr::new("-printf"), OsStr::new(format)];
    let text = output("find", &arguments).stdout;
    let fields: Vec<_> = text.split(|byte| *byte == 0).collect();
    let entries = fields.chunks_exact(4).map(|entry| {
        let [path, attributes, target, size] = entry.try_into().unwrap();
        let is_directory = attributes.starts_with(b"d");
        let is_file = attributes.starts_with(b"-");
        let mut attributes = attributes.to_vec();
        if is_directory {
            // How many links a directory has is up to its filesystem.
            let fields: Vec<_> = attributes.split(|byte| *byte == b' ').collect();
            attributes = [&fields[..5].join(&b' ')[..], b" - "].concat();
        }
        let size = if is_file { size } else { b"" };
        (path.to_vec(), [&attributes, target, b" ", size].concat())
    });
    entries.collect()
}

/// The same of a tree.
fn planned(tree: &FileTree) -> Lines {
    let mut lines = Lines::new();
    let mut directories = vec![(Vec::new(), FileTree::ROOT)];
    while let Some((path, id)) = directories.pop() {
        lines.insert(path.clone(), line(tree, id));
        for (name, node) in tree.entries(id) {
            let slash = if path.is_empty() { &b""[..] } else { b"/" };
            directories.push(([&path, slash, name].concat(), node));
        }
    }
    lines
}

fn line(tree: &FileTree, id: NodeId) -> Vec<u8> {
    let node = tree.node(id);
    let (letter, target, size) = match &node.kind {
        NodeKind::Directory => ('d', None, String::new()),
        NodeKind::File(content) => ('-', None, content.len().to_string()),
        NodeKind::Symlink(target) => ('l', Some(target), String::new()),
        NodeKind::CharacterDevice(_) => ('c', None, String::new()),
        NodeKind::BlockDevice(_) => ('b', None, String::new()),
        NodeKind::Fifo => ('p', None, String::new()),
        NodeKind::Socket => ('s', None, String::new()),
    };
    let links = match &node.kind {
        NodeKind::Directory => "-".to_owned(),
        _ => tree.links(id).to_string(),
    };
    let attributes = node.attributes;
    let start = format!(
        "{letter}{} {:o} {} {} {}.{:09}0 {links} ",
        letters(attributes.permissions),
        attributes.permissions,
        attributes.uid,
        attributes.gid,
        attributes.mtime.seconds,
        attributes.mtime.nanoseconds,
    );
    let target = target.map_or(&b""[..], |target| target);
    [start.as_bytes(), target, b" ", size.as_bytes()].concat()
}

/// `rwxr-xr-x`.
fn letters(mode: u16) -> String {
    let special = [(0o4000, 's'), (0o2000, 's'), (0o1000, 't')];
    let letter = |bit: usize| {
        let is_set = mode & (0o400 >> bit) != 0;
        let (mask, letter) = special[bit / 3];
        match (bit % 3, is_set, mode & mask != 0) {
            (2, true, true) => letter,
            (2, false, true) => letter.to_ascii_uppercase(),
            (_, true, _) => ['r', 'w', 'x'][bit % 3],
            (_, false, _) => '-',
        }
    };
    (0..9).map(letter).collect()
}

fn assert_same(top: &Path, tree: &FileTree) {
    let (expected, planned) = (found(top), planned(tree));
    let shown = |lines: &Lines| {
        let shown = |(path, line): (&Vec<u8>, &Vec<u8>)| {
            format!("{} {}", path.escape_ascii(), line.escape_ascii())
        };
        lines.iter().map(shown).collect::<Vec<_>>()
    };
    let (expected, planned) = (shown(&expected), shown(&planned));
    let missing: Vec<_> = expected.iter().filter(|l| !planned.contains(l)).collect();
    let extra: Vec<_> = planned.iter().filter(|l| !expected.contains(l)).collect();
    assert_eq!(missing, extra, "find says the first, the tree the second");
}

fn xattrs(tree: &FileTree, path: &[u8]) -> Vec<(String, Vec<u8>)> {
    let node = tree.node(tree.find(path).unwrap());
    let text = |name: &[u8]| name.escape_ascii().to_string();
    let all = node.xattrs.iter();
    // A host may add labels of its own.
    let own = all.filter(|xattr| !xattr.name.starts_with(b"security.selinux"));
    own.map(|xattr| (text(&xattr.name), xattr.value.to_vec()))
        .collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Every kind of file that needs no root.
fn make_kinds(top: &Path) {
    fs::create_dir_all(top.join("dir/empty")).unwrap();
    fs::write(top.join("dir/file"), "some text").unwrap();
    fs::hard_link(top.join("dir/file"), top.join("second")).unwrap();
    fs::write(top.join("run"), "").unwrap();
    set_mode(&top.join("run"), 0o6755);
    set_mode(&top.join("dir"), 0o1777);
    set_mode(top, 0o2750);
    symlink("dir/file", top.join("link")).unwrap();
    symlink("x".repeat(4000), top.join("long link")).unwrap();
    mknodat(
        CWD,
        top.join("pipe"),
        FileType::Fifo,
        Mode::from_raw_mode(0o620),
        0,
    )
    .unwrap();
    drop(UnixListener::bind(top.join("socket")).unwrap());
    let strange = Path::new(OsStr::from_bytes(b"\xff\n\x01")).join("x".repeat(255));
    fs::create_dir_all(top.join(strange)).unwrap();
    let sparse = File::create(top.join("sparse")).unwrap();
    sparse.set_len(10 << 20).unwrap();
    sparse.write_all_at(b"middle", 5 << 20).unwrap();
    for (name, seconds, nanoseconds) in [
        ("dir/file", 1, 999_999_999),
        ("link", 4_000_000_000, 1),
        ("pipe", 0, 123_456_789),
        ("dir", 86_400, 5),
    ] {
        set_time(&top.join(name), seconds, nanoseconds);
    }
}

/// Devices and owners, which only root can make.
fn make_what_needs_root(top: &Path) {
    if !is_root() {
        return;
    }
    let mode = Mode::from_raw_mode(0o640);
    for (name, kind, (major, minor)) in [
        ("null", FileType::CharacterDevice, (1, 3)),
        ("disk", FileType::BlockDevice, (4095, 1_048_575)),
        ("old", FileType::BlockDevice, (8, 255)),
        ("new", FileType::CharacterDevice, (256, 256)),
    ] {
        mknodat(CWD, top.join(name), kind, mode, makedev(major, minor)).unwrap();
    }
    for (name, uid) in [("null", 12), ("link", 100_000), ("dir", u32::MAX - 1)] {
        std::os::unix::fs::lchown(top.join(name), Some(uid), Some(uid / 2)).unwrap();
    }
}

fn assert_devices(top: &Path, tree: &FileTree) {
    for (_, node) in tree.nodes() {
        let (NodeKind::CharacterDevice(device) | NodeKind::BlockDevice(device)) = node.kind else {
            continue;
        };
        let Device { major, minor } = device;
        let is_it = |name: &&str| {
            let stat = rustix::fs::lstat(top.join(name)).map(|stat| stat.st_rdev);
            stat.is_ok_and(|number| number == makedev(major, minor))
        };
        let names = ["null", "disk", "old", "new"];
        let name = names.iter().find(|name| is_it(name)).unwrap();
        let path = top.join(name);
        let arguments = [OsStr::new("-c"), OsStr::new("%Hr %Lr"), path.as_os_str()];
        let said = output("stat", &arguments).stdout;
        assert_eq!(said, format!("{major} {minor}\n").as_bytes(), "{name}");
    }
}

#[test]
fn a_directory_is_read_as_find_and_stat_see_it() {
    let scratch = tempfile::tempdir().unwrap();
    let top = scratch.path().join("top");
    fs::create_dir(&top).unwrap();
    make_kinds(&top);
    make_what_needs_root(&top);
    let tree = read(&top);
    assert_same(&top, &tree);
    assert_devices(&top, &tree);

    let NodeKind::File(sparse) = &tree.node(tree.find(b"/sparse").unwrap()).kind else {
        panic!("no file")
    };
    let extents: Vec<_> = sparse.extents().map(|e| (e.logical, e.len)).collect();
    assert_eq!(extents, [(5 << 20, 4096)]);

    // The comparison sees a difference.
    fs::write(top.join("run"), "x").unwrap();
    assert_ne!(found(&top), planned(&tree));
}

#[test]
fn extended_attributes_are_read_as_getfattr_sees_them() {
    let scratch = tempfile::tempdir().unwrap();
    let top = scratch.path();
    fs::create_dir(top.join("dir")).unwrap();
    fs::write(top.join("file"), "").unwrap();
    symlink("file", top.join("link")).unwrap();
    let set = |path: &Path, name: &str, value: &[u8]| {
        lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
    };
    set(top, "user.top", b"t");
    set(&top.join("dir"), "user.empty", b"");
    set(&top.join("file"), "user.b", &[0, 255, 10]);
    set(&top.join("file"), "user.a", &[7; 2000]);
    // Read by anybody; read and written by user 1; version 2 of the kernel's form.
    let mut acl = vec![2, 0, 0, 0];
    for (tag, permissions, id) in [
        (1_u16, 6_u16, u32::MAX),
        (2, 6, 1),
        (4, 4, u32::MAX),
        (16, 6, u32::MAX),
        (32, 4, u32::MAX),
    ] {
        acl.extend(tag.to_le_bytes());
        acl.extend(permissions.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    set(&top.join("file"), "system.posix_acl_access", &acl);
    set(&top.join("dir"), "system.posix_acl_default", &acl);
    if is_root() {
        set(&top.join("link"), "trusted.of-link", b"not of the file");
    }
    let tree = read(top);
    let mut count = 0;
    for path in ["", "dir", "file", "link"] {
        for (name, value) in xattrs(&tree, format!("/{path}").as_bytes()) {
            let same = getfattr(&top.join(path), &name);
            assert_eq!(same, value, "{path} {name}");
            count += 1;
        }
    }
    let names = |path: &[u8]| xattrs(&tree, path).into_iter().map(|(name, _)| name);
    let file = ["system.posix_acl_access", "user.a", "user.b"];
    assert!(names(b"/file").eq(file));
    assert!(names(b"/dir").eq(["system.posix_acl_default", "user.empty"]));
    assert!(count >= 6);
}

/// A directory that is gone at the end, however deep it is.
struct Deep(tempfile::TempDir);

impl Drop for Deep {
    fn drop(&mut self) {
        output("rm", &[OsStr::new("-rf"), self.0.path().as_os_str()]);
    }
}

/// Three times as long as the kernel takes a path, and deeper than a process has descriptors.
#[test]
fn a_path_of_thousands_of_components_is_read_with_its_contents() {
    const DEPTH: usize = 3000;
    let deep = Deep(tempfile::tempdir().unwrap());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut directory: OwnedFd = openat(CWD, deep.0.path(), flags, Mode::empty()).unwrap();
    for _ in 0..DEPTH {
        mkdirat(&directory, "dir", Mode::from_raw_mode(0o755)).unwrap();
        directory = openat(&directory, "dir", flags, Mode::empty()).unwrap();
    }
    let create = OFlags::WRONLY | OFlags::CREATE;
    let file = openat(
        directory.as_fd(),
        "file",
        create,
        Mode::from_raw_mode(0o600),
    )
    .unwrap();
    rustix::io::write(&file, b"at the bottom").unwrap();
    rustix::fs::symlinkat("target", &directory, "link").unwrap();

    let tree = read(deep.0.path());
    assert_same(deep.0.path(), &tree);
    let [(path, content)] = &tree.files()[..] else {
        panic!("not one file")
    };
    assert_eq!(path.len(), 4 * DEPTH + "/file".len());
    let mut text = [0; 13];
    content.open().unwrap().read_exact(&mut text).unwrap();
    assert_eq!(&text, b"at the bottom");
}
