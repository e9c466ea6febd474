//! `all`: what it builds, renames and removes.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::world::{NO_LIBVIRT, World, broken, install, layout, single};

const HOST: &str = std::env::consts::ARCH;

/// An architecture that this machine doesn't build.
const FOREIGN: &str = if cfg!(target_arch = "x86_64") {
    "aarch64"
} else {
    "x86_64"
};

fn installed(release: &str, extension: &str) -> String {
    format!("disk_rocky{release}_m_{HOST}.{extension}")
}

fn host_install() -> String {
    install("m", &format!(r#""9": ["{HOST}", "{FOREIGN}"]"#))
}

#[test]
fn what_is_missing_is_built_and_what_is_there_is_left() {
    let world = World::new(&(single("a") + "," + &single("b")), "", "");
    world.put("disk_a.img", 1000);
    let run = world.run("all").expect(0);
    run.says([
        "INFO:createhdds:Creating image disk_b.img...[1/1]",
        "Built 1 of 1 image",
    ])
    .never_says(["disk_a.img"])
    .prints("");
    assert!(world.is_untouched("disk_a.img"));
    assert_eq!(
        fs::metadata(world.path("disk_b.img")).unwrap().len(),
        2 << 20
    );
    let before = fs::metadata(world.path("disk_b.img")).unwrap();
    world.run("all").expect(0).says(["Nothing to build"]);
    let after = fs::metadata(world.path("disk_b.img")).unwrap();
    assert_eq!(
        (before.ino(), before.mtime_nsec()),
        (after.ino(), after.mtime_nsec())
    );
}

#[test]
fn all_variants_have_their_names() {
    let groups = [
        layout("one", r#"["gpt"]"#, r#"["ext4"]"#),
        layout("labels", r#"["mbr", "gpt"]"#, r#"["ext2"]"#),
        layout("both", r#"["mbr", "gpt"]"#, r#"["ext2", "ext3"]"#),
    ];
    // A journal takes more room than the others have.
    let world = World::new(&groups.join(",").replace("2M", "8M"), "", "");
    world.run("all").expect(0);
    let expected = [
        "disk_both_ext2_gpt.img",
        "disk_both_ext2_mbr.img",
        "disk_both_ext3_gpt.img",
        "disk_both_ext3_mbr.img",
        "disk_labels_gpt.img",
        "disk_labels_mbr.img",
        "disk_one.img",
    ];
    assert_eq!(world.names(), expected);
}

#[test]
fn delete_builds_everything_anew_and_removes_what_looks_like_an_image() {
    let world = World::new(&single("a"), "", "");
    for name in [
        "disk_a.img",
        "disk_old.img",
        "disk_old.qcow2",
        "other.img",
        "disk.txt",
    ] {
        world.put(name, 0);
    }
    world.run("all -d").expect(0).says([
        "Removing disk_a.img...",
        "Removing disk_old.img...",
        "Removing disk_old.qcow2...",
        "Creating image disk_a.img...[1/1]",
    ]);
    assert_eq!(world.names(), ["disk.txt", "disk_a.img", "other.img"]);
    assert!(!world.is_untouched("disk_a.img"));
    assert!(world.is_untouched("other.img") && world.is_untouched("disk.txt"));
}

#[test]
fn nothing_is_deleted_when_a_layout_could_not_be_built_anew() {
    let missing = r#"{"name": "u", "size": "2M",
        "parts": [{"type": "p", "start": 64, "end": -64, "filesystem": "ext2"}],
        "uploads": [{"part": 1, "target": "/u", "source": "gone"}]}"#;
    let directory = World::new(&single("a"), "", "");
    fs::create_dir(directory.path("disk_a.img")).unwrap();
    for (world, part) in [
        (
            World::new(&(single("a") + "," + &broken("b")), "", ""),
            "guestfs[1].parts[0].end",
        ),
        (
            World::new(&(single("a") + "," + missing), "", ""),
            "guestfs[1].uploads[0].source",
        ),
        (directory, "'./disk_a.img' is a directory"),
    ] {
        world.put("disk_b.img", 0);
        world.put("disk_old.img", 0);
        let before = world.names();
        let run = world.run("all -d").expect(3);
        run.says(["nothing is removed", part])
            .never_says(["Removing"]);
        assert_eq!(world.names(), before);
    }
}

#[test]
fn clean_removes_unknown_images_only() {
    let world = World::new(&single("a"), "", "");
    let others = ["disk.txt", "disk_a.img", "note", "other.img"];
    for name in others.iter().chain(&["disk_b.qcow2", "diskimg"]) {
        world.put(name, 0);
    }
    world.run("all").expect(0);
    assert_eq!(world.names().len(), 6);
    world
        .run("all -c")
        .expect(0)
        .says(["Removing disk_b.qcow2...", "Removing diskimg..."]);
    assert_eq!(world.names(), others);
    assert!(others.iter().all(|name| world.is_untouched(name)));
}

#[test]
fn renames_are_done_in_their_order_and_never_over_a_file() {
    let renames = r#"["disk_x.img", "disk_y.img"], ["disk_y.img", "disk_a.img"],
        ["disk_p.img", "disk_q.img"]"#;
    let world = World::new(&single("a"), "", renames);
    for name in ["disk_x.img", "disk_p.img", "disk_q.img"] {
        world.put(name, 0);
    }
    world.run("all").expect(0).says([
        "Renaming disk_x.img to disk_y.img...",
        "Renaming disk_y.img to disk_a.img...",
        "Nothing to build",
    ]);
    assert_eq!(world.names(), ["disk_a.img", "disk_p.img", "disk_q.img"]);
    assert_eq!(fs::read(world.path("disk_a.img")).unwrap(), b"disk_x.img");
    assert!(world.is_untouched("disk_p.img") && world.is_untouched("disk_q.img"));
}

#[test]
fn installed_systems_of_older_versions_are_adopted() {
    let world = World::new("", &host_install(), "");
    world.put(&installed("9", "img"), 1);
    world
        .run("check")
        .expect(0)
        .prints("")
        .never_says(["Renaming"]);
    assert_eq!(world.names(), [installed("9", "img")]);
    let line = format!(
        "Renaming {} to {}",
        installed("9", "img"),
        installed("9", "qcow2")
    );
    world.run("all").expect(0).says([&line, "Nothing to build"]);
    assert_eq!(world.names(), [installed("9", "qcow2")]);
}

#[test]
fn outdated_images_are_built_after_missing_ones_and_their_failure_keeps_them() {
    let world = World::new(&single("a"), &host_install(), "");
    world.put(&installed("9", "qcow2"), 3);
    let run = world.run("all").expect(3);
    run.says([
        "Creating image disk_a.img...[1/2]",
        "Built 1 of 2 images",
        &installed("9", "qcow2"),
    ]);
    assert!(world.is_untouched(&installed("9", "qcow2")));
    world.put(&installed("9", "qcow2"), 1);
    world.run("all").expect(0).says(["Nothing to build"]);
}

#[test]
fn kinds_limit_building_and_deleting() {
    let world = World::new(&single("a"), &host_install(), "");
    let former = installed("9", "img");
    let unknown = "disk_unknown.qcow2";
    for name in [&former, unknown, "disk_a.img"] {
        world.put(name, 100);
    }
    world
        .run("all -d --kind guestfs")
        .expect(0)
        .says(["Removing disk_a.img"]);
    assert!(!world.is_untouched("disk_a.img"));
    // Adopted, because that is what it is.
    assert_eq!(
        world.names(),
        ["disk_a.img", installed("9", "qcow2").as_str()]
    );

    world.put("disk_a.img", 0);
    let run = world.run("all --kind virtinstall").expect(3);
    run.says([&installed("9", "qcow2"), NO_LIBVIRT])
        .never_says(["disk_a"]);
    fs::remove_file(world.path("disk_a.img")).unwrap();
    world
        .run("all --kind virtinstall")
        .expect(3)
        .never_says(["disk_a"]);
    world.run("all --kind guestfs").expect(0).says(["[1/1]"]);
    assert_eq!(
        world.names(),
        ["disk_a.img", installed("9", "qcow2").as_str()]
    );
    let run = world.run("all -d --kind virtinstall").expect(3);
    run.says(["Removing disk_rocky9"]).never_says(["disk_a"]);
    assert_eq!(world.names(), ["disk_a.img"]);
}

#[test]
fn images_of_other_architectures_are_never_touched() {
    let world = World::new(
        &single("a"),
        &install("m", &format!(r#""9": ["{FOREIGN}"]"#)),
        "",
    );
    let foreign = format!("disk_rocky9_m_{FOREIGN}");
    let names = [format!("{foreign}.img"), format!("{foreign}.qcow2")];
    world.put("disk_a.img", 0);
    for present in [&names[..1], &names[1..]] {
        present.iter().for_each(|name| world.put(name, 1000));
        for line in [
            "check",
            "check -r -c",
            "all",
            "all -c",
            "all -d",
            "all -d -c",
        ] {
            let run = world.run(line).expect(0).never_says([&foreign]).prints("");
            let left = format!("1 image of {FOREIGN} is left to hosts of that architecture");
            if line.starts_with("all") {
                run.says([&format!("INFO:createhdds:{left}\n")]);
            } else {
                run.never_says([&left]);
            }
            assert!(
                present.iter().all(|name| world.is_untouched(name)),
                "{line}"
            );
        }
    }
}

#[test]
fn images_of_other_architectures_count_where_they_are_wanted() {
    let world = World::new(&single("a"), &host_install(), "");
    world.put(&installed("9", "qcow2"), 0);
    for (line, is_told) in [
        ("all --kind guestfs", false),
        ("all --kind virtinstall", true),
    ] {
        let run = world.run(line).expect(0);
        assert_eq!(run.stderr.contains("1 image of "), is_told, "{run:?}");
    }
}

/// The line of sha256sum for `name`.
fn checksum(name: &str) -> String {
    format!("{}  {name}\n", "0123456789abcdef".repeat(4))
}

#[test]
fn checksums_go_where_their_images_go() {
    let (former, now) = (installed("9", "img"), installed("9", "qcow2"));
    let world = World::new("", &host_install(), r#"["disk_x.img", "disk_y.img"]"#);
    for name in [&former, "disk_x.img", "disk_old.img"] {
        world.put(name, 0);
        fs::write(world.path(&format!("{name}.sha256")), checksum(name)).unwrap();
    }
    // Neither has these an image, nor are they names of any.
    let others = ["disk_gone.img.sha256", "notes.sha256"];
    others.iter().for_each(|name| world.put(name, 0));
    world
        .run("check -r")
        .expect(0)
        .says(["Renaming disk_x.img"]);
    world
        .run("check")
        .expect(0)
        .prints("Unknown images: disk_old.img, disk_y.img\n");
    let read = |name: &str| fs::read_to_string(world.path(&format!("{name}.sha256"))).unwrap();
    assert_eq!(read(&now), checksum(&now));
    assert_eq!(read("disk_y.img"), checksum("disk_y.img"));
    let left: Vec<_> = world.names();
    assert_eq!(left.len(), 6 + others.len(), "{left:?}");
    world.run("check -c").expect(0).says([
        "Removing disk_old.img.sha256...",
        "Removing disk_old.img...",
        "Removing disk_y.img.sha256...",
    ]);
    let mut expected = [&now, &format!("{now}.sha256"), others[0], others[1]];
    expected.sort_unstable();
    assert_eq!(world.names(), expected);
    world.run("all -d").expect(3);
    assert_eq!(world.names(), others);
    assert!(others.iter().all(|name| world.is_untouched(name)));
}

#[test]
fn an_image_may_have_a_name_that_is_too_long_for_a_checksum() {
    let [old, new] = ["x", "y"].map(|letter| format!("disk_{}.img", letter.repeat(240)));
    let world = World::new("", "", &format!(r#"["{old}", "{new}"]"#));
    world.put(&old, 0);
    world.run("check -r").expect(0);
    assert_eq!(world.names(), [new]);
    world.run("all -c").expect(0);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn what_is_no_checksum_is_moved_as_it_is() {
    let world = World::new(
        "",
        "",
        r#"["disk_x.img", "disk_y.img"], ["disk_p.img", "disk_q.img"]"#,
    );
    for name in ["disk_x.img", "disk_x.img.sha256", "disk_p.img"] {
        world.put(name, 0);
    }
    fs::create_dir(world.path("disk_p.img.sha256")).unwrap();
    world.run("check -r").expect(0);
    let moved = fs::read(world.path("disk_y.img.sha256")).unwrap();
    assert_eq!(moved, b"disk_x.img.sha256");
    let names = [
        "disk_p.img.sha256",
        "disk_q.img",
        "disk_y.img",
        "disk_y.img.sha256",
    ];
    assert_eq!(world.names(), names);
}

#[test]
fn one_failing_image_stops_no_other_and_the_summary_lists_every_failure() {
    let unknown = single("c").replace("ext2", "nonsense");
    let groups = [broken("b"), single("a"), unknown, single("d")].join(",");
    let world = World::new(&groups, &host_install(), "");
    let file = world.config().display().to_string();
    let run = world.run("all").expect(3).says([
        "Built 2 of 5 images",
        &format!("ERROR:createhdds:disk_b.img: {file}:2:"),
        " guestfs[0].parts[0].end: ",
        &format!("ERROR:createhdds:disk_c.img: {file}:5:"),
        " guestfs[2].parts[0]: can't make a 'nonsense' filesystem",
        &format!("ERROR:createhdds:{}: {NO_LIBVIRT}", installed("9", "qcow2")),
    ]);
    // Each of them once.
    assert_eq!(run.stderr.matches(&file).count(), 2, "{run:?}");
    assert_eq!(world.names(), ["disk_a.img", "disk_d.img"]);
}

#[test]
fn installed_systems_that_fail_alike_share_one_error() {
    let releases = format!(r#""8": ["{HOST}"], "9": ["{HOST}"]"#);
    let world = World::new("", &install("m", &releases), "");
    let run = world.run("all").expect(3);
    assert_eq!(run.stderr.matches("ERROR:").count(), 1, "{run:?}");
    let names = format!("{}, {}: ", installed("8", "qcow2"), installed("9", "qcow2"));
    run.says([&names, NO_LIBVIRT]);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn relative_releases_follow_the_next_one() {
    let releases = format!(r#""-1": ["{HOST}"], "-2": ["{HOST}"]"#);
    let world = World::new("", &install("m", &releases), "");
    for line in ["all -n 10", "all --nextrel=10"] {
        world
            .run(line)
            .expect(3)
            .says([&installed("9", "qcow2"), &installed("8", "qcow2")]);
    }
    world.put(&installed("9", "qcow2"), 0);
    world.put(&installed("8", "qcow2"), 0);
    world.run("all -n 10").expect(0);
    let server = crate::server::Server::start(|_, stream| crate::server::ok(stream, b"\"9.6\""));
    let run = crate::world::Run::of(
        world
            .command("check")
            .env("CREATEHDDS_RELEASE_URL", server.url()),
    );
    run.expect(0).prints("");
    assert_eq!(
        server.requests().len(),
        1,
        "two relative releases are one look-up"
    );
}
