//! Debian, from the network: what vmdb2 has made of the same specifications is in these images too,
//! and machines start from them.

use std::fs;
use std::path::Path;
use std::process::Command;

use createhdds::system::Firmware;
use testkit::program::{command, output};

use super::machine;
use super::place::Place;
use super::user::User;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vmdb2");

/// Where this machine gets Debian from, by its own apt; Debian's own place elsewhere.
pub(crate) fn mirror() -> String {
    let arguments = [
        "indextargets",
        "--format",
        "$(REPO_URI) $(COMPONENT)",
        "Created-By: Packages",
    ];
    let said = Command::new("apt-get").args(arguments).output();
    let said = said.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    let said = said.unwrap_or_default();
    let mut lines = said.lines().filter_map(|line| line.split_once(' '));
    let own = lines.find(|(uri, component)| {
        uri.starts_with("http") && !uri.contains("security") && *component == "main"
    });
    own.map_or("http://deb.debian.org/debian", |(uri, _)| uri)
        .to_owned()
}

/// Compares what is known of an image with what is known of vmdb2's.
fn assert_facts(image: &Path, firmware: &str) {
    let facts = output(
        &format!("{DATA}/facts"),
        &[image.as_os_str(), firmware.as_ref()],
    );
    assert!(facts.status.success(), "{facts:?}");
    let found = String::from_utf8(facts.stdout).unwrap();
    let expected = fs::read_to_string(format!("{DATA}/{firmware}.facts")).unwrap();
    let missing: Vec<_> = expected
        .lines()
        .filter(|line| !found.contains(*line))
        .collect();
    let new: Vec<_> = found
        .lines()
        .filter(|line| !expected.contains(*line))
        .collect();
    assert!(
        missing.is_empty() && new.is_empty(),
        "missing {missing:#?}\nnew {new:#?}"
    );
}

pub(super) fn build(place: &Place, name: &str) {
    place.put(
        &format!("{name}.vmdb"),
        fs::read(format!("{DATA}/{name}.vmdb")).unwrap(),
    );
    let mirror = mirror();
    let line = format!(
        "vmdb2 --output {name}.img --rootfs-tarball root.tar --variable mirror={mirror} --log {name}.log {name}.vmdb"
    );
    place.run(&line).expect(0);
}

/// Makes sure of what a machine has answered, whose root filesystem is looked for at `root`.
pub(super) fn assert_started(answer: &str, root: &str, console: &str, name: &str) {
    for part in [&format!(" root={root}"), console, "\nrunning\n", name] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert!(!answer.contains("loop"), "{answer}");
}

#[test]
#[ignore = "slow: a Debian is installed from the network, and started in two machines"]
fn a_debian_made_by_an_ordinary_user_starts_by_bios_and_by_uefi() {
    let place = Place::new(User::Ordinary);
    build(&place, "bios");
    assert_facts(&place.path("bios.img"), "bios");
    let answer = machine::ask(Firmware::Bios, &place.path("bios.img"));
    assert_started(&answer, "UUID=", "console=ttyS0,115200n8", "vmdb-bios");
    fs::remove_file(place.path("bios.img")).unwrap();
    // From the archive that the first one has left.
    build(&place, "uefi");
    assert_facts(&place.path("uefi.img"), "uefi");
    let answer = machine::ask(Firmware::Uefi, &place.path("uefi.img"));
    assert_started(&answer, "UUID=", "console=ttyS0,115200n8", "vmdb-uefi");
    let tar = command("tar")
        .arg("-tf")
        .arg(place.path("root.tar"))
        .output()
        .unwrap();
    let names = String::from_utf8_lossy(&tar.stdout).into_owned();
    assert!(tar.status.success() && names.contains("etc/debian_version"));
}
