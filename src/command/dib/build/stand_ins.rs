//! What stands in for programs that need more than a sandbox has: small scripts in a directory that
//! scripts of elements have in front of others in their `PATH`. Outside of the tree that is `sudo`, by
//! which they call all that needs root, and what makes images of containers, but nothing that might be
//! copied into a tree. In the tree they are only there while scripts run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::hooks::write_program;
use crate::bootloader;
use crate::rooted::Tree;
use crate::sandbox::Kind;
use crate::shell::quoted;
use crate::system::System;

/// What all of them begin with, by which they know each other.
const COMMON: &str = include_str!("stand_ins/common.sh");

/// The second line of each, by which copies of them are known.
const MARK: &str = "# createhdds has this stand in for a program";

/// A stand-in: the name of the program that it stands in for, and what it does.
type Program = (&'static str, &'static str);

/// For scripts outside of the tree.
const OUTSIDE: [Program; 2] = [
    ("sudo", include_str!("stand_ins/sudo.sh")),
    ("podman", include_str!("stand_ins/podman.sh")),
];

/// For them where a user's groups on the machine are worth nothing.
const DOCKER: Program = ("docker", include_str!("stand_ins/docker.sh"));

/// For what they call as root.
const AS_ROOT: [Program; 3] = [
    ("chroot", include_str!("stand_ins/chroot.sh")),
    ("mount", include_str!("stand_ins/mount.sh")),
    ("umount", include_str!("stand_ins/umount.sh")),
];

/// For scripts in the tree, as most systems call the programs, and as those do that have packages of
/// rpm.
const GRUB: [Program; 2] = [
    ("grub-install", include_str!("stand_ins/grub-install.sh")),
    ("grub-mkconfig", include_str!("stand_ins/grub-mkconfig.sh")),
];
const GRUB2: [Program; 2] = [("grub2-install", GRUB[0].1), ("grub2-mkconfig", GRUB[1].1)];

/// The program that tells the latter.
const RPM: &str = "/usr/bin/rpm";

/// For both where nobody may make devices.
const MKNOD: Program = ("mknod", include_str!("stand_ins/mknod.sh"));

/// For what is called as root where nobody may make devices.
const TAR: Program = ("tar", include_str!("stand_ins/tar.sh"));

/// What unpacks images of clouds among the files of elements, where they have it, and what does so here.
const EXTRACT_IMAGE: (&str, &str) = (
    "bin/extract-image",
    include_str!("stand_ins/extract-image.sh"),
);

/// The directory of what is called as root, among those of scripts outside of the tree.
const ROOT: &str = "root";

/// The directory of what answers for programs that are asked about devices.
const ANSWERS: &str = "answers";

/// Where stand-ins are.
#[derive(Clone, Debug)]
pub(super) struct StandIns {
    /// Those of scripts outside of the tree.
    pub outside: PathBuf,
    /// Those of scripts in it, among the files of elements.
    inside: PathBuf,
    /// Where they leave what is done later.
    pub records: PathBuf,
}

/// The directory of the records among the files of elements.
pub(super) const RECORDS: &str = ".records";

/// The directory of the stand-ins among them.
pub(super) const INSIDE_NAME: &str = ".stand-ins";

impl StandIns {
    /// Writes them below `scratch`, and into `hooks`, the files of elements, for a sandbox of this kind.
    ///
    /// # Errors
    /// When one can't be written.
    pub(super) fn write(scratch: &Path, hooks: &Path, kind: Kind) -> Result<Self> {
        let stand_ins = Self {
            outside: scratch.join("stand-ins"),
            inside: hooks.join(INSIDE_NAME),
            records: scratch.join("records"),
        };
        let as_root = stand_ins.outside.join(ROOT);
        for directory in [
            &stand_ins.outside,
            &as_root,
            &stand_ins.inside,
            &stand_ins.records,
            &hooks.join(RECORDS),
        ] {
            fs::create_dir(directory)?;
        }
        let (of_user, of_root, of_tree): (&[Program], &[Program], &[Program]) = match kind {
            Kind::User => (&[DOCKER], &[MKNOD, TAR], &[MKNOD]),
            Kind::Root | Kind::Chroot => (&[], &[], &[]),
        };
        for (directory, programs) in [
            (&stand_ins.outside, [&OUTSIDE[..], of_user].concat()),
            (&as_root, [&AS_ROOT[..], of_root].concat()),
            (&stand_ins.inside, of_tree.to_vec()),
        ] {
            stand_ins.put(directory, &programs)?;
        }
        let extract_image = hooks.join(EXTRACT_IMAGE.0);
        if extract_image.exists() {
            let program = std::env::current_exe().context("can't find the program itself")?;
            let program = quoted(&program.display().to_string());
            let text = format!("createhdds={program}\n{}", EXTRACT_IMAGE.1);
            write_program(&extract_image, &stand_ins.script(&text))?;
        }
        Ok(stand_ins)
    }

    /// Adds those that are called as what is in `tree`. Programs that a system doesn't know are none that
    /// scripts should find.
    ///
    /// # Errors
    /// When one can't be written.
    pub(super) fn add_grub(&self, tree: &Tree) -> Result<()> {
        match tree.has_file(RPM)? {
            true => self.put(&self.inside, &GRUB2),
            false => self.put(&self.inside, &GRUB),
        }
    }

    fn put(&self, directory: &Path, programs: &[Program]) -> Result<()> {
        let each =
            |(name, text): &Program| write_program(&directory.join(name), &self.script(text));
        programs.iter().try_for_each(each)
    }

    fn script(&self, text: &str) -> String {
        let records = quoted(&self.records.display().to_string());
        format!("#!/bin/sh\n{MARK}\nrecords={records}\n{COMMON}\n{text}")
    }

    /// Has programs that GRUB's configuration is made by answer as it is on the disk of `system`.
    ///
    /// # Errors
    /// When what answers can't be written.
    pub(super) fn tell_of(&self, system: &System) -> Result<()> {
        let answers = self.inside.join(ANSWERS);
        fs::create_dir_all(&answers)?;
        for stand_in in bootloader::grub::all_stand_ins(system) {
            let name = Path::new(&stand_in.path).file_name();
            if let Some(name) = name.filter(|_| stand_in.device().is_none()) {
                let text = String::from_utf8_lossy(&stand_in.contents);
                write_program(&answers.join(name), &text)?;
            }
        }
        Ok(())
    }
}
