//! A machine whose kernel has device-mapper: it opens volumes on disks that are files, and mounts what
//! is in them. As it is emulated, it needs neither root nor a device of this machine.

use std::fs;
use std::path::{Path, PathBuf};

use createhdds::system::Firmware;
use tempfile::TempDir;
use testkit::log::accepted;
use testkit::program::{Verdict, command};

use crate::emulated;

const MACHINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/machine");

/// Its memory in MiB: programs derive keys in up to half of it.
const MEMORY: u32 = 1024;

/// What the kernel needs to have the disks.
const DRIVERS: [&str; 3] = ["virtio_pci", "virtio_blk", "dm_mod"];

/// What the kernel loads when it is asked for a volume or a filesystem.
const MODULES: [&str; 15] = [
    "dm_crypt",
    "dm_verity",
    "algif_hash",
    "algif_skcipher",
    "crypto-aes",
    "crypto-cbc",
    "crypto-crc32c",
    "crypto-essiv",
    "crypto-sha256",
    "crypto-sha512",
    "crypto-xts",
    "erofs",
    "ext4",
    "squashfs",
    "xfs",
];

/// The programs of this host that scripts have; busybox has the usual others.
const PROGRAMS: [&str; 24] = [
    "bash",
    "blkid",
    "cryptsetup",
    "dmsetup",
    "e2fsck",
    "lvcreate",
    "lvm",
    "lvs",
    "mke2fs",
    "mkfs.ext4",
    "mkfs.xfs",
    "mount",
    "pvck",
    "pvcreate",
    "pvs",
    "swapoff",
    "swapon",
    "umount",
    "veritysetup",
    "vgchange",
    "vgck",
    "vgcreate",
    "vgs",
    "xfs_repair",
];

/// What every script begins with. A command that fails is told of and ends the script; `fails COMMAND`
/// ends it where the command doesn't fail, `quiet COMMAND` where it has anything to say.
const BEGINNING: &str = r#"set -eEu -o pipefail
trap 'echo "\"$BASH_COMMAND\" fails" >&2' ERR
fails() { if "$@"; then echo "\"$*\" doesn't fail" >&2; exit 1; fi; }
quiet() { local said; said=$("$@" 2>&1); [[ -z $said ]] || { echo "\"$*\": $said" >&2; exit 1; }; }
"#;

/// What a script says at last that got to its end.
pub(super) const END: &str = "the script is at its end\n";

/// What becomes of what a machine writes to its disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// It is in the files.
    Kept,
    /// The files stay as they are.
    Dropped,
}

/// What `script` prints on standard output in a machine with these raw images as /dev/vda, /dev/vdb and
/// so on. It is run by bash and ends with the first command that fails, which fails the test.
#[track_caller]
pub(crate) fn run(disks: &[&Path], writes: Writes, script: &str) -> String {
    match attempt(disks, writes, script) {
        Ok(said) => said,
        Err(said) => panic!("{said}"),
    }
}

/// [`run`], with all that the machine says where the script fails.
pub(crate) fn attempt(disks: &[&Path], writes: Writes, script: &str) -> Verdict<String> {
    let files = Files::new(script);
    let mut machine = emulated::pc(Firmware::Bios, MEMORY);
    // With instructions for AES. A second processor costs more time than it saves.
    machine.args(["-cpu", "max"]);
    machine.arg("-kernel").arg(files.path("kernel"));
    machine.arg("-initrd").arg(files.path("initrd"));
    machine.args(["-append", "console=ttyS0 quiet panic=-1 oops=panic"]);
    let said = files.path("said");
    machine
        .arg("-serial")
        .arg(format!("file:{}", said.display()));
    for disk in disks {
        machine.args(["-drive", &drive(disk, writes)]);
    }
    machine.args(["-drive", &drive(&files.path("script"), Writes::Dropped)]);
    let console = emulated::run(machine);
    let said = fs::read(said).unwrap();
    let said = String::from_utf8_lossy(&said).into_owned();
    match said.strip_suffix(END) {
        Some(said) => {
            for disk in disks {
                accepted("qemu-system-x86_64", disk);
            }
            Ok(said.to_owned())
        }
        None => Err(format!("{console}\n{said}\nof the script:\n{script}")),
    }
}

/// What a machine is started with, in a directory that is gone afterwards.
struct Files(TempDir);

impl Files {
    fn new(script: &str) -> Self {
        let files = Self(TempDir::new().unwrap());
        let [kernel, initrd] = ["kernel", "initrd"].map(|name| files.path(name));
        let mut make = command(&format!("{MACHINE}/make-machine"));
        make.args([&kernel, &initrd]);
        make.arg(format!("{MACHINE}/run-script"));
        make.args(DRIVERS).arg("--").args(MODULES);
        make.arg("--").args(PROGRAMS);
        let made = make.output().expect("can't be run, see scripts/setup");
        assert!(made.status.success(), "{made:?}");
        fs::write(files.path("script"), as_disk(script)).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A script with what is around it.
pub(super) fn whole(script: &str) -> String {
    format!("{BEGINNING}{script}\necho -n '{END}'\n")
}

/// A script in whole sectors: the machine leaves out the zeroes.
fn as_disk(script: &str) -> Vec<u8> {
    let mut bytes = whole(script).into_bytes();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn drive(disk: &Path, writes: Writes) -> String {
    let snapshot = match writes {
        Writes::Kept => "off",
        Writes::Dropped => "on",
    };
    let disk = disk.display();
    format!("format=raw,if=virtio,snapshot={snapshot},file={disk}")
}

/// A script that has /dev/mapper/`name` of the LUKS container on `device` during `commands`.
pub(crate) fn open_luks(device: &str, name: &str, key: &[u8], commands: &str) -> String {
    format!(
        "{} | cryptsetup open --key-file=- {device} {name}\n{commands}\ncryptsetup close {name}\n",
        printf(key)
    )
}

/// A command that prints `bytes`, whatever they are.
pub(crate) fn printf(bytes: &[u8]) -> String {
    let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("printf '{octal}'")
}

/// A script that has the logical volumes of `group` as /dev/`group`/NAME during `commands`. LVM2 has
/// nothing to say against the group before and after.
pub(crate) fn activate_lvm(group: &str, commands: &str) -> String {
    format!(
        "quiet vgck {group}\nvgchange --quiet --activate y {group}\n{commands}\n\
         vgchange --quiet --activate n {group}\nquiet vgck {group}\n"
    )
}

/// A script that has /dev/mapper/`name` during `commands`: what is on `data` as far as the tree on `hash`
/// with this root, in hexadecimal digits, vouches for it. The rest can't be read, but nothing is said
/// of that before. `options` are those of veritysetup: "--hash-offset=4096".
pub(crate) fn open_verity(
    [data, hash]: [&str; 2],
    name: &str,
    root: &str,
    options: &str,
    commands: &str,
) -> String {
    format!(
        "veritysetup open {options} {data} {name} {hash} {root}\n{commands}\n\
         veritysetup close {name}\n"
    )
}
