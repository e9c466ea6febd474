//! cryptsetup changes our headers, and they are read again.

use disklayout::inspect::luks;
use disklayout::volume::luks::{Kdf, Version};
use testkit::log::accepted;
use testkit::scratch::Scratch;

use crate::support::{
    ARGON2, SHA256, cryptsetup, decrypted, key_file, large, open, plaintext, request, with_key,
    write,
};

const FEW: [&str; 4] = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];

#[test]
fn keys_are_added_changed_and_removed() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    let added = key_file(&scratch, "added");
    let changed = key_file(&scratch, "changed");
    let kdf = Kdf::Argon2id(ARGON2);
    for request in [
        request(Version::Luks1, &[SHA256]),
        request(Version::Luks2, &[SHA256]),
        large(request(Version::Luks2, &[kdf; 29])),
    ] {
        let slots = request.keys.len();
        write(request, &ours);
        let act = |options: &[&str], passphrase: &str, new: &std::path::Path| {
            let key = key_file(&scratch, passphrase);
            let key = ["--key-file", key.to_str().unwrap()];
            cryptsetup(&[options, &FEW, &key].concat(), &[&ours, new]).unwrap();
        };
        act(&["luksAddKey"], "key 0", &added);
        assert!(decrypted(&ours, "added").unwrap() == plaintext());
        act(&["luksChangeKey"], "key 0", &changed);
        assert!(decrypted(&ours, "changed").unwrap() == plaintext());
        decrypted(&ours, "key 0").unwrap_err();
        with_key(&scratch, "added", &["luksRemoveKey"], &ours).unwrap();
        decrypted(&ours, "added").unwrap_err();
        let disk = open(&ours);
        let found = luks::read(&disk).unwrap().unwrap();
        assert_eq!(found.facts().slots.len(), slots);
        assert_eq!(found.warnings(), [""; 0]);
        accepted("cryptsetup", &ours);
    }
}

#[test]
fn versions_become_one_another() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    for (version, there, back) in [
        (Version::Luks1, "luks2", "luks1"),
        (Version::Luks2, "luks1", "luks2"),
    ] {
        write(request(version, &[SHA256; 2]), &ours);
        for kind in [there, back] {
            cryptsetup(&["convert", "--type", kind], &[&ours]).unwrap();
            cryptsetup(&["isLuks", "--type", kind], &[&ours]).unwrap();
            for passphrase in ["key 0", "key 1"] {
                with_key(&scratch, passphrase, &["open", "--test-passphrase"], &ours).unwrap();
                assert!(decrypted(&ours, passphrase).unwrap() == plaintext());
            }
        }
    }
}
