//! A directory of its own for each test, and the binary run in it with nothing of this machine's
//! environment.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// Where the images, the home and the cache of a test are.
pub(crate) struct World {
    root: TempDir,
}

/// How a run of the binary ended. Whatever is wrong with it, all of it is shown.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) command: String,
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// An empty directory of images beside a configuration of these groups.
    pub(crate) fn new(guestfs: &str, virtinstall: &str, renames: &str) -> Self {
        let world = Self {
            root: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(world.directory()).unwrap();
        world.configure(guestfs, virtinstall, renames);
        world
    }

    /// Writes another configuration.
    pub(crate) fn configure(&self, guestfs: &str, virtinstall: &str, renames: &str) {
        let text = format!(
            r#"{{"guestfs": [{guestfs}], "virtinstall": [{virtinstall}], "renames": [{renames}]}}"#
        );
        fs::write(self.config(), text).unwrap();
    }

    /// The directory of everything.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The configuration, with the directory of data around it.
    pub(crate) fn config(&self) -> PathBuf {
        self.root().join("hdds.json")
    }

    /// The directory of images.
    pub(crate) fn directory(&self) -> PathBuf {
        self.root().join("images")
    }

    /// The file `name` in the directory of images.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// The directory of downloads.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root().join("cache")
    }

    /// What is in the directory of images, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.directory())
    }

    /// Puts a small file that is `days` old among the images. Its content is its name.
    pub(crate) fn put(&self, name: &str, days: u64) {
        fs::write(self.path(name), name).unwrap();
        let age = Duration::from_secs(days * 24 * 60 * 60);
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    /// Whether `name` still is what [`Self::put`] has put there.
    pub(crate) fn is_untouched(&self, name: &str) -> bool {
        fs::read(self.path(name)).is_ok_and(|bytes| bytes == name.as_bytes())
    }

    /// Makes the program's environment that of this test: it finds the configuration by its
    /// variable, nobody is at the addresses of the current release and of libvirt, and osinfo knows
    /// no release.
    pub(crate) fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let osinfo = |which| (format!("OSINFO_{which}_DIR"), self.root().join("osinfo"));
        command
            .current_dir(self.directory())
            .env_clear()
            .envs(["SYSTEM", "LOCAL", "USER"].map(osinfo))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root().join("home"))
            .env("XDG_DATA_DIRS", self.root().join("share"))
            .env("LC_ALL", "C")
            .env("CREATEHDDS_CONFIG", self.config())
            .env("CREATEHDDS_CACHE_DIR", self.cache())
            .env("LIBVIRT_DEFAULT_URI", "qemu+unix:///system?socket=/nowhere")
            .env("CREATEHDDS_RELEASE_URL", "http://127.0.0.1:9/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
    }

    /// The binary in this test's environment, with the words of `line` as its arguments.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(BINARY);
        self.prepare(&mut command).args(line.split_whitespace());
        command
    }

    /// Runs the binary with the words of `line` as its arguments.
    pub(crate) fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command(line))
    }
}

/// Until a program that is being started may be ready.
const WAIT: Duration = Duration::from_millis(10);

/// Why nothing can be installed in a [`World`].
pub(crate) const NO_LIBVIRT: &str = match cfg!(feature = "libvirt") {
    true => "can't connect to libvirt at its default address",
    false => "this createhdds is built without libvirt",
};

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_createhdds");

impl Run {
    /// Runs `command` until it ends.
    pub(crate) fn of(command: &mut Command) -> Self {
        let shown = format!("{command:?}");
        loop {
            match command.output() {
                // A copy of the binary that was just written: another test forked while it was open
                // for writing, and that child has it open until it starts its own program.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => sleep(WAIT),
                output => return Self::ended(shown, output.unwrap()),
            }
        }
    }

    /// What `command` has left.
    pub(crate) fn ended(command: String, output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            command,
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The same run, provided that it ended with `status`.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        self.assert(self.status == Some(status), &format!("status {status}"));
        self
    }

    /// The same run, provided that each of `parts` is on standard error.
    #[track_caller]
    pub(crate) fn says<const N: usize>(self, parts: [&str; N]) -> Self {
        for part in parts {
            self.assert(self.stderr.contains(part), part);
        }
        self
    }

    /// The same run, provided that none of `parts` is on standard error.
    #[track_caller]
    pub(crate) fn never_says<const N: usize>(self, parts: [&str; N]) -> Self {
        for part in parts {
            self.assert(!self.stderr.contains(part), &format!("no '{part}'"));
        }
        self
    }

    /// The same run, provided that standard output is exactly `text`.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        self.assert(self.stdout == text, text);
        self
    }

    #[track_caller]
    fn assert(&self, is_right: bool, wanted: &str) {
        assert!(
            is_right,
            "wanted: {wanted}\n{}\nstatus: {:?}\nstandard output:\n{}\nstandard error:\n{}",
            self.command, self.status, self.stdout, self.stderr
        );
    }
}

/// Sends a signal to a process that a test has started.
pub(crate) fn send(child: &Child, signal: &str) {
    let mut kill = Command::new("kill");
    let status = kill.args(["-s", signal, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// What is in `directory`, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A group of small images: `labels` and `filesystems` as JSON, each image with one file.
pub(crate) fn layout(name: &str, labels: &str, filesystems: &str) -> String {
    format!(
        r#"{{"name": "{name}", "size": "2M", "labels": {labels}, "filesystems": {filesystems},
            "parts": [{{"type": "p", "start": 64, "end": -64}}],
            "writes": [{{"part": 1, "path": "/file", "content": "text of {name}"}}]}}"#
    )
}

/// A small group of one image, `disk_NAME.img`.
pub(crate) fn single(name: &str) -> String {
    layout(name, r#"["mbr"]"#, r#"["ext2"]"#)
}

/// A group of one image that can't be planned: the partition ends before it starts.
pub(crate) fn broken(name: &str) -> String {
    format!(
        r#"{{"name": "{name}", "size": "2M", "parts": [
            {{"type": "p", "start": 64, "end": 63, "filesystem": "ext2"}}]}}"#
    )
}

/// A group of one image that is built from the upload `source`, or from what else stands there.
pub(crate) fn with_upload(name: &str, size: &str, source: &str) -> String {
    format!(
        r#"{{"name": "{name}", "size": "{size}",
            "parts": [{{"type": "p", "start": 64, "end": -64, "filesystem": "ext2"}}],
            "uploads": [{{"part": 1, "target": "/upload", {source}}}]}}"#
    )
}

/// A group with an installed system, which grows old in two days.
pub(crate) fn install(name: &str, releases: &str) -> String {
    format!(r#"{{"name": "{name}", "size": 1, "maxage": 2, "releases": {{{releases}}}}}"#)
}
