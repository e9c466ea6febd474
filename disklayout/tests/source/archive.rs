//! Archives made by GNU tar and bsdtar: what is read of them is what they were given.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use disklayout::Timestamp;
use disklayout::source::{Rules, add_archive};
use disklayout::tree::{FileTree, Node, NodeKind};
use tempfile::TempDir;

use testkit::metadata::acl;
use testkit::program::output;

/// Runs a program that must succeed.
#[track_caller]
fn make<S: AsRef<OsStr> + std::fmt::Debug>(program: &str, arguments: &[S]) {
    let output = output(program, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// A directory of everything that needs no privileges; one file is of this time.
fn directory(time: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let long = format!("d/{}/{}", "e".repeat(150), "f".repeat(150));
    fs::create_dir_all(path(&long).parent().unwrap()).unwrap();
    fs::write(path("f"), "one").unwrap();
    fs::set_permissions(path("f"), PermissionsExt::from_mode(0o4711)).unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::write(path(&long), vec![b'x'; 100_000]).unwrap();
    fs::write(path("d/\u{e9}\n\\"), "name").unwrap();
    fs::hard_link(path("f"), path("d/hard")).unwrap();
    symlink("f", path("s")).unwrap();
    symlink("t".repeat(200), path("long-target")).unwrap();
    make("mkfifo", &[path("p")]);
    let sparse = File::create(path("sparse")).unwrap();
    for index in 0..30 {
        sparse.write_all_at(b"data", index * (1 << 20)).unwrap();
    }
    sparse.set_len(40 << 20).unwrap();
    make(
        "touch",
        &[OsStr::new(&format!("-d{time}")), path("f").as_os_str()],
    );
    directory
}

#[track_caller]
fn index(archive: &Path) -> FileTree {
    let mut tree = FileTree::new(Timestamp::default());
    let file = File::open(archive).unwrap();
    let name = archive.display().to_string();
    add_archive(&mut tree, "rootfs", &name, file, &Rules::default()).unwrap();
    tree
}

/// Compares a directory with a tree; tells how many entries it has.
#[track_caller]
fn compare(directory: &Path, tree: &FileTree, at: &[u8], is_exact: bool) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let path = [at, b"/", name.as_encoded_bytes()].concat();
        let shown = path.escape_ascii().to_string();
        let id = tree.find(&path).unwrap_or_else(|| panic!("no {shown}"));
        let (node, metadata) = (tree.node(id), entry.metadata().unwrap());
        compare_attributes(node, &metadata, is_exact, &shown);
        match &node.kind {
            NodeKind::Directory => count += compare(&entry.path(), tree, &path, is_exact),
            NodeKind::File(content) => {
                let mut bytes = vec![0; content.len() as usize];
                content.open().unwrap().read_exact(&mut bytes).unwrap();
                assert!(bytes == fs::read(entry.path()).unwrap(), "{shown}");
                assert_eq!(u64::from(tree.links(id)), metadata.nlink(), "{shown}");
            }
            NodeKind::Symlink(target) => {
                let expected = fs::read_link(entry.path()).unwrap();
                assert_eq!(**target, *expected.as_os_str().as_encoded_bytes());
            }
            other => assert_eq!(other.noun(), "named pipe", "{shown}"),
        }
        count += 1;
    }
    count
}

#[track_caller]
fn compare_attributes(node: &Node, metadata: &fs::Metadata, is_exact: bool, shown: &str) {
    let found = node.attributes;
    assert_eq!(
        u32::from(found.permissions),
        metadata.mode() & 0o7777,
        "{shown}"
    );
    assert_eq!(
        (found.uid, found.gid),
        (metadata.uid(), metadata.gid()),
        "{shown}"
    );
    assert_eq!(found.mtime.seconds, metadata.mtime(), "{shown}");
    if is_exact {
        assert_eq!(
            i64::from(found.mtime.nanoseconds),
            metadata.mtime_nsec(),
            "{shown}"
        );
    }
}

/// Packs all of `directory` and compares.
#[track_caller]
fn pack_and_compare(program: &str, options: &[&str], is_exact: bool, has_holes: bool) {
    // libarchive 3.6 writes fractions of times before 1970 wrong.
    let time = if program == "tar" { "@-5.25" } else { "@5.25" };
    let directory = directory(time);
    let others = TempDir::new().unwrap();
    let archive = others.path().join("archive");
    let mut arguments: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
    arguments.extend([OsStr::new("-cf"), archive.as_os_str()]);
    arguments.extend([
        OsStr::new("-C"),
        directory.path().as_os_str(),
        OsStr::new("."),
    ]);
    make(program, &arguments);
    let tree = index(&archive);
    let count = compare(directory.path(), &tree, b"", is_exact);
    assert_eq!(count, 11, "{program} {options:?}");
    let NodeKind::File(content) = &tree.node(tree.find(b"/sparse").unwrap()).kind else {
        panic!("no file");
    };
    assert_eq!(
        content.data_len() < content.len() / 2,
        has_holes,
        "{program} {options:?}"
    );
}

#[test]
fn archives_of_gnu_tar() {
    let old = ["--format=gnu", "--sparse"];
    pack_and_compare("tar", &old, false, true);
    pack_and_compare("tar", &["--format=gnu", "--gzip"], false, false);
    for version in ["0.0", "0.1", "1.0"] {
        let version = format!("--sparse-version={version}");
        let options = ["--format=posix", "--sparse", &version];
        pack_and_compare("tar", &options, true, true);
    }
    for compression in ["--xz", "--zstd", "--bzip2"] {
        let options = ["--format=posix", "--sparse", compression];
        pack_and_compare("tar", &options, true, true);
    }
}

