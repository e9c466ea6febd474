//! Which partitions of an image its system is in.

use std::cmp::Reverse;

use anyhow::{Result, bail};
use disklayout::inspect::fs::Filesystem;
use disklayout::inspect::{Image, Volume};
use disklayout::table::Entry;
use uuid::{Uuid, uuid};

use super::mounts::Mount;

/// "EFI System Partition" of UEFI.
const EFI: Uuid = uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
/// "Extended Boot Loader Partition" of the Boot Loader Specification.
const BOOT: Uuid = uuid!("bc13c2ff-59e6-4262-a352-b275fd6f7172");
/// What filesystems are labelled that are mounted at /boot.
const BOOT_LABEL: &str = "boot";

/// What holds no files, whoever reads it.
const SWAP: &str = "swap";

/// What is mounted where when the system runs.
#[derive(Debug)]
pub(super) struct System<'a, 'd> {
    root: &'a Filesystem<'d>,
    boot: Option<&'a Filesystem<'d>>,
    efi: Option<&'a Filesystem<'d>>,
}

/// A filesystem, and what is known of its partition.
struct Candidate<'a, 'd> {
    filesystem: &'a Filesystem<'d>,
    kind: Option<Uuid>,
}

impl<'a, 'd> System<'a, 'd> {
    /// Finds it: what is by itself is the root. Of several partitions the one that comes last by its
    /// name is looked at first, and what is neither for UEFI nor for /boot is the root. Without one,
    /// /boot is.
    ///
    /// # Errors
    /// When there is none, and when a filesystem can't be read.
    pub(super) fn find(image: &'a Image<'d>) -> Result<Self> {
        let candidates = candidates(image)?;
        let (mut root, mut boot, mut efi) = (None, None, None);
        for Candidate { filesystem, kind } in candidates {
            let is_boot = || {
                let label = filesystem.facts().label.as_deref();
                kind == Some(BOOT) || label == Some(BOOT_LABEL)
            };
            let place = match () {
                () if image.volumes.len() == 1 => &mut root,
                () if efi.is_none() && kind == Some(EFI) => &mut efi,
                () if boot.is_none() && is_boot() => &mut boot,
                () => &mut root,
            };
            place.get_or_insert(filesystem);
        }
        let Some(root) = root.or_else(|| boot.take()) else {
            bail!("it has no system: none of its partitions has a filesystem for the root");
        };
        Ok(Self { root, boot, efi })
    }

    /// What is mounted, parents first.
    ///
    /// # Errors
    /// When the root can't be read.
    pub(super) fn mounts(&self) -> Result<Vec<Mount<'a>>> {
        let mut mounts = vec![Mount::root(self.root)?];
        for (path, filesystem) in [("/boot", self.boot), ("/boot/efi", self.efi)] {
            if let Some(filesystem) = filesystem {
                mounts.push(Mount::new(path, filesystem)?);
            }
        }
        Ok(mounts)
    }
}

/// All filesystems that may be mounted, in the order in which they are looked at.
fn candidates<'a, 'd>(image: &'a Image<'d>) -> Result<Vec<Candidate<'a, 'd>>> {
    let mut volumes: Vec<_> = image.volumes.iter().collect();
    volumes.sort_by_key(|volume| Reverse(name(volume)));
    let mut candidates = Vec::new();
    for volume in volumes {
        let filesystem = match &volume.filesystem {
            Ok(Some(found)) if found.facts().kind != SWAP => found,
            Ok(_) => continue,
            Err(error) => bail!("partition {}: {error}", name(volume)),
        };
        let kind = volume.partition.as_ref().and_then(|it| match it.entry {
            Entry::Gpt { kind, .. } => Some(kind),
            Entry::None | Entry::Mbr { .. } => None,
        });
        candidates.push(Candidate { filesystem, kind });
    }
    Ok(candidates)
}

/// What the name of its device ends in, by which partitions are sorted as text: 2 is behind 10.
fn name(volume: &Volume<'_>) -> String {
    let partition = volume.partition.as_ref();
    partition.map_or(0, |it| it.number).to_string()
}
