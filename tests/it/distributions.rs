//! Sets of other distributions than the shipped one: names, releases, and whose images are removed.

use std::env::consts::ARCH;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::server::{Server, ok};
use crate::world::{Run, World, install, single};

/// An installed system by the start of its name: `al9_minimal_3`.
fn installed(start: &str) -> String {
    format!("disk_{start}_{ARCH}.qcow2")
}

/// A configuration with this line more, with `releases` of the group `minimal`.
fn configure(world: &World, line: &str, releases: &[&str]) {
    let list = releases.iter().map(|it| format!(r#""{it}": ["{ARCH}"]"#));
    let list = list.collect::<Vec<_>>().join(", ");
    let group =
        install("minimal", &list).replacen('{', r#"{"imgver": "3", "variant": "Server", "#, 1);
    let text = format!(
        r#"{{"guestfs": [{}], "virtinstall": [{group}], "renames": []{line}}}"#,
        single("a")
    );
    fs::write(world.config(), text).unwrap();
}

#[test]
fn one_line_makes_a_set_that_of_another_distribution() {
    for (line, option, prefix) in [
        ("", "", "rocky"),
        (r#", "distribution": "almalinux""#, "", "al"),
        (
            r#", "distribution": {"base": "fedora", "prefix": "x"}"#,
            "",
            "x",
        ),
        ("", "--distribution almalinux", "al"),
        (
            r#", "distribution": "fedora""#,
            "--distribution=rocky",
            "rocky",
        ),
    ] {
        let world = World::new("", "", "");
        configure(&world, line, &["9"]);
        let name = installed(&format!("{prefix}9_minimal_3"));
        let missing = format!("Missing images: disk_a.img, {name}\n");
        world
            .run(&format!("{option} check"))
            .expect(2)
            .prints(&missing);
        world.put(&name, 0);
        let check = world.run(&format!("check {option}")).expect(2);
        check.prints("Missing images: disk_a.img\n");
        if prefix != "rocky" {
            world.run(&format!("{option} --strict check")).expect(2);
        }
    }
    let world = World::new("", "", "");
    configure(&world, r#", "distribution": "centos""#, &["9"]);
    world
        .run("check")
        .expect(3)
        .says(["distribution: unknown distribution 'centos'"]);
    configure(&world, "", &["9"]);
    world
        .run("--distribution centos check")
        .expect(64)
        .says(["'centos'"]);
}

#[test]
fn the_images_of_other_distributions_are_never_removed() {
    let others = [
        "al9_minimal_3",
        "f40_kde_4",
        "frawhide_minimal",
        "centos9_x",
    ]
    .map(installed);
    let former = others[0].replace(".qcow2", ".img");
    let ours = [
        installed("rocky8_minimal_3"),
        "disk_ks_5.img".into(),
        "disk_f2fs.img".into(),
    ];
    for line in ["all -c --kind guestfs", "check -c", "all -d --kind guestfs"] {
        let world = World::new("", "", "");
        configure(&world, "", &["9"]);
        for name in others.iter().chain(&ours).chain([&former]) {
            world.put(name, 100);
        }
        let parts = ["not removed", "\"almalinux\"", "\"fedora\"", &others[3]];
        let run = world.run(line).says(parts);
        let left = world.names();
        let is_kept = |name| world.is_untouched(name);
        assert!(
            others.iter().chain([&former]).all(|name| is_kept(name)),
            "{run:?}"
        );
        assert!(!left.iter().any(|name| ours.contains(name)), "{left:?}");
    }
    // Of our own, only those that nobody asks for are removed.
    let world = World::new("", "", "");
    configure(&world, r#", "distribution": "almalinux""#, &["9"]);
    let [kept, old, other] = ["al9_minimal_3", "al8_minimal_3", "rocky9_minimal_3"].map(installed);
    for name in [&kept, &old, &other] {
        world.put(name, 0);
    }
    let run = world.run("all -c --kind guestfs").expect(0);
    run.says(["Removing", &old, "\"rocky\""]);
    assert_eq!(world.names(), ["disk_a.img", &kept, &other]);
}

/// Without the network, a release that this machine hasn't heard of would be nobody's.
#[test]
fn nothing_is_removed_by_the_word_of_an_old_database() {
    let world = World::new("", "", "");
    configure(&world, "", &["-1"]);
    let bin = world.root().join("bin");
    fs::create_dir(&bin).unwrap();
    let program = bin.join("osinfo-query");
    fs::write(
        &program,
        "#!/bin/sh\necho ' Short ID | Version'; echo ---; echo ' rocky9 | 9'\n",
    )
    .unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let [kept, newer] = ["rocky9_minimal_3", "rocky10_minimal_3"].map(installed);
    world.put(&kept, 0);
    world.put(&newer, 0);
    for (line, is_kept) in [
        ("all -c --kind guestfs", true),
        ("check -c", true),
        ("check -c -n 10", false),
    ] {
        let mut command = world.command(line);
        let path = std::env::var("PATH").unwrap();
        let run = Run::of(command.env("PATH", format!("{}:{path}", bin.display()))).expect(0);
        let run = if is_kept {
            run.says(["nothing is removed", &newer])
        } else {
            run
        };
        assert_eq!(world.names().contains(&newer), is_kept, "{run:?}");
    }
    assert!(world.is_untouched(&kept));
}

#[test]
fn releases_of_fedora_have_words() {
    let document = r#"{"fedora": {"stable": [40, 41], "branched": [42]}, "epel": {"stable": [9]}}"#;
    let server = Server::start(move |_, stream| ok(stream, document.as_bytes()));
    let world = World::new("", "", "");
    configure(
        &world,
        r#", "distribution": "fedora""#,
        &["-1", "-2", "stable", "branched", "rawhide"],
    );
    let mut command = world.command("check");
    command.env("CREATEHDDS_RELEASE_URL", &server.address);
    let names = [41, 40, 42, 43].map(|release| installed(&format!("f{release}_minimal_3")));
    let missing = format!("Missing images: disk_a.img, {}\n", names.join(", "));
    Run::of(&mut command).expect(2).prints(&missing);
    assert_eq!(server.requests().len(), 1);
    // Elsewhere these are names like any other.
    configure(&world, "", &["rawhide"]);
    let name = installed("rockyrawhide_minimal_3");
    let missing = format!("Missing images: disk_a.img, {name}\n");
    world.run("check").expect(2).prints(&missing);
}

#[test]
fn a_byte_order_mark_is_skipped_and_other_encodings_are_told() {
    let world = World::new(&single("a"), "", "");
    let text = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), format!("\u{feff}{text}")).unwrap();
    let missing = "Missing images: disk_a.img\n";
    world
        .run("check")
        .expect(2)
        .prints(missing)
        .never_says(["WARNING"]);
    fs::write(world.config(), "\u{feff}{\n  \"guestfs\": [,]}").unwrap();
    world
        .run("check")
        .expect(3)
        .says(["hdds.json:2:15: expected value"]);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(world.config(), [&[0xff, 0xfe], &wide[..]].concat()).unwrap();
    world
        .run("check")
        .expect(3)
        .says(["hdds.json", "UTF-16; save it as UTF-8"]);
}
