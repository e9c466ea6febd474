//! Runs of the binary that are killed, interrupted or run into each other: an image is the old
//! one or the new one, always.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::server::{Server, ok};
use crate::world::{Run, World, single, with_upload};

/// How often a run is killed.
const KILLS: u32 = 30;

/// The size of the upload: large enough for a run to be in the middle of it for a while.
const LENGTH: usize = 6 << 20;

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

/// Sends `signal` to a process that this test has started.
fn send(child: &Child, signal: &str) {
    let mut kill = Command::new("kill");
    let status = kill.args(["-s", signal, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// Moments from 0 to `longest`, the same in every run of the test.
fn moments(longest: Duration) -> impl Iterator<Item = Duration> {
    let mut state: u32 = 0x5EED;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        longest.mul_f64(f64::from(state >> 8) / f64::from(1 << 24))
    })
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_image_or_the_new_one() {
    let world = world(b'A');
    let mut states = Vec::new();
    let mut longest = Duration::ZERO;
    for fill in [b'B', b'A'] {
        set_upload(&world, fill);
        let start = Instant::now();
        world.run("k").expect(0);
        longest = start.elapsed();
        states.push(fs::read(world.path(NAME)).unwrap());
    }
    assert!(states[0] != states[1]);
    let mut leftovers = 0;
    for (number, moment) in (0..KILLS).zip(moments(longest)) {
        let new = number as usize % 2;
        set_upload(&world, [b'B', b'A'][new]);
        let mut child = world.command("k").spawn().unwrap();
        thread::sleep(moment);
        // It may have ended by itself, which is one of the moments too.
        child.kill().unwrap();
        child.wait().unwrap();
        let found = fs::read(world.path(NAME)).unwrap();
        assert!(
            found == states[new] || found == states[1 - new],
            "after {moment:?}"
        );
        leftovers += world.names().len() - 1;
        world.run("k").expect(0);
        assert_eq!(world.names(), [NAME], "after {moment:?}");
        assert!(
            fs::read(world.path(NAME)).unwrap() == states[new],
            "after {moment:?}"
        );
    }
    assert!(leftovers > 0, "no run was killed in the middle of its work");
}

#[test]
fn signals_end_a_run_in_an_orderly_way() {
    // Several images, so that the signal comes long before the end.
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
        let child = world.command("-j 1 k").spawn().unwrap();
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
    for name in [NAME, "disk_k.img.tmp"] {
        let mut file = File::create(stale.path(name)).unwrap();
        file.write_all(&vec![0xD1; 20 << 20]).unwrap();
    }
    stale.run("k").expect(0);
    assert_eq!(stale.names(), [NAME]);
    assert!(fs::read(stale.path(NAME)).unwrap() == fs::read(fresh.path(NAME)).unwrap());
}
