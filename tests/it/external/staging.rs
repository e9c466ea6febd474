//! Nothing stays behind of what goes between this program and others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use super::make;
use super::sample::sample;
use crate::world::{World, send};

/// The programs in which a run waits, by the filesystem that they make.
const PROGRAMS: [(&str, &str); 3] = [
    ("xfs", "mkfs.xfs"),
    ("btrfs", "mkfs.btrfs"),
    ("f2fs", "mkfs.f2fs"),
];

#[test]
fn nothing_stays_behind_a_failure() {
    let source = sample();
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("x.img");
    // More than there is room for, which shows when the programs run.
    fs::write(source.path().join("large"), vec![7; 215 << 20]).unwrap();
    for kind in ["xfs -s 300M", "f2fs -s 240M"] {
        let run = make(&format!("-t {kind}"), source.path(), &image);
        assert!(!image.exists(), "{kind}");
        drop(run);
    }
}

/// A run that has started a program, which never ends by itself.
struct Waiting {
    child: Child,
    /// The process of the program.
    program: PathBuf,
}

impl Waiting {
    /// Waits until the program has ended, which the system sees to in a moment. It is removed by
    /// whoever adopts it.
    fn await_program(&self) {
        let is_running = || {
            let status = fs::read_to_string(self.program.join("status"));
            status.is_ok_and(|text| !text.contains("State:\tZ"))
        };
        while is_running() {
            sleep(Duration::from_millis(1));
        }
    }
}

/// Where runs stage, and where their images go.
struct Places {
    world: World,
    /// In memory, where directories for mkfs.btrfs are made wherever that is.
    staging: TempDir,
    images: TempDir,
}

impl Places {
    fn new() -> Self {
        Self {
            world: World::new("", "", ""),
            staging: tempfile::tempdir_in("/dev/shm").unwrap(),
            images: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, kind: &str, source: &Path, image: &str) -> Command {
        let mut command = self.world.command(&format!("make-fs -t {kind} -s 1G"));
        command.arg(source).arg(self.images.path().join(image));
        command.env("TMPDIR", self.staging.path());
        command.stderr(Stdio::null());
        command
    }

    /// Starts a run that makes `image`, and returns when it waits for `program`.
    fn wait_in(&self, (kind, program): (&str, &str), source: &Path, image: &str) -> Waiting {
        let bin = self.world.root().join("bin");
        let started = self.world.root().join("started");
        let _ = fs::remove_file(&started);
        stand_in(&bin, program, &started);
        let path = std::env::var("PATH").unwrap();
        let mut command = self.command(kind, source, image);
        command.env("PATH", format!("{}:{path}", bin.display()));
        let mut child = command.spawn().unwrap();
        let process = loop {
            match fs::read_to_string(&started) {
                Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
                _ => assert_eq!(child.try_wait().unwrap(), None, "{kind}"),
            }
            sleep(Duration::from_millis(1));
        };
        Waiting {
            child,
            program: Path::new("/proc").join(process),
        }
    }

    fn left(&self) -> [usize; 2] {
        let count = |place: &TempDir| fs::read_dir(place.path()).unwrap().count();
        [&self.staging, &self.images].map(count)
    }
}

/// Puts a script into `bin` that tells its number in `started` and waits; asked for a version it
/// is the real program.
fn stand_in(bin: &Path, program: &str, started: &Path) {
    fs::create_dir_all(bin).unwrap();
    let path = bin.join(program);
    let script = format!(
        "#!/bin/sh\nPATH=${{PATH#*:}}:/usr/sbin:/sbin\n\
         case $1 in -V|--version) exec {program} \"$@\";; esac\n\
         echo $$ > '{}'\nexec sleep 100000\n",
        started.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let source = sample();
    for (kind, program) in PROGRAMS {
        let places = Places::new();
        let mut waiting = places.wait_in((kind, program), source.path(), "x.img");
        send(&waiting.child, "INT");
        assert_eq!(waiting.child.wait().unwrap().code(), Some(130), "{kind}");
        assert_eq!(places.left(), [0, 0], "{kind}");
        waiting.await_program();
    }
}

#[test]
fn a_killed_run_takes_its_program_with_it_and_the_next_one_cleans_up() {
    let source = sample();
    for (kind, program) in PROGRAMS {
        let places = Places::new();
        let mut waiting = places.wait_in((kind, program), source.path(), "x.img");
        let mut other = places.wait_in((kind, program), source.path(), "y.img");
        send(&waiting.child, "KILL");
        assert_eq!(waiting.child.wait().unwrap().signal(), Some(9), "{kind}");
        waiting.await_program();
        let before = places.left()[0];
        assert!(before > 0, "{kind}");
        // A run that needs no other program cleans up too, but spares what is in use.
        let mut next = places.command("ext2", source.path(), "x.img");
        assert!(next.status().unwrap().success());
        assert_eq!(places.left()[0] * 2, before, "{kind}");
        assert!(other.program.exists(), "{kind}");
        send(&other.child, "TERM");
        assert_eq!(other.child.wait().unwrap().code(), Some(143), "{kind}");
        assert_eq!(places.left(), [0, 1], "{kind}");
    }
}
