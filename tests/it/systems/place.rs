//! A directory of a user's, with the program in it, a small root filesystem and specifications.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use testkit::program::command;

use super::user::{self, User};
use crate::world::{BINARY, Run, names};

/// Where a user works.
pub(crate) struct Place {
    root: TempDir,
    user: User,
}

impl Place {
    /// An empty directory of `user`'s, and the program beside it.
    pub(crate) fn new(user: User) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let place = Self { root, user };
        fs::create_dir(place.directory()).unwrap();
        user::give(user, &place.directory());
        // Whoever it is may not look into the directory of the tests.
        fs::copy(BINARY, place.program()).unwrap();
        symlink("createhdds", place.root.path().join("vmdb2")).unwrap();
        place
    }

    /// The directory that is worked in.
    pub(crate) fn directory(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// The file `name` in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    fn program(&self) -> PathBuf {
        self.root.path().join("createhdds")
    }

    /// Writes a file that is in the directory from the beginning.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
    }

    /// What is in the directory, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.directory())
    }

    /// The program with these arguments.
    pub(crate) fn command(&self, line: &str) -> Command {
        self.started(user::run_by(self.user, &self.program()), line)
    }

    /// The program by its other name, with these arguments.
    pub(crate) fn by_link(&self, line: &str) -> Command {
        self.by_path(&self.root.path().join("vmdb2"), line)
    }

    /// The program at this path, with these arguments.
    pub(crate) fn by_path(&self, path: &Path, line: &str) -> Command {
        self.started(user::run_by(self.user, path), line)
    }

    /// Another program of the user's, that runs the program with these arguments.
    pub(crate) fn through(&self, wrapper: &Path, line: &str) -> Command {
        let mut command = user::run_by(self.user, wrapper);
        command.arg(self.program());
        self.started(command, line)
    }

    fn started(&self, mut command: Command, line: &str) -> Command {
        command
            .current_dir(self.directory())
            .args(line.split_whitespace())
            .env("HOME", self.root.path())
            .env("LC_ALL", "C")
            // Files that steps make are of the time when they are made.
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program with these arguments.
    pub(crate) fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command(line))
    }

    /// Puts a root filesystem there, `root.tar`, that has a shell and little else.
    pub(crate) fn put_root(&self) {
        let tree = self.root.path().join("tree");
        for directory in [
            "bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr/sbin",
        ] {
            fs::create_dir_all(tree.join(directory)).unwrap();
        }
        fs::set_permissions(tree.join("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
        let busybox = ["/bin/busybox", "/usr/bin/busybox", "/usr/sbin/busybox"];
        let busybox = busybox.into_iter().find(|path| Path::new(path).exists());
        let busybox = busybox.expect("busybox is missing, see scripts/setup");
        fs::copy(busybox, tree.join("bin/busybox")).unwrap();
        fs::set_permissions(tree.join("bin/busybox"), PermissionsExt::from_mode(0o4755)).unwrap();
        // Removes, replaces and adds, as packages do.
        let apt = "#!/bin/sh\ncase \"$*\" in *' install '*) echo \"$*\" >> /etc/installed; rm -r /etc/group /etc/old; \
                   mkdir /etc/old; echo new > /etc/old/new; ln /etc/old/new /etc/linked; sleep 0 ;; esac\n";
        fs::create_dir_all(tree.join("usr/bin")).unwrap();
        fs::write(tree.join("usr/bin/apt-get"), apt).unwrap();
        fs::set_permissions(
            tree.join("usr/bin/apt-get"),
            PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        fs::create_dir_all(tree.join("etc/old")).unwrap();
        fs::write(tree.join("etc/old/file"), "old").unwrap();
        for applet in [
            "sh", "id", "ls", "cat", "mount", "chown", "test", "mknod", "sleep", "env", "rm",
            "mkdir", "ln",
        ] {
            symlink("busybox", tree.join("bin").join(applet)).unwrap();
        }
        fs::write(
            tree.join("etc/passwd"),
            "root:x:0:0::/root:/bin/sh\nann:x:7:8::/:\n",
        )
        .unwrap();
        fs::write(tree.join("etc/group"), "root:x:0:\nstaff:x:50:\n").unwrap();
        let archive = self.path("root.tar");
        let mut tar = command("tar");
        tar.args([
            "--owner=0",
            "--group=0",
            "--mtime=@1000000000",
            "--sort=name",
            "-cf",
        ]);
        tar.arg(&archive).arg("-C").arg(&tree).arg(".");
        assert!(tar.status().unwrap().success());
        fs::remove_dir_all(tree).unwrap();
    }
}

/// A specification with one root filesystem and these steps behind it.
pub(crate) fn specification(steps: &str) -> String {
    format!(
        "steps:
  - mkimg: '{{{{ output }}}}'
    size: 64M
  - mklabel: msdos
    device: '{{{{ output }}}}'
  - mkpart: primary
    device: '{{{{ output }}}}'
    start: 1MiB
    end: 100%
    tag: root
  - kpartx: '{{{{ output }}}}'
  - mkfs: ext4
    partition: root
    label: smoke
  - mount: root
  - unpack-rootfs: root
{steps}"
    )
}
