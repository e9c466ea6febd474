//! Image files that others made, held against what they hold.

use std::fs::{self, File};
use std::path::Path;

use disklayout::container::Registry;
use disklayout::disk::SparseFile;
use testkit::program::{arguments, run};

use crate::formats::assert_holes;

/// The size of the disk in an image, in bytes, as QEMU takes it.
pub(crate) fn size_in_qemu(format: &str, image: &Path) -> u64 {
    let info = ["info", "--output=json", "-f", format];
    let said = run("qemu-img", &arguments(&info, &[image])).unwrap();
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    said["virtual-size"].as_u64().unwrap()
}

/// Makes sure that we read what qemu-img makes of the disk in `raw` as QEMU does: the disk, and zeroes
/// where it is larger.
pub(crate) fn check_what_qemu_makes(format: &str, options: &str, raw: &Path) {
    let image = raw.with_extension("made");
    let convert = ["convert", "-f", "raw", "-O", format, "-o", options];
    run("qemu-img", &arguments(&convert, &[raw, &image])).unwrap();
    let size = size_in_qemu(format, &image);
    let mut expected = fs::read(raw).unwrap();
    assert!(size >= expected.len() as u64, "{options}");
    expected.resize(size as usize, 0);
    check(&image, &expected);
}

/// Makes sure that we read these bytes from an image.
pub(crate) fn check(image: &Path, expected: &[u8]) {
    let file = SparseFile::open(File::open(image).unwrap()).unwrap();
    let formats = Registry::default();
    let (_, disk) = formats.read(&file).unwrap().expect("its own sign");
    assert_eq!(disk.len(), expected.len() as u64, "{}", image.display());
    let mut found = vec![1; expected.len()];
    disk.read_at(&mut found, 0).unwrap();
    assert!(found == expected, "{}", image.display());
    assert_holes(&*disk, expected);
}
