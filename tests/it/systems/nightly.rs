//! What takes a quarter of an hour alone: `scripts/test --nightly`.

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
