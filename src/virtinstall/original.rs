//! Our arguments for virt-install against those of the original.

use std::path::Path;

use super::installation::Attempt;
use super::{Installation, Kickstart, Settings};
use crate::describe::hdds::Config;
use crate::describe::hdds::names::kickstart_file_names;
use crate::describe::hdds::releases::NextRelease;
use crate::image::Recipe;

const ORIGINAL: &str = include_str!("original.txt");

const SHIPPED: &str = include_str!("../../hdds.json");

/// As libosinfo of 2022 has them.
const SYSTEMS: &str = " Short ID\n----------\n rocky8\n rocky8-unknown\n rocky9\n rocky9-unknown\n";

/// What is different on purpose, in a line of the original.
fn as_ours(line: &str, image: &str) -> String {
    // The disk is made beforehand, of a format that is said; it stays ours.
    let (before, rest) = line.split_once("size=").unwrap();
    let (_, rest) = rest.split_once(",path=").unwrap();
    let rest = rest.replacen(".tmp ", ".tmp,format=qcow2 ", 1);
    let line = format!("{before}path=/images/{rest}");
    // A machine for each image, a kickstart file under its name in a place of its own.
    let line = line
        .replace("--name createhdds", &format!("--name machine-{image}"))
        .replace("KICKSTARTS/", "/staging/")
        // The console is read here, and nobody types.
        .replace("--network", "--noautoconsole --network");
    // The serial console of that architecture has another name.
    match image.contains("aarch64") {
        true => line.replace("ttyS0", "ttyAMA0"),
        false => line,
    }
}

#[test]
fn every_image_of_the_shipped_set_has_the_arguments_of_the_original() {
    let settings = Settings {
        text: true,
        ..Settings::default()
    };
    let config = Config::parse(SHIPPED, "hdds.json", &[]).unwrap();
    let mut next = NextRelease::new(Some(10), || unreachable!());
    let mut ours = Vec::new();
    for image in config.images(&mut next).unwrap() {
        let Recipe::Install(recipe) = &image.recipe else {
            continue;
        };
        let names = kickstart_file_names(&image.group, &recipe.release, &recipe.arch);
        let kickstart = Kickstart {
            name: names[3].clone(),
            bytes: vec![],
        };
        let name = &image.file_name;
        let plan = Installation::plan(name, recipe, kickstart, SYSTEMS, &settings).unwrap();
        let (disk, staged) = (
            format!("/images/{name}.tmp"),
            format!("/staging/{}", names[3]),
        );
        let attempt = Attempt {
            machine: &format!("machine-{name}"),
            disk: Path::new(&disk),
            kickstart: Path::new(&staged),
            tree: &plan.trees[0],
        };
        let arguments = plan.arguments(attempt, &settings, false).join(" ".as_ref());
        ours.push(format!("{name}\t{}", arguments.into_string().unwrap()));
    }
    let lines = ORIGINAL.lines().filter(|line| !line.starts_with('#'));
    let original: Vec<_> = lines
        .map(|line| {
            let (image, arguments) = line.split_once('\t').unwrap();
            format!("{image}\t{}", as_ours(arguments, image))
        })
        .collect();
    assert_eq!(ours.len(), 36);
    assert_eq!(ours, original);
}
