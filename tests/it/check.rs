//! `check`: its lines, its JSON and its changes.

use createhdds::engine::Directory;
use serde_json::{Value, json};

use crate::world::{World, install, layout};

const HOST: &str = std::env::consts::ARCH;

/// Two layouts, of which the first is missing; a young and an old installation; two others.
fn world() -> World {
    let releases = format!(r#""8": ["{HOST}"], "9": ["{HOST}"]"#);
    let groups = layout("a", r#"["mbr", "gpt"]"#, r#"["ext2"]"#);
    let world = World::new(
        &groups,
        &install("m", &releases),
        r#"["disk_r.img", "disk_a_mbr.img"]"#,
    );
    world.put("disk_a_gpt.img", 1000);
    world.put(&old(), 3);
    world.put(&young(), 1);
    world.put("disk_z.img", 0);
    world.put("disk_b.qcow2", 0);
    world
}

fn old() -> String {
    format!("disk_rocky8_m_{HOST}.qcow2")
}

fn young() -> String {
    format!("disk_rocky9_m_{HOST}.qcow2")
}

fn lines() -> String {
    format!(
        "Missing images: disk_a_mbr.img\nOutdated images: {}\n\
         Unknown images: disk_b.qcow2, disk_z.img\n",
        old()
    )
}

#[test]
fn the_lines_are_those_of_the_original() {
    let world = world();
    let before = world.names();
    world
        .run("check")
        .expect(2)
        .prints(&lines())
        .never_says(["createhdds"]);
    assert_eq!(world.names(), before);
    world.put("disk_a_mbr.img", 0);
    let (_, rest) = lines()
        .split_once('\n')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    world.run("check").expect(1).prints(&rest);
    world.put(&old(), 0);
    world
        .run("check")
        .expect(0)
        .prints("Unknown images: disk_b.qcow2, disk_z.img\n");
}

#[test]
fn json_has_everything_in_one_object() {
    let run = world().run("--json check").expect(2);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = json!({
        "missing": ["disk_a_mbr.img"],
        "outdated": [old()],
        "unknown": ["disk_b.qcow2", "disk_z.img"],
        "current": ["disk_a_gpt.img", young()],
        "leftovers": [],
        "possible_leftovers": [],
    });
    assert_eq!(value, expected);
}

/// With JSON, what is changed must not stand between the answer and its reader.
#[test]
fn changes_are_told_beside_the_json() {
    let world = world();
    world.put("disk_r.img", 0);
    let run = world.run("check --json -r -c").expect(1);
    let lines: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str()).collect();
    let removing = Some("removing");
    assert_eq!(
        events,
        [Some("renaming"), None, removing, removing],
        "{run:?}"
    );
}

#[test]
fn rename_comes_before_the_comparison_and_clean_after_it() {
    let world = world();
    world.put("disk_r.img", 0);
    world.run("check").expect(2).says([]);
    let run = world.run("check -r").expect(1);
    run.says(["Renaming disk_r.img to disk_a_mbr.img..."]);
    let lines = format!(
        "Outdated images: {}\nUnknown images: disk_b.qcow2, disk_z.img\n",
        old()
    );
    world
        .run("check -c")
        .expect(1)
        .prints(&lines)
        .says(["Removing disk_b.qcow2..."]);
    let expected = ["disk_a_gpt.img", "disk_a_mbr.img", &old(), &young()].map(str::to_owned);
    assert_eq!(world.names(), expected);
    world
        .run("check -c")
        .expect(1)
        .prints(&format!("Outdated images: {}\n", old()));
}

#[test]
fn rename_adopts_former_names() {
    let world = world();
    let former = young().replace("qcow2", "img");
    std::fs::rename(world.path(&young()), world.path(&former)).unwrap();
    world.run("check").expect(2).prints(&lines());
    assert!(world.names().contains(&former));
    world
        .run("check -r")
        .expect(2)
        .prints(&lines())
        .says(["Renaming"]);
    assert!(world.names().contains(&young()) && !world.names().contains(&former));
}

#[test]
fn a_plain_check_needs_no_lock() {
    let world = world();
    let _lock = Directory::lock(&world.directory()).unwrap();
    world.run("check").expect(2).prints(&lines());
    world
        .run("check -r")
        .expect(3)
        .says(["another run is working"]);
}
