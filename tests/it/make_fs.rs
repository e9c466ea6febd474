//! `make-fs`: images from directories and archives, judged by e2fsprogs and sfdisk.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use createhdds::engine::{Directory, Output, Temporaries};
use serde_json::Value;

use testkit::metadata::set_time;

use crate::checkers::{self, Volume, ask_debugfs, command};
use crate::world::{BINARY, Run, World, names, send};

/// A world with a tree of files, beside a configuration that can't be read.
fn world() -> World {
    let world = World::new("", "", "");
    fs::write(world.config(), "no JSON").unwrap();
    let tree = tree(&world);
    fs::create_dir_all(tree.join("dir/deep")).unwrap();
    fs::write(tree.join("dir/file"), "content").unwrap();
    fs::write(tree.join("dir/deep/large"), vec![b'x'; 300_000]).unwrap();
    fs::hard_link(tree.join("dir/file"), tree.join("linked")).unwrap();
    symlink("dir/file", tree.join("symbolic")).unwrap();
    fs::set_permissions(tree.join("dir/file"), fs::Permissions::from_mode(0o640)).unwrap();
    set_time(&tree.join("dir/file"), 1_234_567_890, 0);
    world
}

/// What was in the place of an image before: a disk on which nothing is.
const OLD: [u8; 4096] = [0; 4096];

fn put_old(world: &World) {
    fs::write(world.path("a.img"), OLD).unwrap();
}

fn has_old(world: &World) -> bool {
    fs::read(world.path("a.img")).is_ok_and(|bytes| bytes == OLD)
}

fn tree(world: &World) -> PathBuf {
    world.root().join("tree")
}

/// An archive of the tree, made by GNU tar.
fn archive(world: &World, name: &str, options: &[&str]) -> PathBuf {
    let path = world.root().join(name);
    let mut tar = command("tar");
    tar.arg("-C")
        .arg(tree(world))
        .args(options)
        .arg("-cf")
        .arg(&path)
        .arg(".");
    assert!(tar.status().unwrap().success());
    path
}

/// The files of [`world`] in an image.
fn assert_holds_the_tree(image: &Path) {
    checkers::e2fsck(image).unwrap();
    assert_eq!(ask_debugfs(image, "cat /dir/file"), "content");
    assert_eq!(ask_debugfs(image, "cat /linked"), "content");
    assert_eq!(ask_debugfs(image, "cat /dir/deep/large").len(), 300_000);
    let stat = ask_debugfs(image, "stat /linked");
    assert!(stat.contains("Links: 2"), "{stat}");
    assert!(stat.contains("Mode:  0640"), "{stat}");
    let link = ask_debugfs(image, "stat /symbolic");
    assert!(link.contains("Fast link dest: \"dir/file\""), "{link}");
}

#[test]
fn a_directory_becomes_an_image_without_any_configuration() {
    for (kind, options) in [("ext2", ""), ("ext3", ""), ("ext4", "--no-sync")] {
        let world = world();
        let run = world.run(&format!("make-fs -t {kind} -s 20M {options} ../tree a.img"));
        run.expect(0).prints("").says([
            "Creating image a.img...[1/1]",
            "Built 1 of 1 image",
            "a.img: 20971520 bytes",
        ]);
        assert_eq!(world.names(), ["a.img"]);
        let image = world.path("a.img");
        assert_holds_the_tree(&image);
        let metadata = fs::metadata(&image).unwrap();
        assert_eq!(
            (metadata.len(), metadata.mode() & 0o7777),
            (20 << 20, 0o644)
        );
        let listed = ask_debugfs(&image, "stat /dir/file");
        assert!(listed.contains("mtime: 0x499602d2"), "{listed}");
    }
}

#[test]
fn the_size_may_follow_from_the_content() {
    let world = world();
    let free = |line: &str| {
        world
            .run(&format!("make-fs {line} ../tree a.img"))
            .expect(0);
        let image = world.path("a.img");
        assert_holds_the_tree(&image);
        let head = checkers::approved_text("dumpe2fs", &["-h"], &image).unwrap();
        let number = |key: &str| -> u64 {
            let line = head.lines().find(|line| line.starts_with(key)).unwrap();
            line[key.len()..].trim().parse().unwrap()
        };
        let size = number("Block count:") * number("Block size:");
        assert_eq!(size, fs::metadata(&image).unwrap().len(), "{line}");
        let free = number("Free blocks:").saturating_sub(number("Reserved block count:"));
        (size, free * number("Block size:"))
    };
    let (smallest, _) = free("");
    assert!((300_000..20 << 20).contains(&smallest), "{smallest}");
    for line in ["-s auto+5M", "-s +5M"] {
        let (size, free) = free(line);
        assert!(
            free >= 5 << 20 && size > smallest,
            "{line}: {free} of {size}"
        );
    }
    let (_, free) = free("-s auto+50%");
    assert!(free >= smallest / 2, "{free} of {smallest}");
}

