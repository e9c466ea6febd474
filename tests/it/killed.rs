//! Runs of the binary that are killed, interrupted or run into each other: an image is the old
//! one or the new one, always.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use createhdds::engine::{Directory, Output, Temporaries};

use crate::server::{Server, ok};
use crate::world::{BINARY, Run, World, send, single, with_upload};

/// The size of the upload: more than is written at a time.
const LENGTH: usize = 6 << 20;

/// The calls at which a run is killed: what makes, fills and publishes a file.
const CALLS: [&str; 8] = [
    "fsetxattr",
    "linkat",
    "ftruncate",
    "pwrite64,pwritev,copy_file_range",
    "fdatasync",
    "fremovexattr",
    "renameat,renameat2",
    "fsync",
];

const NAME: &str = "disk_k.img";

/// A world whose image holds an upload of `fill`.
fn world(fill: u8) -> World {
    let world = World::new(&with_upload("k", "16M", r#""source": "upload""#), "", "");
    fs::create_dir(world.root().join("uploads")).unwrap();
    set_upload(&world, fill);
    world
}

fn set_upload(world: &World, fill: u8) {
    fs::write(world.root().join("uploads/upload"), vec![fill; LENGTH]).unwrap();
}

/// The binary under strace, which does `inject` at some of `calls`. The process that is started is
/// the binary itself.
fn traced(world: &World, calls: &str, inject: &str, line: &str) -> Command {
    let mut strace = Command::new("strace");
    world.prepare(&mut strace);
    strace.args(["-D", "-f", "-qq", "-o", "../trace"]);
    strace.args(["-e", &format!("trace={calls}")]);
    strace.args(["-e", &format!("inject={calls}:{inject}")]);
    strace.arg(BINARY).args(line.split(' '));
    strace
}

/// Whether a run in `world` is killed at the call of `calls` with this number, and is over.
fn is_killed(world: &World, calls: &str, number: u32) -> bool {
    let inject = format!("signal=KILL:when={number}");
    let status = traced(world, calls, &inject, "k").status().unwrap();
    status.signal() == Some(9)
}

#[test]
fn a_kill_at_any_call_leaves_the_old_image_or_the_new_one() {
    let world = world(b'A');
    let mut states = Vec::new();
    for fill in [b'B', b'A'] {
        set_upload(&world, fill);
        world.run("k").expect(0);
        states.push(fs::read(world.path(NAME)).unwrap());
    }
    assert!(states[0] != states[1]);
    let mut new = 0;
    for (call, number) in CALLS.iter().flat_map(|call| [(call, 1), (call, 2)]) {
        set_upload(&world, [b'B', b'A'][new]);
        let killed = is_killed(&world, call, number);
        assert!(killed || number > 1, "{call} isn't called");
        let found = fs::read(world.path(NAME)).unwrap();
        let is_old = found == states[1 - new];
        assert!(is_old || found == states[new], "{call} {number}");
        let left = world.names().len() - 1;
        // From its first byte to the rename there is a file, and its mark is taken off last.
        let is_marked = !matches!(*call, "fremovexattr" | "renameat,renameat2");
        if killed && matches!(*call, "ftruncate" | "fdatasync" | "renameat,renameat2") {
            assert!(is_old && left == 1, "{call}: {:?}", world.names());
        }
        let run = world.run("k").expect(0);
        if is_marked || left == 0 {
            assert_eq!(world.names(), [NAME], "{call} {number}");
        } else if world.names().len() > 1 {
            // It can't be told from a file of somebody else any more.
            run.says(["disk_k.img.tmp' stays"]);
            fs::remove_file(world.path("disk_k.img.tmp")).unwrap();
        }
        assert!(fs::read(world.path(NAME)).unwrap() == states[new], "{call}");
        new = 1 - new;
    }
}

#[test]
fn leftovers_are_told_and_removed_by_the_next_run_of_any_image() {
    let world = World::new(&(single("a") + "," + &single("b")), "", "");
    world.run("all").expect(0);
    let leave = || {
        traced(&world, "fdatasync", "signal=KILL:when=1", "a")
            .status()
            .unwrap();
        assert_eq!(
            world.names(),
            ["disk_a.img", "disk_a.img.tmp", "disk_b.img"]
        );
    };
    for line in ["b", "all", "all -c", "check -c", "check -r"] {
        leave();
        world
            .run("check")
            .expect(0)
            .prints("Leftover files: disk_a.img.tmp\n");
        let report = world.run("--json check").expect(0).stdout;
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["leftovers"], serde_json::json!(["disk_a.img.tmp"]));
        let run = world.run(line).expect(0);
        run.says(["Removing disk_a.img.tmp"]);
        assert_eq!(world.names(), ["disk_a.img", "disk_b.img"], "{line}");
    }
    // What only has the name is told, and stays.
    for name in ["disk_a.img.tmp", "disk_b.img.1.tmp", "mine.tmp"] {
        world.put(name, 0);
    }
    for line in ["a", "all", "all -c", "check -c", "check -r"] {
        let run = world.run(line).expect(0);
        if line.starts_with('a') {
            run.says(["disk_a.img.tmp"]);
        }
        for name in ["disk_a.img.tmp", "disk_b.img.1.tmp", "mine.tmp"] {
            assert!(world.is_untouched(name), "{line}: {name}");
        }
    }
    world
        .run("check")
        .expect(0)
        .prints("Possible leftovers: disk_a.img.tmp\n");
}

/// A file that is being written is no leftover.
#[test]
fn the_file_of_a_run_that_goes_on_is_none() {
    let world = World::new(&single("a"), "", "");
    world.put("disk_a.img", 0);
    let directory = Arc::new(Directory::share(&world.directory()).unwrap());
    let temporaries = Temporaries::default();
    let output = Output::create(&directory, &temporaries, "disk_a.img").unwrap();
    let name = output.temporary_name().to_owned();
    assert_eq!(name, "disk_a.img.tmp");
    world.run("check").expect(0).prints("");
    drop(output);
    drop(directory);
    let directory = Arc::new(Directory::lock(&world.directory()).unwrap());
    let output = Output::create_for_programs(&directory, &temporaries, "disk_a.img", "").unwrap();
    world.run("check").expect(0).prints("");
    drop(output);
}

#[test]
fn signals_end_a_run_in_an_orderly_way() {
    // Several images, of which the signal comes in the middle of the first.
    let group = with_upload("k", "16M", r#""source": "upload""#)
        .replace(r#", "filesystem": "ext2""#, "")
        .replace(
            r#""size""#,
            r#""filesystems": ["ext2", "ext3", "ext4"], "labels": ["mbr", "gpt"], "size""#,
        );
    for (signal, status) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let world = world(b'A');
        world.configure(&group, "", "");
        let last = "disk_k_ext4_gpt.img";
        world.put(last, 0);
        // Each write waits, so that all of the run takes minutes; the one that waits when the signal
        // comes is waited for.
        let calls = "pwrite64,pwritev,copy_file_range";
        let held = "delay_enter=3s";
        let child = traced(&world, calls, held, "-j 1 k").spawn().unwrap();
        while !world.names().iter().any(|name| name.ends_with(".tmp")) {
            thread::sleep(Duration::from_millis(1));
        }
        send(&child, signal);
        let run = Run::ended(signal.to_owned(), child.wait_with_output().unwrap());
        run.expect(status)
            .says(["Interrupted, exiting...\n"])
            .never_says(["ERROR"]);
        assert!(world.is_untouched(last));
        let names = world.names();
        assert!(
            names.iter().all(|name| name.ends_with(".img")),
            "{signal}: {names:?}"
        );
    }
}

#[test]
fn two_runs_in_one_directory_exclude_each_other() {
    let (arrived, arrival) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let (arrived, released) = (Mutex::new(arrived), Mutex::new(released));
    let server = Server::start(move |_, stream| {
        arrived.lock().unwrap().send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        ok(stream, b"data");
    });
    let source = format!(r#""source": "{}""#, server.url());
    let world = World::new(
        &(with_upload("k", "2M", &source) + "," + &single("a")),
        "",
        "",
    );
    world.put(NAME, 0);
    let first = world.command("k").spawn().unwrap();
    arrival.recv().unwrap();
    for line in ["k", "a", "all"] {
        let run = world.run(line).expect(3);
        run.says([
            "another run is working in the directory '.'",
            "wait until it has ended",
        ]);
        assert_eq!(world.names(), [NAME]);
    }
    let other = world.root().join("other");
    fs::create_dir(&other).unwrap();
    let mut elsewhere = world.command("a");
    Run::of(elsewhere.arg("-C").arg(&other)).expect(0);
    release.send(()).unwrap();
    let run = Run::ended("the first".to_owned(), first.wait_with_output().unwrap());
    run.expect(0).says(["Built 1 of 1 image"]);
    world
        .run("all")
        .expect(0)
        .says(["Creating image disk_a.img"]);
}

#[test]
fn larger_files_of_earlier_runs_are_replaced_in_full() {
    let fresh = world(b'A');
    fresh.run("k").expect(0);
    let stale = world(b'A');
    let is_left = is_killed(&stale, "fdatasync", 1);
    assert!(is_left);
    for name in [NAME, "disk_k.img.tmp"] {
        // Written in place, so that the leftover stays one.
        let options = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(stale.path(name));
        options.unwrap().write_all(&vec![0xD1; 20 << 20]).unwrap();
    }
    stale.run("k").expect(0);
    assert_eq!(stale.names(), [NAME]);
    assert!(fs::read(stale.path(NAME)).unwrap() == fs::read(fresh.path(NAME)).unwrap());
}
