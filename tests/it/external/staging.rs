//! Nothing stays behind of what goes between this program and others.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::make;
use super::sample::sample;
use crate::world::World;

#[test]
fn nothing_stays_behind_a_failure() {
    let source = sample();
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("x.img");
    // More than there is room for, which shows when the programs run.
    std::fs::write(source.path().join("large"), vec![7; 215 << 20]).unwrap();
    for kind in ["xfs -s 300M", "f2fs -s 240M"] {
        let run = make(&format!("-t {kind}"), source.path(), &image);
        assert!(!image.exists(), "{kind}");
        drop(run);
    }
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let source = sample();
    for number in 0..3000 {
        std::fs::write(source.path().join(format!("more {number}")), vec![1; 5000]).unwrap();
    }
    for kind in ["xfs", "btrfs", "f2fs"] {
        // In memory, where directories for mkfs.btrfs are made wherever that is.
        let staging = tempfile::tempdir_in("/dev/shm").unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let world = World::new("", "", "");
        let mut command = world.command(&format!("make-fs -t {kind} -s 1G"));
        command.arg(source.path()).arg(scratch.path().join("x.img"));
        command.env("TMPDIR", staging.path()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        // Once it is there, work is going on in it.
        while std::fs::read_dir(staging.path()).unwrap().next().is_none() {
            assert!(started.elapsed() < Duration::from_secs(60), "{kind}");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(20));
        let kill = Command::new("kill")
            .args(["-s", "INT", &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{kind}");
        for directory in [&staging, &scratch] {
            let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
            assert!(left.is_empty(), "{kind}: {left:?}");
        }
    }
}
