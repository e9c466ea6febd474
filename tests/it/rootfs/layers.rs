//! Layers of a container: what an upper one removes from those below.

use std::fs;
use std::path::Path;

use testkit::scratch::Scratch;

use super::image::make_fs;
use super::programs::pack;
use testkit::readers;

fn write(root: &Path, paths: &[&str]) {
    for path in paths {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
}

/// The paths of an image of two layers, without directories.
fn files(line: &str) -> Vec<String> {
    let scratch = Scratch::for_whole_systems();
    let mut archives = Vec::new();
    let layers: [&[&str]; 2] = [
        &[
            "kept",
            "removed",
            "d/kept",
            "d/removed",
            "opaque/below",
            "gone/below",
        ],
        &[
            ".wh.removed",
            ".wh.gone",
            "d/.wh.removed",
            "opaque/.wh..wh..opq",
            "opaque/above",
        ],
    ];
    for (number, paths) in layers.iter().enumerate() {
        let directory = scratch.path(&format!("layer{number}"));
        write(&directory, paths);
        archives.push(scratch.path(&format!("layer{number}.tar")));
        pack(&directory, &[], &archives[number]);
    }
    let image = scratch.path("layers.img");
    make_fs(line, &[&archives[0], &archives[1]], &image);
    let listing = readers::ext4_view(&image);
    let files = listing
        .iter()
        .filter(|(_, entry)| !entry.kind.is_directory());
    files
        .map(|(path, _)| path.escape_ascii().to_string())
        .collect()
}

#[test]
fn whiteouts_remove_what_is_below_where_they_are_asked_for() {
    assert_eq!(files("--whiteouts"), ["d/kept", "kept", "opaque/above"]);
    assert_eq!(
        files(""),
        [
            ".wh.gone",
            ".wh.removed",
            "d/.wh.removed",
            "d/kept",
            "d/removed",
            "gone/below",
            "kept",
            "opaque/.wh..wh..opq",
            "opaque/above",
            "opaque/below",
            "removed",
        ]
    );
}
