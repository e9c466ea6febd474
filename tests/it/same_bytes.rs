//! The same input gives the same bytes, wherever, whenever and beside whatever it is built.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::world::{BINARY, Run, World};
use testkit::sparse::digest;

/// The time that images carry unless another is asked for: 2000-01-01.
const DEFAULT_TIME: &str = "0x386d4380";

/// The shipped set without installations.
fn shipped() -> World {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("hdds.json")).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["virtinstall"] = json!([]);
    let world = World::new("", "", "");
    fs::write(world.config(), config.to_string()).unwrap();
    world
}

/// The digests of all images of the shipped set, built as `change` wants it.
fn digests(change: impl Fn(&World, &mut Command)) -> BTreeMap<String, String> {
    let world = shipped();
    let mut command = world.command("--no-sync all");
    command.env("CREATEHDDS_DATA_DIR", env!("CARGO_MANIFEST_DIR"));
    change(&world, &mut command);
    Run::of(&mut command).expect(0);
    let digest = |name: String| {
        let digest = digest(&world.path(&name));
        (name, digest)
    };
    world.names().into_iter().map(digest).collect()
}

/// Runs the same command, in the same environment, through a shell that first runs `script`.
fn through_shell(world: &World, command: &mut Command, script: &str) {
    let mut shell = Command::new("sh");
    world.prepare(&mut shell);
    shell.env("CREATEHDDS_DATA_DIR", env!("CARGO_MANIFEST_DIR"));
    shell.args(["-c", &format!("{script} && exec \"$0\" \"$@\""), BINARY]);
    shell.args(command.get_args());
    *command = shell;
}

/// The digests that are pinned in `tests/data/digests.txt`.
fn pinned() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/digests.txt");
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, digest) = line.split_once(' ').unwrap();
            (name.to_owned(), digest.to_owned())
        })
        .collect()
}

#[test]
fn nothing_around_a_run_changes_its_images() {
    let first = digests(|_, _| {});
    type Change = fn(&World, &mut Command);
    let changes: [(&str, Change); 7] = [
        ("a second run", |_, _| {}),
        ("one job", |_, command| {
            command.args(["-j", "1"]);
        }),
        ("four jobs", |_, command| {
            command.args(["-j", "4"]);
        }),
        ("another umask", |world, command| {
            through_shell(world, command, "umask 077");
        }),
        ("another current directory", |world, command| {
            command.arg("-C").arg(world.directory()).current_dir("/");
        }),
        ("another time zone", |_, command| {
            command.env("TZ", "Pacific/Kiritimati");
        }),
        ("another language", |_, command| {
            command
                .env("LANG", "de_DE.UTF-8")
                .env("LC_ALL", "tr_TR.UTF-8");
        }),
    ];
    for (what, change) in changes {
        assert_eq!(digests(change), first, "{what}");
    }
    // What NTFS holds depends on the version of mkntfs too.
    let found: BTreeMap<_, _> = first
        .into_iter()
        .filter(|(name, _)| name != "disk_shrink_ntfs.img")
        .collect();
    let lines: String = found
        .iter()
        .map(|(name, digest)| format!("{name} {digest}\n"))
        .collect();
    assert_eq!(
        found,
        pinned(),
        "a change of bytes must be declared in CHANGELOG under \"Image bytes\"; then \
         tests/data/digests.txt becomes:\n{lines}"
    );
}

/// The inode of `/testfile` in the first partition of a small image, as debugfs shows it.
fn shown_by_debugfs(world: &World, name: &str) -> String {
    let bytes = fs::read(world.path(name)).unwrap();
    let filesystem = world.root().join("filesystem");
    fs::write(&filesystem, &bytes[64 * 512..]).unwrap();
    let mut debugfs = Command::new("debugfs");
    world
        .prepare(&mut debugfs)
        .args(["-R", "stat /file"])
        .arg(&filesystem);
    Run::of(&mut debugfs).expect(0).stdout
}

#[test]
fn the_time_is_the_one_that_reproducible_builds_ask_for() {
    let group = crate::world::layout("a", r#"["mbr"]"#, r#"["ext4"]"#).replace("2M", "8M");
    let world = World::new(&group, "", "");
    let mut seen = Vec::new();
    for (variable, shown) in [
        (None, DEFAULT_TIME),
        (Some("0"), "0x00000000"),
        (Some("1700000000"), "0x6553f100"),
    ] {
        let mut command = world.command("a");
        variable.map(|value| command.env("SOURCE_DATE_EPOCH", value));
        Run::of(&mut command).expect(0);
        let text = shown_by_debugfs(&world, "disk_a.img");
        for time in ["ctime", "atime", "mtime", "crtime"] {
            let line = text
                .lines()
                .find(|line| line.trim_start().starts_with(time));
            let line = line.unwrap_or_else(|| panic!("no {time}: {text}"));
            assert!(line.contains(shown), "{line}");
        }
        seen.push(digest(&world.path("disk_a.img")));
    }
    assert!(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2]);
}
