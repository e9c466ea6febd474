//! What the exit status says.

use std::fs::{self, File};
use std::io::PipeWriter;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use createhdds::engine::Directory;
use rustix::event::{PollFd, PollFlags, poll};

use crate::world::{BINARY, Run, World, broken, install, single};

const HOST: &str = std::env::consts::ARCH;

fn releases(release: &str) -> String {
    format!(r#""{release}": ["{HOST}"]"#)
}

fn world() -> World {
    World::new(&single("a"), &install("m", &releases("9")), "")
}

#[test]
fn check_answers_by_its_status() {
    let world = world();
    let installed = format!("disk_rocky9_m_{HOST}.qcow2");
    world.run("check").expect(2);
    world.put("disk_a.img", 100);
    world.put(&installed, 3);
    world.run("check").expect(1);
    world.put(&installed, 1);
    world.run("check").expect(0);
    world.put("disk_unknown.img", 0);
    world.run("check").expect(0);
}

#[test]
fn failures_have_a_status_of_their_own() {
    let good = world();
    let [not_json, cut_off] = ["nonsense", r#"{"guestfs": ["#].map(|text| {
        let world = world();
        fs::write(world.config(), text).unwrap();
        world
    });
    let relative = World::new("", &install("m", &releases("-1")), "");
    for (world, line, part) in [
        (&not_json, "check", "hdds.json"),
        (&not_json, "all", "hdds.json"),
        (&cut_off, "plan", "hdds.json"),
        // Whether it is a group can't be known.
        (&cut_off, "a", "hdds.json"),
        (&good, "--config missing.json check", "missing.json"),
        (
            &good,
            "--data-dir missing --config missing/x check",
            "can't read",
        ),
        (&good, "-C missing check", "can't list 'missing'"),
        (
            &good,
            "-C missing all",
            "can't open the image directory 'missing'",
        ),
        (&good, "-C ../hdds.json check", "can't list '../hdds.json'"),
        (
            &good,
            "-C ../hdds.json all",
            "can't open the image directory",
        ),
        (
            &good,
            "plan nonsense",
            "there is no group 'nonsense'; there are a, m",
        ),
        (&relative, "check", "-n/--nextrel"),
        (&relative, "all", "-n/--nextrel"),
        (&relative, "m", "osinfo-query"),
        (&relative, "check -n 1", "release -1 doesn't exist"),
    ] {
        let run = world.run(line).expect(3).says([part]).prints("");
        assert!(run.stderr.contains("createhdds: "), "{run:?}");
        assert_eq!(world.names(), [""; 0]);
    }
}

/// A directory and a file that is no text: root, who may run this, can read every file.
#[test]
fn an_unreadable_configuration_is_a_failure() {
    let [directory, binary] = [world(), world()];
    fs::remove_file(directory.config()).unwrap();
    fs::create_dir(directory.config()).unwrap();
    fs::write(binary.config(), b"\xff").unwrap();
    for world in [directory, binary] {
        let run = world.run("check").expect(3);
        run.says(["createhdds: can't read the configuration "]);
        world.run("--help").expect(0);
    }
}

#[test]
fn a_locked_directory_is_a_failure() {
    let world = world();
    let lock = Directory::lock(&world.directory()).unwrap();
    for line in ["all", "a", "check -r", "check -c", "all -d"] {
        let run = world.run(line).expect(3);
        run.says(["another run is working in the directory '.'", "-C"]);
    }
    drop(lock);
    world.run("a").expect(0);
}

