//! The program as it is built without libvirt: everything but installations.

use crate::world::{Run, World, install, single};

const HOST: &str = std::env::consts::ARCH;

fn world() -> World {
    let releases = format!(r#""9": ["{HOST}"]"#);
    let world = World::new(&single("a"), &install("m", &releases), "");
    std::fs::write(world.root().join("m.ks"), "").unwrap();
    world
}

#[test]
fn layouts_are_built_and_installations_tell_how_to_get_them() {
    let world = world();
    let run = world.run("all").expect(3);
    run.says([
        "Built 1 of 2 images",
        "this createhdds is built without libvirt, so it can't install systems",
        "'libvirt-dev' (Debian, Ubuntu) or 'libvirt-devel' (Fedora, Enterprise Linux)",
        "--features libvirt",
    ]);
    assert_eq!(world.names(), ["disk_a.img"]);
    world.run("all --kind guestfs").expect(0);
}

/// It starts where there is no libvirt.
#[test]
fn no_library_of_libvirt_is_needed() {
    let mut ldd = std::process::Command::new("ldd");
    let run = Run::of(ldd.arg(crate::world::BINARY)).expect(0);
    assert!(run.stdout.contains("libc.so"), "{run:?}");
    assert!(!run.stdout.contains("libvirt"), "{run:?}");
}
