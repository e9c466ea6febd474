//! Headers that are damaged, and such as ask for too much.

use disklayout::disk::{Disk, MemDisk};
use disklayout::inspect::luks;
use disklayout::volume::luks::{Passphrase, Version, plan};
use disklayout::{Bytes, ErrorKind};
use sha2::{Digest, Sha256};

use crate::support::{SHA256, request};

const HEADER: u64 = 16 << 10;

/// A container of LUKS2 in memory.
fn container() -> MemDisk {
    of(Version::Luks2)
}

fn of(version: Version) -> MemDisk {
    let plan = plan(request(version, &[SHA256])).unwrap();
    let disk = MemDisk::new(plan.data_offset().get() + 4096);
    plan.write(&disk).unwrap();
    disk
}

fn flip(disk: &MemDisk, at: u64) {
    let mut byte = [0];
    disk.read_at(&mut byte, at).unwrap();
    disk.write_at(&[byte[0] ^ 4], at).unwrap();
}

/// Puts `to` in the place of `from` in the metadata of both headers, with right checksums.
fn forge(disk: &MemDisk, from: &str, to: &str) {
    for at in [0, HEADER] {
        let mut bytes = vec![0; HEADER as usize];
        disk.read_at(&mut bytes, at).unwrap();
        let text = String::from_utf8(bytes.split_off(4096)).unwrap();
        let text = text.trim_end_matches('\0');
        assert!(text.contains(from), "{text}");
        bytes.extend(text.replace(from, to).into_bytes());
        bytes.resize(HEADER as usize, 0);
        bytes[448..512].fill(0);
        let sum = Sha256::digest(&bytes);
        bytes[448..480].copy_from_slice(&sum);
        disk.write_at(&bytes, at).unwrap();
    }
}

fn unlock(disk: &dyn Disk) -> disklayout::Result<u32> {
    let found = luks::read(disk)?.expect("a container");
    Ok(found.unlock(&Passphrase::new("key 0"))?.slot())
}

fn said(disk: &dyn Disk, kind: ErrorKind) -> String {
    let error = unlock(disk).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    error.to_string()
}

#[test]
fn the_second_header_is_used_where_the_first_is_damaged() {
    // Magic, version, size, label, checksum, metadata, behind the metadata.
    for at in [0, 7, 14, 24, 450, 4096, 4200, HEADER - 1] {
        let disk = container();
        flip(&disk, at);
        let found = luks::read(&disk).unwrap().unwrap();
        assert_eq!(found.facts().header_offset, Bytes::new(HEADER), "{at}");
        let [warning] = found.warnings() else {
            panic!("{at}: {:?}", found.warnings())
        };
        assert!(
            warning.starts_with("the first header can't be used: "),
            "{warning}"
        );
        assert_eq!(unlock(&disk).unwrap(), 0);
    }
}

#[test]
fn damage_of_the_second_header_is_told() {
    for at in [0, 7, 14, 24, 256, 450, 4096, HEADER - 1] {
        let disk = container();
        flip(&disk, HEADER + at);
        let found = luks::read(&disk).unwrap().unwrap();
        assert_eq!(found.facts().header_offset, Bytes::new(0));
        let [warning] = found.warnings() else {
            panic!("{at}: {:?}", found.warnings())
        };
        assert!(
            warning.starts_with("the second header can't be used: "),
            "{warning}"
        );
    }
}

#[test]
fn without_a_sound_header_there_is_an_error() {
    let disk = container();
    flip(&disk, 4096);
    flip(&disk, HEADER + 4096);
    let said = said(&disk, ErrorKind::Corrupt);
    assert!(said.contains("neither header can be used"), "{said}");
    assert_eq!(said.matches("its checksum is wrong").count(), 2, "{said}");
    let empty = MemDisk::new(1 << 20);
    assert!(luks::read(&empty).unwrap().is_none());
    assert!(luks::read(&MemDisk::new(3)).unwrap().is_none());
}

#[test]
fn the_newer_header_counts() {
    let disk = container();
    let mut header = vec![0; HEADER as usize];
    disk.read_at(&mut header, HEADER).unwrap();
    header[23] = 9;
    header[448..512].fill(0);
    let sum = Sha256::digest(&header);
    header[448..480].copy_from_slice(&sum);
    disk.write_at(&header, HEADER).unwrap();
    let found = luks::read(&disk).unwrap().unwrap();
    assert_eq!(found.facts().header_offset, Bytes::new(HEADER));
    assert_eq!(
        found.warnings(),
        ["the first header is older than the second one"]
    );
}

