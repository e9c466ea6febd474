//! One subcommand for every image group.

use std::fs;

use crate::world::{World, install, layout, single};

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
        ("m -r 7", "disk_rocky7_m_x86_64.qcow2: ".to_owned()),
        (
            "m -r 8-BETA -a aarch64",
            "disk_rocky8-BETA_m_aarch64.qcow2: ".to_owned(),
        ),
        ("m -r -2 -n 10", "disk_rocky8_m_x86_64.qcow2: ".to_owned()),
    ] {
        world.run(line).expect(3).says([&names, "virtinstall[0]"]);
    }
}
