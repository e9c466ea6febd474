//! Machines that are started from an image.

use std::path::Path;
use std::process::Stdio;

use createhdds::system::Firmware;
use testkit::program::command;

use crate::checkers;

/// Where UEFI for a PC is on the distributions, in the order in which it is looked for.
const UEFI: [&str; 4] = [
    "/usr/share/OVMF/OVMF_CODE.fd",
    "/usr/share/OVMF/OVMF_CODE_4M.fd",
    "/usr/share/edk2/ovmf/OVMF_CODE.fd",
    "/usr/share/OVMF/OVMF_CODE.secboot.fd",
];

/// The drive of a machine that has UEFI as its firmware.
pub(crate) fn uefi() -> String {
    let code = UEFI.into_iter().find(|path| Path::new(path).exists());
    let code = code.expect("there is no UEFI for machines, see scripts/setup");
    format!("if=pflash,format=raw,readonly=on,file={code}")
}

/// What a machine says on its serial line until it turns itself off.
pub(super) fn boot(firmware: Firmware, image: &Path) -> String {
    let mut machine = command("timeout");
    machine.args([
        "600",
        "qemu-system-x86_64",
        "-accel",
        "tcg",
        "-m",
        "256",
        "-nographic",
    ]);
    machine.args([
        "-no-reboot",
        "-nodefaults",
        "-serial",
        "stdio",
        "-net",
        "none",
    ]);
    if firmware == Firmware::Uefi {
        machine.args(["-machine", "q35", "-drive", &uefi()]);
    }
    let disk = format!("format=raw,snapshot=on,file={}", image.display());
    let output = machine
        .args(["-drive", &disk])
        .stdin(Stdio::null())
        .output();
    let output = output.expect("can't be run, see scripts/setup");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {output:?}");
    checkers::accepted("qemu-system-x86_64", image);
    said
}
