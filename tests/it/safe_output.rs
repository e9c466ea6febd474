//! Images are complete or absent, whatever happens while they are made.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use createhdds::engine::{Directory, Output, Temporaries, check_target, exit_on_signals};
use disklayout::Bytes;

use crate::world::send;

const NAME: &str = "disk_test.img";
const SIZE: Bytes = Bytes::new(1 << 20);

fn create(path: &Path) -> anyhow::Result<Output> {
    let directory = Arc::new(Directory::lock(path)?);
    Output::create(&directory, &Temporaries::default(), NAME)
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
        output.file().set_len(SIZE.get()).unwrap();
        output.file().write_all_at(&[7; 4096], 8192).unwrap();
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

/// A leftover that is larger and full of a pattern, with a second name that must keep its data.
#[test]
fn the_leftover_of_a_killed_run_is_replaced_not_reused() {
    let root = tempfile::tempdir().unwrap();
    let mut child = child(&mut Command::new("env"), "wait", root.path());
    await_line(&mut child, "waiting");
    send(&child, "KILL");
    child.wait().unwrap();
    let leftover = root.path().join(format!("{NAME}.tmp"));
    fs::write(&leftover, vec![0xD1; 3 << 20]).unwrap();
    fs::hard_link(&leftover, root.path().join("other")).unwrap();
    create(root.path()).unwrap().publish(true).unwrap();
    assert_eq!(fs::read(root.path().join(NAME)).unwrap(), b"");
    assert_eq!(
        fs::read(root.path().join("other")).unwrap(),
        vec![0xD1; 3 << 20]
    );
    assert_eq!(names(root.path()), [NAME, "other"]);
}

/// Whatever is called like an unfinished image, a copy of a leftover with all of its attributes
/// included.
#[test]
fn files_of_others_stay_whatever_they_are_called() {
    let root = tempfile::tempdir().unwrap();
    let temporary = |n: &str| root.path().join(format!("{NAME}{n}.tmp"));
    let mut child = child(&mut Command::new("env"), "wait", root.path());
    await_line(&mut child, "waiting");
    send(&child, "KILL");
    child.wait().unwrap();
    let copy = Command::new("cp")
        .arg("-a")
        .args([temporary(""), temporary(".1")])
        .status();
    assert!(copy.unwrap().success());
    fs::rename(temporary(".1"), temporary("")).unwrap();
    fs::write(temporary(".1"), "precious").unwrap();
    fs::create_dir(temporary(".2")).unwrap();
    symlink("nowhere", temporary(".3")).unwrap();
    let before = names(root.path());
    let mut output = create(root.path()).unwrap();
    assert_eq!(output.temporary_name(), format!("{NAME}.4.tmp"));
    output.publish(true).unwrap();
    drop(output);
    assert_eq!(names(root.path()), [vec![NAME.to_owned()], before].concat());
    for n in 4..10 {
        fs::write(temporary(&format!(".{n}")), "precious").unwrap();
    }
    let message = create(root.path()).unwrap_err().to_string();
    assert!(message.contains("move away"), "{message}");
    assert_eq!(names(root.path()).len(), 11);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn an_image_has_the_permissions_of_what_it_replaces_or_those_of_the_umask() {
    // The umask belongs to the process, so a test that changed it would disturb the others.
    for (umask, expected) in [
        ("077", 0o600),
        ("000", 0o666),
        ("022", 0o644),
        ("027", 0o640),
    ] {
        let root = tempfile::tempdir().unwrap();
        let script = format!("umask {umask} && exec \"$0\" \"$@\"");
        let publish = || {
            let mut sh = Command::new("sh");
            let mut child = child(sh.args(["-c", &script]), "publish", root.path());
            assert!(child.wait().unwrap().success());
        };
        let image = root.path().join(NAME);
        publish();
        assert_eq!(mode(&image), expected, "umask {umask}");
        for old in [0o600, 0o664, 0o444] {
            fs::set_permissions(&image, fs::Permissions::from_mode(old)).unwrap();
            publish();
            assert_eq!(mode(&image), old, "umask {umask}");
        }
        fs::set_permissions(&image, fs::Permissions::from_mode(0o4755)).unwrap();
        publish();
        assert_eq!(mode(&image), 0o755);
    }
}

#[test]
fn an_unfinished_image_is_for_its_owner_only() {
    let root = tempfile::tempdir().unwrap();
    let output = create(root.path()).unwrap();
    assert_eq!(mode(&root.path().join(output.temporary_name())), 0o600);
}

/// In a namespace in which this user is root and has further numbers, where that isn't so already.
#[test]
fn a_replaced_image_keeps_its_owner() {
    let root = tempfile::tempdir().unwrap();
    let image = root.path().join(NAME);
    fs::write(&image, "old").unwrap();
    let owner = || {
        let found = fs::metadata(&image).unwrap();
        (found.uid(), found.gid())
    };
    // Only root may give files away; others keep what is theirs.
    let is_given = std::os::unix::fs::chown(&image, Some(61_234), Some(61_235)).is_ok();
    let before = owner();
    assert_eq!(is_given, before == (61_234, 61_235));
    create(root.path()).unwrap().publish(true).unwrap();
    assert_eq!(owner(), before);
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
        {
            let name = NAME;
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join("victim"), "precious").unwrap();
            make(&root.path().join(name));
            let directory = Arc::new(Directory::lock(root.path()).unwrap());
            let message = check_target(&directory, NAME).unwrap_err().to_string();
            assert!(
                message.contains(what) && message.contains(name),
                "{message}"
            );
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
    let child = child(command.args(["-c", limit]), "large", root.path());
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
        send(&child, signal);
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
    send(&child, "HUP");
    send(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
}

#[test]
fn a_killed_run_leaves_the_old_image_and_holds_up_nobody() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join(NAME), "old").unwrap();
    let mut child = child(&mut Command::new("env"), "wait", root.path());
    await_line(&mut child, "waiting");
    Directory::lock(root.path()).unwrap_err();
    send(&child, "KILL");
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
        .arg("--nocapture")
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

/// Does nothing by itself: other tests run it.
#[test]
fn in_a_process_of_its_own() {
    let Some(path) = std::env::var_os("TEST_DIRECTORY") else {
        return;
    };
    let temporaries = Temporaries::default();
    exit_on_signals(temporaries.clone(), || eprintln!("stopped")).unwrap();
    let directory = Arc::new(Directory::lock(Path::new(&path)).unwrap());
    let output = Output::create(&directory, &temporaries, NAME);
    match std::env::var("TEST_ROLE").unwrap().as_str() {
        "publish" => {
            output.unwrap().publish(true).unwrap();
        }
        "large" => {
            let output = output.unwrap();
            let error = output.file().set_len(SIZE.get()).unwrap_err();
            println!("{:#}", output.cannot_hold(SIZE, error));
        }
        "refused" => println!("{:#}", output.unwrap_err()),
        "wait" => {
            println!("\nwaiting");
            // The signal comes as soon as the other process gets to it.
            std::thread::sleep(std::time::Duration::from_secs(3600));
            panic!("no signal came");
        }
        role => panic!("unknown role {role}"),
    }
}