#[test]
fn archives_of_bsdtar() {
    pack_and_compare("bsdtar", &["--format=pax"], true, true);
    pack_and_compare("bsdtar", &["--format=gnutar"], false, false);
    pack_and_compare("bsdtar", &["--format=pax", "--zstd"], true, true);
}

fn xattrs(tree: &FileTree, path: &str) -> Vec<(String, Vec<u8>)> {
    let node = tree.node(tree.find(path.as_bytes()).unwrap());
    let xattrs = node.xattrs.iter().map(|xattr| {
        let name = String::from_utf8(xattr.name.to_vec()).unwrap();
        (name, xattr.value.to_vec())
    });
    xattrs
        .filter(|(name, _)| !name.starts_with("security."))
        .collect()
}

#[test]
fn attributes_and_lists_of_both() {
    // Not every filesystem for temporary files has attributes of users.
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    fs::write(path("f"), "").unwrap();
    fs::create_dir(path("d")).unwrap();
    make(
        "setfattr",
        &["-n", "user.a", "-v", "0x000a3dff", &path("f")],
    );
    make("setfacl", &["-m", "u:12345:r-x,g:54321:-w-", &path("f")]);
    make("setfacl", &["-d", "-m", "u:0:rwx", &path("d")]);
    const NONE: u32 = u32::MAX;
    let mode = fs::metadata(path("f")).unwrap().mode() as u16;
    let (owner, others) = (mode >> 6 & 7, mode & 7);
    let group = others;
    let access = acl(&[
        (1, owner, NONE),
        (2, 5, 12345),
        (4, group, NONE),
        (8, 2, 54321),
        (0x10, 7, NONE),
        (0x20, others, NONE),
    ]);
    let expected_file = [
        ("system.posix_acl_access".to_owned(), access),
        ("user.a".to_owned(), b"\0\n=\xFF".to_vec()),
    ];
    let archive = path("archive");
    let gnu = ["--format=posix", "--acls", "--xattrs", "--numeric-owner"];
    let bsd = ["--format=pax", "--acls", "--xattrs"];
    for (program, options) in [("tar", &gnu[..]), ("bsdtar", &bsd)] {
        let mut arguments = options.to_vec();
        let files = [
            "-cf",
            &archive,
            "-C",
            directory.path().to_str().unwrap(),
            "f",
            "d",
        ];
        arguments.extend(files);
        make(program, &arguments);
        let tree = index(Path::new(&archive));
        assert_eq!(xattrs(&tree, "/f"), expected_file, "{program}");
        let of_directory = xattrs(&tree, "/d");
        let [(name, value)] = of_directory.as_slice() else {
            panic!("{program}: {of_directory:?}");
        };
        assert_eq!(name, "system.posix_acl_default", "{program}");
        assert_eq!(value[12..20], *b"\x02\0\x07\0\0\0\0\0", "{program}");
    }
}

/// The name is in the archive, not the number, and the numbers are in its last members.
#[test]
fn lists_with_names_get_the_numbers_of_the_archive() {
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    fs::create_dir(path("etc")).unwrap();
    fs::write(path("f"), "").unwrap();
    for name in ["passwd", "group"] {
        fs::copy(format!("/etc/{name}"), path(&format!("etc/{name}"))).unwrap();
    }
    make("setfacl", &["-m", "u:1:r-x,g:4:rw-", &path("f")]);
    let archive = path("archive");
    let of = directory.path().to_str().unwrap();
    let options = ["--format=posix", "--acls", "-C", of, "-cf", &archive];
    make("tar", &[&options[..], &["f", "etc"]].concat());
    let tree = index(Path::new(&archive));
    let found = xattrs(&tree, "/f");
    let [(name, value)] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(name, "system.posix_acl_access");
    assert_eq!(value[12..20], *b"\x02\0\x05\0\x01\0\0\0");
    assert_eq!(value[28..36], *b"\x08\0\x06\0\x04\0\0\0");
}

/// What the program `lz4` makes in all its ways, alone and one behind the other.
#[test]
fn archives_compressed_with_lz4() {
    let directory = directory("@5");
    let others = TempDir::new().unwrap();
    let path = |name: &str| others.path().join(name).display().to_string();
    // Several blocks, some of which can't be compressed.
    let noise: Vec<u8> = (0..700_000_u64)
        .map(|index| (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect();
    fs::write(directory.path().join("d/noise"), &noise).unwrap();
    let of = directory.path().to_str().unwrap();
    make(
        "tar",
        &[
            "--format=posix",
            "--sparse",
            "-C",
            of,
            "-cf",
            &path("tar"),
            ".",
        ],
    );
    let bytes = fs::read(path("tar")).unwrap();
    let (start, end) = bytes.split_at(bytes.len() / 3);
    fs::write(path("start"), start).unwrap();
    fs::write(path("end"), end).unwrap();
    for options in [
        &["-1"][..],
        &["-9", "-B4", "-BD", "--content-size"],
        &["-B5", "-BX", "--no-frame-crc"],
        &["-1", "-B6", "-BD", "-BX"],
        &["-12", "-B4"],
        &["-l"],
    ] {
        let compress = |name: &str| {
            let (from, to) = (path(name), path(&format!("{name}.lz4")));
            make("lz4", &[&["-q", "-f"], options, &[&from, &to]].concat());
            fs::read(to).unwrap()
        };
        let joined = [compress("start"), compress("end")].concat();
        for packed in [compress("tar"), joined] {
            fs::write(path("packed"), packed).unwrap();
            let tree = index(Path::new(&path("packed")));
            let count = compare(directory.path(), &tree, b"", true);
            assert_eq!(count, 12, "{options:?}");
        }
    }
}
