//! Options of every command.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::world::{BINARY, Run, World, broken, layout, single};

#[test]
fn the_directory_may_be_given_on_both_sides_of_the_command() {
    for line in ["-C ../other a", "a -C ../other", "a --directory=../other"] {
        let world = World::new(&single("a"), "", "");
        fs::create_dir(world.root().join("other")).unwrap();
        world.run(line).expect(0);
        let other = world.root().join("other");
        assert_eq!(crate::world::names(&other), ["disk_a.img"]);
        assert_eq!(world.names(), [""; 0]);
    }
}

#[test]
fn any_number_of_jobs_builds_all_images() {
    for line in ["-j 1 all", "all -j 2", "all --jobs=64"] {
        let group = layout("a", r#"["mbr", "gpt"]"#, r#"["ext2", "ext4"]"#).replace("2M", "8M");
        let world = World::new(&group, "", "");
        world.run(line).expect(0).says(["Built 4 of 4 images"]);
        assert_eq!(world.names().len(), 4);
    }
}

#[test]
fn json_is_an_object_a_line_on_standard_output() {
    let world = World::new(&(single("a") + "," + &broken("b")), "", "");
    world.put("disk_old.img", 0);
    let run = world.run("--json all -c").expect(3);
    assert_eq!(run.stderr, "", "{run:?}");
    let lines = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    let events: Vec<_> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    let expected = [
        "removing",
        "started",
        "image_failed",
        "image_started",
        "image_built",
        "finished",
    ];
    assert_eq!(events, expected);
    assert_eq!(lines[1]["images"], 2);
    assert_eq!(
        (&lines[4]["image"], &lines[4]["size"]),
        (&"disk_a.img".into(), &(2 << 20).into())
    );
    let end = &lines[5];
    assert_eq!(
        (&end["built"], &end["failed"][0]["images"][0]),
        (&1.into(), &"disk_b.img".into())
    );
    let error = end["failed"][0]["error"].as_str().unwrap();
    let file = world.config().display().to_string();
    assert!(error.starts_with(&format!("{file}:4:")), "{error}");
    assert!(error.contains(" guestfs[1].parts[0].end: "), "{error}");
}

#[test]
fn options_of_installations_are_taken_on_both_sides_and_judged_first() {
    let world = World::new(&single("a"), "", "");
    for line in [
        "-t -b stg -b http://m/{release}/{arch},/srv --connect qemu:///session check",
        "check --virt-type qemu --install-jobs 2 --install-timeout 1h30m --install-attempts 1",
        "check --memory 4G --cpus 2",
    ] {
        world.run(line).expect(2);
    }
    for (line, part) in [
        ("-b rsync://m check", "give pub, stg, an address"),
        ("-b {version} check", "give pub"),
        ("check --virt-type xen", "auto, kvm, qemu"),
        ("check --install-timeout soon", "90m"),
        ("check --memory 1", "512 MiB is the least"),
        ("check --cpus 0", "between 1 and 255"),
        ("check -b pub", "-b"),
    ] {
        world.run(line).expect(64).says([part]).prints("");
    }
    let help = world.run("--help").expect(0).stdout;
    let (_, installations) = help.split_once("Installations:\n").unwrap();
    for part in [
        "--baseurl",
        "/RELEASE/BaseOS/ARCH/os",
        "--virt-type",
        "[default: 1h]",
    ] {
        assert!(installations.contains(part), "{part}: {help}");
    }
}

/// How often a run of `line` asks the system to sync, as strace counts it.
fn syncs(line: &str) -> usize {
    let world = World::new(&single("a"), "", "");
    let mut strace = Command::new("strace");
    world.prepare(&mut strace);
    let trace = "trace=fsync,fdatasync,sync,syncfs,sync_file_range";
    strace.args(["-f", "-qq", "-o", "../trace", "-e", trace, BINARY]);
    Run::of(strace.args(line.split(' '))).expect(0);
    assert_eq!(world.names(), ["disk_a.img"]);
    let trace = fs::read_to_string(world.root().join("trace")).unwrap();
    trace.lines().filter(|line| line.contains("sync")).count()
}

#[test]
fn without_sync_nothing_is_synced() {
    assert!(syncs("a") >= 2, "the image and its directory");
    for line in ["--no-sync a", "a --no-sync", "all --no-sync"] {
        assert_eq!(syncs(line), 0, "{line}");
    }
}

#[test]
fn log_levels_show_more_or_less() {
    let unknown = single("a").replacen('{', r#"{"comment": 1, "#, 1);
    for (level, debug, warning) in [
        ("debug", true, true),
        ("info", false, true),
        ("warning", false, true),
        ("error", false, false),
        ("critical", false, false),
    ] {
        let world = World::new(&unknown, "", "");
        let run = world.run(&format!("-l {level} check")).expect(2);
        assert_eq!(
            run.stderr
                .contains("DEBUG:createhdds:the configuration is "),
            debug,
            "{run:?}"
        );
        assert_eq!(
            run.stderr.contains("WARNING:createhdds:"),
            warning,
            "{run:?}"
        );
    }
}

#[test]
fn a_wrong_environment_is_told_before_anything_is_done() {
    for (name, value) in [
        ("SOURCE_DATE_EPOCH", "yesterday"),
        ("CREATEHDDS_DOWNLOAD_LIMIT", "much"),
    ] {
        for line in ["all -d", "all -c", "a", "plan"] {
            let world = World::new(&single("a"), "", "");
            world.put("disk_old.img", 0);
            let run = Run::of(world.command(line).env(name, value));
            run.expect(3).says([name, value]).prints("");
            assert_eq!(world.names(), ["disk_old.img"]);
        }
    }
}
