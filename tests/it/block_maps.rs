//! Maps beside images, by which bmaptool copies them: all that somebody relies on comes along.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use testkit::mount::LoopDevice;
use testkit::program::{arguments, run};
use testkit::root::is_root;

use crate::checkers::{self, Volume};
use crate::used_medium::{FILESYSTEMS, medium_for, source};
use crate::world::World;

/// Has bmaptool copy `image` by `map` to `target`; it looks at all sums while it does.
fn copy(map: &Path, image: &Path, target: &Path) -> Result<(), String> {
    let said = run(
        "bmaptool",
        &arguments(&["copy", "--bmap"], &[map, image, target]),
    );
    said.map(|_| checkers::accepted("bmaptool", image))
}

#[test]
fn a_used_medium_holds_a_sound_filesystem_when_it_was_copied_by_its_map() {
    if !is_root() {
        return;
    }
    for (kind, size, _) in FILESYSTEMS {
        let world = World::new("", "", "");
        let source = source(&world, kind);
        let line = format!("make-fs -t {kind} -s {size} --bmap {source} {kind}.img");
        world.run(&line).expect(0);
        let image = world.path(&format!("{kind}.img"));
        let medium = medium_for(&image);
        let device = LoopDevice::new(&medium, "512");
        copy(&world.path(&format!("{kind}.bmap")), &image, &device.path).unwrap();
        drop(device);
        checkers::verify_volume(&Volume::of_file(&medium, kind)).unwrap();
    }
}

/// Compressed images have the map of what is in them, whatever beside.
#[test]
fn the_map_is_that_of_the_disk_in_any_format() {
    let world = World::new("", "", "");
    let source = source(&world, "ext4");
    let line = format!("make-fs -s 30M {source}");
    world.run(&format!("-j 1 {line} --bmap a.img")).expect(0);
    for (name, options) in [
        ("b", "-j 3 --format raw.gz,raw.xz,qcow2,bmap"),
        ("c", "--format raw.zst --bmap"),
        ("d", "--format bmap"),
    ] {
        world.run(&format!("{line} {options} {name}")).expect(0);
    }
    // Again, over what is there.
    world.run(&format!("{line} --bmap a.img")).expect(0);
    let map = |name: &str| fs::read(world.path(name)).unwrap();
    let expected = map("a.bmap");
    assert!(expected == map("b.bmap") && expected == map("c.bmap") && expected == map("d"));
    let raw = fs::read(world.path("a.img")).unwrap();
    for image in ["a.img", "b.img.gz", "b.img.xz"] {
        let target = world.path("copy");
        copy(&world.path("a.bmap"), &world.path(image), &target).unwrap();
        assert!(fs::read(&target).unwrap() == raw, "{image}");
    }
}

#[test]
fn a_map_tells_of_zeroes_as_was_chosen() {
    let world = World::new("", "", "");
    let source = source(&world, "fat32");
    let mapped = |zeroes: &str| -> u64 {
        let line =
            format!("--zeroes {zeroes} make-fs -t fat32 -s 300M --bmap {source} {zeroes}.img");
        world.run(&line).expect(0);
        let map = fs::read_to_string(world.path(&format!("{zeroes}.bmap"))).unwrap();
        let (_, count) = map.split_once("<MappedBlocksCount> ").unwrap();
        count.split_once(' ').unwrap().0.parse().unwrap()
    };
    let [sparsest, needed, all] = ["sparsest", "needed", "all"].map(mapped);
    // Both FATs, and both ends of the disk.
    assert!(
        sparsest + 200 < needed && needed + 200 < all,
        "{sparsest} {needed} {all}"
    );
}

/// bmaptool sees what isn't as the map says, in the image and in the map.
#[test]
fn damage_is_seen() {
    let world = World::new("", "", "");
    let source = source(&world, "ext4");
    world
        .run(&format!("make-fs --bmap {source} a.img"))
        .expect(0);
    let [map, image, target] = ["a.bmap", "a.img", "copy"].map(|name| world.path(name));
    copy(&map, &image, &target).unwrap();
    let text = fs::read_to_string(&map).unwrap();
    fs::write(&map, text.replacen("<Range", "<Range ", 1)).unwrap();
    copy(&map, &image, &target).unwrap_err();
    fs::write(&map, text).unwrap();
    let file = File::options().write(true).open(&image).unwrap();
    file.write_all_at(b"?", 1024).unwrap();
    copy(&map, &image, &target).unwrap_err();
}

/// A set has its maps and sums by keys, and sums of older images go.
#[test]
fn a_group_has_maps_and_sums_beside_its_images() {
    let world = World::new("", "", "");
    let group = |more: &str| {
        let group = format!(
            r#"{{"name": "t", "size": "20M", "labels": ["gpt"], "filesystems": ["ext4"], {more}
                "parts": [{{"type": "p", "start": 2048, "end": -2048}}]}}"#
        );
        world.configure(&group, "", "");
    };
    group(r#""bmap": true, "formats": ["raw", "qcow2"], "checksum": ["sha256", "md5"],"#);
    world.run("all").expect(0);
    let images = ["disk_t.img", "disk_t.qcow2"];
    let mut expected: Vec<_> = images
        .iter()
        .flat_map(|image| ["", ".md5", ".sha256"].map(|end| format!("{image}{end}")))
        .collect();
    expected.push("disk_t.bmap".to_owned());
    expected.sort();
    assert_eq!(world.names(), expected);
    for image in images {
        for program in ["md5sum", "sha256sum"] {
            let end = program.trim_end_matches("sum");
            let mut command = checkers::command(program);
            command.args(["--strict", "--check", &format!("{image}.{end}")]);
            let output = command.current_dir(world.directory()).output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
    }
    copy(
        &world.path("disk_t.bmap"),
        &world.path(images[0]),
        &world.path("copy"),
    )
    .unwrap();
    fs::remove_file(world.path("copy")).unwrap();
    group(r#""bmap": true, "checksum": "md5","#);
    world.run("all -d").expect(0);
    let left = ["disk_t.bmap", "disk_t.img", "disk_t.img.md5"];
    assert_eq!(world.names(), left);
    let line = format!("make-fs {} disk_t.img", source(&world, "ext4"));
    world.run(&line).expect(0);
    assert_eq!(world.names(), left[..2]);
}

#[test]
fn a_stream_has_nothing_beside_it() {
    let world = World::new("", "", "");
    let source = source(&world, "ext4");
    for option in ["--bmap", "--image-checksum md5"] {
        world
            .run(&format!("make-fs {option} {source} -"))
            .expect(64);
    }
    world
        .run(&format!("make-fs --image-checksum crc32 {source} a.img"))
        .expect(64)
        .says(["'crc32' is no kind of checksum", "sha256"]);
    assert!(world.names().is_empty());
}
