//! What is at the place of an image that is to be made. A disk image may be replaced by the next
//! one; an archive or a document there was most likely given by mistake.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, bail};
use disklayout::container::Registry;
use disklayout::disk::SparseFile;
use disklayout::inspect;
use disklayout::magic::{self, Kind};

use super::directory::Directory;
use crate::image::{FileFormat, Holds};

/// Raw images of filesystems that are made here, but aren't all read back.
const OURS: &[(u64, &[u8])] = &[
    (0, b"XFSB"),
    (0, b"hsqs"),
    (3, b"NTFS    "),
    (3, b"EXFAT   "),
    (0x400, &[0x10, 0x20, 0xF5, 0xF2]),
    (0x10040, b"_BHRfS_M"),
];

/// How swap space ends its first page, and how large pages are.
const SWAP: &[u8] = b"SWAPSPACE2";
const PAGES: [u64; 5] = [4096, 8192, 16384, 32768, 65536];

/// How many bytes are looked at at a time.
const BUFFER: usize = 1 << 20;

/// How much of the beginning tells whether a file is text.
const SAMPLE: u64 = 512;

/// Refuses to replace what is at `name` unless it is a disk image, or empty, or what `format` makes.
///
/// # Errors
/// That, and when the file can't be read.
pub fn check_replaced(directory: &Directory, name: &str, format: &FileFormat) -> Result<()> {
    let shown = directory.shown(name);
    let context = || format!("can't look at '{shown}', which is to be replaced");
    let Some(file) = directory.open_regular(name).with_context(context)? else {
        return Ok(());
    };
    let is_kind = match format.holds {
        Holds::Map => is_map(&file).with_context(context)?,
        // A name alone may be that of an input which was given last by mistake.
        Holds::Files => format.is_named && is_archive(&file).with_context(context)?,
        Holds::Disk => false,
    };
    if is_kind {
        return Ok(());
    }
    match other_than_image(name, &file).with_context(context)? {
        None => Ok(()),
        Some(what) => bail!(
            "the output '{shown}' is there and is {what}, no disk image: the output comes last; \
             --force replaces it"
        ),
    }
}

/// What the file `name` is instead of a disk image.
fn other_than_image(name: &str, file: &File) -> Result<Option<&'static str>> {
    if is_in_known_format(file)? {
        return Ok(None);
    }
    let found = magic::of(&start(file)?);
    if found.is_some_and(|it| it.kind == Kind::Compressed) && is_called_compressed_image(name) {
        return Ok(None);
    }
    if let Some(found) = found.filter(|it| it.kind != Kind::Raw && !it.is_short()) {
        return Ok(Some(found.what));
    }
    if is_known_image(file)? || is_blank(file)? {
        return Ok(None);
    }
    Ok(Some(match is_text(file)? {
        true => "a text",
        false => "a file of another kind",
    }))
}

/// Whether `file` is an image in a format of its own that is read here, sound or damaged.
fn is_in_known_format(file: &File) -> Result<bool> {
    let disk = SparseFile::open(file.try_clone()?)?;
    Ok(match Registry::default().read(&disk) {
        Ok(found) => found.is_some(),
        Err(error) => error.kind() == io::ErrorKind::InvalidData,
    })
}

/// Whether `name` is that of a compressed image: `disk.img.zst`.
fn is_called_compressed_image(name: &str) -> bool {
    let formats = Registry::default();
    let mut extensions = formats.formats().map(|format| format.about().extension);
    extensions.any(|it| it.starts_with("img.") && name.ends_with(&format!(".{it}")))
}

/// Whether `file` is a block map.
fn is_map(file: &File) -> io::Result<bool> {
    let start = start(file)?;
    let is_there = |text: &[u8]| start.windows(text.len()).any(|it| it == text);
    Ok(start.starts_with(b"<?xml") && is_there(b"<bmap version="))
}

/// Whether `file` is an archive, or compressed.
fn is_archive(file: &File) -> io::Result<bool> {
    let found = magic::of(&start(file)?);
    Ok(found.is_some_and(|it| matches!(it.kind, Kind::Archive | Kind::Compressed)))
}

/// Whether there is a partition table or a filesystem, sound or not.
fn is_known_image(file: &File) -> Result<bool> {
    for (at, magic) in OURS {
        if has(file, *at, magic)? {
            return Ok(true);
        }
    }
    for page in PAGES {
        if has(file, page - SWAP.len() as u64, SWAP)? {
            return Ok(true);
        }
    }
    let disk = SparseFile::open(file.try_clone()?)?;
    let Ok(image) = inspect::image(&disk) else {
        return Ok(has(file, 0, &[0; 446])? && has(file, 510, &[0x55, 0xAA])?);
    };
    let found = |volume: &inspect::Volume<'_>| !matches!(volume.filesystem, Ok(None));
    Ok(image.table.is_some() || image.volumes.iter().any(found))
}

