//! The data of volumes, decrypted and encrypted by cryptsetup and QEMU in their own processes.

use std::fs;
use std::path::Path;

use disklayout::disk::{Disk, MemDisk};
use disklayout::inspect::luks;
use disklayout::volume::luks::{Passphrase, Request, Version};
use testkit::log::accepted;
use testkit::program::run;
use testkit::scratch::Scratch;

use crate::support::{
    SHA256, VOLUME, cryptsetup, decrypted, large, open, plaintext, request, with_key, write,
};

/// What cryptsetup decrypts in place: then the data are at the start.
fn decrypted_by_cryptsetup(scratch: &Scratch, image: &Path) -> Vec<u8> {
    let header = scratch.path("header.img");
    let options = [
        "reencrypt",
        "--decrypt",
        "--force-offline-reencrypt",
        "--header",
    ];
    let options = [&options[..], &[header.to_str().unwrap()]].concat();
    with_key(scratch, "key 0", &options, image).unwrap();
    fs::remove_file(&header).unwrap();
    let mut bytes = fs::read(image).unwrap();
    bytes.truncate(VOLUME);
    bytes
}

fn short(mut request: Request) -> Request {
    request.key_bits = 256;
    request
}

#[test]
fn cryptsetup_decrypts_what_is_in_a_volume() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    let plain = || request(Version::Luks2, &[SHA256]);
    for request in [
        plain(),
        large(plain()),
        short(plain()),
        short(large(plain())),
    ] {
        let what = format!("{} bits, {:?}", request.key_bits, request.sector_size);
        write(request, &ours);
        assert!(decrypted(&ours, "key 0").unwrap() == plaintext(), "{what}");
        assert!(
            decrypted_by_cryptsetup(&scratch, &ours) == plaintext(),
            "{what}"
        );
        accepted("cryptsetup", &ours);
    }
}

#[test]
fn qemu_and_cryptsetup_decrypt_volumes_of_luks1() {
    let scratch = Scratch::new();
    let (ours, raw) = (scratch.path("luks.img"), scratch.path("raw.img"));
    for request in [
        request(Version::Luks1, &[SHA256]),
        short(request(Version::Luks1, &[SHA256])),
    ] {
        write(request, &ours);
        let image = format!(
            "driver=luks,key-secret=key,file.filename={}",
            ours.display()
        );
        let secret = "secret,id=key,data=key 0";
        let raw_path = raw.to_str().unwrap();
        let options = [
            "convert",
            "--object",
            secret,
            "--image-opts",
            &image,
            "-O",
            "raw",
            raw_path,
        ];
        run("qemu-img", &options).unwrap();
        assert!(fs::read(&raw).unwrap() == plaintext());
        accepted("qemu-img", &ours);
        cryptsetup(&["convert", "--type", "luks2"], &[&ours]).unwrap();
        assert!(decrypted(&ours, "key 0").unwrap() == plaintext());
        assert!(decrypted_by_cryptsetup(&scratch, &ours) == plaintext());
    }
}

#[test]
fn what_cryptsetup_encrypts_is_read() {
    let scratch = Scratch::new();
    for (sector, bits) in [("512", "512"), ("4096", "512"), ("4096", "256")] {
        let theirs = scratch.sample("plain.img", (32 << 20) + VOLUME as u64);
        let disk = open(&theirs);
        disk.write_at(&plaintext(), 0).unwrap();
        let options = [
            "reencrypt",
            "--encrypt",
            "--type",
            "luks2",
            "--reduce-device-size",
            "32M",
        ];
        let key = ["--sector-size", sector, "--key-size", bits];
        let few = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
        let options = [&options[..], &key, &few].concat();
        with_key(&scratch, "key 0", &options, &theirs).unwrap();
        let read = decrypted(&theirs, "key 0").unwrap();
        assert!(read[..VOLUME] == plaintext(), "{sector} {bits}");
    }
}

#[test]
fn every_part_of_a_volume_can_be_read() {
    let scratch = Scratch::new();
    let ours = scratch.path("luks.img");
    let plain = plaintext();
    let small = request(Version::Luks2, &[SHA256]);
    for request in [small.clone(), large(small)] {
        write(request, &ours);
        let disk = open(&ours);
        let found = luks::read(&disk).unwrap().unwrap();
        let volume = found.unlock(&Passphrase::new("key 0")).unwrap();
        assert_eq!(volume.len(), VOLUME as u64);
        let near = [
            0,
            1,
            511,
            512,
            513,
            4095,
            4096,
            4097,
            8192,
            10_000,
            VOLUME - 1,
            VOLUME,
        ];
        for start in near {
            for end in near.into_iter().filter(|end| *end >= start) {
                let mut bytes = vec![0; end - start];
                volume.read_at(&mut bytes, start as u64).unwrap();
                assert!(bytes == plain[start..end], "{start}..{end}");
            }
        }
        volume.read_at(&mut [0; 2], VOLUME as u64 - 1).unwrap_err();
        volume.read_at(&mut [0; 2], u64::MAX).unwrap_err();
        volume.write_at(&[0], 0).unwrap_err();
    }
}

#[test]
fn a_part_of_a_sector_at_the_end_isnt_in_the_volume() {
    let plan = disklayout::volume::luks::plan(large(request(Version::Luks2, &[SHA256]))).unwrap();
    let disk = MemDisk::new(plan.data_offset().get() + 3 * 4096 - 1);
    plan.write(&disk).unwrap();
    let found = luks::read(&disk).unwrap().unwrap();
    let volume = found.unlock(&Passphrase::new("key 0")).unwrap();
    assert_eq!(volume.len(), 8192);
}
