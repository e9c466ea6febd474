//! Architectures: which are known, and which a host can install.

use crate::image::{Image, Recipe};

/// The architectures that an installation may ask for.
pub const KNOWN: [&str; 7] = [
    "x86_64", "i686", "aarch64", "armv7l", "ppc64", "ppc64le", "s390x",
];

/// The architecture of `-r` without `-a`.
pub const DEFAULT: &str = "x86_64";

/// Which architectures each host can install. The original has the first five rows; a host of
/// the last two builds at least its own.
const INSTALLABLE: [(&str, &[&str]); 7] = [
    ("x86_64", &["i686", "x86_64"]),
    ("i686", &["i686", "x86_64"]),
    ("ppc64", &["ppc64", "ppc64le"]),
    ("ppc64le", &["ppc64", "ppc64le"]),
    ("aarch64", &["aarch64", "armv7l"]),
    ("armv7l", &["armv7l"]),
    ("s390x", &["s390x"]),
];

/// The architecture of this machine, by the kernel's name.
pub fn host() -> &'static str {
    match std::env::consts::ARCH {
        "x86" => "i686",
        "arm" => "armv7l",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// The architectures that a virtual machine on `host` can install; none when it is unknown.
pub fn installable_on(host: &str) -> &'static [&'static str] {
    let row = INSTALLABLE.iter().find(|(name, _)| *name == host);
    row.map_or(&[], |(_, arches)| arches)
}

/// The architecture that `image` is of; a layout is of none.
pub fn of(image: &Image) -> Option<&str> {
    match &image.recipe {
        Recipe::Layout(..) => None,
        Recipe::Install(recipe) => Some(&recipe.arch),
    }
}

/// Whether `image` can be built on `host`. A layout runs nothing, so that every host builds it.
pub fn builds_on(image: &Image, host: &str) -> bool {
    of(image).is_none_or(|arch| installable_on(host).contains(&arch))
}

/// Refuses an architecture that isn't known.
pub(super) fn check(arch: &str) -> Result<(), String> {
    if KNOWN.contains(&arch) {
        return Ok(());
    }
    let known = KNOWN.join(", ");
    Err(format!("unknown architecture '{arch}'; known are {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_install_what_the_original_lets_them() {
        for (host, arches) in [
            ("x86_64", &["i686", "x86_64"][..]),
            ("i686", &["i686", "x86_64"]),
            ("ppc64le", &["ppc64", "ppc64le"]),
            ("aarch64", &["aarch64", "armv7l"]),
            ("s390x", &["s390x"]),
            ("riscv64", &[]),
        ] {
            assert_eq!(installable_on(host), arches, "{host}");
        }
    }

    #[test]
    fn every_known_architecture_is_installable_somewhere() {
        for arch in KNOWN {
            assert!(installable_on(arch).contains(&arch), "{arch}");
        }
    }
}