/// Whether there are zeroes only, if anything. Holes are skipped.
fn is_blank(mut file: &File) -> io::Result<bool> {
    let mut buffer = vec![0; BUFFER];
    let mut at = 0;
    loop {
        at = match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) {
            Ok(data) => data,
            Err(rustix::io::Errno::NXIO) => return Ok(true),
            // Without that, holes are read too.
            Err(_) => file.seek(SeekFrom::Start(at))?,
        };
        file.seek(SeekFrom::Start(at))?;
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(true);
        }
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        at += count as u64;
    }
}

/// Whether `file` begins as a text does.
fn is_text(mut file: &File) -> io::Result<bool> {
    let mut sample = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(SAMPLE).read_to_end(&mut sample)?;
    let is_utf8 = match std::str::from_utf8(&sample) {
        Ok(_) => true,
        // The last character may be cut off.
        Err(error) => error.error_len().is_none(),
    };
    Ok(is_utf8 && !sample.contains(&0))
}

/// The beginning of `file`, as far as it tells what it is.
fn start(mut file: &File) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(magic::LEN as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Whether `file` has these bytes at `at`.
fn has(file: &File, at: u64, bytes: &[u8]) -> io::Result<bool> {
    let mut found = vec![0; bytes.len()];
    match file.read_exact_at(&mut found, at) {
        Ok(()) => Ok(found == bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What is said of a file with `bytes` at `at` in zeroes of 128 KiB.
    fn said_of(at: usize, bytes: &[u8]) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        let mut content = vec![0; 128 << 10];
        content[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(root.path().join("a"), content).unwrap();
        let directory = Directory::lock(root.path()).unwrap();
        check_replaced(&directory, "a", &FileFormat::raw("t"))
            .err()
            .map(|error| format!("{error:#}"))
    }

    #[test]
    fn archives_and_other_files_are_kept() {
        for (at, bytes, what) in [
            (0, &b"\x1F\x8B\x08"[..], "is compressed with gzip"),
            (0, b"PK\x03\x04", "is a zip archive"),
            (0, b"QFI\xFB", "is a qcow2 image"),
            (64, b"\x7F\x10\xDA\xBE", "is a VDI image"),
            (257, b"ustar", "is a tar archive"),
            (0, b"\x7FELF", "is a program"),
            (0x8001, b"CD001", "is an ISO 9660 image"),
        ] {
            let said = said_of(at, bytes).unwrap();
            assert!(said.contains(what) && said.contains("--force"), "{said}");
        }
        for at in [0, 3, 600, 100_000] {
            let said = said_of(at, b"precious").unwrap();
            assert!(said.contains("a file of another kind"), "{said}");
        }
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "notes, ü").unwrap();
        let directory = Directory::lock(root.path()).unwrap();
        let raw = FileFormat::raw("t");
        let error = check_replaced(&directory, "a", &raw).unwrap_err();
        assert!(error.to_string().contains("is a text"), "{error}");
    }

    #[test]
    fn images_and_what_is_empty_may_be_replaced() {
        for (at, magic) in OURS {
            assert_eq!(said_of(*at as usize, magic), None);
        }
        for page in PAGES {
            assert_eq!(said_of(page as usize - SWAP.len(), SWAP), None);
        }
        assert_eq!(said_of(0, &[]), None);
        assert_eq!(said_of(510, &[0x55, 0xAA]), None, "an MBR");
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("empty"), "").unwrap();
        fs::write(root.path().join("odd"), [0; 1000]).unwrap();
        let hole = File::create(root.path().join("hole")).unwrap();
        hole.set_len(1 << 40).unwrap();
        let directory = Directory::lock(root.path()).unwrap();
        for name in ["missing", "empty", "odd", "hole"] {
            check_replaced(&directory, name, &FileFormat::raw("t")).unwrap();
        }
    }

    #[test]
    fn maps_are_replaced_by_maps_alone() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::lock(root.path()).unwrap();
        let raw = FileFormat::raw("t");
        let map = FileFormat {
            holds: Holds::Map,
            ..raw.clone()
        };
        let text = "<?xml version=\"1.0\" ?>\n<bmap version=\"2.0\">\n";
        fs::write(root.path().join("a"), text).unwrap();
        check_replaced(&directory, "a", &map).unwrap();
        check_replaced(&directory, "a", &raw).unwrap_err();
        fs::write(root.path().join("a"), "<?xml version=\"1.0\" ?>\n<a/>").unwrap();
        check_replaced(&directory, "a", &map).unwrap_err();
    }
}
