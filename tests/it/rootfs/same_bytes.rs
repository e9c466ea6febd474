//! The same tree gives the same image, however it comes and whatever is around the run.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::scratch::Scratch;

use super::image::{make_fs, make_fs_changed};
use super::programs::{compress, copy_backwards, pack};
use super::source;
use crate::checkers::command;
use crate::world::BINARY;
use testkit::compare::assert_same;
use testkit::host;
use testkit::sparse::digest;

/// The digest of the image that `change` makes of `input`.
fn digest_of(line: &str, input: &Path, change: impl FnOnce(&mut Command)) -> String {
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("same.img");
    make_fs_changed(line, &[input], &image, change);
    digest(&image)
}

/// Puts a shell with another umask around a command.
fn with_umask(command: &mut Command) {
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077 && exec \"$0\" \"$@\"", BINARY]);
    shell.args(arguments).stderr(Stdio::piped());
    *command = shell;
}

#[test]
#[ignore = "slow: a whole system, several times"]
fn threads_umask_and_the_order_of_a_directory_make_no_difference() {
    let input = source::directory();
    let first = digest_of("-j 1", &input, |_| {});
    assert_eq!(digest_of("-j 4", &input, |_| {}), first, "four jobs");
    assert_eq!(digest_of("", &input, with_umask), first, "umask");

    let scratch = Scratch::for_whole_systems();
    let copy = scratch.path("backwards");
    fs::create_dir(&copy).unwrap();
    copy_backwards(&input, &copy);
    assert_same("the copy", source::listing(), &host::list(&copy));
    let names = |root: &Path| {
        let entries = fs::read_dir(root.join("usr/bin")).unwrap();
        let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names
    };
    assert_ne!(names(&input), names(&copy), "the copy has the same order");
    assert_eq!(digest_of("", &copy, |_| {}), first, "order");
}

#[test]
#[ignore = "slow: a whole system, several times"]
fn a_pipe_and_a_compressed_archive_make_no_difference() {
    let archive = source::archive();
    let first = digest_of("-j 1", &archive, |_| {});
    assert_eq!(digest_of("-j 4", &archive, |_| {}), first, "four jobs");
    let mut cat = command("cat");
    let mut cat = cat.arg(&archive).stdout(Stdio::piped()).spawn().unwrap();
    let pipe = cat.stdout.take().unwrap();
    let piped = digest_of("", Path::new("-"), |making| {
        making.stdin(pipe);
    });
    assert!(cat.wait().unwrap().success());
    assert_eq!(piped, first, "pipe");
    let scratch = Scratch::for_whole_systems();
    let compressed = scratch.path("debian.tar.zst");
    compress("zstd", "-1", &archive, &compressed);
    assert_eq!(digest_of("", &compressed, |_| {}), first, "zstd");
}

/// A part of the Debian will do: some compressors are slow.
#[test]
#[ignore = "slow: a whole system, several times"]
fn no_compressor_makes_a_difference() {
    let scratch = Scratch::for_whole_systems();
    let archive = scratch.path("part.tar");
    pack(&source::directory().join("usr/lib/python3"), &[], &archive);
    let first = digest_of("", &archive, |_| {});
    for (program, name) in [
        ("gzip", "gz"),
        ("xz", "xz"),
        ("zstd", "zst"),
        ("bzip2", "bz2"),
    ] {
        // What the name says about the compression doesn't count.
        for name in [format!("part.tar.{name}"), "part".to_owned()] {
            let compressed = scratch.path(&name);
            compress(program, "-1", &archive, &compressed);
            assert_eq!(digest_of("", &compressed, |_| {}), first, "{name}");
        }
    }
}

/// A difference in the input is one in the image.
#[test]
fn another_time_of_one_file_gives_other_bytes() {
    let scratch = Scratch::for_whole_systems();
    let directory = scratch.path("directory");
    fs::create_dir(&directory).unwrap();
    let file = fs::File::create(directory.join("file")).unwrap();
    let image = scratch.path("other.img");
    let mut digests = [1, 2, 1].map(|seconds| {
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        file.set_modified(time).unwrap();
        fs::File::open(&directory)
            .unwrap()
            .set_modified(time)
            .unwrap();
        make_fs("", &[&directory], &image);
        digest(&image)
    });
    assert_eq!(digests[0], digests[2]);
    digests[..2].sort();
    assert_ne!(digests[0], digests[1]);
}
