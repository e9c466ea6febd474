//! What takes a quarter of an hour alone: `scripts/test --nightly`.

use createhdds::system::Firmware;

use super::debian::{assert_started, build};
use super::machine;
use super::place::Place;
use super::user::User;

#[test]
#[ignore = "slow: a Debian for arm64 is installed by emulated programs, and started in an emulated machine"]
fn a_debian_for_another_architecture_starts() {
    let place = Place::new(User::Ordinary);
    build(&place, "arm64");
    let answer = machine::ask_arm64(&place.path("arm64.img"));
    assert_started(&answer, "console=ttyAMA0,115200n8", "vmdb-arm64");
    assert!(answer.contains("aarch64\n"), "{answer}");
}

#[test]
#[ignore = "slow: a Debian is installed from the network, and started in two machines"]
fn a_debian_in_luks_starts_and_one_in_logical_volumes() {
    let place = Place::new(User::Ordinary);
    place.put("luks.key", "a key that nobody types\n");
    for (name, source) in [
        ("luks", "/dev/mapper/cryptroot ext4"),
        // From the archive that the first one has left.
        ("lvm", "/dev/mapper/vg--0-rootfs ext4"),
    ] {
        build(&place, name);
        let image = place.path(&format!("{name}.img"));
        let answer = machine::ask(Firmware::Bios, &image);
        assert_started(&answer, "console=ttyS0,115200n8", &format!("vmdb-{name}"));
        assert!(answer.contains(source), "{answer}");
        std::fs::remove_file(image).unwrap();
    }
}
