use super::*;
use crate::disk::MemDisk;
use crate::error::ErrorKind;
use crate::volume::luks::{Argon2Cost, Kdf, Key, Passphrase};

const CHEAP: Kdf = Kdf::Pbkdf2 {
    hash: Hash::Sha256,
    iterations: 1000,
};

fn key(passphrase: &str, kdf: Kdf) -> Key {
    let passphrase = Passphrase::new(passphrase);
    Key { passphrase, kdf }
}

fn request(version: Version, keys: usize) -> Request {
    let mut request = Request::new("root", version, Secrets::new([7; 32]));
    request.keys = (0..keys).map(|n| key(&format!("key {n}"), CHEAP)).collect();
    request
}

fn written(request: Request) -> Vec<u8> {
    let plan = plan(request).unwrap();
    let len = plan.data_offset().get();
    let disk = MemDisk::new(len);
    plan.write(&disk).unwrap();
    let mut bytes = vec![0; len as usize];
    disk.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn said(request: Request) -> String {
    let error = plan(request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    error.to_string()
}

fn changed(version: Version, change: impl FnOnce(&mut Request)) -> Request {
    let mut request = request(version, 1);
    change(&mut request);
    request
}

#[test]
fn volumes_begin_where_cryptsetup_has_them() {
    for (version, keys, bits, expected) in [
        (Version::Luks1, 1, 512, 2 << 20),
        (Version::Luks1, 8, 256, 2 << 20),
        (Version::Luks2, 1, 512, 16 << 20),
        (Version::Luks2, 32, 256, 16 << 20),
    ] {
        let mut request = request(version, keys);
        request.key_bits = bits;
        let plan = plan(request).unwrap();
        assert_eq!(plan.data_offset(), Bytes::new(expected));
        let len = |more: u64| plan.data_len(Bytes::new(expected + more));
        assert_eq!(len(1500).unwrap(), Bytes::new(1024));
        let error = len(511).unwrap_err();
        assert_eq!(error.needed(), Some(Bytes::new(expected + 512)));
    }
}

#[test]
fn volumes_begin_behind_the_keys() {
    for (version, keys, least) in [
        (Version::Luks1, 1, 4096 + 8 * 258_048),
        (Version::Luks2, 2, 2 * 16_384 + 2 * 258_048),
        (Version::Luks2, 32, 2 * 16_384 + 32 * 258_048),
    ] {
        let at = |offset| {
            let mut request = request(version, keys);
            request.data_offset = Some(Bytes::new(offset));
            request
        };
        let found = plan(at(least)).unwrap();
        assert_eq!(found.data_offset(), Bytes::new(least));
        assert_eq!(found.unused().is_empty(), version == Version::Luks2);
        let said = [least - 4096, least + 512].map(|offset| said(at(offset)));
        assert!(said[0].contains("behind header and keys"), "{said:?}");
        assert!(said[1].contains("no multiple of 4096"), "{said:?}");
        assert!(said[1].starts_with("root.data-offset: "), "{said:?}");
    }
}

#[test]
fn headers_have_room_for_all_keys() {
    let cost = Argon2Cost {
        memory_kib: 4 << 20,
        iterations: u32::MAX,
        lanes: 4,
    };
    let kdf = Kdf::Argon2id(cost);
    let mut longest = request(Version::Luks2, 0);
    longest.keys = (0..32).map(|n| key(&format!("{n}"), kdf)).collect();
    longest.allow_discards = true;
    longest.data_offset = Some(Bytes::new(i64::MAX as u64 / 4096 * 4096));
    plan(longest).unwrap();
}

#[test]
fn what_is_outside_of_the_limits_is_refused() {
    let [one, two] = [Version::Luks1, Version::Luks2];
    let hash = Kdf::Pbkdf2 {
        hash: Hash::Sha512,
        iterations: 1000,
    };
    let memory = Kdf::Argon2i(Argon2Cost {
        memory_kib: 8 << 20,
        ..Argon2Cost::default()
    });
    for (request, wrong) in [
        (request(one, 0), "root.keys: LUKS1 has 1 to 8 keys, not 0"),
        (request(one, 9), "1 to 8 keys, not 9"),
        (request(two, 33), "1 to 32 keys, not 33"),
        (changed(two, |it| it.key_bits = 384), "root.key-bits: "),
        (
            changed(two, |it| it.label = Some("a".repeat(48))),
            "root.label: the label 'aaaa",
        ),
        (
            changed(two, |it| it.subsystem = Some("a\0b".into())),
            "root.subsystem: ",
        ),
        (
            changed(one, |it| it.label = Some("a".into())),
            "root.label: LUKS1 has no label",
        ),
        (
            changed(one, |it| it.subsystem = Some("a".into())),
            "LUKS1 has",
        ),
        (changed(one, |it| it.allow_discards = true), "LUKS1 has"),
        (
            changed(one, |it| it.sector_size = SectorSize::B4096),
            "root.sector-size: ",
        ),
        (
            changed(one, |it| it.keys.push(key("b", Kdf::default()))),
            "root.keys[1]: LUKS1 knows pbkdf2 only, not argon2id (65536 KiB",
        ),
        (
            changed(one, |it| it.keys.push(key("b", hash))),
            "root.keys[1]: LUKS1 has one hash",
        ),
        (
            changed(two, |it| it.keys.push(key("", CHEAP))),
            "root.keys[1]: the passphrase is empty",
        ),
        (
            changed(two, |it| it.keys[0].kdf = memory),
            "root.keys[0]: 8388608 KiB",
        ),
    ] {
        let said = said(request);
        assert!(said.contains(wrong), "{said}");
    }
    plan(changed(two, |it| it.label = Some("a".repeat(47)))).unwrap();
}

#[test]
fn the_same_secrets_give_the_same_bytes_and_others_others() {
    for version in [Version::Luks1, Version::Luks2] {
        let first = written(request(version, 2));
        assert!(first == written(request(version, 2)));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let alone = pool.unwrap().install(|| written(request(version, 2)));
        assert!(first == alone);
        let other = written(changed(version, |it| {
            it.keys = request(version, 2).keys;
            it.secrets = Secrets::new([8; 32]);
        }));
        assert!(first[4096..] != other[4096..]);
        let sector = [9; 512];
        let encrypted = |secrets| {
            let plan = plan(changed(version, |it| it.secrets = Secrets::new(secrets)));
            let mut sector = sector;
            plan.unwrap().cipher().encrypt(5, &mut sector);
            sector
        };
        assert_eq!(encrypted([7; 32]), encrypted([7; 32]));
        assert_ne!(encrypted([7; 32]), encrypted([8; 32]));
    }
}

#[test]
fn what_is_unused_isnt_written() {
    for version in [Version::Luks1, Version::Luks2] {
        let plan = plan(request(version, 2)).unwrap();
        let bytes = written(request(version, 2));
        let unused = plan.unused();
        assert_eq!(unused.len(), 1);
        let unused = unused[0].start as usize..unused[0].end as usize;
        assert!(bytes[unused.clone()].iter().all(|byte| *byte == 0));
        assert!(
            bytes[unused.start - 8192..unused.start]
                .iter()
                .any(|byte| *byte != 0)
        );
    }
}

#[test]
fn nothing_secret_is_shown() {
    let request = request(Version::Luks2, 1);
    let shown = format!("{request:?} {:?}", plan(request.clone()).unwrap());
    assert!(
        !shown.contains("key 0") && !shown.contains("7, 7"),
        "{shown}"
    );
    assert!(shown.contains("Passphrase(..)"), "{shown}");
}
