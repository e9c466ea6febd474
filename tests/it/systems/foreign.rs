//! Systems of another architecture: its programs run in steps, by emulators that are registered in the
//! sandbox alone.

use std::fs;
use std::path::Path;

use testkit::program::{arguments, output};

use super::place::{Place, specification};
use super::user;

/// Where the kernel has what runs programs of others.
const BINFMT_MISC: &str = "/proc/sys/fs/binfmt_misc";

/// Instructions for arm64 that write the name by which the program was started to standard output.
const SAY_NAME: [u32; 12] = [
    0xF940_07E1, // ldr x1, [sp, #8]   the name
    0xD280_0002, // mov x2, #0         its length
    0x3862_6823, // ldrb w3, [x1, x2]
    0x3400_0063, // cbz w3, 3 further
    0x9100_0442, // add x2, x2, #1
    0x17FF_FFFD, // b 3 back
    0xD280_0020, // mov x0, #1
    0xD280_0808, // mov x8, #64        write
    0xD400_0001, // svc #0
    0xD280_0000, // mov x0, #0
    0xD280_0BA8, // mov x8, #93        exit
    0xD400_0001, // svc #0
];

/// A program for arm64 that needs no libraries (System V ABI, ELF Header, Program Header).
fn program() -> Vec<u8> {
    const HEADERS: u64 = 64 + 56;
    const ADDRESS: u64 = 0x40_0000;
    let code: Vec<u8> = SAY_NAME.into_iter().flat_map(u32::to_le_bytes).collect();
    let size = HEADERS + code.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let halves =
        |bytes: &mut Vec<u8>, all: &[u16]| all.iter().for_each(|it| bytes.extend(it.to_le_bytes()));
    let words =
        |bytes: &mut Vec<u8>, all: &[u32]| all.iter().for_each(|it| bytes.extend(it.to_le_bytes()));
    let longs =
        |bytes: &mut Vec<u8>, all: &[u64]| all.iter().for_each(|it| bytes.extend(it.to_le_bytes()));
    // A program, of AArch64.
    halves(&mut bytes, &[2, 183]);
    words(&mut bytes, &[1]);
    // Where it starts, where its program headers are, and that it has no sections.
    longs(&mut bytes, &[ADDRESS + HEADERS, 64, 0]);
    words(&mut bytes, &[0]);
    halves(&mut bytes, &[64, 56, 1, 0, 0, 0]);
    // One part of it is loaded, all of it, to be read and run.
    words(&mut bytes, &[1, 5]);
    longs(&mut bytes, &[0, ADDRESS, ADDRESS, size, size, 0x1_0000]);
    bytes.extend(code);
    bytes
}

/// What of this machine's registrations is seen outside of sandboxes.
fn registrations() -> Vec<String> {
    let entries = fs::read_dir(BINFMT_MISC).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    names
        .into_iter()
        .map(|it| it.into_string().unwrap())
        .collect()
}

/// What a file of the only filesystem of an image holds.
fn file(place: &Place, image: &str, path: &str) -> String {
    let partition = format!("{}?offset={}", place.path(image).display(), 1 << 20);
    let said = output(
        "debugfs",
        &arguments(&["-R", &format!("cat {path}")], &[Path::new(&partition)]),
    );
    String::from_utf8_lossy(&said.stdout).into_owned()
}

#[test]
fn its_programs_run_in_steps_and_nothing_is_registered_outside() {
    let emulator = Path::new("/usr/bin/qemu-aarch64-static");
    let is_own = cfg!(target_arch = "aarch64");
    assert!(
        is_own || emulator.exists(),
        "qemu-aarch64-static is missing, see scripts/setup"
    );
    let before = registrations();
    for user in user::all() {
        let place = Place::new(user);
        place.put_root();
        place.put("program", program());
        // The root filesystem is there, but the steps are for its architecture.
        let steps = "  - debootstrap: bookworm\n    arch: arm64\n    mirror: http://localhost\n    target: root\n    \
                     unless: rootfs_unpacked\n  - copy-file: /bin/program\n    src: program\n    perm: 0755\n  - chroot: root\n    \
                     shell: |\n      program > /etc/by-path\n      (exec -a another /bin/program) > /etc/by-name\n";
        place.put("a.vmdb", specification(steps));
        let line = "vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb";
        place.run(line).expect(0);
        assert_eq!(file(&place, "a.img", "/etc/by-path"), "program", "{user:?}");
        assert_eq!(file(&place, "a.img", "/etc/by-name"), "another", "{user:?}");
        assert_eq!(registrations(), before);
    }
}
