//! What cryptsetup and blkid read of our headers.

use std::path::Path;

use disklayout::SectorSize;
use disklayout::volume::luks::{Argon2Cost, Kdf, Request, Version};
use serde_json::Value;
use testkit::checkers::blkid_value;
use testkit::log::accepted;
use testkit::scratch::Scratch;

use crate::support::{ARGON2, SHA256, UUID, cryptsetup, format, large, request, write};

fn metadata(image: &Path) -> Value {
    let said = cryptsetup(&["luksDump", "--dump-json-metadata"], &[image]).unwrap();
    serde_json::from_str(&said).unwrap()
}

/// The metadata without what is random.
fn comparable(image: &Path) -> Value {
    let mut read = metadata(image);
    for path in [
        "/keyslots/0/kdf/salt",
        "/digests/0/salt",
        "/digests/0/digest",
    ] {
        *read.pointer_mut(path).unwrap() = Value::Null;
    }
    read
}

fn labelled(mut request: Request) -> Request {
    request.label = Some("größe".repeat(6) + "12345");
    request.subsystem = Some("a subsystem".into());
    request.allow_discards = true;
    request
}

#[test]
fn metadata_are_those_of_cryptsetup() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    // Of lanes it takes no more than there are processors.
    let cost = Argon2Cost { lanes: 1, ..ARGON2 };
    let pbkdf2 = ["--pbkdf-force-iterations", "1000"];
    let argon2 = ["--pbkdf-force-iterations", "4", "--pbkdf-memory", "1024"];
    let argon2 = [&argon2[..], &["--pbkdf-parallel", "1"]].concat();
    for (kdf, name, costs) in [
        (SHA256, "pbkdf2", &pbkdf2[..]),
        (Kdf::Argon2id(cost), "argon2id", &argon2),
        (Kdf::Argon2i(cost), "argon2i", &argon2),
    ] {
        for (bits, sector) in [("512", "512"), ("256", "4096")] {
            let sizes = ["--key-size", bits, "--sector-size", sector];
            let options = ["--type", "luks2", "--pbkdf", name];
            let options = [&options[..], &sizes, costs].concat();
            let theirs = format(&scratch, "luks.img", &options);
            let mut request = request(Version::Luks2, &[kdf]);
            request.key_bits = bits.parse().unwrap();
            request.sector_size = SectorSize::of(sector.parse().unwrap()).unwrap();
            write(request, &ours);
            assert_eq!(comparable(&ours), comparable(&theirs), "{kdf} {bits}");
        }
    }
}

#[test]
fn offsets_of_luks1_are_those_of_cryptsetup() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    // All but digest, salts and UUID: fields in front, and offset and stripes of every slot.
    let fixed = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        let slots = (0..8).map(|slot| 208 + 48 * slot);
        let slots = slots.flat_map(|at| [at..at + 8, at + 40..at + 48]);
        let ranges = std::iter::once(0..112).chain(slots);
        ranges
            .flat_map(|range| bytes[range].to_vec())
            .collect::<Vec<_>>()
    };
    for bits in [256, 512] {
        let text = bits.to_string();
        let options = ["--type", "luks1", "--key-size", &text];
        let options = [&options[..], &["--pbkdf-force-iterations", "1000"]].concat();
        let theirs = format(&scratch, "luks.img", &options);
        let mut request = request(Version::Luks1, &[SHA256]);
        request.key_bits = bits;
        write(request, &ours);
        assert!(fixed(&ours) == fixed(&theirs), "{bits}");
    }
}

#[test]
fn cryptsetup_and_blkid_see_what_was_asked_for() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    let [one, two] = [Version::Luks1, Version::Luks2];
    for (request, kind, other) in [
        (request(one, &[SHA256]), "luks1", "luks2"),
        (request(two, &[SHA256]), "luks2", "luks1"),
        (
            large(labelled(request(two, &[SHA256; 32]))),
            "luks2",
            "luks1",
        ),
    ] {
        let (label, subsystem) = (request.label.clone(), request.subsystem.clone());
        let slots = request.keys.len();
        write(request, &ours);
        cryptsetup(&["isLuks", "--type", kind], &[&ours]).unwrap();
        cryptsetup(&["isLuks", "--type", other], &[&ours]).unwrap_err();
        let uuid = cryptsetup(&["luksUUID"], &[&ours]).unwrap();
        assert_eq!(uuid.trim_end(), UUID);
        assert_eq!(blkid_value(&ours, "TYPE"), "crypto_LUKS");
        assert_eq!(blkid_value(&ours, "UUID"), UUID);
        let said = cryptsetup(&["luksDump"], &[&ours]).unwrap();
        if let Some((label, subsystem)) = label.zip(subsystem) {
            assert_eq!(blkid_value(&ours, "LABEL"), label);
            assert!(
                said.contains(&format!("Subsystem:     \t{subsystem}\n")),
                "{said}"
            );
            assert!(said.contains("Flags:       \tallow-discards"), "{said}");
            assert_eq!(metadata(&ours)["config"]["json_size"], "12288");
        }
        let used = match kind {
            "luks1" => said.matches(": ENABLED").count(),
            _ => said.matches(": luks2\n").count(),
        };
        assert_eq!(used, slots, "{said}");
        let repaired = std::fs::read(&ours).unwrap();
        cryptsetup(&["repair"], &[&ours]).unwrap();
        assert!(repaired == std::fs::read(&ours).unwrap());
        accepted("cryptsetup", &ours);
    }
}
