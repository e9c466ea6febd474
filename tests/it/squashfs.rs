//! squashfs filesystems as the programs of squashfs-tools, blkid and the kernel see them.

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use disklayout::disk::{MemDisk, SparseFile};
use disklayout::fs::{Format, FsPlan, Misfits, Options, Request, Unwatched};
use disklayout::tree::{Attributes, Content, Device, Extent, FileTree, Node, NodeId, NodeKind};
use disklayout::{Bytes, Error, ErrorKind, Identity, Timestamp};
use foreign::run::Runner;
use foreign::squashfs::SquashfsFormat;
use tempfile::TempDir;

use crate::checkers::{self, command};
use crate::world::World;
use testkit::checkers::blkid_value;
use testkit::mount::Mounted;
use testkit::root::is_root;
use testkit::trees::xattrs;

const MIB: u64 = 1 << 20;

/// 2001-09-09 01:46:40 UTC.
const TIME: Timestamp = Timestamp::from_seconds(1_000_000_000);

fn put(tree: &mut FileTree, path: &str, kind: NodeKind) -> NodeId {
    let node = Node::new(kind, Attributes::file(TIME));
    tree.put("t", path.as_bytes(), node).unwrap()
}

fn file(bytes: &[u8]) -> NodeKind {
    NodeKind::File(Content::inline(bytes))
}

/// One of everything that squashfs holds. `source` becomes the source of a file with holes.
fn tree(source: &Path) -> FileTree {
    let mut tree = FileTree::new(TIME);
    let root = Attributes {
        permissions: 0o750,
        uid: 7,
        gid: 4_000_000,
        ..Attributes::directory(Timestamp::from_seconds(5))
    };
    tree.set_attributes(FileTree::ROOT, root);
    let plain = put(&mut tree, "/dir/file", file(b"content"));
    tree.link("t", b"/linked", plain).unwrap();
    tree.set_xattrs(
        plain,
        xattrs(&[("user.x", b"a\nb\0c"), ("user.empty", b"")]),
    );
    let large: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    put(&mut tree, "/large", file(&large));
    let owned = put(&mut tree, "/owned", file(b""));
    let attributes = Attributes {
        permissions: 0o6711,
        uid: 3_000_000,
        gid: u32::MAX - 1,
        mtime: TIME,
    };
    tree.set_attributes(owned, attributes);
    let long = format!("/{}/{}", "d".repeat(200), "n".repeat(255));
    put(&mut tree, &long, file(b"long"));
    put(
        &mut tree,
        "/symbolic",
        NodeKind::Symlink("t".repeat(300).into_bytes().into()),
    );
    put(&mut tree, "/pipe", NodeKind::Fifo);
    let device = Device {
        major: 4,
        minor: 300,
    };
    put(&mut tree, "/device", NodeKind::CharacterDevice(device));
    put(&mut tree, "/empty", NodeKind::Directory);
    put_sparse(&mut tree, source);
    tree
}

fn put_sparse(tree: &mut FileTree, source: &Path) {
    fs::write(source, [b'x'; 8192]).unwrap();
    let sparse = File::options().write(true).open(source).unwrap();
    sparse.set_len(20 * MIB).unwrap();
    let extent = Extent {
        logical: 100,
        len: 8092,
        offset: 100,
    };
    let content = Content::host_with_holes(source, 20 * MIB, vec![extent]);
    put(tree, "/sparse", NodeKind::File(content));
}

fn request(tree: FileTree) -> Request<'static> {
    let identity = Identity::new("disk", Timestamp::from_seconds(1_591_012_800));
    Request {
        tree,
        ..Request::new("parts[0]", "squashfs", identity)
    }
}

fn plan(request: Request<'_>, size: u64) -> Result<Box<dyn FsPlan>, Error> {
    SquashfsFormat::default()
        .draft(request)?
        .at(Bytes::new(size))
}

struct Image {
    _dir: TempDir,
    path: PathBuf,
}

/// Writes a plan; unsquashfs has to read it all.
fn write(plan: &dyn FsPlan, size: u64) -> Image {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("squashfs.img");
    let disk = SparseFile::create(File::create_new(&path).unwrap(), size).unwrap();
    plan.write_all(&disk, &Unwatched).unwrap();
    assert_accepted(&path);
    Image { _dir: dir, path }
}

fn assert_accepted(path: &Path) {
    checkers::approved("unsquashfs", &["-s"], path).unwrap();
    checkers::approved("unsquashfs", &["-lln"], path).unwrap();
    assert_eq!(blkid_value(path, "TYPE"), "squashfs");
    checkers::accepted("unsquashfs", path);
}