#[test]
fn damaged_keys_open_nothing() {
    for version in [Version::Luks1, Version::Luks2] {
        let first = match version {
            Version::Luks1 => 4096,
            Version::Luks2 => 2 * HEADER,
        };
        for at in [first, first + 255_999] {
            let disk = of(version);
            flip(&disk, at);
            let said = said(&disk, ErrorKind::InvalidSpec);
            assert!(said.contains("opens none of the key slots 0"), "{said}");
        }
    }
}

#[test]
fn what_a_header_asks_for_is_limited() {
    let slot = r#""kdf":{"type":"pbkdf2","hash":"sha256","iterations":1000"#;
    let argon2 = |costs| format!(r#""kdf":{{"type":"argon2id",{costs}"#);
    for (from, to, wrong) in [
        (
            slot,
            argon2(r#""time":4,"memory":4194305,"cpus":1"#),
            "needs more memory than 4194304 KiB",
        ),
        (
            slot,
            argon2(r#""time":4294967295,"memory":65536,"cpus":1"#),
            "goes through more memory",
        ),
        (slot, argon2(r#""time":4,"memory":65536,"cpus":0"#), "lanes"),
        (
            slot,
            slot.replace("1000", "4294967295"),
            "4294967295 iterations",
        ),
        (
            slot,
            slot.replace("sha256", "md5"),
            "the hash 'md5' is none of",
        ),
        (
            slot,
            r#""kdf":{"type":"scrypt","x":1"#.to_owned(),
            "isn't known here",
        ),
        (
            r#""stripes":4000"#,
            r#""stripes":4000000000"#.to_owned(),
            "stripes",
        ),
        (
            r#""type":"luks2","key_size":64"#,
            r#""type":"luks2","key_size":4294967295"#.into(),
            "keys of 4294967295",
        ),
        (
            r#""offset":"32768""#,
            r#""offset":"18446744073709551615""#.into(),
            "outside of the disk",
        ),
        (
            r#""type":"luks2""#,
            r#""type":"reencrypt""#.into(),
            "it isn't of type luks2",
        ),
        (
            r#""sector_size":512"#,
            r#""sector_size":1000"#.into(),
            "sectors of 1000 bytes",
        ),
        (
            r#""type":"crypt""#,
            r#""type":"linear""#.into(),
            "isn't encrypted",
        ),
        (
            r#""segments":["0"]"#,
            r#""segments":["1"]"#.into(),
            "no digest tells",
        ),
        (
            r#""keyslots":["0"]"#,
            r#""keyslots":[]"#.into(),
            "no key slot that can be tried",
        ),
        (
            r#""config":{"#,
            r#""config":{"requirements":{"mandatory":["online-reencrypt-v2"]},"#.into(),
            "online-reencrypt-v2",
        ),
    ] {
        let disk = container();
        forge(&disk, from, &to);
        let said = said(&disk, ErrorKind::Unsupported);
        assert!(said.contains(wrong), "{said}");
        assert!(luks::read(&disk).unwrap().unwrap().warnings().is_empty());
    }
    let disk = container();
    forge(&disk, "{\"keyslots\"", "[\"keyslots\"");
    let said = said(&disk, ErrorKind::Corrupt);
    assert!(said.contains("its metadata can't be read"), "{said}");
}

#[test]
fn volumes_end_with_their_disk() {
    let disk = container();
    forge(&disk, r#""size":"dynamic""#, r#""size":"1024""#);
    let found = luks::read(&disk).unwrap().unwrap();
    assert_eq!(found.facts().data_len, Some(Bytes::new(1024)));
    let len = |disk: &MemDisk| {
        let found = luks::read(disk).unwrap().unwrap();
        found.unlock(&Passphrase::new("key 0")).unwrap().len()
    };
    assert_eq!(len(&disk), 1024);
    forge(
        &disk,
        r#""size":"1024""#,
        r#""size":"18446744073709551104""#,
    );
    assert_eq!(len(&disk), 4096);
    forge(
        &disk,
        r#""offset":"16777216""#,
        r#""offset":"18446744073709551104""#,
    );
    assert_eq!(len(&disk), 0);
}

#[test]
fn every_flipped_byte_of_a_header_is_survived() {
    for (version, end) in [(Version::Luks1, 592), (Version::Luks2, 512)] {
        let disk = of(version);
        for at in 0..end {
            flip(&disk, at);
            if let Ok(Some(found)) = luks::read(&disk) {
                let key_bits = found.facts().key_bits;
                assert!(version == Version::Luks1 || key_bits == 512, "{at}");
            }
            flip(&disk, at);
        }
        assert_eq!(unlock(&disk).unwrap(), 0);
    }
}
