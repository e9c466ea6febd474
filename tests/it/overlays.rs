//! Several inputs over each other: links of those before, what stays out, and what changes
//! meanwhile.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::checkers::{ask_debugfs, command};
use crate::world::{Run, World};
use testkit::root::is_root;

/// Files by their paths below the world's root, each with its name as content.
fn make(world: &World, files: &[&str]) {
    for file in files {
        let path = world.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
}

/// A world with a root whose `/lib` is a link, and an overlay that has `/lib` as a directory.
fn merged_usr() -> World {
    let world = World::new("", "", "");
    make(&world, &["root/usr/lib/libc", "over/lib/modules/m"]);
    symlink("usr/lib", world.root().join("root/lib")).unwrap();
    world
}

fn archive(world: &World, name: &str, directory: &str, members: &[&str]) -> PathBuf {
    let path = world.root().join(name);
    let mut tar = command("tar");
    tar.arg("-C").arg(world.root().join(directory));
    tar.arg("-cf").arg(&path).args(members);
    assert!(tar.status().unwrap().success());
    path
}

fn has(image: &Path, path: &str) -> bool {
    ask_debugfs(image, &format!("stat {path}")).contains("Inode:")
}

#[test]
fn a_directory_goes_where_a_link_in_its_place_leads() {
    let world = merged_usr();
    archive(&world, "over.tar", "over", &["lib"]);
    archive(&world, "file.tar", "over", &["lib/modules/m"]);
    let warning = "'/lib', a symbolic link to 'usr/lib' with 1 entry";
    for (line, follows, is_told) in [
        ("../root ../over", true, false),
        ("../root ../over.tar", true, false),
        ("../root ../file.tar", true, false),
        ("--whiteouts ../root ../file.tar", true, false),
        ("--whiteouts ../root ../over.tar", false, true),
        ("--directory-links replace ../root ../over", false, false),
        (
            "--directory-links follow --whiteouts ../root ../over.tar",
            true,
            false,
        ),
    ] {
        let run = world
            .run(&format!("make-fs --no-sync --journal none {line} a.img"))
            .expect(0);
        match is_told {
            true => run.says([warning]),
            false => run.never_says(["WARN"]),
        };
        let image = world.path("a.img");
        assert_eq!(has(&image, "/usr/lib/modules/m"), follows, "{line}");
        let is_link = ask_debugfs(&image, "stat /lib").contains("Type: symlink");
        assert_eq!(is_link, follows, "{line}");
    }
}

#[test]
fn a_directory_that_goes_with_its_content_is_told() {
    let world = World::new("", "", "");
    make(&world, &["root/d/a/b", "root/d/c", "over/d"]);
    let run = world.run("make-fs --no-sync --journal none ../root ../over a.img");
    run.expect(0)
        .says(["'/d', a directory with 3 entries, is replaced by a file of '../over'"]);
}

#[test]
fn paths_of_a_configuration_go_through_links() {
    let group = r#"{"name": "c", "size": "20M", "labels": ["none"],
        "parts": [{"filesystem": "ext4", "contents": [
            {"directory": "root"},
            {"directory": "over", "exclude": ["none"]},
            {"path": "/lib/entry", "content": "e"}]}],
        "writes": [{"part": 1, "path": "/lib/write", "content": "w"}],
        "uploads": [{"part": 1, "target": "/lib/modules/upload", "source": "root/usr/lib/libc"}]}"#;
    let world = World::new(group, "", "");
    make(
        &world,
        &["uploads/root/usr/lib/libc", "uploads/over/lib/modules/m"],
    );
    symlink("usr/lib", world.root().join("uploads/root/lib")).unwrap();
    world
        .run("c")
        .expect(0)
        .says(["guestfs[0].parts[0].contents[1].exclude: the pattern 'none' matches nothing"]);
    let [name] = &world.names()[..] else {
        panic!("{:?}", world.names())
    };
    for path in ["entry", "write", "modules/m", "modules/upload"] {
        assert!(
            has(&world.path(name), &format!("/usr/lib/{path}")),
            "{path}"
        );
    }
}

