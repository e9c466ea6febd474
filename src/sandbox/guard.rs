//! The guard of a sandbox: the process outside of it that has its users. It ends the sandbox when the
//! command has gone, and removes what belongs to users that exist in there only.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, pidfd_open, pidfd_send_signal, set_child_subreaper,
};

use super::below::Below;
use super::{Kind, Place, host, ids, mark, terminal};
use crate::signals;

/// How long what is in the sandbox may take to clean up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Guards a sandbox: `KIND PLACE MAPS ARGUMENTS...`. Standard input begins with what is handed to
/// the first process, and ends when nobody wants the sandbox any more, with the number of the signal
/// that is the reason, if one is.
pub(super) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let [kind, place, maps, command @ ..] = arguments else {
        bail!("a guard needs more arguments");
    };
    let kind = kind.to_str().and_then(Kind::named);
    let kind = kind.context("the kind is unknown")?;
    stay_for_signals()?;
    let input = read_input(&mut io::stdin().lock()).context("can't read what it is given")?;
    let mapper = match kind {
        Kind::User => Some(start_mapper(maps)?),
        Kind::Root | Kind::Chroot => None,
    };
    if kind == Kind::Chroot {
        set_child_subreaper(Some(getpid())).context("can't adopt processes")?;
    }
    if kind.has_namespaces() {
        host::unshare(host::namespaces(kind)).context("the system gives no namespaces")?;
    }
    mapper.map_or(Ok(()), finish_mapper)?;
    match Place::of_word(place) {
        Place::Memory { .. } => guarded(kind, place, command, &input),
        Place::Directory(directory) => {
            let below = Below::create(&directory)?;
            let status = guarded(kind, below.path().as_os_str(), command, &input);
            below.remove()?;
            status
        }
    }
}

/// Signals go to the first process of the sandbox too; this one ends after it.
fn stay_for_signals() -> Result<()> {
    for signal in signals::endings() {
        let flag = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal, flag).context("can't handle signals")?;
    }
    Ok(())
}

/// What is handed to the first process: its length, and then it.
pub(super) fn read_input(stdin: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    stdin.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut input = Vec::new();
    stdin.take(length).read_to_end(&mut input)?;
    match input.len() as u64 == length {
        true => Ok(input),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Runs the first process to its end, or to the end of whoever wants it.
fn guarded(kind: Kind, place: &OsStr, command: &[OsString], input: &[u8]) -> Result<ExitCode> {
    let mut first = mark::command("first");
    first.arg(kind.as_str()).arg(place).args(command);
    let (mut leash, end_of_first) = UnixStream::pair().context("there is no pipe")?;
    first.stdin(OwnedFd::from(end_of_first));
    let child = first.spawn().context("can't start its first process");
    // The command holds that end too.
    drop(first);
    let mut first = child?;
    let handle = pidfd_open(Pid::from_child(&first), PidfdFlags::empty())?;
    let handed = leash
        .write_all(&(input.len() as u64).to_le_bytes())
        .and_then(|()| leash.write_all(input));
    // Where it has ended already, its status tells more.
    if handed.is_ok() && !ended_before_standard_input(&handle, &mut leash)? {
        // It may not listen for signals yet, and looks for this when it does.
        drop(leash);
        end(&handle, signal_on_standard_input())?;
    }
    let status = first.wait().context("can't wait for its first process")?;
    if kind == Kind::Chroot {
        end_adopted();
    }
    let status = signals::passed_on(status);
    Ok(ExitCode::from(status.unwrap_or(mark::CANNOT)))
}

/// Waits until either ends, and tells whether it is the process. Until then it has what it asks for.
fn ended_before_standard_input(process: &OwnedFd, leash: &mut UnixStream) -> Result<bool> {
    let stdin = io::stdin();
    loop {
        let mut all = [
            PollFd::new(process, PollFlags::IN),
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(leash, PollFlags::IN),
        ];
        match poll(&mut all, None) {
            Ok(_) if !all[0].revents().is_empty() => return Ok(true),
            Ok(_) if !all[1].revents().is_empty() => return Ok(false),
            Ok(_) if all[2].revents().contains(PollFlags::IN) => {
                // It fails only where the process has gone.
                let _ = terminal::serve(leash);
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("can't wait for its first process"),
        }
    }
}

/// The signal that standard input ends with; that which asks to end where it ends with none.
fn signal_on_standard_input() -> Signal {
    let mut byte = [0];
    match io::stdin().lock().read(&mut byte) {
        Ok(1) if i32::from(byte[0]) == Signal::INT.as_raw() => Signal::INT,
        Ok(1) if i32::from(byte[0]) == Signal::HUP.as_raw() => Signal::HUP,
        _ => Signal::TERM,
    }
}

/// Ends a process: it may clean up for some time.
fn end(process: &OwnedFd, signal: Signal) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let _ = pidfd_send_signal(process, signal);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(process, PollFlags::IN)], left.as_ref()) {
            Ok(0) => break,
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("can't wait for its first process"),
        }
    }
    let _ = pidfd_send_signal(process, Signal::KILL);
    Ok(())
}

