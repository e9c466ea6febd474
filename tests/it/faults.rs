//! One system call fails at a time, in this program or in those that it runs: what ends well is the
//! right image, and nothing stays beside it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::world::{BINARY, Run, World, names};

/// What fails, and how. Those that a kernel lacks are never called.
const CALLS: [(&str, &str); 15] = [
    ("read", "EIO"),
    ("pread64", "EIO"),
    ("write", "ENOSPC"),
    ("pwrite64", "ENOSPC"),
    ("fsync", "EIO"),
    ("fdatasync", "EIO"),
    ("copy_file_range", "EIO"),
    ("splice", "EIO"),
    ("ftruncate", "ENOSPC"),
    ("fallocate", "ENOSPC"),
    ("rename", "EIO"),
    ("renameat2", "EIO"),
    ("openat", "EIO"),
    ("lseek", "EIO"),
    ("getdents64", "EIO"),
];

/// Without one of these a directory can't be removed either.
const OF_REMOVING: [&str; 2] = ["openat", "getdents64"];

/// How many runs of a format have the same call fail: those that start programs fail in more ways.
const OF_OWN: u64 = 2;
const OF_PROGRAMS: u64 = 3;

/// No run takes as long, in seconds.
const PATIENCE: &str = "1000";

const IMAGE: &str = "x.img";

/// Runs of one format.
struct Format {
    /// What make-fs is told.
    arguments: &'static str,
    world: World,
    source: PathBuf,
    good: PathBuf,
}

impl Format {
    /// A tree with files of all sizes, and the image that it becomes when nothing fails.
    fn new(arguments: &'static str) -> Self {
        let world = World::new("", "", "");
        let source = world.root().join("source");
        fs::create_dir(&source).unwrap();
        if !arguments.starts_with("swap") {
            fs::create_dir(source.join("directory")).unwrap();
            fs::write(source.join("small"), "small").unwrap();
            fs::write(source.join("directory/middle"), vec![7; 9000]).unwrap();
            let large: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
            fs::write(source.join("large"), large).unwrap();
        }
        Self {
            arguments,
            good: world.root().join("good.img"),
            world,
            source,
        }
    }

    fn log(&self) -> PathBuf {
        self.world.root().join("log")
    }

    fn image(&self) -> PathBuf {
        self.world.path(IMAGE)
    }

    /// Runs it below strace, which is given `arguments` too, in a directory without an image. What
    /// is temporary goes to a directory of its own, which is given back.
    fn run(&self, arguments: &[&str]) -> (Run, TempDir) {
        let temporary = tempfile::tempdir_in(self.world.root()).unwrap();
        let mut command = Command::new("timeout");
        let command = self.world.prepare(&mut command);
        command
            .args([PATIENCE, "strace", "-f", "-qq", "--seccomp-bpf", "-o"])
            .arg(self.log())
            .args(arguments)
            .args([BINARY, "make-fs", "--seed", "x", "-t"])
            .args(self.arguments.split(' '))
            .arg(&self.source)
            .arg(self.image())
            .env("TMPDIR", temporary.path());
        (Run::of(command), temporary)
    }

    /// Makes the good image, and tells how often at most one thread calls each of [`CALLS`].
    fn count(&self) -> HashMap<String, u64> {
        let calls = CALLS.map(|(call, _)| call).join(",");
        let (run, _) = self.run(&["-e", &format!("trace={calls}")]);
        run.expect(0);
        fs::rename(self.image(), &self.good).unwrap();
        let mut counts: HashMap<(String, String), u64> = HashMap::new();
        for line in fs::read_to_string(self.log()).unwrap().lines() {
            if let Some((head, _)) = line.split_once('(')
                && let Some((thread, call)) = head.split_once(' ')
            {
                let key = (call.trim().to_owned(), thread.to_owned());
                *counts.entry(key).or_default() += 1;
            }
        }
        let mut most = HashMap::new();
        for ((call, _), count) in counts {
            let known: &mut u64 = most.entry(call).or_default();
            *known = count.max(*known);
        }
        most
    }