fn image() -> Image {
    let source = tempfile::tempdir().unwrap();
    let tree = tree(&source.path().join("sparse"));
    write(&*plan(request(tree), 4 * MIB).unwrap(), 4 * MIB)
}

/// What unsquashfs prints of a file.
fn cat(image: &Path, path: &str) -> Vec<u8> {
    let output = command("unsquashfs")
        .arg("-cat")
        .arg(image)
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn unsquashfs_lists_and_reads_everything() {
    let image = image();
    let listed = checkers::approved_text("unsquashfs", &["-lln"], &image.path).unwrap();
    let lines: Vec<String> = listed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let time = "2001-09-09 01:46";
    for line in [
        format!("-rw-r--r-- 0/0 7 {time} squashfs-root/dir/file"),
        format!("-rw-r--r-- 0/0 7 {time} squashfs-root/linked"),
        format!("-rws--s--x 3000000/4294967294 0 {time} squashfs-root/owned"),
        format!("prw-r--r-- 0/0 0 {time} squashfs-root/pipe"),
        format!("-rw-r--r-- 0/0 20971520 {time} squashfs-root/sparse"),
        format!(
            "lrwxrwxrwx 0/0 300 {time} squashfs-root/symbolic -> {}",
            "t".repeat(300)
        ),
    ] {
        assert!(lines.contains(&line), "{line} is not in\n{listed}");
    }
    assert!(listed.contains("crw-r--r-- 0/0"), "{listed}");
    assert_eq!(cat(&image.path, "linked"), b"content");
    assert_eq!(cat(&image.path, "large").len(), 1_200_000);
    let sparse = cat(&image.path, "sparse");
    let mut expected = vec![0; 20 << 20];
    expected[100..8192].fill(b'x');
    assert!(sparse == expected);
    assert!(fs::metadata(&image.path).unwrap().len() == 4 * MIB);
}

/// mksquashfs takes something away from targets in some forms of archives.
#[test]
fn symbolic_links_lead_where_they_led() {
    let long = "t".repeat(150);
    let targets = [
        "/absolute".to_owned(),
        "../above".to_owned(),
        "./here/../..//x/".to_owned(),
        "/\u{e9}".to_owned(),
        "../\u{e9}".to_owned(),
        format!("/{long}"),
        format!("../{long}"),
        format!("./{long}\u{e9}"),
    ];
    let mut tree = FileTree::new(TIME);
    let deep = format!("/{}/{}", "d".repeat(100), "e".repeat(100));
    for (number, target) in targets.iter().enumerate() {
        for directory in ["", &deep] {
            let kind = NodeKind::Symlink(target.as_bytes().into());
            put(&mut tree, &format!("{directory}/{number}"), kind);
        }
    }
    let image = write(&*plan(request(tree), MIB).unwrap(), MIB);
    let unpacked = tempfile::tempdir().unwrap();
    let root = unpacked.path().join("root");
    let mut unpack = command("unsquashfs");
    unpack.arg("-d").arg(&root).arg(&image.path);
    assert!(unpack.output().unwrap().status.success());
    for (number, target) in targets.iter().enumerate() {
        for directory in ["", &deep[1..]] {
            let link = root.join(directory).join(number.to_string());
            assert_eq!(fs::read_link(link).unwrap(), Path::new(target));
        }
    }
}

#[test]
fn the_kernel_shows_everything() {
    if !is_root() {
        return;
    }
    let image = image();
    let mounted = Mounted::new(&image.path, "ro");
    assert_mounted(mounted.path());
}

fn assert_mounted(root: &Path) {
    let of = |path: &str| root.join(path).symlink_metadata().unwrap();
    let (one, other) = (of("dir/file"), of("linked"));
    assert_eq!(
        (one.ino(), one.nlink(), one.mtime()),
        (other.ino(), 2, TIME.seconds)
    );
    let owned = of("owned");
    let found = (owned.mode() & 0o7777, owned.uid(), owned.gid());
    assert_eq!(found, (0o6711, 3_000_000, u32::MAX - 1));
    let itself = fs::metadata(root).unwrap();
    let found = (itself.mode() & 0o7777, itself.uid(), itself.gid());
    assert_eq!(found, (0o750, 7, 4_000_000));
    assert_eq!(itself.mtime(), 5);
    assert!(of("pipe").file_type().is_fifo());
    let device = of("device").rdev();
    assert_eq!(
        (rustix::fs::major(device), rustix::fs::minor(device)),
        (4, 300)
    );
    assert!(of("sparse").blocks() < 2048);
    assert!(fs::read(root.join("large")).unwrap().len() == 1_200_000);
    let mut value = vec![0; 100];
    let path = root.join("linked");
    let len = rustix::fs::lgetxattr(&path, "user.x", &mut value).unwrap();
    assert_eq!(&value[..len], b"a\nb\0c");
    let len = rustix::fs::lgetxattr(&path, "user.empty", &mut value).unwrap();
    assert_eq!(len, 0);
    let long = root.join("d".repeat(200)).join("n".repeat(255));
    assert_eq!(fs::read(long).unwrap(), b"long");
}

#[test]
fn the_bytes_depend_on_nothing_but_the_input() {
    let source = tempfile::tempdir().unwrap();
    let tree = tree(&source.path().join("sparse"));
    let bytes = |threads, tree: &FileTree| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let plan = plan(request(tree.clone()), 4 * MIB).unwrap();
            fs::read(write(&*plan, 4 * MIB).path).unwrap()
        })
    };
    let one = bytes(1, &tree);
    // Every time must differ then that comes from the clock.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(one == bytes(3, &tree));
    let mut other = tree.clone();
    put(&mut other, "/more", file(b""));
    assert!(one != bytes(1, &other));
}

