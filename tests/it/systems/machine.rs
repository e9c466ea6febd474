//! Machines that are started from an image, and asked how they are.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use createhdds::system::Firmware;

use crate::world::send;
use crate::{checkers, emulated};

/// What a machine is asked when somebody has logged in.
const QUESTIONS: &str = "uname -m; cat /proc/cmdline; findmnt -no SOURCE,FSTYPE /; cat /etc/hostname; \
                         systemctl is-system-running --wait; systemctl --failed --no-legend --no-pager";

/// The memory of machines, in MiB.
const MEMORY: u32 = 768;

/// A machine that runs.
struct Machine {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    said: String,
    /// How much of it was looked at.
    read: usize,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // What is started by way of timeout gets the signals that it can forward.
        send(&self.child, "TERM");
        let _ = self.child.wait();
    }
}

impl Machine {
    fn start(mut machine: Command) -> Self {
        machine.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = machine.spawn().expect("can't be run, see scripts/setup");
        Self {
            input: child.stdin.take().unwrap(),
            output: child.stdout.take().unwrap(),
            child,
            said: String::new(),
            read: 0,
        }
    }

    /// Reads on until `end` has come behind what was read before; gives what is in front of it.
    fn read_until(&mut self, end: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let new = &self.said[self.read..];
            if let Some(at) = new.find(end) {
                let before = new[..at].to_owned();
                self.read += at + end.len();
                return before;
            }
            for sign in [
                // GRUB, of a port or of a terminal that this machine hasn't.
                "' isn't found.",
                "(initramfs)",
                "Kernel panic",
                "grub rescue>",
                "Emergency mode",
            ] {
                assert!(!new.contains(sign), "{}", self.said);
            }
            let count = self.output.read(&mut buffer).unwrap();
            assert!(count > 0, "the machine has stopped: {}", self.said);
            let text = String::from_utf8_lossy(&buffer[..count]);
            self.said.push_str(&text.replace('\r', ""));
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }
}

/// What a PC answers whose system lets root in without a password.
pub(crate) fn ask(firmware: Firmware, image: &Path) -> String {
    answer("qemu-system-x86_64", emulated::pc(firmware, MEMORY), image)
}

/// What a machine of arm64 answers, with UEFI.
pub(super) fn ask_arm64(image: &Path) -> String {
    answer("qemu-system-aarch64", emulated::arm64(MEMORY), image)
}

/// What a machine answers that `program` emulates. It takes the time that it takes.
fn answer(program: &str, mut machine: Command, image: &Path) -> String {
    let disk = format!("format=raw,snapshot=on,if=virtio,file={}", image.display());
    machine.args(["-smp", "2", "-drive", &disk]);
    let mut machine = Machine::start(machine);
    machine.read_until("login: ");
    machine.say("root");
    machine.read_until("# ");
    // What is typed comes back: the words are put together by the shell alone.
    machine.say(&format!("echo BE''GIN; {QUESTIONS}; echo E''ND"));
    machine.read_until("BEGIN\n");
    let answer = machine.read_until("END\n");
    checkers::accepted(program, image);
    answer
}
