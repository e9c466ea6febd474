//! The Debian with GRUB that `scripts/rootfs` has made: copies of it, whose programs are run in
//! them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use createhdds::bootloader::Target;
use createhdds::rooted::StandIn;
use tempfile::TempDir;
use testkit::program::{arguments, command, run};

use crate::cache;

/// A copy of the tree.
#[derive(Debug)]
pub(super) struct Tree {
    directory: TempDir,
    root: PathBuf,
}

/// The tree that copies are made of.
fn original() -> PathBuf {
    let path = cache::path("debian-grub");
    assert!(
        path.exists(),
        "{} is missing: scripts/rootfs makes it",
        path.display()
    );
    path
}

/// A program of the tree that is run on this machine, with the tree's own libraries.
pub(super) fn program(path: &str) -> Command {
    let tree = original();
    let mut program = command(tree.join("lib64/ld-linux-x86-64.so.2").to_str().unwrap());
    program.arg("--library-path");
    program.arg(tree.join("usr/lib/x86_64-linux-gnu"));
    program.arg(tree.join(path.trim_start_matches('/')));
    program
}

/// What has the tree as its root see nothing of this machine's: ROOT STAND-INS PROGRAM ARGUMENT...
/// STAND-INS has the files, by their paths in the tree.
const IN_TREE: &str = r#"
root=$1 stand_ins=$2
shift 2
mount -t tmpfs dev "$root/dev"
for name in null zero full random urandom tty; do
    : > "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs run "$root/run"
find "$stand_ins" -type f -printf '%P\n' | while read -r path; do
    if [ ! -e "$root/$path" ]; then
        mkdir -p "$(dirname "$root/$path")"
        : > "$root/$path"
    fi
    mount --bind "$stand_ins/$path" "$root/$path"
done
export DEBIAN_FRONTEND=noninteractive
exec chroot "$root" "$@"
"#;

impl Tree {
    /// A copy without the files at `removed`, which may be directories.
    pub(super) fn without(removed: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        let options = ["--archive", "--reflink=auto"];
        run("cp", &arguments(&options, &[&original(), &root])).unwrap();
        for path in removed {
            let path = root.join(path.trim_start_matches('/'));
            match path.is_dir() {
                true => fs::remove_dir_all(path).unwrap(),
                false => fs::remove_file(path).unwrap(),
            }
        }
        Self { directory, root }
    }

    /// Writes a file of it, with these permissions.
    pub(super) fn put(&self, path: &str, text: &str, permissions: u32) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(permissions)).unwrap();
    }

    /// Where a file of it is on this machine.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// What is in a file of it.
    pub(super) fn text(&self, path: &str) -> String {
        let text = fs::read_to_string(self.path(path));
        text.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The names in a directory of it, sorted.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

impl Target for Tree {
    fn root(&self) -> &Path {
        &self.root
    }

    fn run(&self, stand_ins: &[StandIn], program: &str, arguments: &[OsString]) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let files = tempfile::tempdir_in(self.directory.path())?;
        for StandIn {
            path,
            contents,
            permissions,
        } in stand_ins
        {
            let path = files.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap())?;
            fs::write(&path, contents)?;
            fs::set_permissions(&path, PermissionsExt::from_mode(*permissions))?;
        }
        let mut inside = command("unshare");
        inside.args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--",
            "sh",
            "-ec",
            IN_TREE,
            "sh",
        ]);
        inside
            .arg(&self.root)
            .arg(files.path())
            .arg(program)
            .args(arguments);
        let output = inside.stdin(Stdio::null()).output()?;
        ensure!(
            output.status.success(),
            "{program} {arguments:?}: {output:?}"
        );
        Ok(())
    }
}