/// A size that follows from the content is found by making it, once.
#[test]
fn its_size_follows_from_its_content() {
    let source = tempfile::tempdir().unwrap();
    let tree = tree(&source.path().join("sparse"));
    let program = tempfile::tempdir().unwrap();
    let found = Runner::from_env().find(&"it".into(), foreign::squashfs::TOOLS[0]);
    let link = program.path().join("mksquashfs");
    symlink(found.unwrap(), &link).unwrap();
    let format = SquashfsFormat::new(Runner::with_search(vec![program.path().to_owned()]));
    let draft = format.draft(request(tree.clone())).unwrap();
    let size = draft.smallest(Bytes::new(0)).unwrap();
    assert!(size.get().is_multiple_of(4096) && size.get() < 2 * MIB);
    let error = draft.smallest(Bytes::new(1)).unwrap_err();
    assert!(
        error.message().contains("nothing can be written"),
        "{error}"
    );
    // Nothing is left to be made: it needs no program any more.
    fs::remove_file(link).unwrap();
    assert_eq!(draft.smallest(Bytes::new(0)).unwrap(), size);
    let found = draft.at(size).unwrap();
    assert_eq!(found.summary().blocks, size.get().div_ceil(128 << 10));
    let image = write(&*found, size.get());
    assert_eq!(cat(&image.path, "dir/file"), b"content");
    // The same as when its size is judged.
    let again = write(
        &*plan(request(tree.clone()), size.get()).unwrap(),
        size.get(),
    );
    assert!(fs::read(&image.path).unwrap() == fs::read(&again.path).unwrap());

    let error = plan(request(tree), size.get() - 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    assert_eq!(error.needed(), Some(size));
    let words = format!("the content takes {}", size.get());
    assert!(error.message().contains(&words), "{error}");
}

/// What is too small is refused before there is a file, with the size that would do.
#[test]
fn too_small_a_size_is_refused_before_a_file_exists() {
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("file"), noise(300_000)).unwrap();
    let make = |table: &str, size: u64| {
        world.run(&format!(
            "make-fs -t squashfs -s {size} --partition={table} {} out.img",
            tree.display()
        ))
    };
    let with_table = "the smallest image with its partition table has 2097152 bytes";
    for (table, before, says) in [("none", 0, ""), ("mbr", MIB, with_table)] {
        let refused = make(table, before + (292 << 10));
        refused.expect(3).says(["the content takes 303104", says]);
        assert!(world.names().is_empty(), "{:?}", world.names());
        make(table, before + (296 << 10)).expect(0);
        fs::remove_file(world.path("out.img")).unwrap();
    }
}

/// Bytes that don't compress take as many as they are, and what is said of them beforehand is more.
#[test]
fn what_surely_fits_is_made_when_it_is_written() {
    let empty = tempfile::tempdir().unwrap();
    let nothing = || SquashfsFormat::new(Runner::with_search(vec![empty.path().to_owned()]));
    let mut tree = FileTree::new(TIME);
    put(&mut tree, "/noise", file(&noise(300_000)));
    for number in 0..1000 {
        let name = format!("/{number}{}", "n".repeat(number % 200));
        put(&mut tree, &name, file(&noise(number)));
    }
    // Without the program, the least size that surely does can be planned and no smaller one.
    let plan = |size: u64| {
        let draft = nothing().draft(request(tree.clone()));
        draft.unwrap().at(Bytes::new(size))
    };
    let (mut below, mut enough) = (4096, 64 * MIB);
    while enough - below > 1 {
        let middle = below.midpoint(enough);
        match plan(middle) {
            Ok(_) => enough = middle,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Tool);
                below = middle;
            }
        }
    }
    for options in [
        Options::default(),
        Options::default().with("compression", "none"),
    ] {
        let request = Request {
            options,
            ..request(tree.clone())
        };
        let draft = SquashfsFormat::default().draft(request).unwrap();
        let takes = draft.smallest(Bytes::new(0)).unwrap().get();
        assert!(takes <= enough, "{takes} of {enough}");
    }
}

