//! What systems are assembled with. No image of a configuration needs it, so that nothing of it is
//! missing; that something can't be done is remarked.

use foreign::run::{Runner, Tool};

use super::check::Check;
use crate::rootfs::{ANSIBLE, DEBOOTSTRAP, MMDEBSTRAP, NO_CONNECTION, has_chroot_connection};
use crate::sandbox::{Architecture, Host, Kind, Obstacle, Unrunnable};

/// What it is for.
const USE: &str = "for systems (createhdds vmdb2)";

/// All checks; programs are where `runner` looks for them.
pub(super) fn checks(runner: &Runner) -> Vec<Check> {
    let host = Host::look();
    let mut checks = sandbox(&host);
    let find = |tool: Tool| runner.find(&disklayout::Place::from(tool.program), tool);
    let found = |tool: Tool| find(tool).is_ok();
    checks.push(match (found(MMDEBSTRAP), found(DEBOOTSTRAP)) {
        (true, _) => Check::ok(MMDEBSTRAP.program, format!("makes base systems, {USE}")),
        (false, true) => Check::ok(DEBOOTSTRAP.program, format!("makes base systems, {USE}")),
        (false, false) => Check::remark(
            MMDEBSTRAP.program,
            format!(
                "not installed, nor is debootstrap; one of them is needed {USE}: install {}",
                MMDEBSTRAP.packages
            ),
        ),
    });
    checks.push(match found(ANSIBLE) {
        true if !has_chroot_connection() => {
            Check::remark(ANSIBLE.packages.debian, format!("{NO_CONNECTION}, {USE}"))
        }
        true => Check::ok(ANSIBLE.packages.debian, format!("plays playbooks, {USE}")),
        false => Check::unneeded(
            ANSIBLE.packages.debian,
            format!("not installed, needed by playbooks alone, {USE}"),
        ),
    });
    let kind = host.map_or(Kind::User, |host| host.kind);
    checks.push(emulators(
        Architecture::all().map(|it| (it, it.check(kind))),
    ));
    checks
}

/// Whether there can be a sandbox.
fn sandbox(host: &Result<Host, Vec<Obstacle>>) -> Vec<Check> {
    let name = "sandbox";
    match host {
        Ok(host) => {
            let text = match host.kind {
                Kind::User => "namespaces of this user's own",
                Kind::Root => "namespaces, as root",
                Kind::Chroot => "no namespaces are allowed here: chroot, as root, without /proc",
            };
            vec![match host.kind {
                Kind::User | Kind::Root => Check::ok(name, format!("{text}, {USE}")),
                Kind::Chroot => Check::remark(name, format!("{text}, {USE}")),
            }]
        }
        Err(obstacles) => obstacles
            .iter()
            .map(|obstacle| Check::remark(name, format!("impossible {USE}: {obstacle}")))
            .collect(),
    }
}

/// Of which architectures systems can be made: what is in the way of each is given.
fn emulators(all: impl Iterator<Item = (Architecture, Result<(), Unrunnable>)>) -> Check {
    let name = "qemu-user";
    let (mut run, mut others, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    for (architecture, answer) in all {
        match answer {
            Ok(()) => run.push(architecture.debian),
            Err(why) => {
                others.push(architecture.debian);
                reasons.push(why);
            }
        }
    }
    let run = format!("programs of {} run here, {USE}", run.join(", "));
    // What brings one brings all of them.
    match reasons.first() {
        None => Check::ok(name, run),
        Some(why) => {
            let others = others.join(", ");
            Check::unneeded(name, format!("{run}; those of {others} don't: {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn what_is_in_the_way_of_a_sandbox_is_remarked_with_its_remedy() {
        let obstacles = vec![
            Obstacle::Program("newuidmap"),
            Obstacle::Namespaces("none here".to_owned()),
        ];
        let checks = sandbox(&Err(obstacles));
        let said: Vec<_> = checks
            .iter()
            .map(|it| (it.state, it.text.as_str()))
            .collect();
        assert_eq!(said.len(), 2);
        assert!(said.iter().all(|(state, _)| *state == State::Remark));
        assert!(said[0].1.contains("'uidmap'") && said[1].1.ends_with("none here"));
    }

    #[test]
    fn architectures_that_lack_something_are_told_with_what_brings_it() {
        let [amd, arm] = ["amd64", "arm64"].map(|name| Architecture::named(name).unwrap());
        let check = emulators([(amd, Ok(())), (arm, Ok(()))].into_iter());
        let expected = "programs of amd64, arm64 run here, for systems (createhdds vmdb2)";
        assert_eq!((check.state, &*check.text), (State::Ok, expected));
        let why = Unrunnable::Emulator("qemu-aarch64-static".to_owned());
        let check = emulators([(amd, Ok(())), (arm, Err(why))].into_iter());
        assert_eq!(check.state, State::Unneeded);
        let expected = "programs of amd64 run here, for systems (createhdds vmdb2); those of arm64 \
                        don't: qemu-aarch64-static isn't installed; install the package \
                        'qemu-user-static'";
        assert_eq!(check.text, expected);
    }
}
