//! GRUB, as scripts in the tree have asked for it: it is installed when they are through.

use std::fs;
use std::io;

use anyhow::{Context as _, Result, bail};

use super::disks::{self, Disk};
use super::session::Session;
use crate::bootloader;
use crate::command::system::device::Device;
use crate::system::{Firmware, Grub, Volume};

/// The file among the records with what grub-install was called with.
const RECORD: &str = "grub";

/// What grub-install was called with, as far as it counts here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Call {
    target: Option<String>,
    modules: Vec<String>,
    esp: Option<String>,
}

/// Installs GRUB for everything that was asked for, onto the disk with the root filesystem.
///
/// # Errors
/// What GRUB isn't installed for here; what keeps it from being installed.
pub(super) fn install(session: &Session<'_>, disks: &[(Disk, Device)]) -> Result<()> {
    let record = match fs::read_to_string(session.stand_ins.records.join(RECORD)) {
        Ok(record) => record,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context("can't read what GRUB was asked for"),
    };
    let root = disks::with_root(disks.iter().map(|(disk, _)| disk));
    let both = root.and_then(|root| disks.iter().find(|(disk, _)| disk.name == root.name));
    let Some((disk, device)) = both else {
        bail!("GRUB was asked for, and no disk has a filesystem at /");
    };
    let arch = session.build.environment.text("ARCH").unwrap_or_default();
    for call in calls(&record) {
        let grub = call.grub(arch, &disk.system.volumes)?;
        let (system, modules) = (&disk.system, call.modules.as_slice());
        bootloader::grub::install_configured(session, &grub, modules, system, device.disk())
            .context("installing GRUB")?;
    }
    Ok(())
}

/// The calls in a record: the words of each on lines of their own, and then an empty one.
fn calls(record: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for words in record.split("\n\n") {
        let words: Vec<_> = words.lines().filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            continue;
        }
        let call = Call::of(&words);
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls
}

impl Call {
    fn of(words: &[&str]) -> Self {
        let mut call = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (*word, None),
            };
            let mut value = || value.or_else(|| words.next().copied()).unwrap_or_default();
            match name {
                "--target" => call.target = Some(value().to_owned()),
                "--efi-directory" => call.esp = Some(value().to_owned()),
                "--modules" => {
                    let modules = value().split_whitespace();
                    call.modules = modules.map(str::to_owned).collect();
                }
                _ => {}
            }
        }
        call
    }

    /// What it asks for, of a tree for `arch`.
    fn grub(&self, arch: &str, volumes: &[Volume]) -> Result<Grub> {
        let firmware = match (self.target.as_deref(), arch) {
            (Some("i386-pc"), _) | (None, "amd64" | "x86_64" | "i386") => Firmware::Bios,
            (Some("x86_64-efi" | "arm64-efi" | "i386-efi"), _) | (None, "arm64" | "aarch64") => {
                Firmware::Uefi
            }
            (target, arch) => bail!(
                "GRUB is installed for i386-pc, i386-efi, x86_64-efi and arm64-efi here, and was asked \
                 for '{}'",
                target.unwrap_or(arch)
            ),
        };
        let mounted = |path: &str| {
            let mut volumes = volumes.iter();
            volumes.position(|it| it.mounted_at.as_deref() == Some(path))
        };
        let esp = ["/boot/efi", "/efi", "/boot"];
        let esp = match self.esp.as_deref() {
            Some(path) => mounted(path.trim_end_matches('/')),
            None => esp.into_iter().find_map(mounted),
        };
        Ok(Grub {
            firmware,
            root: mounted("/").unwrap_or(0),
            esp: esp.filter(|_| firmware == Firmware::Uefi),
            serial: false,
            quiet: false,
            timeout: None,
            kernel_parameters: None,
            installs_packages: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Location;

    #[test]
    fn what_scripts_ask_for_is_what_is_installed() {
        let volume = |number, at: &str| Volume {
            tag: String::new(),
            location: Location::Partition(number),
            opened: None,
            uuid: "u".to_owned(),
            mounted_at: Some(at.to_owned()),
        };
        let volumes = [volume(1, "/boot/efi"), volume(3, "/")];
        let record = "--modules=part_msdos lvm\n--target=i386-pc\n/dev/disk\n\n\n\
            --target\nx86_64-efi\n--removable\n/dev/disk\n\n--target\nx86_64-efi\n\n";
        let calls = calls(record);
        let found: Vec<_> = calls
            .iter()
            .map(|it| (it.grub("amd64", &volumes).unwrap(), it.modules.join(" ")))
            .map(|(grub, modules)| (grub.firmware, grub.root, grub.esp, modules))
            .collect();
        let expected = [
            (Firmware::Bios, 1, None, "part_msdos lvm".to_owned()),
            (Firmware::Uefi, 1, Some(0), String::new()),
        ];
        assert_eq!(found, expected);
        for (words, arch, firmware) in [
            (&["/dev/disk"][..], "amd64", Some(Firmware::Bios)),
            (&["/dev/disk"], "arm64", Some(Firmware::Uefi)),
            (&["/dev/disk"], "ppc64el", None),
            (&["--target=powerpc-ieee1275"], "amd64", None),
        ] {
            let grub = Call::of(words).grub(arch, &volumes).ok();
            assert_eq!(grub.map(|it| it.firmware), firmware, "{words:?} {arch}");
        }
    }
}