/// Bytes that no compression makes fewer.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ len as u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn every_compression_reads_back() {
    for chosen in [
        &[("compression", "xz")][..],
        &[("compression", "zstd"), ("compression-level", "3")],
        &[("compression", "lz4")],
        &[("compression", "lzo"), ("compression-level", "1")],
        &[("compression", "none"), ("block-size", "4096")],
        &[("compression-level", "1"), ("block-size", "1M")],
    ] {
        let mut tree = FileTree::new(TIME);
        let data: Vec<u8> = (0..100_000_u32)
            .flat_map(|i| (i / 9).to_le_bytes())
            .collect();
        put(&mut tree, "/data", file(&data));
        let none = Options::default();
        let options = chosen
            .iter()
            .fold(none, |options, (name, value)| options.with(name, value));
        let request = Request {
            options,
            ..request(tree)
        };
        let image = write(&*plan(request, MIB).unwrap(), MIB);
        assert!(cat(&image.path, "data") == data, "{chosen:?}");
        let said = checkers::approved_text("unsquashfs", &["-s"], &image.path).unwrap();
        let wanted = match chosen[0] {
            ("compression", "none") => "Data is uncompressed".to_owned(),
            ("compression", name) => format!("Compression {name}"),
            _ => "Block size 1048576".to_owned(),
        };
        assert!(said.contains(&wanted), "{said}");
    }
}

#[test]
fn nothing_becomes_a_filesystem_too() {
    let plan = plan(request(FileTree::new(TIME)), MIB).unwrap();
    let image = write(&*plan, MIB);
    let listed = checkers::approved_text("unsquashfs", &["-lln"], &image.path).unwrap();
    assert_eq!(
        listed
            .lines()
            .filter(|line| line.contains("squashfs-root"))
            .count(),
        1
    );
}

#[test]
fn what_it_cannot_hold_is_refused_or_left_out() {
    let mut tree = FileTree::new(TIME);
    put(&mut tree, "/socket", NodeKind::Socket);
    let id = put(&mut tree, "/file", file(b""));
    tree.set_xattrs(
        id,
        xattrs(&[("system.posix_acl_access", b"x"), ("user.kept", b"y")]),
    );
    let error = plan(request(tree.clone()), MIB).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let expected = "'/socket' is a socket, which squashfs can't hold";
    assert!(error.message().starts_with(expected), "{error}");
    let lossy = Request {
        misfits: Misfits::Drop,
        ..request(tree)
    };
    let plan = plan(lossy, MIB).unwrap();
    let [sockets, attributes] = plan.warnings() else {
        panic!("{:?}", plan.warnings());
    };
    let expected = "left out 1 socket, which squashfs can't hold: '/socket'";
    assert_eq!(sockets, expected);
    let expected = "left out 1 extended attribute, which squashfs can't hold: '/file' has the \
        extended attribute system.posix_acl_access (squashfs has user., trusted. and security. \
        only)";
    assert_eq!(attributes, expected);
    let image = write(&*plan, MIB);
    let listed = checkers::approved_text("unsquashfs", &["-lln"], &image.path).unwrap();
    assert!(
        listed.contains("/file") && !listed.contains("socket"),
        "{listed}"
    );
}

/// The root directory as unsquashfs lists it, and its bytes.
fn listed_root(tree: &FileTree, compression: &str) -> String {
    let options = Options::default().with("compression", compression);
    let request = Request {
        options,
        ..request(tree.clone())
    };
    let image = write(&*plan(request, 4 * MIB).unwrap(), 4 * MIB);
    let listed = checkers::approved_text("unsquashfs", &["-lln"], &image.path).unwrap();
    let line = listed.lines().find(|line| line.ends_with(" squashfs-root"));
    let words: Vec<_> = line.unwrap().split_whitespace().collect();
    words.join(" ")
}

