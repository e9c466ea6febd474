//! What this process has made in libvirt and must not leave behind.
//!
//! A machine's name begins with the directory of its image, so that users and runs don't get in
//! each other's way. A directory belongs to one run at a time: a machine that begins with ours and
//! isn't ours is of a run that was killed.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::connect;
use super::hypervisor::Hypervisor;

/// What every name that this program gives begins with.
const PREFIX: &str = "createhdds";

/// How often, and with what pause, an interrupted run looks for a machine: virt-install may have
/// asked for one that libvirt is just about to make.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// What there is now.
static MADE: Mutex<Vec<Made>> = Mutex::new(Vec::new());

#[derive(Clone, Debug, PartialEq, Eq)]
struct Made {
    uri: Option<String>,
    kind: Kind,
    name: String,
}

/// What may be left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A virtual machine.
    Machine,
    /// A storage pool.
    Pool,
}

/// Something in libvirt that this process answers for as long as this value lives. It isn't
/// removed by dropping, which couldn't tell of failures.
#[derive(Debug)]
pub(super) struct Responsible(Made);

/// What the names in libvirt begin with that belong to `directory`, an absolute path.
pub(super) fn prefix(directory: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let digest = Sha256::digest(directory.as_os_str().as_bytes());
    let digits = digest[..6].iter().map(|byte| format!("{byte:02x}"));
    format!("{PREFIX}-{}", digits.collect::<String>())
}

/// The name of the machine that installs `image`. libvirt has no use for some characters.
pub(super) fn machine(prefix: &str, image: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let plain = image.chars().map(|c| if is_plain(c) { c } else { '_' });
    format!("{prefix}-{}", plain.collect::<String>())
}

impl Responsible {
    /// Takes the responsibility, before the thing is made.
    pub(super) fn new(uri: Option<&str>, kind: Kind, name: &str) -> Self {
        let made = Made {
            uri: uri.map(str::to_owned),
            kind,
            name: name.to_owned(),
        };
        made_now().push(made.clone());
        Self(made)
    }
}

impl Drop for Responsible {
    fn drop(&mut self) {
        made_now().retain(|other| *other != self.0);
    }
}

fn made_now() -> MutexGuard<'static, Vec<Made>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all that this process has made in libvirt, and tells what couldn't be: for an
/// interrupted command, after its programs have been ended.
pub fn remove_all() -> Vec<(String, anyhow::Error)> {
    // Held, so that nobody takes on anything new.
    let mut made = made_now();
    let removed = made.drain(..).map(|made| {
        let result = connect::open(made.uri.as_deref()).and_then(|host| made.remove(&*host));
        (made.name, result)
    });
    removed
        .filter_map(|(name, result)| Some((name, result.err()?)))
        .collect()
}

impl Made {
    fn remove(&self, host: &dyn Hypervisor) -> Result<()> {
        match self.kind {
            Kind::Pool => host.remove_pool(&self.name),
            Kind::Machine => {
                for _ in 0..LOOKS {
                    if host.state(&self.name)?.is_some() {
                        break;
                    }
                    thread::sleep(PAUSE);
                }
                host.remove(&self.name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_directories_and_images_apart() {
        let [one, two] = ["/images", "/images2"].map(|path| prefix(Path::new(path)));
        assert!(
            one != two && one.starts_with("createhdds-") && one.len() == 23,
            "{one}"
        );
        let name = machine("createhdds-1", "disk_rocky9_größe_x86_64.qcow2");
        assert_eq!(name, "createhdds-1-disk_rocky9_gr__e_x86_64.qcow2");
    }

    #[test]
    fn responsibility_ends_with_its_value() {
        let held = || {
            made_now()
                .iter()
                .filter(|made| made.name == "unique")
                .count()
        };
        let responsible = Responsible::new(Some("test:///default"), Kind::Machine, "unique");
        assert_eq!(held(), 1);
        drop(responsible);
        assert_eq!(held(), 0);
    }
}
