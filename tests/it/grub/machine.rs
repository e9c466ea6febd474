//! Machines that are started from an image.

use std::path::Path;

use createhdds::system::Firmware;

use crate::{checkers, pc};

/// What a machine says on its serial line until it turns itself off.
pub(crate) fn boot(firmware: Firmware, image: &Path) -> String {
    let mut machine = pc::emulated(firmware, 256);
    let disk = format!("format=raw,snapshot=on,file={}", image.display());
    machine.args(["-drive", &disk]);
    let said = pc::run(machine);
    checkers::accepted("qemu-system-x86_64", image);
    said
}
