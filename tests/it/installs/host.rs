//! A libvirt of a test's own, with a directory of images and an installation tree.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use crate::world::{BINARY, Run, World, names};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/installer");

/// How long anything may take here before a test gives up: emulated machines are slow.
const PATIENCE: Duration = Duration::from_secs(1200);

/// A world with a libvirt in it. All of it ends with this value, or with the thread of the test.
pub(crate) struct Host {
    pub(crate) world: World,
    unshare: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// A run of the binary that goes on.
pub(crate) struct Started {
    line: String,
    child: Child,
    said: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Started {
    /// Waits for its end.
    pub(crate) fn end(mut self) -> Run {
        let status = self.child.wait().unwrap();
        self.reader.join().unwrap();
        let stderr = self.said.lock().unwrap().clone().into_bytes();
        let stdout = vec![];
        Run::ended(
            self.line,
            Output {
                status,
                stdout,
                stderr,
            },
        )
    }
}

impl Host {
    /// A host with the installation groups `virtinstall`, and a kickstart file for each name.
    pub(crate) fn new(guestfs: &str, virtinstall: &str, kickstarts: &[(&str, &str)]) -> Self {
        let world = World::new(guestfs, virtinstall, "");
        for (name, text) in kickstarts {
            fs::write(world.root().join(format!("{name}.ks")), text).unwrap();
        }
        for directory in ["home", "tmp"] {
            fs::create_dir(world.root().join(directory)).unwrap();
        }
        let tree = world.root().join("tree/9");
        let made = Command::new(format!("{SCRIPTS}/make-tree"))
            .arg(&tree)
            .output();
        let made = made.expect("can't be run, see scripts/setup");
        assert!(made.status.success(), "{made:?}");
        // What is left when a test is killed is killed too.
        let mut unshare = Command::new("setpriv");
        let mut unshare = unshare
            .args([
                "--pdeathsig",
                "KILL",
                "unshare",
                "--mount",
                "--pid",
                "--fork",
            ])
            .args([
                "--kill-child=KILL",
                "--mount-proc",
                "--propagation",
                "private",
            ])
            .arg(format!("{SCRIPTS}/libvirtd"))
            .arg(world.root().join("libvirt"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("setpriv and unshare (util-linux) are needed");
        let orders = unshare.stdin.take().unwrap();
        let answers = BufReader::new(unshare.stdout.take().unwrap());
        let mut host = Self {
            world,
            unshare,
            orders,
            answers,
        };
        host.await_answer("ready");
        host
    }

    fn await_answer(&mut self, expected: &str) {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), expected);
    }

    /// Ends libvirtd; the machines go on.
    pub(crate) fn stop_libvirtd(&mut self) {
        writeln!(self.orders, "stop").unwrap();
        self.await_answer("stopped");
    }

    /// Starts libvirtd again.
    pub(crate) fn start_libvirtd(&mut self) {
        writeln!(self.orders, "start").unwrap();
        self.await_answer("ready");
    }

    /// `program` among the processes of libvirt's namespaces.
    fn enter(&self, program: &str) -> Command {
        let unshare = self.unshare.id();
        let children = format!("/proc/{unshare}/task/{unshare}/children");
        let first = fs::read_to_string(children).unwrap();
        let mut command = Command::new("nsenter");
        self.world.prepare(&mut command);
        let words = format!("--target {} --mount --pid", first.trim());
        command
            .args(words.split(' '))
            .arg(format!("--wd={}", self.world.directory().display()))
            .arg(program)
            .env("TMPDIR", self.world.root().join("tmp"));
        // virt-install needs what else is installed.
        for variable in [
            "OSINFO_SYSTEM_DIR",
            "OSINFO_LOCAL_DIR",
            "OSINFO_USER_DIR",
            "XDG_DATA_DIRS",
            "LIBVIRT_DEFAULT_URI",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs `line` to its end beside libvirt; what it prints.
    pub(crate) fn run_beside(&self, line: &str) -> String {
        let mut words = line.split(' ');
        let mut command = self.enter(words.next().unwrap());
        let output = command.args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The address of the tree on this host.
    pub(crate) fn tree(&self) -> String {
        format!("file://{}/tree/{{release}}", self.world.root().display())
    }

    /// The binary with the words of `line`, installing from `trees` by emulation.
    pub(crate) fn command_from(&self, trees: &str, line: &str) -> Command {
        let mut command = self.enter("env");
        command.arg(BINARY);
        command.args(["--baseurl", trees, "--virt-type", "qemu"]);
        if !line.contains("-C ") {
            command.arg("-C").arg(self.world.directory());
        }
        command.args(line.split_whitespace());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command_from(&self.tree(), line))
    }

    /// Runs the binary to its end where there is no program but those of administration.
    pub(crate) fn run_without_programs(&self, line: &str) -> Run {
        let mut command = self.enter("env");
        command
            .arg("PATH=/nowhere")
            .arg(BINARY)
            .arg("-C")
            .arg(self.world.directory());
        Run::of(command.args(line.split_whitespace()))
    }

    /// Starts the binary, and waits until it has printed `text` so many times.
    pub(crate) fn start(&self, line: &str, text: &str, times: usize) -> Started {
        let mut child = self.command_from(&self.tree(), line).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let reader = thread::spawn({
            let said = Arc::clone(&said);
            move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..count]);
                    said.lock().unwrap().push_str(&text);
                }
            }
        });
        let line = line.to_owned();
        let mut started = Started {
            line,
            child,
            said,
            reader,
        };
        self.await_that(|| {
            let said = started.said.lock().unwrap().clone();
            let ended = started.child.try_wait().unwrap();
            assert!(ended.is_none(), "it has ended: {said}");
            said.matches(text).count() >= times
        });
        started
    }

    /// The names of all machines that run.
    pub(crate) fn machines(&self) -> Vec<String> {
        let listed = self.run_beside("virsh --quiet --connect qemu:///system list --name");
        listed.split_whitespace().map(str::to_owned).collect()
    }

    /// Waits until `happened`.
    pub(crate) fn await_that(&self, mut happened: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !happened() {
            assert!(begun.elapsed() < PATIENCE, "it never happened");
            sleep(Duration::from_millis(100));
        }
    }

    /// Nothing is left in libvirt, in the directories of temporary files, or beside these images.
    pub(crate) fn assert_clean(&self, images: &[&str]) {
        let virsh = "virsh --quiet --connect qemu:///system";
        for list in ["list --all --name", "pool-list --all --name"] {
            let listed = self.run_beside(&format!("{virsh} {list}"));
            assert_eq!(listed.trim(), "", "{list}");
        }
        let root = self.world.root();
        for directory in ["tmp", "libvirt/lib/boot", "libvirt/lib/qemu/nvram"] {
            let path = root.join(directory);
            if path.exists() {
                assert_eq!(names(&path), [""; 0], "{directory}");
            }
        }
        assert_eq!(self.world.names(), images);
    }

    /// What the guest sees of the disk `name` from 1 MiB on: where the installer writes what it
    /// was told.
    pub(crate) fn installed(&self, name: &str) -> String {
        let raw: PathBuf = self.world.root().join("raw");
        let convert = format!(
            "qemu-img convert -O raw {} {}",
            self.world.path(name).display(),
            raw.display()
        );
        self.run_beside(&convert);
        let bytes = fs::read(&raw).unwrap();
        fs::remove_file(raw).unwrap();
        assert_eq!(bytes[510..512], [0x55, 0xaa]);
        let text = &bytes[1 << 20..][..4096];
        String::from_utf8_lossy(text)
            .trim_end_matches('\0')
            .to_owned()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}
