//! Containers, and the programs that judge them. None of it needs root or the kernel.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use disklayout::disk::{Disk, SparseFile};
use disklayout::inspect::luks;
use disklayout::volume::luks::{
    Argon2Cost, Hash, Kdf, Key, Passphrase, Plan, Request, Secrets, Version, plan,
};
use disklayout::{Bytes, SectorSize};
use testkit::program::{Verdict, arguments, run};
use testkit::scratch::Scratch;

pub(crate) const UUID: &str = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
/// Bytes of the volume in most images.
pub(crate) const VOLUME: usize = 1 << 20;

pub(crate) const SHA256: Kdf = pbkdf2(Hash::Sha256);
pub(crate) const ARGON2: Argon2Cost = Argon2Cost {
    memory_kib: 1024,
    iterations: 4,
    lanes: 2,
};

pub(crate) const fn pbkdf2(hash: Hash) -> Kdf {
    Kdf::Pbkdf2 {
        hash,
        iterations: 1000,
    }
}

/// A container with keys called `key 0` and so on.
pub(crate) fn request(version: Version, kdfs: &[Kdf]) -> Request {
    let mut request = Request::new("root", version, Secrets::new([42; 32]));
    let keys = kdfs.iter().enumerate().map(|(number, kdf)| Key {
        passphrase: Passphrase::new(passphrase(number)),
        kdf: *kdf,
    });
    request.keys = keys.collect();
    request.uuid = Some(UUID.parse().unwrap());
    request
}

pub(crate) fn large(mut request: Request) -> Request {
    request.sector_size = SectorSize::B4096;
    request
}

pub(crate) fn passphrase(number: usize) -> String {
    format!("key {number}")
}

/// What is in the volumes: no two sectors are the same.
pub(crate) fn plaintext() -> Vec<u8> {
    let sector = |number: u64| {
        let mut bytes = [number as u8; 512];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes
    };
    (0..VOLUME as u64 / 512).flat_map(sector).collect()
}

/// An image of a container with [`plaintext`] in it.
pub(crate) fn write(request: Request, path: &Path) -> Plan {
    let plan = plan(request).unwrap();
    let size = plan.data_offset().get() + VOLUME as u64;
    assert_eq!(
        plan.data_len(Bytes::new(size)).unwrap().get(),
        VOLUME as u64
    );
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path);
    let disk = SparseFile::create(file.unwrap(), size).unwrap();
    plan.write(&disk).unwrap();
    let mut bytes = plaintext();
    plan.cipher().encrypt(0, &mut bytes);
    disk.write_at(&bytes, plan.data_offset().get()).unwrap();
    plan
}

/// A file with a passphrase for cryptsetup.
pub(crate) fn key_file(scratch: &Scratch, passphrase: &str) -> PathBuf {
    let path = scratch.path(&format!("{passphrase}.key"));
    fs::write(&path, passphrase).unwrap();
    path
}

/// cryptsetup with an action, options, and paths.
pub(crate) fn cryptsetup(options: &[&str], paths: &[&Path]) -> Verdict<String> {
    let options = [&["--batch-mode", "--disable-locks"], options].concat();
    run("cryptsetup", &arguments(&options, paths))
}

/// cryptsetup with an action and options on an image, for whom `passphrase` is right.
pub(crate) fn with_key(
    scratch: &Scratch,
    passphrase: &str,
    options: &[&str],
    image: &Path,
) -> Verdict<String> {
    let key = key_file(scratch, passphrase);
    let mut all: Vec<&OsStr> = ["--batch-mode", "--disable-locks", "--key-file"]
        .map(OsStr::new)
        .to_vec();
    all.push(key.as_os_str());
    all.extend(options.iter().map(OsStr::new));
    all.push(image.as_os_str());
    run("cryptsetup", &all)
}

/// A container that cryptsetup makes; it has `key 0`.
pub(crate) fn format(scratch: &Scratch, name: &str, options: &[&str]) -> PathBuf {
    let path = scratch.sample(name, (16 << 20) + VOLUME as u64);
    let options = [&["luksFormat"], options].concat();
    with_key(scratch, &passphrase(0), &options, &path).unwrap();
    path
}

pub(crate) fn open(path: &Path) -> SparseFile {
    testkit::scratch::open(path)
}

/// All that a passphrase makes readable in an image.
pub(crate) fn decrypted(path: &Path, passphrase: &str) -> disklayout::Result<Vec<u8>> {
    let disk = open(path);
    let found = luks::read(&disk)?.expect("a container");
    let volume = found.unlock(&Passphrase::new(passphrase))?;
    let mut bytes = vec![0; volume.len() as usize];
    volume.read_at(&mut bytes, 0).unwrap();
    Ok(bytes)
}

/// The volume key, by cryptsetup, as hexadecimal digits.
pub(crate) fn their_key(scratch: &Scratch, passphrase: &str, image: &Path) -> String {
    let options = ["luksDump", "--dump-volume-key"];
    let said = with_key(scratch, passphrase, &options, image).unwrap();
    let (_, key) = said.split_once("MK dump:").expect(&said);
    key.chars().filter(char::is_ascii_hexdigit).collect()
}

/// The volume key, by this library.
pub(crate) fn our_key(passphrase: &str, image: &Path) -> String {
    let disk = open(image);
    let found = luks::read(&disk).unwrap().unwrap();
    let volume = found.unlock(&Passphrase::new(passphrase)).unwrap();
    let digits = volume.volume_key().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}