#[test]
fn wrong_usage_is_64() {
    let world = world();
    for line in [
        "",
        "nonsense",
        "--nonsense",
        "check --nonsense",
        "check extra",
        "all --kind other",
        "all -n many",
        "-j 0 all",
        "-j many all",
        "-j 100000 all",
        "-l loud check",
        "-b other check",
        "m -a x86_64",
        "m -r 9 -a vax",
        "a -l gpt",
        "--config",
    ] {
        world.run(line).expect(64).prints("").says(["--help"]);
    }
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn help_and_version_need_no_configuration() {
    let good = world();
    let bad = world();
    fs::write(bad.config(), "{").unwrap();
    for world in [&good, &bad] {
        for line in [
            "-h",
            "--help",
            "help",
            "check --help",
            "help check",
            "all -h",
            "plan -h",
        ] {
            let run = world.run(line).expect(0);
            assert!(
                run.stdout.contains("Usage:") && run.stderr.is_empty(),
                "{run:?}"
            );
        }
        for line in ["-V", "--version"] {
            let version = format!("createhdds {}\n", env!("CARGO_PKG_VERSION"));
            world.run(line).expect(0).prints(&version);
        }
    }
    let help = good.run("--help").stdout;
    for part in [
        "Exit status:",
        "64",
        "CREATEHDDS_CACHE_DIR",
        "SOURCE_DATE_EPOCH",
        "'m'",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn a_failed_image_is_a_failure() {
    let world = World::new(&broken("b"), "", "");
    for line in ["all", "b", "plan", "--json plan"] {
        world.run(line).expect(3);
    }
}

/// The reader goes away before the first line is written.
#[test]
fn a_reader_that_goes_away_gets_no_panic() {
    let world = world();
    for line in [
        "check",
        "--json check",
        "plan",
        "--json plan",
        "--help",
        "--json a",
    ] {
        let run = Run::of(world.command(line).stdout(without_reader()));
        assert_eq!(run.stderr.replace("INFO:createhdds:", ""), "", "{run:?}");
        let expected = if line.ends_with(['a', 'p']) { 0 } else { 3 };
        run.expect(expected);
    }
}

/// A pipe that nobody reads.
fn without_reader() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    // A child that another test is starting may have a copy for a moment.
    let is_closed = || {
        let mut fds = [PollFd::new(&writer, PollFlags::OUT)];
        poll(&mut fds, None).unwrap();
        fds[0].revents().contains(PollFlags::ERR)
    };
    while !is_closed() {
        std::thread::yield_now();
    }
    writer
}

#[test]
fn what_cannot_be_told_is_a_failure() {
    let world = world();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for line in [
        "check",
        "--json check",
        "plan",
        "--json plan",
        "doctor",
        "--json doctor",
        "--help",
        "help check",
        "--version",
        "--json a",
        "--json all",
        "--json make-fs ../images ../b.img",
    ] {
        world.put("disk_unknown.img", 0);
        let run = Run::of(world.command(line).stdout(full())).expect(3);
        run.says(["createhdds: can't write ", "No space left on device"]);
    }
    for line in ["a", "check --nonsense"] {
        let status = world.command(line).stderr(full()).status().unwrap();
        let expected = if line == "a" { 3 } else { 64 };
        assert_eq!(status.code(), Some(expected), "{line}");
    }
}

/// As where `ulimit -u` or a container's limit of processes is reached.
#[test]
fn too_few_threads_are_an_error_or_a_slower_run() {
    let world = world();
    let images = world.directory();
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&images, fs::Permissions::from_mode(0o777)).unwrap();
    let binary = images.join("binary");
    fs::copy(BINARY, &binary).unwrap();
    // Root has no limit; in a namespace of their own, others are counted anew.
    let ordinary = "setpriv --reuid=61237 --regid=61237 --clear-groups";
    let is_root = rustix::process::geteuid().is_root();
    let user = if is_root { ordinary } else { "env" };
    for limit in 1..=8 {
        for line in ["-j 2 make-fs . ../x.img", "-j 2 all", "plan", "doctor"] {
            let mut command = Command::new("env");
            let words = format!("{user} unshare --user prlimit --nproc={limit} ./binary {line}");
            world.prepare(&mut command).args(words.split(' '));
            let run = Run::of(&mut command);
            assert!(matches!(run.status, Some(0 | 3)), "{limit}: {run:?}");
            if limit == 1 && line != "doctor" {
                run.expect(3).says(["thread"]).never_says(["panicked"]);
            }
        }
    }
}
