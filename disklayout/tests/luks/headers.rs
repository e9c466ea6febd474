//! What cryptsetup and blkid read of our headers.

use std::path::Path;

use disklayout::SectorSize;
use disklayout::volume::luks::{Kdf, Request, Version};
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
    let argon2 = |kdf, name| {
        let memory = ARGON2.memory_kib.to_string();
        let options = [
            "--pbkdf",
            name,
            "--pbkdf-force-iterations",
            "4",
            "--pbkdf-memory",
        ];
        (
            kdf,
            [options.map(String::from).to_vec(), vec![memory]].concat(),
        )
    };
    let pbkdf2 = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
    let one_lane = disklayout::volume::luks::Argon2Cost { lanes: 1, ..ARGON2 };
    for (kdf, options) in [
        (SHA256, pbkdf2.map(String::from).to_vec()),
        argon2(Kdf::Argon2id(one_lane), "argon2id"),
        argon2(Kdf::Argon2i(one_lane), "argon2i"),
    ] {
        for (bits, sector) in [(512, 512), (256, 4096)] {
            let (bits_text, sector_text) = (bits.to_string(), sector.to_string());
            let mut all = vec!["--type", "luks2", "--key-size", &bits_text];
            all.extend(["--sector-size", &sector_text, "--pbkdf-parallel", "1"]);
            all.retain(|_| true);
            all.extend(options.iter().map(String::as_str));
            if options[1] == "pbkdf2" {
                all.retain(|option| !matches!(*option, "--pbkdf-parallel" | "1"));
            }
            let theirs = format(&scratch, "luks.img", &all);
            let mut request = request(Version::Luks2, &[kdf]);
            request.key_bits = bits;
            request.sector_size = SectorSize::of(sector).unwrap();
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
            assert_eq!(metadata(&ours)["config"]["json_size"], "28672");
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
