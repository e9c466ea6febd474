//! What becomes of an unpacked root when packages are installed, kept for the next run with the same
//! steps.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::system::{Action, Step};

/// So many digits of a sum are in a name.
const DIGITS: usize = 16;

/// A step behind which the tree may be kept: its packages have been installed. Of a boot loader's step
/// it is the packages alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The index of the step.
    pub step: usize,
    /// What the tree is by then: the same for the same steps.
    pub key: String,
}

/// The steps behind the one with the index `unpack` after which the tree may be kept. It depends on
/// nothing but the archive, which is called `root`, and the steps: there are none behind one that does
/// more, as a script of the host may.
///
/// # Errors
/// When what a step copies can't be looked at.
pub fn checkpoints(steps: &[Step], unpack: usize, root: &str) -> io::Result<Vec<Checkpoint>> {
    let mut sum = Sum(Sha256::new());
    sum.add(root.as_bytes());
    let mut checkpoints = Vec::new();
    let steps = steps.iter().enumerate().skip(unpack + 1);
    for (index, step) in steps.filter(|(_, step)| step.skipped.is_none()) {
        if !sum.take(&step.action)? {
            break;
        }
        if matches!(step.action, Action::Apt(_) | Action::Grub(_)) {
            checkpoints.push(Checkpoint {
                step: index,
                key: sum.name(),
            });
        }
        // The rest of it is for the disk.
        if matches!(step.action, Action::Grub(_)) {
            break;
        }
    }
    Ok(checkpoints)
}

/// A sum of what makes a tree.
#[derive(Clone)]
struct Sum(Sha256);

impl Sum {
    /// Takes a part with its length, so that none runs into the next.
    fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    fn name(&self) -> String {
        let digest = self.0.clone().finalize();
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        digits[..DIGITS].to_owned()
    }

    /// Takes what a step does; false when that isn't all in it.
    fn take(&mut self, action: &Action) -> io::Result<bool> {
        match action {
            Action::Planned | Action::FindKey(_) | Action::Say(_) | Action::VirtualFilesystems => {
                return Ok(true);
            }
            Action::MountPoint(_)
            | Action::AptUpdate
            | Action::Apt(_)
            | Action::Chroot(_)
            | Action::CreateFile(_)
            | Action::CreateDirectory { .. }
            | Action::Fstab(_)
            | Action::GrowAtFirstBoot
            | Action::Remove(_) => {}
            // What it is apart from its packages isn't in the tree yet.
            Action::Grub(grub) => {
                self.add(format!("packages of GRUB for {:?}", grub.firmware).as_bytes());
                return Ok(true);
            }
            Action::CopyFile { from, .. } | Action::CopyDirectory { from, .. } => {
                self.files(from)?;
            }
            Action::Fail(_)
            | Action::Unpack(_)
            | Action::Pack(_)
            | Action::Bootstrap(_)
            | Action::FindKernel
            | Action::Shell(_)
            | Action::Ansible(_) => return Ok(false),
        }
        self.add(format!("{action:?}").as_bytes());
        Ok(true)
    }

    /// Takes what is known of a file of the host, and of all below a directory, without reading it.
    fn files(&mut self, path: &Path) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        self.add(path.as_os_str().as_encoded_bytes());
        for number in [
            metadata.len(),
            u64::from(metadata.mode()),
            metadata.ino(),
            metadata.mtime().cast_unsigned(),
            metadata.mtime_nsec().cast_unsigned(),
        ] {
            self.add(&number.to_le_bytes());
        }
        if metadata.is_dir() {
            let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
            entries.sort_by_key(fs::DirEntry::file_name);
            for entry in entries {
                self.files(&entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{Apt, Firmware, Grub};

    fn step(action: Action) -> Step {
        Step {
            place: "steps".into(),
            title: "step".into(),
            skipped: None,
            action,
        }
    }

    fn apt(package: &str) -> Action {
        Action::Apt(Apt {
            packages: vec![package.to_owned()],
            recommends: true,
            clean: true,
        })
    }

    fn grub(timeout: i64) -> Action {
        Action::Grub(Grub {
            firmware: Firmware::Bios,
            root: 0,
            esp: None,
            serial: false,
            quiet: false,
            timeout: Some(timeout),
            kernel_parameters: Some(Vec::new()),
            installs_packages: false,
        })
    }

    /// The steps of the checkpoints, and their keys.
    fn found(root: &str, actions: Vec<Action>) -> (Vec<usize>, Vec<String>) {
        let steps: Vec<_> = actions.into_iter().map(step).collect();
        let found = checkpoints(&steps, 0, root).unwrap();
        found.into_iter().map(|it| (it.step, it.key)).unzip()
    }

    #[test]
    fn packages_end_what_is_kept_and_scripts_of_the_host_all_of_it() {
        let unpack = || Action::Unpack("a.tar".into());
        let chroot = |script: &str| Action::Chroot(script.to_owned());
        let shell = || Action::Shell("true".to_owned());
        let all = vec![
            unpack(),
            chroot("x"),
            apt("a"),
            chroot("y"),
            grub(0),
            apt("b"),
        ];
        let (steps, keys) = found("root", all);
        assert_eq!(steps, [2, 4]);
        let other_root = found("other", vec![unpack(), chroot("x"), apt("a")]).1;
        assert_ne!(other_root[0], keys[0]);
        let other_script = found("root", vec![unpack(), chroot("z"), apt("a")]).1;
        assert_ne!(other_script[0], keys[0]);
        let same = found(
            "root",
            vec![unpack(), chroot("x"), apt("a"), chroot("y"), grub(7)],
        )
        .1;
        assert_eq!(same, keys);
        let behind = found("root", vec![unpack(), apt("a"), shell(), apt("b"), grub(0)]);
        assert_eq!(behind.0, [1]);
        assert!(
            found("root", vec![unpack(), shell(), apt("a")])
                .0
                .is_empty()
        );
    }

    #[test]
    fn what_is_copied_counts() {
        let host = tempfile::tempdir().unwrap();
        let file = host.path().join("file");
        fs::write(&file, "one").unwrap();
        let copy = || {
            let action = Action::CopyDirectory {
                from: host.path().to_owned(),
                path: "/".to_owned(),
                access: crate::system::Access {
                    permissions: 0o755,
                    uid: 0,
                    gid: 0,
                },
                umask: 0,
                names: (None, None),
            };
            found("root", vec![Action::Planned, action, apt("a")]).1
        };
        let before = copy();
        assert_eq!(copy(), before);
        fs::write(&file, "other").unwrap();
        assert_ne!(copy(), before);
    }
}
