//! Archives that aren't as they should be, or that say more than an image can hold.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::checkers::{self, command};
use crate::world::{Run, World};

/// A world without a configuration, with directories of one file each.
fn world(directories: &[&str]) -> World {
    let world = World::new("", "", "");
    for directory in directories {
        let path = world.root().join(directory);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(format!("of-{directory}")), *directory).unwrap();
    }
    world
}

/// An archive of a directory beside the images, by the name of both.
fn pack(world: &World, directory: &str, options: &[&str]) -> PathBuf {
    let path = world.root().join(format!("{directory}.tar"));
    let mut tar = command("tar");
    tar.args(options)
        .arg("-C")
        .arg(world.root().join(directory));
    let status = tar.arg("-cf").arg(&path).arg(".").status().unwrap();
    assert!(status.success());
    path
}

/// What debugfs says of an image that e2fsck has accepted.
fn ask(image: &Path, request: &str) -> String {
    checkers::e2fsck(image).unwrap();
    checkers::ask_debugfs(image, request)
}

/// Runs with these bytes on standard input.
fn run_with(world: &World, line: &str, bytes: &[u8]) -> Run {
    let mut child = world.command(line).stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // The program may have ended before all of it was written.
    let _ = pipe.write_all(bytes);
    drop(pipe);
    Run::ended(line.to_owned(), child.wait_with_output().unwrap())
}

#[test]
fn an_image_as_the_input_is_refused_and_told_what_it_is() {
    let world = world(&["a"]);
    let archive = pack(&world, "a", &[]);
    let bytes = fs::read(&archive).unwrap();
    world.run("make-fs ../a.tar old.img").expect(0);
    world.run("make-fs -p ../a.tar disk.img").expect(0);
    for (image, what) in [
        ("old.img", "an ext2, ext3 or ext4 filesystem"),
        ("disk.img", "a disk image with an MBR"),
    ] {
        let said = world.run(&format!("make-fs {image} new.img")).expect(3);
        said.says(["no tar archive", what, "INPUT... OUTPUT"]);
        world.run(&format!("make-fs {image} ../a.tar")).expect(3);
        assert!(fs::read(&archive).unwrap() == bytes, "{image}");
        assert!(!world.path("new.img").exists());
    }
}

#[test]
fn archives_that_were_joined_are_taken_with_a_warning() {
    let world = world(&["a", "b"]);
    let [a, b] = ["a", "b"].map(|name| fs::read(pack(&world, name, &[])).unwrap());
    fs::write(world.root().join("both.tar"), [a, b].concat()).unwrap();
    let run = world.run("make-fs ../both.tar x.img").expect(0);
    run.says(["both.tar': it has its end at offset ", "all are taken"]);
    assert_eq!(ask(&world.path("x.img"), "cat /of-a"), "a");
    assert_eq!(ask(&world.path("x.img"), "cat /of-b"), "b");
}

#[test]
fn an_archive_that_ends_between_members_is_told() {
    let world = world(&["a"]);
    fs::write(world.root().join("a/second"), "").unwrap();
    let options = ["--format=ustar", "--sort=name"];
    let bytes = fs::read(pack(&world, "a", &options)).unwrap();
    // Two headers and one block of data.
    let run = run_with(&world, "make-fs - x.img", &bytes[..1536]).expect(0);
    run.says([
        "archive 'standard input': it ends at byte 1536",
        "may be cut off",
    ]);
    run_with(&world, "make-fs - y.img", &bytes[..1535]).expect(3);
    run_with(&world, "make-fs - y.img", b"").expect(3);
    assert_eq!(world.names(), ["x.img"]);
}

#[test]
fn absolute_names_start_at_the_top_unless_they_are_refused() {
    let world = world(&["a"]);
    let file = world.root().join("a/of-a");
    fs::hard_link(&file, world.root().join("a/linked")).unwrap();
    pack(&world, "a", &["-P", "--transform=s,^\\.,/,"]);
    let run = world.run("make-fs ../a.tar x.img").expect(0);
    run.says(["left out the slash in front of 4 paths", "--strict-paths"]);
    assert_eq!(ask(&world.path("x.img"), "cat /linked"), "a");
    let run = world.run("make-fs --strict-paths ../a.tar y.img");
    run.expect(3).says(["the path '/' is absolute"]);
    assert_eq!(world.names(), ["x.img"]);
}