#[test]
fn a_size_that_is_too_small_names_the_smallest_that_does() {
    let world = world();
    put_old(&world);
    for table in ["none", "mbr", "gpt"] {
        let line = format!("make-fs --partition={table} ../tree a.img");
        let run = world.run(&format!("{line} -s 300K")).expect(3);
        let asked = match table {
            "none" => "the smallest size that holds it is ",
            _ => "the smallest image with its partition table has ",
        };
        let (_, size) = run.stderr.split_once(asked).unwrap();
        let (size, _) = size.split_once(' ').unwrap();
        assert!(has_old(&world) && world.names() == ["a.img"]);
        world.run(&format!("{line} -s {size}")).expect(0);
        put_old(&world);
    }
}

#[test]
fn a_filesystem_may_be_in_a_partition() {
    for (option, label, kind) in [
        (
            "--partition=gpt",
            "gpt",
            "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
        ),
        ("--partition", "dos", "83"),
        ("-p=mbr", "dos", "83"),
    ] {
        let world = world();
        world
            .run(&format!("make-fs {option} -s 20M ../tree a.img"))
            .expect(0);
        let image = world.path("a.img");
        checkers::sfdisk_verify(&image).unwrap();
        let table = checkers::table(&image).unwrap();
        assert_eq!(table.label, label, "{option}");
        let entry = &table.entries[0];
        assert_eq!((entry.start, &*entry.kind), (2048, kind));
        let volume = Volume::of_partition(&image, entry);
        assert_holds_the_tree(&volume);
    }
}

#[test]
fn archives_come_from_files_and_from_standard_input() {
    let world = world();
    let plain = archive(&world, "plain.tar", &[]);
    let packed = archive(&world, "packed", &["-z"]);
    let outputs = [
        "file.img",
        "packed.img",
        "stdin.img",
        "pipe.img",
        "middle.img",
    ];
    for (name, input) in outputs
        .iter()
        .zip([&plain, &packed, &plain, &packed, &plain])
    {
        let mut command = world.command("make-fs -s 20M --seed same");
        match *name {
            "stdin.img" => command.arg("-").stdin(File::open(input).unwrap()),
            "pipe.img" | "middle.img" => command.arg("-").stdin(Stdio::piped()),
            _ => command.arg(input),
        };
        let mut child = command.arg(name).spawn().unwrap();
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(&fs::read(input).unwrap()).unwrap();
        }
        let run = Run::ended((*name).to_owned(), child.wait_with_output().unwrap());
        run.expect(0);
        assert_holds_the_tree(&world.path(name));
    }
    assert_eq!(
        world.names().len(),
        outputs.len(),
        "nothing is left of the pipes"
    );
    let images = outputs.map(|name| fs::read(world.path(name)).unwrap());
    assert!(
        images.iter().all(|image| *image == images[0]),
        "a pipe makes a difference"
    );
}

#[test]
fn inputs_are_laid_over_each_other() {
    let world = world();
    let over = world.root().join("over");
    fs::create_dir_all(over.join("dir")).unwrap();
    fs::write(over.join("dir/file"), "new").unwrap();
    world
        .run("make-fs -s 20M --owner 7:8 --exclude deep ../tree ../over a.img")
        .expect(0);
    let image = world.path("a.img");
    checkers::e2fsck(&image).unwrap();
    assert_eq!(ask_debugfs(&image, "cat /dir/file"), "new");
    assert_eq!(ask_debugfs(&image, "cat /linked"), "content");
    let list = ask_debugfs(&image, "ls -p /dir");
    assert!(
        list.contains("/7/8/file/") && !list.contains("deep"),
        "{list}"
    );
}

