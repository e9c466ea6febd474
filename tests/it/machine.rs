//! Images as the disks of a machine, in which a kernel mounts what is on them.

use std::fs;
use std::path::Path;

use createhdds::system::Firmware;
use testkit::program::{arguments, command, run};

use crate::world::World;
use crate::{checkers, emulated};

const MACHINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/machine");

/// The formats that QEMU has for disks of machines, with options, and its names for them. The last one
/// is written to.
const DISKS: [(&str, &str, &str); 9] = [
    ("raw", "", "raw"),
    ("qcow2", "compression_type=zlib", "qcow2"),
    ("qcow2", "compression_type=zstd", "qcow2"),
    ("qcow2", "extended_l2=yes", "qcow2"),
    ("vhd", "", "vpc"),
    ("vhdx", "", "vhdx"),
    ("vmdk", "", "vmdk"),
    ("vdi", "", "vdi"),
    ("qcow2", "", "qcow2"),
];

/// The files on every disk.
const FILES: [(&str, &[u8]); 3] = [
    ("a", b"one"),
    ("d/data", &[7; 3_000_000]),
    ("d/zeroes", &[0; 200_000]),
];

/// What the machine says, on its serial line, with these disks.
fn boot(directory: &Path, disks: &[String]) -> String {
    let [kernel, initrd] = ["kernel", "initrd"].map(|name| directory.join(name));
    let mut make = command(&format!("{MACHINE}/make-machine"));
    make.args([&kernel, &initrd]).arg(format!("{MACHINE}/init"));
    let made = make.args(["virtio_pci", "virtio_blk", "ext4"]).output();
    let made = made.expect("can't be run, see scripts/setup");
    assert!(made.status.success(), "{made:?}");
    let mut machine = emulated::pc(Firmware::Bios, 512);
    machine.arg("-kernel").arg(&kernel);
    machine.arg("-initrd").arg(&initrd);
    machine.args(["-append", "console=ttyS0 quiet panic=-1"]);
    for disk in disks {
        machine.args(["-drive", disk]);
    }
    emulated::run(machine)
}

#[test]
fn a_kernel_mounts_the_disk_in_any_format() {
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir_all(tree.join("d")).unwrap();
    for (path, bytes) in FILES {
        fs::write(tree.join(path), bytes).unwrap();
    }
    let mut disks = Vec::new();
    for (number, (format, option, qemu)) in DISKS.into_iter().enumerate() {
        let option = match option {
            "" => String::new(),
            option => format!("--format-option {option}"),
        };
        let line = format!("make-fs -s 40M --format {format} {option} ../tree {number}");
        world.run(&line).expect(0);
        let mode = match number + 1 == DISKS.len() {
            true => "",
            false => ",snapshot=on",
        };
        let path = world.path(&number.to_string());
        disks.push(format!(
            "file={},format={qemu},if=virtio{mode}",
            path.display()
        ));
    }
    let said = boot(world.root(), &disks);
    let sums: Vec<_> = FILES.map(|(path, _)| md5sum(&tree, path)).into();
    for letter in ('a'..).take(DISKS.len()) {
        for sum in &sums {
            let line = format!("machine: vd{letter} {sum}");
            assert!(said.contains(&line), "'{line}' isn't in {said}");
        }
    }
    assert!(said.contains("machine: vdi written"), "{said}");
    let last = world.path(&(DISKS.len() - 1).to_string());
    run("qemu-img", &arguments(&["check", "-f", "qcow2"], &[&last])).unwrap();
    let raw = world.path("written");
    let convert = ["convert", "-f", "qcow2", "-O", "raw"];
    run("qemu-img", &arguments(&convert, &[&last, &raw])).unwrap();
    checkers::e2fsck(&raw).unwrap();
    checkers::accepted("qemu-system-x86_64", &last);
    let copy = checkers::debugfs("cat /copy", &raw).unwrap();
    assert!(copy == FILES[1].1);
}

/// The line of md5sum for a file.
fn md5sum(tree: &Path, path: &str) -> String {
    let output = command("md5sum")
        .arg(path)
        .current_dir(tree)
        .output()
        .unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    line.trim_end().to_owned()
}
