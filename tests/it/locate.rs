//! Where the configuration and its files are found, through the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::{BINARY, Run, World, single};

/// A directory of data under `root` whose only group has the name of the directory.
fn data(root: &Path, name: &str) -> PathBuf {
    let directory = root.join(name);
    fs::create_dir_all(&directory).unwrap();
    let text = format!(
        r#"{{"guestfs": [{}], "virtinstall": [], "renames": []}}"#,
        single(name)
    );
    fs::write(directory.join("hdds.json"), text).unwrap();
    directory
}

/// The group of the configuration that `program` finds.
fn found(
    world: &World,
    program: &Path,
    current: &Path,
    arguments: &[&Path],
    variables: &[(&str, &Path)],
) -> String {
    let mut command = Command::new(program);
    world.prepare(&mut command);
    command
        .env_remove("CREATEHDDS_CONFIG")
        .env_remove("XDG_DATA_DIRS");
    command
        .current_dir(current)
        .args(arguments)
        .arg("--json")
        .arg("plan");
    for (name, value) in variables {
        command.env(name, value);
    }
    let run = Run::of(&mut command);
    let plan: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    plan["images"][0]["group"].as_str().unwrap().to_owned()
}

#[test]
fn options_variables_and_directories_in_their_order() {
    let world = World::new("", "", "");
    let root = world.root();
    let [option, data_dir, variable, data_variable, current] =
        ["option", "data_dir", "variable", "data_variable", "current"].map(|name| data(root, name));
    let config = |directory: &Path| directory.join("hdds.json");
    let share = data(&root.join("share/createhdds"), "share");
    fs::rename(config(&share), root.join("share/createhdds/hdds.json")).unwrap();
    let beside = data(root, "beside");
    let copy = beside.join("createhdds");
    fs::copy(BINARY, &copy).unwrap();

    let binary = Path::new(BINARY);
    let empty = world.directory();
    let set_config = ("CREATEHDDS_CONFIG", &*config(&variable));
    let set_data = ("CREATEHDDS_DATA_DIR", &*data_variable);
    let set_share = ("XDG_DATA_DIRS", &*root.join("share"));
    let options: [&Path; 4] = [
        "--config".as_ref(),
        &config(&option),
        "--data-dir".as_ref(),
        &data_dir,
    ];
    for (program, current, arguments, variables, expected) in [
        (
            &*copy,
            &*current,
            &options[..],
            &[set_config, set_data, set_share][..],
            "option",
        ),
        (
            &copy,
            &current,
            &options[2..],
            &[set_config, set_data, set_share],
            "variable",
        ),
        (
            &copy,
            &current,
            &options[2..],
            &[set_data, set_share],
            "data_dir",
        ),
        (
            &copy,
            &current,
            &[],
            &[set_data, set_share],
            "data_variable",
        ),
        (&copy, &current, &[], &[set_share], "beside"),
        (binary, &current, &[], &[set_share], "current"),
        (binary, &empty, &[], &[set_share], "share"),
        (
            binary,
            &empty,
            &[],
            &[("XDG_DATA_DIRS", Path::new("relative"))],
            "full",
        ),
    ] {
        assert_eq!(
            found(&world, program, current, arguments, variables),
            expected
        );
    }
}

/// The directory of images is another one than that of the configuration.
#[test]
fn relative_paths_are_those_of_the_current_directory() {
    let world = World::new("", "", "");
    data(world.root(), "data");
    let run = world
        .run("--config ../data/hdds.json -C ../data all")
        .expect(0);
    run.says(["Creating image disk_data.img"]);
    assert_eq!(
        crate::world::names(&world.root().join("data")),
        ["disk_data.img", "hdds.json"]
    );
}

/// Groups with keys that nobody knows, near to known ones and far from them.
const DOUBTFUL: &str = r#"{"name": "a", "size": "2M", "labls": ["gpt"], "comment": "",
    "parts": [{"type": "p", "start": 64, "end": -64, "filesystem": "ext2"}]}"#;

#[test]
fn unknown_keys_are_warned_about_and_refused_when_strict() {
    let world = World::new(DOUBTFUL, "", "");
    let near = "hdds.json:1:51 guestfs[0].labls: unknown key 'labls': did you mean 'labels'?";
    let far = "hdds.json:1:71 guestfs[0].comment: unknown key 'comment'";
    let run = world
        .run("all")
        .expect(0)
        .says(["WARNING:createhdds:", near, far]);
    assert_eq!(run.stderr.matches("WARNING").count(), 2, "{run:?}");
    world
        .run("-l error check")
        .expect(0)
        .never_says(["WARNING"]);
    for line in [
        "--strict check",
        "check --strict",
        "all --strict -d",
        "a --strict",
    ] {
        world
            .run(line)
            .expect(3)
            .says(["createhdds: ", near, far])
            .never_says(["WARNING"]);
    }
    assert_eq!(world.names(), ["disk_a.img"]);
    World::new(&single("a"), "", "")
        .run("--strict check")
        .expect(2);
}
