//! Builds on a terminal, at which somebody types.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::ground::{Ground, member};
use crate::systems::ends::assert_nothing_is_left;
use crate::systems::user::{self, User};
use crate::world::Run;

/// Runs a command on a terminal.
const TERMINAL: &str = include_str!("../../data/dib/terminal");

/// A prompt, behind which a line may be typed.
const PROMPT: &str = "# ";

/// Has something that takes long be in front of the terminal when it says so.
const LONG: &str = "sh -c 'echo in fr''ont; exec sleep 1000'\n";

/// What ends that.
const CONTROL_C: &str = "\x03";

/// Builds `tiny` and `probe` on a terminal, stopping at `stage`. Each of `typed` is typed when what is
/// beside it has been seen.
fn build(ground: &Ground, stage: &str, typed: &[(&str, &str)]) -> Run {
    let terminal = ground.beside("on-terminal");
    fs::write(&terminal, TERMINAL).unwrap();
    fs::set_permissions(&terminal, PermissionsExt::from_mode(0o755)).unwrap();
    let typed = serde_json::to_string(typed).unwrap();
    let variables = [
        ("TYPED", typed.as_str()),
        ("break", stage),
        ("TERM", "dumb"),
    ];
    ground.through(&terminal, "dib -n -t tar tiny probe", &variables)
}

#[test]
fn somebody_works_in_the_tree_at_a_break_point() {
    for user in user::all() {
        let ground = Ground::new(user);
        ground.script("install", "test -e /etc/typed");
        let typed = [
            (PROMPT, LONG),
            ("in front", CONTROL_C),
            (PROMPT, "echo typed > /etc/typed; exit\n"),
        ];
        let run = build(&ground, "before-install", &typed).expect(0);
        run.says(["the build stops at before-install", "the build goes on"]);
        assert_eq!(member(&ground.path("image.tar"), "etc/typed"), "typed\n");
        assert_nothing_is_left(ground.place(), &["image.tar"]);
    }
}

#[test]
fn somebody_works_beside_the_tree_at_a_break_point() {
    let ground = Ground::new(User::Ordinary);
    ground.script("install", "test -e /etc/typed");
    let typed = [
        (PROMPT, LONG),
        ("in front", CONTROL_C),
        (PROMPT, "touch $TARGET_ROOT/etc/typed; exit\n"),
    ];
    build(&ground, "after-root", &typed).expect(0);
    assert_nothing_is_left(ground.place(), &["image.tar"]);
}

/// The shell of a break point has the terminal; behind it, the build has.
#[test]
fn the_terminal_ends_a_build_behind_a_break_point() {
    let ground = Ground::new(User::Ordinary);
    ground.script("install", "echo in front; exec sleep 1000");
    let typed = [(PROMPT, "exit 5\n"), ("in front", CONTROL_C)];
    let run = build(&ground, "before-install", &typed);
    // The program ends by the signal that the terminal sends.
    run.expect(130).says(["the build goes on"]);
    assert_nothing_is_left(ground.place(), &[]);
}