    /// Has the call number `number` of every thread fail; what is wrong with what came of it, and
    /// whether the run failed.
    fn fail(&self, call: &str, error: &str, number: u64) -> (Vec<String>, bool) {
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:error={error}:when={number}");
        let (run, temporary) = self.run(&["-e", &trace, "-e", &inject]);
        let is_good = self
            .image()
            .exists()
            .then(|| are_same(&self.image(), &self.good));
        let mut wrong = Vec::new();
        match (run.status, is_good) {
            (Some(0), Some(true)) => {}
            (Some(0), _) => wrong.push("it ended with status 0 and another image".to_owned()),
            // Interrupts and panics are none of this.
            (Some(1 | 2 | 3 | 127), None | Some(true)) => {}
            (status, _) => wrong.push(format!("status {status:?}, the image is {is_good:?}")),
        }
        let left = names(&self.world.directory());
        if left.iter().any(|name| name != IMAGE) {
            wrong.push(format!("left {left:?}"));
        }
        let left = names(temporary.path());
        if !left.is_empty() && !OF_REMOVING.contains(&call) {
            wrong.push(format!("left {left:?} in TMPDIR"));
        }
        for name in names(&self.world.directory()) {
            fs::remove_file(self.world.path(&name)).unwrap();
        }
        let told = |what: String| format!("{inject}: {what}: {}", run.stderr.trim());
        let wrong = wrong.into_iter().map(told).collect();
        (wrong, run.status != Some(0))
    }
}

/// Whether two files have the same bytes.
fn are_same(one: &Path, other: &Path) -> bool {
    let files = [one, other].map(|path| File::open(path).unwrap());
    let [len, other_len] = [0, 1].map(|index| files[index].metadata().unwrap().len());
    let mut buffers = [vec![0; 1 << 20], vec![0; 1 << 20]];
    len == other_len
        && (0..len).step_by(1 << 20).all(|offset| {
            let count = (len - offset).min(1 << 20) as usize;
            for (file, buffer) in files.iter().zip(&mut buffers) {
                file.read_exact_at(&mut buffer[..count], offset).unwrap();
            }
            buffers[0][..count] == buffers[1][..count]
        })
}

/// Has calls of every kind fail, `samples` of each, spread over all that there are. Formats that call
/// about the same differ in `shift`, so that they have others fail.
fn every_failure_is_told(arguments: &'static str, samples: u64, shift: u64) {
    let format = Format::new(arguments);
    let counts = format.count();
    let (mut wrong, mut failed) = (Vec::new(), 0);
    for (call, error) in CALLS {
        let count = counts.get(call).copied().unwrap_or(0);
        let mut numbers: Vec<_> = (0..samples.min(count))
            .map(|sample| 1 + (sample * SHIFTS + shift) * count / (samples * SHIFTS))
            .collect();
        numbers.dedup();
        for number in numbers {
            let (found, has_failed) = format.fail(call, error, number);
            wrong.extend(found);
            failed += u32::from(has_failed);
        }
    }
    assert!(wrong.is_empty(), "{arguments}:\n{}", wrong.join("\n"));
    assert!(failed >= 5, "{arguments}: only {failed} runs failed");
}

/// How many formats are written here, each of which has other calls fail.
const SHIFTS: u64 = 7;

#[test]
fn of_ext2() {
    every_failure_is_told("ext2", OF_OWN, 0);
}

#[test]
fn of_ext3() {
    every_failure_is_told("ext3 -s 8M", OF_OWN, 1);
}

#[test]
fn of_ext4() {
    every_failure_is_told("ext4", OF_OWN, 2);
}

#[test]
fn of_fat() {
    every_failure_is_told("vfat", OF_OWN, 3);
}

#[test]
fn of_exfat() {
    every_failure_is_told("exfat", OF_OWN, 4);
}

#[test]
fn of_erofs() {
    every_failure_is_told("erofs", OF_OWN, 5);
}

#[test]
fn of_swap() {
    every_failure_is_told("swap -s 1M", OF_OWN, 6);
}

#[test]
fn of_squashfs() {
    every_failure_is_told("squashfs", OF_PROGRAMS, 0);
}

#[test]
fn of_ntfs() {
    every_failure_is_told("ntfs", OF_PROGRAMS, 1);
}

#[test]
fn of_xfs() {
    every_failure_is_told("xfs", OF_PROGRAMS, 2);
}

#[test]
fn of_btrfs() {
    every_failure_is_told("btrfs", OF_PROGRAMS, 3);
}

#[test]
fn of_f2fs() {
    every_failure_is_told("f2fs", OF_PROGRAMS, 4);
}

/// What compares must see a difference.
#[test]
fn other_bytes_and_other_lengths_are_seen() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, len: usize, last: u8| {
        let path = directory.path().join(name);
        let mut bytes = vec![1; len];
        bytes[len - 1] = last;
        fs::write(&path, bytes).unwrap();
        path
    };
    let one = file("one", (2 << 20) + 5, 1);
    assert!(are_same(&one, &file("same", (2 << 20) + 5, 1)));
    assert!(!are_same(&one, &file("other", (2 << 20) + 5, 2)));
    assert!(!are_same(&one, &file("shorter", 2 << 20, 1)));
}