#[test]
fn the_filesystem_is_as_the_options_say() {
    let world = world();
    let uuid = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
    let line = format!(
        "make-fs -t ext4 -s 32M -L DATA -U {uuid} --block-size 2048 --inode-size 512 \
         --inodes 1000 --reserved 2.5 --journal 4M --features ^metadata_csum \
         --last-mounted /mnt ../tree a.img"
    );
    world.run(&line).expect(0);
    let image = world.path("a.img");
    assert_holds_the_tree(&image);
    let head = checkers::approved_text("dumpe2fs", &["-h"], &image).unwrap();
    let head: Vec<_> = head
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for expected in [
        "Filesystem volume name: DATA",
        "Filesystem UUID: 8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de",
        "Block size: 2048",
        "Inode size: 512",
        "Reserved block count: 409",
        "Total journal size: 4096k",
        "Last mounted on: /mnt",
    ] {
        assert!(
            head.iter().any(|line| line == expected),
            "{expected}: {head:#?}"
        );
    }
    assert!(
        !head.iter().any(|line| line.contains("metadata_csum")),
        "{head:#?}"
    );
}

#[test]
fn what_cannot_be_made_touches_no_file() {
    for (line, status, part) in [
        (
            "make-fs ../missing a.img",
            3,
            "can't open the input '../missing'",
        ),
        (
            "make-fs -s 20M ../tree ../tree/a.img",
            3,
            "would contain itself",
        ),
        (
            "make-fs -s 20M ../tree ../tree/dir/deep/a.img",
            3,
            "would contain itself",
        ),
        ("make-fs -s 20M .. a.img", 3, "would contain itself"),
        (
            "make-fs -s 20M ../tree ../link/a.img",
            3,
            "would contain itself",
        ),
        (
            "make-fs -s 20M ../plain.tar ../plain.tar",
            3,
            "is an input too",
        ),
        ("make-fs -s 20M ../plain.tar ../other", 3, "is an input too"),
        (
            "make-fs -s 20M ../tree ../missing/a.img",
            3,
            "can't open the image directory",
        ),
        ("make-fs -s 20M ../tree ../directory", 3, "is a directory"),
        ("make-fs -s 20M ../tree symbolic", 3, "is a symbolic link"),
        ("make-fs -s 20M ../tree /dev/null", 3, "is a device"),
        ("make-fs -s 20M ../tree a/", 3, "is no file name"),
        (
            "make-fs -s 20M /dev/full a.img",
            3,
            "'/dev/full' is a device",
        ),
        (
            "make-fs --format qcow2,raw ../tree -",
            64,
            "standard output",
        ),
        ("make-fs --format qcow2 ../tree -", 3, "standard output"),
        ("--json make-fs ../tree -", 3, "--json"),
        ("make-fs -s 20M - - a.img", 64, "only once"),
        ("make-fs -s 20x ../tree a.img", 64, "--size"),
        (
            "make-fs -t ext4 -s 20M -L 12345678901234567 ../tree a.img",
            3,
            "label",
        ),
        ("make-fs -s 20M --block-size 3000 ../tree a.img", 3, "3000"),
        (
            "make-fs -s 20M --features nonsense ../tree a.img",
            3,
            "nonsense",
        ),
    ] {
        let world = world();
        fs::write(world.root().join("plain.tar"), [0; 10240]).unwrap();
        fs::hard_link(world.root().join("plain.tar"), world.root().join("other")).unwrap();
        fs::create_dir(world.root().join("directory")).unwrap();
        symlink("tree/dir", world.root().join("link")).unwrap();
        symlink("a.img", world.path("symbolic")).unwrap();
        put_old(&world);
        world.run(line).expect(status).says([part]);
        assert!(has_old(&world), "{line}");
        assert_eq!(world.names(), ["a.img", "symbolic"], "{line}");
        assert_eq!(
            names(&tree(&world)),
            ["dir", "linked", "symbolic"],
            "{line}"
        );
        assert_eq!(
            fs::metadata(world.root().join("plain.tar")).unwrap().len(),
            10240
        );
    }
}

#[test]
fn a_broken_archive_leaves_the_old_image_and_nothing_else() {
    let world = world();
    let path = archive(&world, "a.tar", &[]);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    put_old(&world);
    world
        .run("make-fs -s 20M ../a.tar a.img")
        .expect(3)
        .says(["a.tar"]);
    let mut child = world
        .command("make-fs -s 20M - a.img")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // The program may have ended before all of it was written.
    let _ = pipe.write_all(&bytes[..bytes.len() / 2]);
    drop(pipe);
    let run = Run::ended("broken".to_owned(), child.wait_with_output().unwrap());
    run.expect(3).says(["standard input"]);
    assert!(has_old(&world));
    assert_eq!(world.names(), ["a.img"]);
}

