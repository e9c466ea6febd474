//! Containers that allow no namespaces and no mounts, as Docker's do by default: root has a plain
//! chroot there, and an ordinary user is told why there is nothing for him.

use std::path::Path;

use testkit::root::is_root_user;

use super::place::{Place, specification};
use super::user::User;
use crate::world::Run;

/// Runs a program as such a container does.
const CONTAINER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/vmdb2/as-in-a-container"
);

#[test]
fn root_of_a_container_has_a_chroot() {
    if !is_root_user() {
        return testkit::log::not_run("only root can be root of a container");
    }
    let place = Place::new(User::Root);
    place.put_root();
    let steps = "  - chroot: root\n    shell: |\n      id > /etc/seen\n      test -c /dev/null\n      echo x > /dev/null\n      \
                 test -x /usr/sbin/policy-rc.d\n  - shell: echo outside > $ROOT/etc/root\n    root-fs: root\n";
    place.put("a.vmdb", specification(steps));
    let line = "vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb";
    Run::of(&mut place.through(Path::new(CONTAINER), line)).expect(0);
    assert_eq!(place.names(), ["a.img", "a.vmdb", "root.tar"]);
    let contained = std::fs::read(place.path("a.img")).unwrap();
    place.run(line).expect(0);
    // As with namespaces.
    assert!(std::fs::read(place.path("a.img")).unwrap() == contained);
    let memory = line.replace("vmdb2 ", "vmdb2 --tree memory ");
    let run = Run::of(&mut place.through(Path::new(CONTAINER), &memory));
    run.expect(3)
        .says(["without namespaces a tree can't be in memory"]);
    assert_eq!(place.names(), ["a.img", "a.vmdb", "root.tar"]);
}

#[test]
fn a_user_of_a_container_is_told_what_forbids_it() {
    let place = Place::new(User::Ordinary);
    place.put("a.vmdb", specification(""));
    let line = "vmdb2 --output a.img a.vmdb";
    let run = Run::of(&mut place.through(Path::new(CONTAINER), line));
    run.expect(3)
        .says(["may have no namespaces", "run as root"]);
    assert_eq!(place.names(), ["a.vmdb"]);
}
