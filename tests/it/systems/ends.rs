//! Runs that fail, and runs that are ended: nothing is left of them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use super::place::{Place, specification};
use super::user::{self, User};
use crate::world::{Run, send};

/// How often it is looked whether something has happened.
const TICK: Duration = Duration::from_millis(20);

/// The processes in whose environment or arguments `mark` is, by their numbers, with their arguments.
pub(crate) fn processes(mark: &str) -> BTreeMap<String, String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let has_mark = |file: Vec<u8>| file.windows(mark.len()).any(|it| it == mark.as_bytes());
    let found = all.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.parse::<u32>().ok()?;
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let is_one = has_mark(read("environ")) || has_mark(read("cmdline"));
        let line = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        is_one.then_some((name, line))
    });
    found.filter(|(_, line)| !line.is_empty()).collect()
}

/// Makes sure that nothing is left of runs in `place` but these files, soon.
pub(crate) fn assert_nothing_is_left(place: &Place, files: &[&str]) {
    let directory = place.directory().display().to_string();
    // What was killed with its guard goes a moment later.
    for _ in 0..1500 {
        if processes(&directory).is_empty() && place.names() == files {
            break;
        }
        sleep(TICK);
    }
    assert_eq!(processes(&directory), BTreeMap::new());
    assert_eq!(place.names(), files);
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains("createhdds"), "{mounts}");
    let backing = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let loops =
        backing.filter_map(|it| fs::read_to_string(it.path().join("loop/backing_file")).ok());
    let ours: Vec<_> = loops.filter(|path| path.contains(&directory)).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn a_step_that_fails_is_told_with_its_place_and_last_words() {
    for user in user::all() {
        let place = Place::new(user);
        place.put_root();
        for (steps, parts) in [
            (
                "  - shell: |\n      echo last words >&2\n      exit 7\n    root-fs: root\n",
                &["a.vmdb:17:5 steps[7]", "sh failed (status 7)", "last words"][..],
            ),
            (
                "  - chroot: root\n    shell: nosuchprogram\n",
                &[
                    "a.vmdb:17:5 steps[7]",
                    "sh failed (status 127)",
                    "nosuchprogram",
                ],
            ),
            (
                "  - error: on purpose\n    teardown: x\n",
                &["a.vmdb:17:5 steps[7]", "on purpose"],
            ),
            (
                "  - create-file: /no/such/file\n    contents: x\n",
                &[
                    "steps[7]",
                    "can't make the file '/no/such/file' in the tree",
                ],
            ),
            ("  - resize-rootfs: root\n", &["the tree has no parted"]),
        ] {
            place.put("a.vmdb", specification(steps));
            for tree in ["memory", "."] {
                let line =
                    format!("vmdb2 --output a.img --rootfs-tarball root.tar --tree {tree} a.vmdb");
                let run = place.run(&line).expect(3);
                for part in parts {
                    assert!(run.stderr.contains(part), "{part}: {run:?}");
                }
                assert_nothing_is_left(&place, &["a.vmdb", "root.tar"]);
            }
        }
    }
}

#[test]
fn what_was_there_stays_when_a_run_fails() {
    let place = Place::new(User::Ordinary);
    place.put(
        "a.vmdb",
        specification("  - error: on purpose\n    teardown: x\n"),
    );
    place.put("a.img", vec![0; 512]);
    place.put("text", "no image");
    place.run("vmdb2 --output a.img a.vmdb").expect(3);
    assert_eq!(fs::read(place.path("a.img")).unwrap(), vec![0; 512]);
    let run = place.run("vmdb2 --output text a.vmdb");
    run.expect(3).says(["text", "--force"]);
    assert_eq!(fs::read(place.path("text")).unwrap(), b"no image");
    assert_nothing_is_left(&place, &["a.img", "a.vmdb", "text"]);
}

/// Waits until something has happened that `child` does before it ends.
pub(crate) fn wait_until(child: &mut Child, has_happened: impl Fn() -> bool) {
    while !has_happened() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        sleep(TICK);
    }
}

/// Runs twice what takes as long as it is let, and sends it a signal, by which it ends: in the middle of
/// programs, with this `status`, and so many milliseconds after its start.
pub(crate) fn ends_by(
    (signal, status): (&str, Option<i32>),
    early: u64,
    start: impl Fn() -> Child,
    has_begun: impl Fn() -> bool,
    check: impl Fn(),
) {
    for is_early in [false, true] {
        let mut child = start();
        match is_early {
            true => sleep(Duration::from_millis(early)),
            false => wait_until(&mut child, &has_begun),
        }
        send(&child, signal);
        let ended = child.wait_with_output().unwrap();
        if !is_early {
            assert_eq!(ended.status.code(), status, "{ended:?}");
        }
        assert!(!ended.status.success());
        check();
    }
}

