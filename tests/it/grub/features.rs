//! GRUB reads the filesystems that it may be installed on.

use std::fs;

use createhdds::bootloader::grub::check;
use createhdds::system::Firmware;
use disklayout::layout::spec::Holds;
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use super::disk::{MBR, grub, system};
use super::tree::program;

/// Features that an ext4 may have beside the usual ones.
const FEATURES: [&str; 10] = [
    "^has_journal",
    "bigalloc",
    "casefold",
    "ea_inode",
    "inline_data",
    "large_dir",
    "meta_bg,^resize_inode",
    "metadata_csum_seed",
    "mmp",
    "^64bit,^metadata_csum",
];

#[test]
fn what_is_accepted_of_ext4_is_read() {
    let scratch = Scratch::new();
    let tree = scratch.path("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("file"), "read by GRUB\n").unwrap();
    let mut accepted = 0;
    for features in FEATURES {
        let mut system = system(MBR, &[(64, "linux", "ext4", "/")]);
        if let Holds::Filesystem(filesystem) = &mut system.disk.partitions[0].holds {
            filesystem.options.set("features", features);
        }
        let is_accepted = check(&grub(Firmware::Bios, 0, None), &system).is_ok();
        let image = scratch.sample(features, 16 << 20);
        let options = ["-q", "-t", "ext4", "-O", features, "-d"];
        run("mke2fs", &arguments(&options, &[&tree, &image])).unwrap();
        let mut reader = program("/usr/bin/grub-fstest");
        let output = reader.arg(&image).args(["cat", "(loop0)/file"]).output();
        let output = output.unwrap();
        let is_read = output.stdout == b"read by GRUB\n";
        assert!(is_read || !is_accepted, "{features}: {output:?}");
        accepted += u32::from(is_accepted);
    }
    assert_eq!(accepted, 6);
}
