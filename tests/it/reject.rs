//! Configurations that are refused, through the binary. That their messages are exactly the
//! expected ones is tested where they are read.

use std::fs;
use std::path::Path;

use testkit::cases::{self, Case};

use crate::world::{Run, World};

fn all() -> Vec<Case> {
    cases::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reject"))
}

/// Runs `verb` on the configuration of a case and looks for its message.
fn check(world: &World, case: &Case, verb: &[&str]) {
    fs::write(world.config(), &case.text).unwrap();
    let mut command = world.command("");
    command.current_dir(world.root());
    command
        .args(["--config", "hdds.json", "-C"])
        .arg(world.directory());
    if case.subject == "strict" {
        command.arg("--strict");
    }
    let run = Run::of(command.args(verb)).expect(3);
    // What can't be planned is told in its plan, what can't be read is told instead of one.
    let is_said = |line| run.stderr.contains(line) || run.stdout.contains(line);
    for line in &case.expected {
        let shown = case.shown();
        assert!(is_said(line), "{shown}: wanted: {line}\n{run:?}");
    }
}

#[test]
fn every_refused_configuration_ends_with_status_3_its_message_and_nothing_built() {
    let world = World::new("", "", "");
    for case in all() {
        check(&world, &case, &["all"]);
        // With two labels only one of the images is refused.
        let is_partly_good = case.name == "minus 1 of two labels";
        let count = usize::from(is_partly_good);
        assert_eq!(world.names().len(), count, "{}", case.shown());
        if is_partly_good {
            fs::remove_file(world.path("disk_x_mbr.img")).unwrap();
        }
    }
}

/// The files called `plan-` have configurations in which every value is of its kind.
#[test]
fn what_cannot_be_planned_deletes_nothing_and_says_so_in_plans() {
    let world = World::new("", "", "");
    world.put("disk_x.img", 0);
    let mut count = 0;
    for case in all().iter().filter(|it| it.subject.starts_with("plan-")) {
        check(&world, case, &["all", "-d"]);
        check(&world, case, &["plan"]);
        assert_eq!(world.names(), ["disk_x.img"], "{}", case.shown());
        count += 1;
    }
    assert!(count > 0 && world.is_untouched("disk_x.img"));
}
