//! Machines that are started from an image.

use std::path::Path;

use createhdds::system::Firmware;

use crate::{checkers, emulated};

/// What a machine says on its serial line until it turns itself off.
pub(crate) fn boot(firmware: Firmware, image: &Path) -> String {
    let mut machine = emulated::pc(firmware, 256);
    let disk = format!("format=raw,snapshot=on,file={}", image.display());
    machine.args(["-drive", &disk]);
    let said = emulated::run(machine);
    checkers::accepted("qemu-system-x86_64", image);
    said
}
