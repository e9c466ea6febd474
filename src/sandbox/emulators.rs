//! Programs of other architectures, run by the emulators of QEMU that this machine has.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, mount};

use super::emulation;

/// Where the kernel is told who runs which programs, binfmt_misc(5).
const BINFMT_MISC: &str = "/proc/sys/fs/binfmt_misc";

/// The architectures whose programs this machine runs itself, by Debian's names, its own first.
fn native() -> &'static [&'static str] {
    match std::env::consts::ARCH {
        "x86_64" => &["amd64", "i386"],
        "aarch64" => &["arm64"],
        "x86" => &["i386"],
        "arm" => &["armhf", "armel"],
        "powerpc64" => &["ppc64el"],
        "riscv64" => &["riscv64"],
        "s390x" => &["s390x"],
        _ => &[],
    }
}

/// This machine's architecture, by Debian's name where it has one.
pub fn native_architecture() -> &'static str {
    native().first().copied().unwrap_or(std::env::consts::ARCH)
}

/// What names of emulators end with that expect the name of the program in their arguments, as QEMU's
/// of Debian and its kin do.
const BY_NAME: &str = "-binfmt-P";

/// An architecture whose programs can be emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Debian's name.
    pub debian: &'static str,
    /// QEMU's name.
    qemu: &'static str,
    /// The class of its ELF files: 1 for 32 bits, 2 for 64.
    class: u8,
    /// Their order of bytes: 1 for little endian, 2 for big endian.
    order: u8,
    /// The number of the machine in them.
    machine: u16,
}

/// The architectures of Debian, with what is in the headers of their ELF files (System V ABI, ELF
/// Header; the registry of `e_machine`).
const ARCHITECTURES: [Architecture; 10] = [
    architecture("amd64", "x86_64", 2, 1, 62),
    architecture("arm64", "aarch64", 2, 1, 183),
    architecture("armel", "arm", 1, 1, 40),
    architecture("armhf", "arm", 1, 1, 40),
    architecture("i386", "i386", 1, 1, 3),
    architecture("mipsel", "mipsel", 1, 1, 8),
    architecture("mips64el", "mips64el", 2, 1, 8),
    architecture("ppc64el", "ppc64le", 2, 1, 21),
    architecture("riscv64", "riscv64", 2, 1, 243),
    architecture("s390x", "s390x", 2, 2, 22),
];

const fn architecture(
    debian: &'static str,
    qemu: &'static str,
    class: u8,
    order: u8,
    machine: u16,
) -> Architecture {
    Architecture {
        debian,
        qemu,
        class,
        order,
        machine,
    }
}

impl Architecture {
    /// The one of this name of Debian's.
    pub fn named(debian: &str) -> Option<Self> {
        ARCHITECTURES.into_iter().find(|it| it.debian == debian)
    }

    /// The emulator that this machine has for it. It has to be one that needs no libraries, as there
    /// are none of its own where it runs.
    pub fn emulator(self) -> Option<PathBuf> {
        let names = [
            format!("/usr/libexec/qemu-binfmt/{}{BY_NAME}", self.qemu),
            format!("/usr/bin/{}", self.program()),
            format!("/usr/bin/qemu-{}", self.qemu),
        ];
        names
            .map(PathBuf::from)
            .into_iter()
            .find(|path| emulation::is_static(path))
    }

    /// What the program of its emulator is called.
    pub(super) fn program(self) -> String {
        format!("qemu-{}-static", self.qemu)
    }

    /// All that can be emulated.
    pub fn all() -> impl Iterator<Item = Self> {
        ARCHITECTURES.into_iter()
    }

    /// Whether this machine runs its programs itself, or has been told how for everybody.
    pub fn is_run_here(self) -> bool {
        let registered = Path::new(BINFMT_MISC).join(format!("qemu-{}", self.qemu));
        // Only one that is opened when it is registered is found from within a tree.
        let is_fixed = |text: String| text.lines().any(is_fixed);
        native().contains(&self.debian) || fs::read_to_string(registered).is_ok_and(is_fixed)
    }

    /// The line that has the kernel run such programs by `emulator`.
    fn registration(self, emulator: &Path) -> Vec<u8> {
        let mut line = format!(":createhdds-{}:M::", self.debian).into_bytes();
        let machine = match self.order {
            1 => self.machine.to_le_bytes(),
            _ => self.machine.to_be_bytes(),
        };
        // Programs, and those that can be at any address.
        let kind = match self.order {
            1 => ([2, 0], [0xfe, 0xff]),
            _ => ([0, 2], [0xff, 0xfe]),
        };
        let ident = [0x7f, b'E', b'L', b'F', self.class, self.order, 1, 0];
        // What the system's ABI is, and the rest of the identification, may be anything.
        let mask = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
        let magic = [&ident[..], &[0; 8], &kind.0, &machine].concat();
        let mask = [&mask[..], &[0; 8], &kind.1, &[0xff; 2]].concat();
        line.extend(escaped(&magic));
        line.push(b':');
        line.extend(escaped(&mask));
        line.push(b':');
        line.extend(emulator.as_os_str().as_encoded_bytes());
        line.extend(flags(emulator).as_bytes());
        line
    }
}

/// The flags that the kernel runs an emulator with. It is opened when it is registered, so that it is
/// found from within a tree (F); the name that a program is started by is passed on (P), which it must
/// know, and files that can't be read are opened for it (O).
fn flags(emulator: &Path) -> &'static str {
    match emulator
        .as_os_str()
        .as_encoded_bytes()
        .ends_with(BY_NAME.as_bytes())
    {
        true => ":OPF",
        false => ":F",
    }
}

/// Whether a line of a registration has the flag F.
fn is_fixed(line: &str) -> bool {
    line.strip_prefix("flags:")
        .is_some_and(|flags| flags.contains('F'))
}

fn escaped(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let escaped = bytes.iter().map(|byte| format!("\\x{byte:02x}"));
    escaped.flat_map(String::into_bytes)
}

/// Has the kernel run the programs of all architectures that this machine has emulators for, in this
/// user namespace alone. Kernels before Linux 6.7 can't: there this does nothing.
pub(super) fn register() {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if mount("binfmt_misc", BINFMT_MISC, "binfmt_misc", flags, None).is_err() {
        return;
    }
    for architecture in ARCHITECTURES {
        if !architecture.is_run_here()
            && let Some(emulator) = architecture.emulator()
        {
            let line = architecture.registration(&emulator);
            let _ = fs::write(Path::new(BINFMT_MISC).join("register"), line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_is_of_the_header_of_elf_files() {
        let line = |debian: &str| {
            let architecture = Architecture::named(debian).unwrap();
            String::from_utf8(architecture.registration(Path::new("/q"))).unwrap()
        };
        assert_eq!(
            line("arm64"),
            ":createhdds-arm64:M::\\x7f\\x45\\x4c\\x46\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xfe\\xff\\xff\\xff:/q:F"
        );
        assert!(line("s390x").contains("\\x00\\x02\\x00\\x16:"));
        assert!(Architecture::named("z80").is_none());
        assert_eq!(flags(Path::new("/a/aarch64-binfmt-P")), ":OPF");
    }

    #[test]
    fn a_fixed_emulator_has_the_flag() {
        assert!(is_fixed("flags: OCF") && is_fixed("flags: F"));
        assert!(!is_fixed("flags: ") && !is_fixed("interpreter /usr/bin/F"));
    }
}
