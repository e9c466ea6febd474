//! Serial consoles of machines, by their architecture.

/// The first serial console of a machine by its kernel's name: of an architecture as the kernel calls
/// it, `aarch64`, or as Debian does, `arm64`.
pub fn serial(architecture: &str) -> &'static str {
    match architecture {
        "aarch64" | "arm64" | "armel" | "armhf" | "armv7l" => "ttyAMA0",
        "ppc64" | "ppc64el" | "ppc64le" => "hvc0",
        "s390x" => "ttysclp0",
        _ => "ttyS0",
    }
}

/// Whether a machine has the serial ports of a PC, which GRUB drives by their numbers. On others it has
/// the console of the firmware alone, which is on the serial port where there is no screen.
pub fn has_numbered_ports(architecture: &str) -> bool {
    matches!(architecture, "amd64" | "i386" | "x86_64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_architecture_has_its_console() {
        for (architectures, console) in [
            (&["x86_64", "amd64", "i386", "riscv64"][..], "ttyS0"),
            (&["aarch64", "arm64", "armv7l", "armhf"], "ttyAMA0"),
            (&["ppc64le", "ppc64el", "ppc64"], "hvc0"),
            (&["s390x"], "ttysclp0"),
        ] {
            for architecture in architectures {
                assert_eq!(serial(architecture), console, "{architecture}");
            }
        }
    }
}
