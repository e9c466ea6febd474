//! Configurations that are refused, through the binary. That their messages are exactly the
//! expected ones is tested where they are read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::world::{Run, World};

/// Fewer files than this would mean that they weren't found.
const AT_LEAST: usize = 120;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reject")
}

/// The configurations by their names, each with its message.
fn cases() -> BTreeMap<String, String> {
    let names = crate::world::names(&directory()).into_iter();
    let cases: BTreeMap<_, _> = names
        .filter(|name| name.ends_with(".json"))
        .map(|name| {
            let expected = directory().join(&name).with_extension("expected");
            (name, fs::read_to_string(expected).unwrap())
        })
        .collect();
    assert!(cases.len() >= AT_LEAST, "only {}", cases.len());
    cases
}

/// Runs `verb` on the configuration `name` and looks for its message on `stream`.
fn check(world: &World, name: &str, expected: &str, verb: &[&str], stream: fn(&Run) -> &str) {
    let mut command = world.command("");
    command.current_dir(directory());
    command
        .args(["--config", name, "-C"])
        .arg(world.directory());
    if name.starts_with("strict_") {
        command.arg("--strict");
    }
    let run = Run::of(command.args(verb)).expect(3);
    for line in expected.lines() {
        assert!(
            stream(&run).contains(line),
            "{name}: wanted: {line}\n{run:?}"
        );
    }
}

#[test]
fn every_refused_configuration_ends_with_status_3_its_message_and_nothing_built() {
    let world = World::new("", "", "");
    for (name, expected) in cases() {
        check(&world, &name, &expected, &["all"], |run| &run.stderr);
        // With two labels only one of the images is refused.
        let is_partly_good = name == "plan_gpt_minus_1_of_two_labels.json";
        assert_eq!(world.names().len(), usize::from(is_partly_good), "{name}");
        if is_partly_good {
            fs::remove_file(world.path("disk_x_mbr.img")).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_planned_deletes_nothing_and_says_so_in_plans() {
    let world = World::new("", "", "");
    world.put("disk_x.img", 0);
    for (name, expected) in cases() {
        if name.starts_with("plan_") {
            check(&world, &name, &expected, &["all", "-d"], |run| &run.stderr);
            check(&world, &name, &expected, &["plan"], |run| &run.stdout);
            assert_eq!(world.names(), ["disk_x.img"], "{name}");
        }
    }
    assert!(world.is_untouched("disk_x.img"));
}