/// Ends what the processes of the sandbox have left running; without a namespace of its own the
/// kernel doesn't.
fn end_adopted() {
    loop {
        let children = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mine = children.filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let pid = entry.file_name().to_str()?.parse().ok()?;
            (parent(&stat)? == getpid().as_raw_pid()).then(|| Pid::from_raw(pid))?
        });
        let mine: Vec<Pid> = mine.collect();
        if mine.is_empty() {
            return;
        }
        for pid in mine {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
        }
    }
}

/// The parent of a process by its /proc/PID/stat, in which a name in parentheses may hold anything.
fn parent(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Starts what gives this process its users, outside of the namespace that it is about to have.
fn start_mapper(maps: &OsStr) -> Result<Child> {
    let mut mapper = mark::command("map");
    mapper.arg(maps).stdin(Stdio::piped());
    mapper.spawn().context("can't start another process")
}

/// Has it do so, now that there is a namespace.
fn finish_mapper(mut mapper: Child) -> Result<()> {
    drop(mapper.stdin.take());
    match mapper.wait().context("can't wait for another process")? {
        status if status.success() => Ok(()),
        _ => bail!("it has no users"),
    }
}

/// Gives users and groups to the process that started this one, when standard input ends: `MAPS`.
pub(super) fn map_ids(arguments: &[OsString]) -> Result<ExitCode> {
    let [maps] = arguments else {
        bail!("a map is needed");
    };
    let maps = maps.to_str().and_then(|maps| maps.split_once(':'));
    let (users, groups) = maps.context("there is no map")?;
    io::stdin().read_to_end(&mut Vec::new())?;
    let target = getppid().context("the process has gone")?.as_raw_pid();
    for (kind, map) in [(ids::Kind::Users, users), (ids::Kind::Groups, groups)] {
        if rustix::process::geteuid().is_root() {
            let path = format!("/proc/{target}/{}", kind.of_process());
            fs::write(&path, map).with_context(|| format!("can't write {path}"))?;
        } else {
            map_by_program(kind, target, map)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the program that may do so write a map.
fn map_by_program(kind: ids::Kind, target: i32, map: &str) -> Result<()> {
    let program = kind.program();
    let mut command = Command::new(program);
    command.arg(target.to_string()).args(map.split(' '));
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("can't run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} failed ({}): {}", output.status, said.trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_of_a_process_stands_behind_its_name() {
        assert_eq!(parent("12 (sh) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (a) b (c)) R 9 1"), Some(9));
        assert_eq!(parent("12"), None);
    }

    #[test]
    fn what_is_handed_over_is_complete_or_refused() {
        let whole = [&3_u64.to_le_bytes()[..], b"abcd"].concat();
        assert_eq!(read_input(&mut &whole[..]).unwrap(), b"abc");
        for end in [0, 5, 8, 10] {
            assert!(read_input(&mut &whole[..end]).is_err(), "{end}");
        }
    }
}
