//! Who knows a passphrase has the volume key.

use disklayout::ErrorKind;
use disklayout::inspect::luks;
use disklayout::volume::luks::{Hash, Kdf, Passphrase, Version};
use testkit::log::accepted;
use testkit::scratch::Scratch;

use crate::support::{
    ARGON2, SHA256, decrypted, format, large, open, our_key, passphrase, pbkdf2, plaintext,
    request, their_key, with_key, write,
};

const MIXED: [Kdf; 5] = [
    SHA256,
    Kdf::Argon2id(ARGON2),
    Kdf::Argon2i(ARGON2),
    pbkdf2(Hash::Sha1),
    pbkdf2(Hash::Sha512),
];

#[test]
fn cryptsetup_opens_every_slot() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    let [one, two] = [Version::Luks1, Version::Luks2];
    let mut short = request(two, &MIXED[..2]);
    short.key_bits = 256;
    for request in [
        request(two, &MIXED),
        large(request(two, &MIXED)),
        short,
        request(one, &[SHA256; 8]),
        request(one, &[pbkdf2(Hash::Sha1); 2]),
        request(one, &[pbkdf2(Hash::Sha512)]),
    ] {
        let (version, count) = (request.version, request.keys.len());
        write(request, &ours);
        for number in 0..count {
            let slot = number.to_string();
            let options = ["open", "--test-passphrase", "--key-slot", &slot];
            let said = with_key(&scratch, &passphrase(number), &options, &ours);
            said.unwrap_or_else(|said| panic!("{version} {number}: {said}"));
            let said = with_key(&scratch, &passphrase(number + 1), &options, &ours);
            assert!(said.unwrap_err().contains("No key available"));
        }
        let last = passphrase(count - 1);
        assert_eq!(their_key(&scratch, &last, &ours), our_key(&last, &ours));
        assert!(decrypted(&ours, &last).unwrap() == plaintext());
        accepted("cryptsetup", &ours);
    }
}

#[test]
fn usual_costs_are_those_of_cryptsetup() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    write(
        request(Version::Luks2, &[Kdf::default(), Kdf::PBKDF2]),
        &ours,
    );
    for number in [0, 1] {
        let slot = number.to_string();
        let options = ["open", "--test-passphrase", "--key-slot", &slot];
        with_key(&scratch, &passphrase(number), &options, &ours).unwrap();
    }
}

#[test]
fn what_cryptsetup_makes_is_unlocked() {
    let scratch = Scratch::new();
    let few = ["--pbkdf-force-iterations", "1000"];
    let argon2 = ["--pbkdf-force-iterations", "4", "--pbkdf-memory", "1024"];
    let mut seen = Vec::new();
    for (name, options, costs) in [
        ("one", &["--type", "luks1"][..], few.as_slice()),
        ("sha1", &["--type", "luks1", "--hash", "sha1"], &few),
        ("short", &["--type", "luks1", "--key-size", "256"], &few),
        (
            "sha512",
            &["--type", "luks2", "--pbkdf", "pbkdf2", "--hash", "sha512"],
            &few,
        ),
        (
            "two",
            &["--type", "luks2", "--pbkdf", "pbkdf2", "--key-size", "256"],
            &few,
        ),
        ("id", &["--type", "luks2", "--pbkdf", "argon2id"], &argon2),
        (
            "i",
            &["--type", "luks2", "--pbkdf", "argon2i", "--label", "x"],
            &argon2,
        ),
    ] {
        let theirs = format(&scratch, name, &[options, costs].concat());
        let key = their_key(&scratch, &passphrase(0), &theirs);
        assert_eq!(our_key(&passphrase(0), &theirs), key, "{name}");
        let disk = open(&theirs);
        let found = luks::read(&disk).unwrap().unwrap();
        assert_eq!(found.warnings(), [""; 0], "{name}");
        let facts = found.facts();
        assert_eq!(facts.key_bits as usize, key.len() * 4, "{name}");
        assert_eq!(facts.cipher, "aes-xts-plain64");
        seen.push((
            facts.version,
            facts.slots[0].kdf.clone(),
            facts.label.clone(),
        ));
    }
    let kdfs: Vec<_> = seen
        .iter()
        .map(|(version, kdf, _)| (*version, kdf.as_str()))
        .collect();
    assert_eq!(kdfs[1], (1, "pbkdf2-sha1 (1000 iterations)"));
    assert_eq!(kdfs[3], (2, "pbkdf2-sha512 (1000 iterations)"));
    assert!(
        kdfs[5].1.starts_with("argon2id (1024 KiB, 4 iterations, "),
        "{kdfs:?}"
    );
    assert_eq!(seen[6].2.as_deref(), Some("x"));
}

#[test]
fn a_wrong_passphrase_is_told() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    for version in [Version::Luks1, Version::Luks2] {
        write(request(version, &[SHA256; 2]), &ours);
        let error = decrypted(&ours, "key 2").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        let said = error.to_string();
        assert!(said.contains("opens none of the key slots 0, 1"), "{said}");
    }
}

#[test]
fn other_ciphers_are_told_by_name() {
    let scratch = Scratch::new();
    for (version, pbkdf) in [("luks1", &[][..]), ("luks2", &["--pbkdf", "pbkdf2"][..])] {
        let cipher = ["--cipher", "aes-cbc-essiv:sha256", "--key-size", "256"];
        let few = ["--pbkdf-force-iterations", "1000"];
        let options = [&["--type", version][..], pbkdf, &cipher, &few].concat();
        let theirs = format(&scratch, "cbc.img", &options);
        let disk = open(&theirs);
        let found = luks::read(&disk).unwrap().unwrap();
        assert_eq!(found.facts().cipher, "aes-cbc-essiv:sha256");
        let error = found.unlock(&Passphrase::new("key 0")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let said = error.to_string();
        assert!(said.contains("'aes-cbc-essiv:sha256'"), "{said}");
    }
}
