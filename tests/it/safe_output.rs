//! Images are complete or absent, whatever happens while they are made.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use createhdds::engine::{Directory, Output, Temporaries, check_target, exit_on_signals};
use disklayout::Bytes;
use disklayout::disk::Disk;

const NAME: &str = "disk_test.img";
const SIZE: Bytes = Bytes::new(1 << 20);

fn create(path: &Path) -> anyhow::Result<Output> {
    let directory = Arc::new(Directory::lock(path)?);
    Output::create(&directory, &Temporaries::default(), NAME, SIZE)
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_image_replaces_the_old_one_when_it_is_complete() {
    for sync in [true, false] {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(NAME);
        fs::write(&path, vec![0xD1; 3 << 20]).unwrap();
        let mut output = create(root.path()).unwrap();
        output.disk().write_at(&[7; 4096], 8192).unwrap();
        assert_eq!(fs::read(&path).unwrap(), vec![0xD1; 3 << 20]);
        let published = output.publish(sync).unwrap();
        drop(output);
        let mut expected = vec![0; 1 << 20];
        expected[8192..12288].fill(7);
        assert_eq!(fs::read(&path).unwrap(), expected);
        assert_eq!(published.size, SIZE);
        let allocated = fs::metadata(&path).unwrap().blocks() * 512;
        assert_eq!(published.allocated.get(), allocated);
        assert!(allocated < 1 << 20, "the rest is a hole");
        assert_eq!(names(root.path()), [NAME]);
    }
}

#[test]
fn what_is_not_published_leaves_the_old_image() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join(NAME), "old").unwrap();
    let output = create(root.path()).unwrap();
    assert_eq!(names(root.path()).len(), 2);
    drop(output);
    assert_eq!(names(root.path()), [NAME]);
    assert_eq!(fs::read(root.path().join(NAME)).unwrap(), b"old");
}

/// A larger file full of a pattern, with a second name that must keep its data.
#[test]
fn the_leftover_of_a_killed_run_is_replaced_not_reused() {
    let root = tempfile::tempdir().unwrap();
    let leftover = root.path().join(format!("{NAME}.tmp"));
    fs::write(&leftover, vec![0xD1; 3 << 20]).unwrap();
    fs::set_permissions(&leftover, fs::Permissions::from_mode(0o400)).unwrap();
    fs::hard_link(&leftover, root.path().join("other")).unwrap();
    create(root.path()).unwrap().publish(true).unwrap();
    assert_eq!(fs::read(root.path().join(NAME)).unwrap(), vec![0; 1 << 20]);
    assert_eq!(
        fs::read(root.path().join("other")).unwrap(),
        vec![0xD1; 3 << 20]
    );
    assert_eq!(names(root.path()), [NAME, "other"]);
}

#[test]
fn everyone_may_read_an_image_whatever_the_umask() {
    // The umask belongs to the process, so a test that changed it would disturb the others.
    let root = tempfile::tempdir().unwrap();
    for umask in ["077", "000", "022"] {
        let script = format!("umask {umask} && exec \"$0\" \"$@\"");
        let status = child(
            Command::new("sh").args(["-c", &script]),
            "publish",
            root.path(),
        )
        .wait()
        .unwrap();
        assert!(status.success());
        let mode = fs::metadata(root.path().join(NAME)).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o644, "umask {umask}");
    }
}

#[test]
fn names_of_something_else_are_refused_and_not_followed() {
    type Make = fn(&Path);
    let table: [(&str, Make); 3] = [
        ("a directory", |path| fs::create_dir(path).unwrap()),
        ("a symbolic link", |path| symlink("victim", path).unwrap()),
        ("a special file", |path| {
            let status = Command::new("mkfifo").arg(path).status().unwrap();
            assert!(status.success());
        }),
    ];
    for (what, make) in table {
        for name in [NAME.to_owned(), format!("{NAME}.tmp")] {
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join("victim"), "precious").unwrap();
            make(&root.path().join(&name));
            let directory = Arc::new(Directory::lock(root.path()).unwrap());
            let message = check_target(&directory, NAME).unwrap_err().to_string();
            assert!(
                message.contains(what) && message.contains(&name),
                "{message}"
            );
            if name.ends_with(".tmp") {
                Output::create(&directory, &Temporaries::default(), NAME, SIZE).unwrap_err();
            }
            assert_eq!(fs::read(root.path().join("victim")).unwrap(), b"precious");
            assert_eq!(names(root.path()).len(), 2);
        }
    }
}