/// A run that takes as long as it is let, with programs in the tree and outside.
fn start(place: &Place, tree: &str) -> Child {
    let steps = "  - chroot: root\n    shell: |\n      echo x > /etc/x\n      chown 7:8 /etc/x\n      sleep 1000 &\n      test -e /etc/x\n\
                 \x20 - shell: |\n      sleep 1000 &\n      mount -t tmpfs mine \"$ROOT/tmp\"\n      touch started\n      sleep 1000\n    root-fs: root\n";
    place.put("a.vmdb", specification(steps));
    let line = format!("vmdb2 --output a.img --rootfs-tarball root.tar --tree {tree} a.vmdb");
    place.command(&line).spawn().unwrap()
}

#[test]
fn signals_leave_nothing_whenever_they_come() {
    // Milliseconds: while it checks, starts, unpacks, or is in the middle of programs.
    let mut moments = [3, 15, 40, 80, 160, 320].into_iter().cycle();
    for user in user::all() {
        let place = Place::new(user);
        place.put_root();
        for tree in ["memory", "."] {
            for (signal, status) in [("INT", Some(130)), ("TERM", Some(143)), ("KILL", None)] {
                let check = || {
                    let _ = fs::remove_file(place.path("started"));
                    assert_nothing_is_left(&place, &["a.vmdb", "root.tar"]);
                };
                ends_by(
                    (signal, status),
                    moments.next().unwrap_or(0),
                    || start(&place, tree),
                    || place.path("started").exists(),
                    check,
                );
            }
        }
    }
}

#[test]
fn a_sandbox_that_is_killed_is_told_and_leaves_nothing() {
    for user in user::all() {
        let place = Place::new(user);
        place.put_root();
        // What the guard would have removed, the next one does.
        for (part, tree) in [("guard", "memory"), ("first", "memory"), ("first", ".")] {
            // It is somebody's, whatever it is called.
            place.put("killed.img.disk.tmp", "mine");
            let steps = "  - shell: touch started; sleep 1000\n    root-fs: root\n";
            place.put("a.vmdb", specification(steps));
            let output = place.path("killed.img").display().to_string();
            let line =
                format!("vmdb2 --output {output} --rootfs-tarball root.tar --tree {tree} a.vmdb");
            let mut child = place.command(&line).spawn().unwrap();
            wait_until(&mut child, || place.path("started").exists());
            let mark = format!("--internal-sandbox {part} ");
            let mut found = processes(&output);
            found.retain(|_, line| line.contains(&mark));
            assert_eq!(found.len(), 1, "{part}: {found:?}");
            for number in found.keys() {
                testkit::program::run("kill", &["-KILL", number.as_str()]).unwrap();
            }
            let ended = child.wait_with_output().unwrap();
            assert_eq!(ended.status.code(), Some(137), "{ended:?}");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(said.contains("the sandbox was killed"), "{said}");
            assert_eq!(
                fs::read(place.path("killed.img.disk.tmp")).unwrap(),
                b"mine"
            );
            fs::remove_file(place.path("killed.img.disk.tmp")).unwrap();
            fs::remove_file(place.path("started")).unwrap();
            assert_nothing_is_left(&place, &["a.vmdb", "root.tar"]);
        }
    }
}

#[test]
fn a_user_without_subordinate_ids_is_told_the_line_to_add() {
    // Nobody has that number.
    if !testkit::root::is_root_user() {
        return testkit::log::not_run("it takes another user's number, which only root can");
    }
    let place = Place::new(User::Root);
    place.put("a.vmdb", specification(""));
    fs::set_permissions(
        place.directory(),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    let mut command = testkit::program::command("setpriv");
    command.args(["--reuid=987654", "--regid=987654", "--clear-groups"]);
    command.arg(place.directory().parent().unwrap().join("createhdds"));
    command
        .args(["vmdb2", "--output", "a.img", "a.vmdb"])
        .current_dir(place.directory());
    let run = Run::of(&mut command);
    run.expect(3).says([
        "/etc/subuid has no line for '987654'",
        "987654:100000:65536",
        "/etc/subgid",
    ]);
    assert_nothing_is_left(&place, &["a.vmdb"]);
}

#[test]
fn owners_beyond_those_of_the_sandbox_are_told_with_what_to_do() {
    let place = Place::new(User::Ordinary);
    place.put("tree/file", "text");
    let options = ["--owner=70000", "--group=70000", "-C"];
    let mut tar = testkit::program::command("tar");
    tar.args(options).arg(place.path("tree"));
    tar.arg("-cf").arg(place.path("root.tar")).arg(".");
    assert!(tar.status().unwrap().success());
    place.put("a.vmdb", specification(""));
    let run = place.run("vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb");
    run.expect(3).says(["owners beyond", "/etc/subuid"]);
    assert_eq!(place.names(), ["a.vmdb", "root.tar", "tree"]);
}
