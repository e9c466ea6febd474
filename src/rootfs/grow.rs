//! A root filesystem that grows to the size of its disk when the system first starts.

use std::os::unix::fs::symlink;

use anyhow::{Context, Result, bail};

use super::{Assembly, files};
use crate::rooted::{Tree, locate, locate_followed};
use crate::system::{Access, NewFile};

/// The script, by its path in the tree.
const SCRIPT: &str = "/usr/sbin/grow-root-filesystem";

/// The unit that runs it.
const UNIT: &str = "/etc/systemd/system/grow-root-filesystem.service";

/// The link by which the unit is enabled.
const ENABLED: &str = "/etc/systemd/system/basic.target.wants/grow-root-filesystem.service";

/// Programs that the script runs, each with its package.
const PROGRAMS: [(&str, &str); 2] = [("parted", "parted"), ("resize2fs", "e2fsprogs")];

impl Assembly<'_> {
    /// Puts the script and its unit into the tree.
    pub(super) fn grow_at_first_boot(&self) -> Result<()> {
        for (program, package) in PROGRAMS {
            self.check_program(program, package)?;
        }
        for (path, contents, permissions) in [
            (SCRIPT, include_str!("grow.sh"), 0o755),
            (UNIT, include_str!("grow.service"), 0o644),
        ] {
            let (above, _) = path.rsplit_once('/').unwrap_or_default();
            Tree::open(self.tree())?.make_directory(above)?;
            let file = NewFile {
                path: path.to_owned(),
                contents: contents.to_owned(),
                access: Access {
                    permissions,
                    uid: 0,
                    gid: 0,
                },
            };
            files::create_file(self.tree(), &file)?;
        }
        let (above, _) = ENABLED.rsplit_once('/').unwrap_or_default();
        Tree::open(self.tree())?.make_directory(above)?;
        let link = locate(self.tree(), ENABLED.as_ref())?;
        symlink(UNIT, link).context("can't enable the unit in the tree")
    }

    fn check_program(&self, program: &str, package: &str) -> Result<()> {
        let directories = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].iter();
        let mut paths = directories.map(|directory| format!("{directory}/{program}"));
        let is_there = |path: String| {
            locate_followed(self.tree(), path.as_ref()).is_ok_and(|path| path.is_file())
        };
        if !paths.any(is_there) {
            bail!("the tree has no {program}: install the package '{package}' in a step before");
        }
        Ok(())
    }
}