#[test]
fn an_interrupt_leaves_the_old_image_and_nothing_else() {
    let world = world();
    put_old(&world);
    let mut child = world
        .command("make-fs -s 20M - a.img")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // More than a pipe holds: when this returns, part of it has been read.
    pipe.write_all(&vec![0; 4 << 20]).unwrap();
    send(&child, "TERM");
    let run = Run::ended("interrupted".to_owned(), child.wait_with_output().unwrap());
    run.expect(143).says(["Interrupted, exiting..."]);
    drop(pipe);
    assert!(has_old(&world));
    assert_eq!(world.names(), ["a.img"]);
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let world = world();
    let build = |line: &str, umask: &str| {
        let script = format!("umask {umask}; exec \"$0\" {line} ../tree a.img");
        let mut command = Command::new("sh");
        world
            .prepare(&mut command)
            .args(["-c", &script, crate::world::BINARY]);
        Run::of(&mut command).expect(0);
        fs::read(world.path("a.img")).unwrap()
    };
    let first = build("make-fs -s 20M -j 1", "022");
    for (line, umask) in [
        ("make-fs -s 20M -j 4", "077"),
        ("make-fs -s 20M --no-sync", "000"),
    ] {
        assert!(build(line, umask) == first, "{line}");
    }
    let other = build("make-fs -s 20M --seed other", "022");
    assert!(other != first, "the seed counts");
    set_time(&tree(&world).join("dir/file"), 1_234_567_891, 0);
    assert!(build("make-fs -s 20M", "022") != first, "times count");
    assert!(
        build("make-fs -s 20M --seed other", "022") != other,
        "they are in the image too"
    );
}

#[test]
fn source_date_epoch_is_the_latest_time() {
    let world = world();
    let mut command = world.command("make-fs -s 20M ../tree a.img");
    Run::of(command.env("SOURCE_DATE_EPOCH", "1500000000")).expect(0);
    let image = world.path("a.img");
    for (path, time) in [
        ("/dir/file", "0x499602d2"),
        ("/dir/deep/large", "0x59682f00"),
    ] {
        let stat = ask_debugfs(&image, &format!("stat {path}"));
        assert!(stat.contains(&format!("mtime: {time}")), "{path}: {stat}");
    }
}

#[test]
fn json_tells_what_is_in_the_image() {
    let world = world();
    let run = world.run("--json make-fs -s 20M ../tree a.img").expect(0);
    let lines: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |event: &str| lines.iter().find(|line| line["event"] == event).unwrap();
    assert_eq!(lines[0]["event"], "started");
    let built = of("image_built");
    assert_eq!(
        (&built["size"], &built["files"]),
        (&(20 << 20).into(), &2.into())
    );
    assert_eq!(built["bytes"], 300_007);
    assert!(built["free"].as_u64().unwrap() < 20 << 20);
    let used = built["inodes"].as_u64().unwrap() - built["free_inodes"].as_u64().unwrap();
    // Ten of the format's own, lost+found, two directories, two files, a link.
    assert_eq!(used, 16);
    assert_eq!(of("finished")["built"], 1);
}

#[test]
fn several_runs_share_a_directory_but_not_a_file() {
    let world = world();
    let mut first = world
        .command("make-fs -s 20M - a.img")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = first.stdin.take().unwrap();
    // More than a pipe holds: when this returns, the run has the directory.
    pipe.write_all(&vec![b'x'; 1 << 20]).unwrap();
    world.run("make-fs -s 20M ../tree b.img").expect(0);
    // What looks like a leftover is locked by whoever writes it.
    let directory = Arc::new(Directory::share(&world.directory()).unwrap());
    let busy = Output::create(&directory, &Temporaries::default(), "c.img").unwrap();
    world
        .run("make-fs -s 20M ../tree c.img")
        .expect(3)
        .says(["another run is writing './c.img.tmp'"]);
    drop(busy);
    world.run("make-fs -s 20M ../tree c.img").expect(0);
    drop(directory);
    let mut set = world.command("all");
    fs::write(
        world.config(),
        r#"{"guestfs": [], "virtinstall": [], "renames": []}"#,
    )
    .unwrap();
    Run::of(&mut set)
        .expect(3)
        .says(["another run is working in the directory"]);
    drop(pipe);
    first.wait_with_output().unwrap();
    assert_eq!(world.names(), ["b.img", "c.img"]);
}

