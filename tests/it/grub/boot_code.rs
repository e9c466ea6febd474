//! The boot code is what GRUB's own program writes to a device. Needs root, for the device.

use std::fs;
use std::path::Path;

use createhdds::bootloader::grub::install;
use createhdds::system::Firmware;
use disklayout::layout::spec::DiskTable;
use testkit::mount::LoopDevice;
use testkit::program::{arguments, run};
use testkit::root::is_root;
use testkit::scratch::Scratch;

use super::disk::{GPT, MBR, Part, grub, image, pack, system};
use super::tree::{Tree, program};

/// A partition of a device that is mounted, as long as this value lives.
struct Mounted {
    device: LoopDevice,
    point: tempfile::TempDir,
}

impl Mounted {
    fn new(image: &Path) -> Self {
        let device = LoopDevice::new(image, "512");
        // Kernels that know no tables are told of the partitions.
        let _ = run("partx", &arguments(&["--add"], &[&device.path]));
        let point = tempfile::tempdir().unwrap();
        let partition = format!("{}p1", device.path.display());
        run(
            "mount",
            &arguments(&["-o", "ro"], &[Path::new(&partition), point.path()]),
        )
        .unwrap();
        Self { device, point }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        for (program, argument) in [("umount", self.point.path()), ("partx", &self.device.path)] {
            let options: &[&str] = match program {
                "partx" => &["--delete"],
                _ => &[],
            };
            if let Err(said) = run(program, &arguments(options, &[argument])) {
                eprintln!("{said}");
            }
        }
    }
}

/// Writes GRUB's boot code to the image with GRUB's own program, from the files in its first
/// partition.
fn bios_setup(image: &Path, scratch: &Scratch) {
    let mounted = Mounted::new(image);
    let map = scratch.path("device.map");
    fs::write(&map, format!("(hd0) {}\n", mounted.device.path.display())).unwrap();
    let mut setup = program("/usr/lib/grub/i386-pc/grub-bios-setup");
    setup.args(["--no-rs-codes", "--device-map"]).arg(&map);
    setup
        .arg("--directory")
        .arg(mounted.point.path().join("boot/grub/i386-pc"));
    let output = setup.arg(&mounted.device.path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn check(table: DiskTable, parts: &[Part]) {
    if !is_root() {
        return;
    }
    let (scratch, tree, system) = (Scratch::new(), Tree::without(&[]), system(table, parts));
    let [ours, theirs] = ["ours", "theirs"].map(|name| scratch.path(name));
    let file = image(&ours);
    install(&tree, &grub(Firmware::Bios, 0, None), &system, &file).unwrap();
    pack(&system, &tree, &file);
    // The same image with GRUB's files in it, and nothing in front of them.
    pack(&system, &tree, &image(&theirs));
    bios_setup(&theirs, &scratch);
    let [ours, theirs] = [ours, theirs].map(|path| fs::read(path).unwrap());
    let different = ours.iter().zip(&theirs).position(|(a, b)| a != b);
    assert_eq!(different, None, "the first byte that differs");
}

#[test]
fn behind_an_mbr_it_is_that_of_grub_bios_setup() {
    check(MBR, &[(64, "linux", "ext4", "/")]);
}

#[test]
fn on_a_gpt_it_is_that_of_grub_bios_setup() {
    check(GPT, &[(64, "linux", "ext4", "/"), (1, "bios-boot", "", "")]);
}