#[test]
fn lists_that_linux_cant_have_are_left_out_where_that_is_asked_for() {
    let world = world(&["a"]);
    // GNU tar lets nobody write this key, and takes commas for the end of a value.
    let list = "--pax-option=SCHILY.acl.ACCESS:=u::rw\ng::r\no::r\nm::r\nu:nobody-knows:r";
    let archive = pack(&world, "a", &["--format=posix", list]);
    let mut bytes = fs::read(&archive).unwrap();
    let key = b"SCHILY.acl.ACCESS";
    for at in 0..bytes.len() - key.len() {
        if bytes[at..].starts_with(key) {
            bytes[at..at + key.len()].make_ascii_lowercase();
            bytes[at..at + 6].make_ascii_uppercase();
        }
    }
    fs::write(&archive, bytes).unwrap();
    let run = world.run("make-fs ../a.tar x.img").expect(3);
    run.says(["user nobody-knows in the ACL of '/'", "--lossy"]);
    let run = world.run("make-fs --lossy ../a.tar x.img").expect(0);
    run.says(["left out 2 entries of ACLs"]);
    let ace = "--pax-option=SCHILY.acl.ace:=everyone@:r::allow";
    pack(&world, "a", &["--format=posix", ace]);
    world
        .run("make-fs ../a.tar x.img")
        .expect(3)
        .says(["NFSv4"]);
    let run = world.run("make-fs --lossy ../a.tar x.img").expect(0);
    run.says(["left out 2 ACLs"]);
}

#[test]
fn a_large_window_is_read_where_that_is_asked_for() {
    let world = world(&["a"]);
    pack(&world, "a", &["--use-compress-program=zstd --long=28"]);
    let run = world.run("make-fs ../a.tar x.img").expect(3);
    run.says(["a window of 256 MiB", "limit is 128 MiB", "--long"]);
    world.run("make-fs --long ../a.tar x.img").expect(0);
    assert_eq!(ask(&world.path("x.img"), "cat /of-a"), "a");
}

/// The keys of an object say the same as the options; what is lossy is the partition.
#[test]
fn a_configuration_says_the_same() {
    let group = |keys: &str, part: &str| {
        format!(
            r#"{{"name": "c", "size": "32M", "labels": ["gpt"],
                "parts": [{{"type": "p", "start": 2048, "end": "auto", "filesystem": "ext4"{part},
                    "contents": [{{"archive": "a.tar"{keys}}}]}}]}}"#
        )
    };
    let acl = "--pax-option=SCHILY.acl.ace:=everyone@:r::allow";
    for (options, is_taken, keys, part) in [
        (&["-P", "--transform=s,^\\.,/,"][..], true, "", ""),
        (
            &["-P", "--transform=s,^\\.,/,"],
            false,
            r#", "strict_paths": true"#,
            "",
        ),
        (&["--format=posix", acl], false, "", ""),
        (&["--format=posix", acl], true, "", r#", "lossy": true"#),
        (&["--use-compress-program=zstd --long=28"], false, "", ""),
        (
            &["--use-compress-program=zstd --long=28"],
            true,
            r#", "long": true"#,
            "",
        ),
    ] {
        let world = World::new(&group(keys, part), "", "");
        fs::create_dir_all(world.root().join("a")).unwrap();
        fs::write(world.root().join("a/of-a"), "a").unwrap();
        let archive = pack(&world, "a", options);
        fs::create_dir_all(world.root().join("uploads")).unwrap();
        fs::rename(archive, world.root().join("uploads/a.tar")).unwrap();
        let status = if is_taken { 0 } else { 3 };
        world.run("c").expect(status);
    }
}
