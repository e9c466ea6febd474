//! What GRUB runs on: the firmware and the processor, and the names that follow from them.

use anyhow::{Result, bail};

use crate::rooted::Tree;
use crate::system::Firmware;

/// What GRUB runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Platform {
    /// GRUB's name of it: `x86_64-efi`.
    pub(super) name: &'static str,
    /// What names of programs of UEFI have for the processor: `x64`. Empty for a BIOS.
    pub(super) suffix: &'static str,
    /// The package of Debian and its kin that has GRUB's modules for it.
    pub(super) package: &'static str,
}

const fn on(name: &'static str, suffix: &'static str, package: &'static str) -> Platform {
    Platform {
        name,
        suffix,
        package,
    }
}

const PC: Platform = on("i386-pc", "", "grub-pc-bin");
const PLATFORMS: [(Firmware, &str, Platform); 5] = [
    (Firmware::Bios, "amd64", PC),
    (Firmware::Bios, "i386", PC),
    (
        Firmware::Uefi,
        "amd64",
        on("x86_64-efi", "x64", "grub-efi-amd64-bin"),
    ),
    (
        Firmware::Uefi,
        "arm64",
        on("arm64-efi", "aa64", "grub-efi-arm64-bin"),
    ),
    (
        Firmware::Uefi,
        "i386",
        on("i386-efi", "ia32", "grub-efi-ia32-bin"),
    ),
];

impl Platform {
    /// That of a firmware and of an architecture by Debian's name.
    ///
    /// # Errors
    /// Where GRUB isn't known for it, with the architectures that it is known for.
    pub(super) fn of(firmware: Firmware, architecture: &str) -> Result<Self> {
        let of_firmware = PLATFORMS.iter().filter(|(one, ..)| *one == firmware);
        let known: Vec<_> = of_firmware.map(|(_, name, it)| (*name, it)).collect();
        if let Some((_, platform)) = known.iter().find(|(name, _)| *name == architecture) {
            return Ok(**platform);
        }
        let firmware = match firmware {
            Firmware::Bios => "a BIOS",
            Firmware::Uefi => "UEFI",
        };
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        bail!(
            "the tree's architecture is {architecture}; GRUB for {firmware} is installed on {} \
             only",
            names.join(", ")
        )
    }

    /// The directory of its modules in a tree: `/usr/lib/grub/x86_64-efi`.
    pub(super) fn modules(&self) -> String {
        format!("/usr/lib/grub/{}", self.name)
    }

    /// Whether it is a PC with a BIOS.
    pub(super) const fn is_bios(&self) -> bool {
        self.suffix.is_empty()
    }

    /// The package that has it installed, and brings all that it needs.
    pub(super) fn installed_by(&self) -> &'static str {
        self.package.trim_end_matches("-bin")
    }

    /// The name of the program that firmware starts when it is told of no other: `BOOTX64.EFI`.
    pub(super) fn removable(&self) -> String {
        format!("BOOT{}.EFI", self.suffix.to_uppercase())
    }
}

/// The architecture of the tree, by Debian's name: that of its own dpkg.
///
/// # Errors
/// Where no dpkg is installed in it.
pub(super) fn architecture(tree: &Tree) -> Result<String> {
    const STATUS: &str = "/var/lib/dpkg/status";
    let status = tree.read(STATUS)?.unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    match of_dpkg(&status) {
        Some(architecture) => Ok(architecture.to_owned()),
        None => bail!("{STATUS} of the tree has no package dpkg: it is no system of Debian's kind"),
    }
}

/// The architecture of the package dpkg in a list of packages.
fn of_dpkg(status: &str) -> Option<&str> {
    let mut packages = status.split("\n\n");
    let dpkg = packages.find(|package| package.lines().any(|line| line == "Package: dpkg"))?;
    let mut lines = dpkg.lines();
    lines.find_map(|line| line.strip_prefix("Architecture: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_architecture_has_its_names() {
        for (firmware, architecture, name, modules, removable) in [
            (Firmware::Bios, "amd64", "i386-pc", "grub-pc-bin", None),
            (Firmware::Bios, "i386", "i386-pc", "grub-pc-bin", None),
            (
                Firmware::Uefi,
                "amd64",
                "x86_64-efi",
                "grub-efi-amd64-bin",
                Some("BOOTX64.EFI"),
            ),
            (
                Firmware::Uefi,
                "arm64",
                "arm64-efi",
                "grub-efi-arm64-bin",
                Some("BOOTAA64.EFI"),
            ),
            (
                Firmware::Uefi,
                "i386",
                "i386-efi",
                "grub-efi-ia32-bin",
                Some("BOOTIA32.EFI"),
            ),
        ] {
            let platform = Platform::of(firmware, architecture).unwrap();
            assert_eq!((platform.name, platform.package), (name, modules));
            assert_eq!(platform.is_bios(), removable.is_none());
            if let Some(removable) = removable {
                assert_eq!(platform.removable(), removable);
            }
            assert_eq!(platform.modules(), format!("/usr/lib/grub/{name}"));
        }
    }

    #[test]
    fn others_are_refused_by_name() {
        for (firmware, architecture, said) in [
            (
                Firmware::Bios,
                "arm64",
                "is arm64; GRUB for a BIOS is installed on amd64, i386 only",
            ),
            (Firmware::Uefi, "riscv64", "on amd64, arm64, i386 only"),
            (Firmware::Uefi, "", "on amd64, arm64, i386 only"),
        ] {
            let error = Platform::of(firmware, architecture).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn the_architecture_is_that_of_dpkg() {
        let libc = "Package: libc6\nArchitecture: i386\n";
        let dpkg = "Package: dpkg\nStatus: install ok installed\nArchitecture: arm64\nX: y\n";
        for (status, expected) in [
            (format!("{libc}\n{dpkg}\n{libc}"), Some("arm64")),
            (dpkg.to_owned(), Some("arm64")),
            (libc.to_owned(), None),
            (dpkg.replace("dpkg", "dpkg-dev"), None),
            (String::new(), None),
        ] {
            assert_eq!(of_dpkg(&status), expected, "{status}");
        }
    }
}