/// Owner and time of the root directory come from nothing but the tree, also where its inode is the
/// only one, and where it lies in two blocks of metadata.
#[test]
fn the_root_has_its_owner_and_time() {
    let time = Timestamp::from_seconds(4_000_000_000);
    let root = Attributes {
        permissions: 0o751,
        uid: 70_000,
        gid: 80_000,
        mtime: time,
    };
    let mut tree = FileTree::new(TIME);
    tree.set_attributes(FileTree::ROOT, root);
    for count in [0, 1, 408, 409, 410, 3000] {
        for i in 0..count {
            let id = put(&mut tree, &format!("/{i:04}"), NodeKind::Fifo);
            let attributes = Attributes {
                uid: i % 2500,
                ..Attributes::file(TIME)
            };
            tree.set_attributes(id, attributes);
            if i == 50 {
                tree.set_xattrs(id, xattrs(&[("user.x", b"value")]));
            }
        }
        for compression in ["gzip", "xz", "zstd", "lz4", "lzo", "none"] {
            let line = listed_root(&tree, compression);
            assert!(
                line.starts_with("drwxr-x--x 70000/80000 "),
                "{count}: {line}"
            );
            assert!(line.contains(" 2096-10-02 07:06 "), "{count}: {line}");
        }
    }
}

#[test]
fn what_there_is_not_is_refused() {
    let empty = || request(FileTree::new(TIME));
    let labelled = Request {
        label: Some("label"),
        ..empty()
    };
    let error = plan(labelled, MIB).unwrap_err();
    assert_eq!(
        error.to_string(),
        "parts[0].label: squashfs has no label; leave it out"
    );
    let mut tree = FileTree::new(TIME);
    let id = put(&mut tree, "/early", file(b""));
    tree.set_attributes(id, Attributes::file(Timestamp::from_seconds(-1)));
    let error = plan(request(tree), MIB).unwrap_err();
    assert!(
        error.message().contains("'/early' has the time -1 s"),
        "{error}"
    );
}

#[test]
fn without_the_program_the_error_names_the_package() {
    let empty = tempfile::tempdir().unwrap();
    let format = SquashfsFormat::new(Runner::with_search(vec![empty.path().to_owned()]));
    let draft = || format.draft(request(FileTree::new(TIME))).unwrap();
    let expected = "parts[0]: mksquashfs isn't installed; install the package 'squashfs-tools' (4.5 \
        or newer)";
    let plan = draft().at(Bytes::new(MIB)).unwrap();
    assert_eq!(plan.check_tools().unwrap_err().to_string(), expected);
    let disk = MemDisk::new(MIB);
    let error = plan.write_all(&disk, &Unwatched).unwrap_err();
    assert_eq!(error.to_string(), expected);
    let error = draft().smallest(Bytes::new(0)).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_source_that_changed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source");
    fs::write(&path, "12345").unwrap();
    let mut tree = FileTree::new(TIME);
    put(&mut tree, "/file", NodeKind::File(Content::host(&path, 5)));
    let plan = plan(request(tree), MIB).unwrap();
    fs::write(&path, "123456").unwrap();
    let error = plan.write_all(&MemDisk::new(MIB), &Unwatched).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(error.place(), path.to_str().unwrap());
}

/// `make-fs` with and without a table, from a directory and from a compressed archive.
#[test]
fn make_fs_makes_it() {
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir_all(tree.join("dir")).unwrap();
    fs::write(tree.join("dir/file"), "content").unwrap();
    fs::write(tree.join("other"), vec![b'o'; 100_000]).unwrap();
    symlink("dir/file", tree.join("symbolic")).unwrap();
    let archive = world.root().join("tree.tar.gz");
    let mut tar = command("tar");
    tar.arg("-C").arg(&tree).arg("-czf").arg(&archive).arg(".");
    assert!(tar.status().unwrap().success());
    for (table, size, offset) in [
        ("none", "auto", 0),
        ("mbr", "auto", MIB),
        ("gpt", "8M", MIB),
    ] {
        for (number, input) in [&tree, &archive].into_iter().enumerate() {
            let name = format!("{table}-{number}.img");
            let line = format!(
                "make-fs -t squashfs -s {size} --partition={table} {} {name}",
                input.display()
            );
            world.run(&line).expect(0);
            let whole = fs::read(world.path(&name)).unwrap();
            let part = world.root().join("part");
            fs::write(&part, &whole[offset as usize..]).unwrap();
            checkers::approved("unsquashfs", &["-s"], &part).unwrap();
            assert_eq!(cat(&part, "dir/file"), b"content");
            assert_eq!(cat(&part, "other").len(), 100_000);
        }
    }
}
