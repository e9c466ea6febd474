//! Image files with something wrong in them.

use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::Path;

use disklayout::Bytes;
use disklayout::container::Registry;
use disklayout::disk::{Disk, MemDisk, Window, write_data};

/// More of a disk isn't read: its size may be what is wrong.
const MOST: u64 = 4 << 20;

/// Nor are more stretches of it looked at.
const STRETCHES: usize = 64;

/// What is read of an image: nothing where it isn't taken for one.
pub(crate) type Found = io::Result<Option<Vec<u8>>>;

/// An image file in memory.
pub(crate) fn load(image: &Path) -> MemDisk {
    let bytes = fs::read(image).unwrap();
    let file = MemDisk::new(bytes.len() as u64);
    write_data(&file, &bytes, 0).unwrap();
    file
}

/// The disk in an image file, or its beginning.
pub(crate) fn read(file: &dyn Disk) -> Found {
    let formats = Registry::default();
    let Some((format, disk)) = formats.read(file)? else {
        return Ok(None);
    };
    format.describe(file)?;
    let mut bytes = vec![0; disk.len().min(MOST) as usize];
    disk.read_at(&mut bytes, 0)?;
    walk(&*disk);
    Ok(Some(bytes))
}

/// Goes through the first stretches of a disk, of which each but the first begins behind another.
fn walk(disk: &dyn Disk) {
    let mut at = 0;
    for _ in 0..STRETCHES {
        let data = disk.next_data(at);
        let hole = disk.next_hole(data);
        assert!(at <= data && data <= hole, "{at} {data} {hole}");
        if hole >= disk.len() {
            break;
        }
        at = hole;
    }
}

/// Why an image file isn't read.
pub(crate) fn refusal(file: &dyn Disk) -> io::Error {
    match read(file) {
        Ok(found) => panic!("it is read: {:?}", found.map(|bytes| bytes.len())),
        Err(error) => error,
    }
}

/// Changes bytes of a file.
pub(crate) fn change<const N: usize>(
    file: &dyn Disk,
    offset: u64,
    with: impl FnOnce([u8; N]) -> [u8; N],
) {
    let mut bytes = [0; N];
    file.read_at(&mut bytes, offset).unwrap();
    file.write_at(&with(bytes), offset).unwrap();
}

/// Shows to `judge` what is read with each byte of `range` in turn being another one.
pub(crate) fn flip(file: &MemDisk, range: Range<u64>, judge: impl Fn(u64, Found)) {
    for offset in range {
        change(file, offset, |[byte]| [!byte]);
        judge(offset, read(file));
        change(file, offset, |[byte]| [!byte]);
    }
}

/// Shows to `judge` what is read of the first bytes of a file, so many of them.
pub(crate) fn cut(file: &MemDisk, lengths: &[u64], judge: impl Fn(u64, Found)) {
    for len in lengths {
        let short = Window::new(file, Bytes::new(0), Bytes::new(*len)).unwrap();
        judge(*len, read(&short));
    }
}

/// Lets pass what is read as it was written, or is refused.
pub(crate) fn same_or_refused(expected: &[u8]) -> impl Fn(u64, Found) {
    move |offset, found| match found {
        Ok(None) => {}
        Ok(Some(found)) => assert!(found == expected, "{offset}"),
        Err(error) => {
            let kinds = [ErrorKind::InvalidData, ErrorKind::Unsupported];
            assert!(kinds.contains(&error.kind()), "{offset}: {error:?}");
        }
    }
}
