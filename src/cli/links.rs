//! Names of the program beside its own: what is called by one of them is that command.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use super::{dib, vmdb2};
use crate::status::Status;

/// The commands that other programs are replaced by.
const NAMES: [&str; 9] = [
    dib::block_device::NAME,
    dib::disk_image_create::LONG_NAME,
    dib::disk_image_create::RAMDISK_NAME,
    dib::diskimage_builder::NAME,
    dib::element_info::NAME,
    dib::get_kernel::NAME,
    dib::run_parts::NAME,
    dib::virt_dib::NAME,
    vmdb2::NAME,
];

/// The command that the program was called as, if it was by a link.
fn called(arguments: &[OsString]) -> Option<&'static str> {
    let called = arguments.first().map(Path::new).and_then(Path::file_name)?;
    NAMES.into_iter().find(|name| called == OsStr::new(name))
}

/// The same arguments, with the name of the command where the program was called by it.
pub(super) fn by_name(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if let Some(name) = called(&arguments)
        && arguments.get(1).is_none_or(|word| word != name)
    {
        arguments.insert(1, name.into());
    }
    arguments
}

/// The status of the program: by a link the one of what it replaces, which is 1 whatever has failed.
pub(super) fn code(arguments: &[OsString], status: Status) -> ExitCode {
    match (called(arguments), status) {
        (Some(_), Status::Success) => ExitCode::SUCCESS,
        (Some(_), _) => ExitCode::FAILURE,
        (None, status) => status.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_command() {
        let by_name = |line: &str| {
            let words = by_name(line.split(' ').map(OsString::from).collect());
            words.join(OsStr::new(" ")).into_string().unwrap()
        };
        assert_eq!(
            by_name("/usr/bin/vmdb2 --output a s"),
            "/usr/bin/vmdb2 vmdb2 --output a s"
        );
        assert_eq!(by_name("vmdb2 vmdb2 s"), "vmdb2 vmdb2 s");
        assert_eq!(by_name("x/element-info a"), "x/element-info element-info a");
        assert_eq!(by_name("dib-run-parts"), "dib-run-parts dib-run-parts");
        assert_eq!(by_name("createhdds vmdb2 s"), "createhdds vmdb2 s");
        assert_eq!(
            by_name("disk-image-create vm"),
            "disk-image-create disk-image-create vm"
        );
        // Its own name is no link's.
        assert_eq!(by_name("dib vm"), "dib vm");
    }
}