#[test]
fn only_file_names_are_accepted() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::lock(root.path()).unwrap();
    let longest = "x".repeat(251);
    check_target(&directory, &longest).unwrap();
    for name in ["", ".", "..", "a/b", "/a", "a\0b", &format!("{longest}x")] {
        assert!(check_target(&directory, name).is_err(), "{name:?}");
    }
}

#[test]
fn a_size_over_the_limit_is_an_error_that_tells_the_size() {
    let root = tempfile::tempdir().unwrap();
    let limit = "ulimit -f 100 && exec \"$0\" \"$@\"";
    let command = &mut Command::new("bash");
    let child = child(command.args(["-c", limit]), "refused", root.path());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("doesn't allow a file of 1 MiB"), "{text}");
    assert!(names(root.path()).is_empty());
}

#[test]
fn signals_remove_the_temporary_file_and_keep_the_old_image() {
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(NAME), "old").unwrap();
        let mut child = child(&mut Command::new("env"), "wait", root.path());
        await_line(&mut child, "waiting");
        assert_eq!(names(root.path()).len(), 2);
        kill(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(128 + number), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains("stopped\nInterrupted, exiting...\n"),
            "{text}"
        );
        assert_eq!(names(root.path()), [NAME]);
        assert_eq!(fs::read(root.path().join(NAME)).unwrap(), b"old");
    }
}

#[test]
fn ignored_signals_stay_ignored() {
    let root = tempfile::tempdir().unwrap();
    let script = "trap '' HUP && exec \"$0\" \"$@\"";
    let mut child = child(Command::new("sh").args(["-c", script]), "wait", root.path());
    await_line(&mut child, "waiting");
    kill(&child, "HUP");
    kill(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
}

#[test]
fn a_killed_run_leaves_the_old_image_and_holds_up_nobody() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join(NAME), "old").unwrap();
    let mut child = child(&mut Command::new("env"), "wait", root.path());
    await_line(&mut child, "waiting");
    Directory::lock(root.path()).unwrap_err();
    kill(&child, "KILL");
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(fs::read(root.path().join(NAME)).unwrap(), b"old");
    create(root.path()).unwrap().publish(true).unwrap();
    assert_eq!(names(root.path()), [NAME]);
}

/// Runs the test `in_a_process_of_its_own` through `command`, which runs its arguments.
fn child(command: &mut Command, role: &str, path: &Path) -> Child {
    command
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "safe_output::in_a_process_of_its_own"])
        .args(["--ignored", "--nocapture"])
        .env("TEST_ROLE", role)
        .env("TEST_DIRECTORY", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads standard output up to the line `wanted`, a byte at a time: what follows stays there.
fn await_line(child: &mut Child, wanted: &str) {
    let stdout = child.stdout.as_mut().unwrap();
    let mut reader = BufReader::with_capacity(1, stdout.by_ref());
    let mut line = String::new();
    while line.trim_end() != wanted {
        line.clear();
        assert_ne!(
            reader.read_line(&mut line).unwrap(),
            0,
            "ended before '{wanted}'"
        );
    }
}

fn kill(child: &Child, signal: impl AsRef<OsStr>) {
    let status = Command::new("kill")
        .arg("-s")
        .arg(signal)
        .arg(child.id().to_string())
        .status();
    assert!(status.unwrap().success());
}

#[test]
#[ignore = "is run by other tests, in a process of its own"]
fn in_a_process_of_its_own() {
    let path = std::env::var_os("TEST_DIRECTORY").unwrap();
    let temporaries = Temporaries::default();
    exit_on_signals(temporaries.clone(), || eprintln!("stopped")).unwrap();
    let directory = Arc::new(Directory::lock(Path::new(&path)).unwrap());
    let output = Output::create(&directory, &temporaries, NAME, SIZE);
    match std::env::var("TEST_ROLE").unwrap().as_str() {
        "publish" => {
            output.unwrap().publish(true).unwrap();
        }
        "refused" => println!("{:#}", output.unwrap_err()),
        "wait" => {
            println!("\nwaiting");
            std::thread::sleep(std::time::Duration::from_secs(60));
            panic!("no signal came");
        }
        role => panic!("unknown role {role}"),
    }
}
