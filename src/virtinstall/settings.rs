//! What holds for every installation of a run, as it is asked for on the command line.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::image::InstallRecipe;

/// How long an attempt may take where nothing else is asked for, as in the original.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// How often an installation is tried where nothing else is asked for, as in the original.
pub const DEFAULT_ATTEMPTS: NonZeroUsize = NonZeroUsize::new(3).unwrap();

/// How installations are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the installation trees are, in the order in which they are tried: `pub`, `stg` or
    /// the address of a mirror.
    pub sources: Vec<String>,
    /// Whether the installer works in text mode, and what it prints is shown.
    pub text: bool,
    /// How the virtual machine is run.
    pub virt_type: VirtType,
    /// Which libvirt is used; the one that libvirt itself would choose when there is none.
    pub connect: Option<String>,
    /// How many installations run at a time; as many as the host has memory for when there is
    /// none.
    pub jobs: Option<NonZeroUsize>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// How often an installation is tried.
    pub attempts: NonZeroUsize,
    /// The memory of each virtual machine in MiB, whatever the configuration says.
    pub memory_mib: Option<u64>,
    /// The processors of each virtual machine, whatever the configuration says.
    pub cpus: Option<u64>,
}

impl Settings {
    /// The memory of the machine of `recipe` in MiB, where anybody gives it.
    pub fn memory_mib_of(&self, recipe: &InstallRecipe) -> Option<u64> {
        self.memory_mib.or(recipe.memory_mib)
    }

    /// The processors of the machine of `recipe`, where anybody gives them.
    pub fn cpus_of(&self, recipe: &InstallRecipe) -> Option<u64> {
        self.cpus.or(recipe.cpus)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sources: vec!["pub".to_owned()],
            text: false,
            virt_type: VirtType::Auto,
            connect: None,
            jobs: None,
            timeout: DEFAULT_TIMEOUT,
            attempts: DEFAULT_ATTEMPTS,
            memory_mib: None,
            cpus: None,
        }
    }
}

/// How a virtual machine is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VirtType {
    /// By KVM where the host can, else by emulation.
    Auto,
    /// By the processor.
    Kvm,
    /// By emulation.
    Qemu,
}

impl VirtType {
    /// The type by libvirt's name; none when virt-install is to choose.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Kvm => Some("kvm"),
            Self::Qemu => Some("qemu"),
        }
    }
}

/// A duration in the largest unit that it is whole in: `90 s`, `1 h`.
pub(super) fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        1.. if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        1.. if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_their_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (90, "90 s"),
            (120, "2 min"),
            (3600, "1 h"),
            (5400, "90 min"),
        ] {
            assert_eq!(shown(Duration::from_secs(seconds)), text);
        }
    }
}
