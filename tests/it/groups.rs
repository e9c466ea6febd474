//! One subcommand for every image group.

use std::fs;

use crate::world::{NO_LIBVIRT, World, install, layout, single};

const HOST: &str = std::env::consts::ARCH;

fn variants() -> String {
    layout("v", r#"["mbr", "gpt"]"#, r#"["ext2", "ext3"]"#).replace("2M", "8M")
}

#[test]
fn a_restriction_keeps_the_long_names() {
    for (line, expected) in [
        (
            "v",
            &[
                "disk_v_ext2_gpt.img",
                "disk_v_ext2_mbr.img",
                "disk_v_ext3_gpt.img",
                "disk_v_ext3_mbr.img",
            ][..],
        ),
        ("v -l gpt", &["disk_v_ext2_gpt.img", "disk_v_ext3_gpt.img"]),
        ("v -f ext3", &["disk_v_ext3_gpt.img", "disk_v_ext3_mbr.img"]),
        ("v --label mbr --filesystem ext2", &["disk_v_ext2_mbr.img"]),
        ("a", &["disk_a.img"]),
    ] {
        let world = World::new(&(variants() + "," + &single("a")), "", "");
        world.run(line).expect(0);
        assert_eq!(world.names(), expected, "{line}");
    }
}

#[test]
fn a_restricted_image_is_the_one_of_a_whole_run() {
    let [one, all] = ["v -l gpt -f ext2", "v"].map(|line| {
        let world = World::new(&variants(), "", "");
        world.run(line).expect(0);
        fs::read(world.path("disk_v_ext2_gpt.img")).unwrap()
    });
    assert!(one == all);
}

#[test]
fn a_group_is_built_whether_it_is_there_or_not_and_nothing_else_is_touched() {
    let groups = single("a") + "," + &single("b");
    let world = World::new(&groups, "", r#"["disk_x.img", "disk_y.img"]"#);
    let others = ["disk_b.img", "disk_old.img", "disk_x.img"];
    for name in others.iter().chain(&["disk_a.img"]) {
        world.put(name, 0);
    }
    world
        .run("a")
        .expect(0)
        .says(["Creating image disk_a.img...[1/1]"]);
    assert!(!world.is_untouched("disk_a.img"));
    assert!(others.iter().all(|name| world.is_untouched(name)));
    let first = fs::read(world.path("disk_a.img")).unwrap();
    world.run("a").expect(0);
    assert!(first == fs::read(world.path("disk_a.img")).unwrap());
}

#[test]
fn installations_take_releases_and_architectures() {
    let releases = format!(r#""9": ["{HOST}"], "-1": ["{HOST}"]"#);
    let world = World::new("", &install("m", &releases), "");
    for (line, names) in [
        (
            "m -n 9",
            format!("disk_rocky9_m_{HOST}.qcow2, disk_rocky8_m_{HOST}.qcow2: "),
        ),
        ("m -r 7 -a HOST", format!("disk_rocky7_m_{HOST}.qcow2: ")),
        (
            "m -r 8-BETA -a HOST",
            format!("disk_rocky8-BETA_m_{HOST}.qcow2: "),
        ),
        (
            "m -r -2 -n 10 -a HOST",
            format!("disk_rocky8_m_{HOST}.qcow2: "),
        ),
    ] {
        let line = line.replace("HOST", HOST);
        world.run(&line).expect(3).says([&names, NO_LIBVIRT]);
    }
}

#[test]
fn images_of_other_architectures_are_left_to_their_hosts() {
    let world = World::new("", &install("m", r#""9": ["s390x", "ppc64le"]"#), "");
    world.put("disk_rocky9_m_s390x.qcow2", 1000);
    for (line, left) in [
        (
            "m",
            "2 images of ppc64le, s390x are left to hosts of those architectures",
        ),
        (
            "m -r 8 -a s390x",
            "1 image of s390x is left to hosts of that architecture",
        ),
    ] {
        let run = world.run(line).expect(0);
        run.says([&format!("INFO:createhdds:{left}\n"), "Nothing to build"]);
        assert!(world.is_untouched("disk_rocky9_m_s390x.qcow2"), "{line}");
    }
    let run = world.run("--json m").expect(0);
    let first = run.stdout.lines().next().unwrap();
    let first: serde_json::Value = serde_json::from_str(first).unwrap();
    let expected = serde_json::json!({
        "event": "left_to_others", "images": 2, "arches": ["ppc64le", "s390x"],
    });
    assert_eq!(first, expected);
}
