//! Machines that are emulated, with a serial line in place of a screen.

use std::path::Path;
use std::process::{Command, Stdio};

use createhdds::system::Firmware;
use testkit::program::command;

/// Where UEFI for a PC is on the distributions, in the order in which it is looked for.
const UEFI: [&str; 4] = [
    "/usr/share/OVMF/OVMF_CODE.fd",
    "/usr/share/OVMF/OVMF_CODE_4M.fd",
    "/usr/share/edk2/ovmf/OVMF_CODE.fd",
    "/usr/share/OVMF/OVMF_CODE.secboot.fd",
];

/// Seconds in which a machine ends on the busiest host.
const PATIENCE: &str = "3000";

/// Where UEFI for a machine of arm64 is.
const UEFI_ARM64: [&str; 2] = [
    "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
    "/usr/share/edk2/aarch64/QEMU_EFI.fd",
];

/// A PC with so many MiB of memory; it has no disk yet.
pub(crate) fn pc(firmware: Firmware, memory: u32) -> Command {
    let mut machine = machine("qemu-system-x86_64", memory);
    if firmware == Firmware::Uefi {
        machine.args(["-machine", "q35", "-drive", &uefi()]);
    }
    machine
}

/// A machine of arm64 with UEFI and so many MiB of memory; it has no disk yet.
pub(crate) fn arm64(memory: u32) -> Command {
    let firmware = UEFI_ARM64.into_iter().find(|path| Path::new(path).exists());
    let firmware = firmware.expect("there is no UEFI for arm64, see scripts/setup");
    let mut machine = machine("qemu-system-aarch64", memory);
    machine.args(["-machine", "virt", "-cpu", "cortex-a57", "-bios", firmware]);
    machine
}

fn machine(program: &str, memory: u32) -> Command {
    let mut machine = command("timeout");
    machine.args([PATIENCE, program, "-accel", "tcg", "-m"]);
    machine.arg(memory.to_string());
    machine.args(["-nographic", "-no-reboot", "-nodefaults"]);
    machine.args(["-serial", "stdio", "-net", "none"]);
    machine
}

/// The drive of a machine that has UEFI as its firmware.
fn uefi() -> String {
    let code = UEFI.into_iter().find(|path| Path::new(path).exists());
    let code = code.expect("there is no UEFI for machines, see scripts/setup");
    format!("if=pflash,format=raw,readonly=on,file={code}")
}

/// What a machine says on its serial line until it turns itself off.
pub(crate) fn run(mut machine: Command) -> String {
    let output = machine.stdin(Stdio::null()).output();
    let output = output.expect("can't be run, see scripts/setup");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {output:?}");
    said
}