#[test]
fn what_is_excluded_is_written_in_several_ways_and_told_when_it_is_nothing() {
    let world = World::new("", "", "");
    make(&world, &["root/a/x", "root/b/a/y", "over/c"]);
    let run = world
        .run("make-fs --no-sync --journal none --exclude ./a --exclude c ../root ../over a.img");
    run.expect(0).never_says(["WARN"]);
    let image = world.path("a.img");
    assert!(!has(&image, "/a") && has(&image, "/b/a/y") && !has(&image, "/c"));
    let run = world.run(
        "make-fs --no-sync --journal none --exclude ../root/a --exclude c ../root ../over a.img",
    );
    let run = run
        .expect(0)
        .says(["the pattern '../root/a' matches nothing"]);
    assert_eq!(run.stderr.matches("matches nothing").count(), 1);
}

/// What is mounted for this test is so in a namespace of its own.
#[test]
fn mounted_filesystems_may_be_left_out() {
    if !is_root() {
        return;
    }
    let world = World::new("", "", "");
    make(&world, &["root/proc/below", "root/file"]);
    let run = |options: &str| {
        let line = format!(
            "mount -t proc proc ../root/proc && exec {} make-fs --no-sync --journal none {options} ../root a.img",
            crate::world::BINARY
        );
        let mut unshare = command("unshare");
        world.prepare(&mut unshare);
        Run::of(unshare.args(["--mount", "sh", "-c", &line]))
    };
    run("--one-file-system").expect(0).never_says(["WARN"]);
    let image = world.path("a.img");
    assert!(has(&image, "/file") && has(&image, "/proc"));
    assert!(!has(&image, "/proc/below") && !has(&image, "/proc/self"));
    run("")
        .expect(3)
        .says(["it is on another filesystem than '../root': keep to that one (--one-file-system)"]);
}

/// A run that has read the directories among its inputs and waits for the rest of an archive.
fn held(world: &World, inputs: &str, meanwhile: impl FnOnce()) -> Run {
    fs::create_dir_all(world.root().join("late")).unwrap();
    fs::write(world.root().join("late/large"), vec![b'x'; 4 << 20]).unwrap();
    let late = archive(world, "late.tar", "late", &["large"]);
    let bytes = fs::read(late).unwrap();
    let line = format!("make-fs --no-sync --force {inputs} - a.img");
    let mut child = world.command(&line).stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // More than a pipe holds: when this returns, part of it has been read.
    pipe.write_all(&bytes[..3 << 20]).unwrap();
    meanwhile();
    pipe.write_all(&bytes[3 << 20..]).unwrap();
    drop(pipe);
    Run::ended(line, child.wait_with_output().unwrap())
}

#[test]
fn a_source_that_changes_ends_the_run_and_is_named() {
    type Change = fn(&Path);
    let changes: [(Change, &str); 4] = [
        (
            |root| {
                fs::remove_file(root.join("root/d/f")).unwrap();
                symlink("../../secret/f", root.join("root/d/f")).unwrap();
            },
            "../root/d/f: ",
        ),
        (
            |root| {
                fs::rename(root.join("root/d"), root.join("moved")).unwrap();
                symlink("../moved", root.join("root/d")).unwrap();
            },
            "../root/d/f: ",
        ),
        (
            |root| fs::write(root.join("root/d/f"), "shorter").unwrap(),
            "../root/d/f: ",
        ),
        (
            |root| {
                let file = File::options().write(true).open(root.join("first.tar"));
                file.unwrap().set_len(10_000).unwrap();
            },
            "../first.tar: ",
        ),
    ];
    for (change, named) in changes {
        let world = World::new("", "", "");
        make(&world, &["root/d/f", "secret/f", "first/g"]);
        archive(&world, "first.tar", "first", &["g"]);
        world.put("a.img", 0);
        let run = held(&world, "../root ../first.tar", || change(world.root()));
        run.expect(3).says([named, "when the image was planned"]);
        assert!(world.is_untouched("a.img"));
        assert_eq!(world.names(), ["a.img"]);
    }
    let world = World::new("", "", "");
    make(&world, &["root/d/f", "first/g"]);
    archive(&world, "first.tar", "first", &["g"]);
    let run = held(&world, "../root ../first.tar", || {
        // Another file by the archive's name is none of its bytes.
        fs::write(world.root().join("new"), "").unwrap();
        fs::rename(world.root().join("new"), world.root().join("first.tar")).unwrap();
    });
    run.expect(0);
}