#[test]
fn an_input_is_never_taken_for_a_leftover() {
    let world = world();
    let archive = archive(&world, "images/disk.img.tmp", &[]);
    let bytes = fs::read(&archive).unwrap();
    let tree = world.path("other.img.tmp");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("file"), "content").unwrap();
    for line in ["disk.img.tmp disk.img", "other.img.tmp other.img"] {
        world.run(&format!("make-fs -s 20M {line}")).expect(0);
    }
    assert_eq!(fs::read(archive).unwrap(), bytes);
    assert_holds_the_tree(&world.path("disk.img"));
    let names = ["disk.img", "disk.img.tmp", "other.img", "other.img.tmp"];
    assert_eq!(world.names(), names);
}

#[test]
fn only_images_are_replaced_unless_that_is_forced() {
    let world = world();
    world.run("make-fs -s 20M ../tree old.img").expect(0);
    let rootfs = archive(&world, "images/rootfs.tar", &[]);
    let bytes = fs::read(&rootfs).unwrap();
    // The arguments in the wrong order; whatever the first is, the archive stays.
    for input in ["old.img", "../tree", "missing"] {
        let run = world.run(&format!("make-fs {input} rootfs.tar"));
        run.expect(3);
        assert_eq!(fs::read(&rootfs).unwrap(), bytes);
    }
    world
        .run("make-fs ../tree rootfs.tar")
        .expect(3)
        .says(["a tar archive", "--force"])
        .never_says(["Creating"]);
    // Nothing is read before that is told.
    let mut command = world.command("make-fs - rootfs.tar");
    let (reader, _writer) = std::io::pipe().unwrap();
    Run::of(command.stdin(reader)).expect(3).says(["--force"]);
    fs::write(world.path("notes"), "precious").unwrap();
    world
        .run("make-fs ../tree notes")
        .expect(3)
        .says(["is a text"]);
    assert_eq!(world.names(), ["notes", "old.img", "rootfs.tar"]);
    for name in ["notes", "rootfs.tar", "old.img"] {
        let force = if name == "old.img" { "" } else { "--force" };
        world
            .run(&format!("make-fs {force} -s 20M ../tree {name}"))
            .expect(0);
        assert_holds_the_tree(&world.path(name));
    }
    for kind in ["ext2", "vfat", "exfat", "erofs", "squashfs", "swap"] {
        let source = if kind == "swap" {
            "../empty"
        } else {
            "../tree"
        };
        fs::create_dir_all(world.root().join("empty")).unwrap();
        let size = match kind {
            "erofs" | "squashfs" => "",
            _ => "-s 20M",
        };
        for _ in 0..2 {
            let line = format!("make-fs --lossy -t {kind} {size} {source} {kind}.img");
            world.run(&line).expect(0);
        }
    }
}

#[test]
fn permissions_follow_the_umask_and_stay() {
    let world = world();
    let mode = || fs::metadata(world.path("a.img")).unwrap().mode() & 0o7777;
    for (umask, chmod, expected) in [
        ("077", None, 0o600),
        ("022", None, 0o600),
        ("022", Some(0o640), 0o640),
    ] {
        if let Some(mode) = chmod {
            fs::set_permissions(world.path("a.img"), fs::Permissions::from_mode(mode)).unwrap();
        }
        let script = format!("umask {umask}; exec \"$0\" make-fs -s 20M ../tree a.img");
        let mut command = Command::new("sh");
        world.prepare(&mut command).args(["-c", &script, BINARY]);
        Run::of(&mut command).expect(0);
        assert_eq!(mode(), expected, "umask {umask}");
    }
}

/// A name that would turn the title of a terminal, or begin a line of its own.
#[test]
fn nothing_that_steers_a_terminal_is_printed() {
    let world = world();
    let name = "a\u{1b}]0;title\u{7}\nERROR:b";
    fs::create_dir(tree(&world).join(name)).unwrap();
    symlink("x", tree(&world).join(name).join("link")).unwrap();
    for line in [
        "make-fs -t vfat ../tree a.img",
        "make-fs -t vfat --lossy ../tree a.img",
        "-l debug make-fs ../tree a.img",
    ] {
        let run = world.run(line);
        assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{run:?}");
        assert!(!run.stderr.contains("\nERROR:b"), "{run:?}");
    }
    let mut command = world.command("make-fs -s 20M ../tree");
    let run = Run::of(command.arg(name)).expect(0);
    assert!(run.stderr.contains("a\\u{1b}]0;title"), "{run:?}");
    let run = Run::of(world.command("make-fs").arg(format!("../{name}")).arg("b"));
    let run = run.expect(3);
    assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{run:?}");
    let run = Run::of(world.command("make-fs").arg(format!("--{name}"))).expect(64);
    assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{run:?}");
}
