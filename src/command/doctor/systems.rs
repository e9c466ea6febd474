//! What systems are assembled with. No image of a configuration needs it, so that nothing of it is
//! missing; that something can't be done is remarked.

use foreign::run::{Runner, Tool};

use super::check::Check;
use crate::rootfs::{ANSIBLE, DEBOOTSTRAP, EMULATORS, MMDEBSTRAP};
use crate::sandbox::{Architecture, Host, Kind, Obstacle};

/// What it is for.
const USE: &str = "for systems (createhdds vmdb2)";

/// All checks; programs are where `runner` looks for them.
pub(super) fn checks(runner: &Runner) -> Vec<Check> {
    let mut checks = sandbox(&Host::look());
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
        true => Check::ok(ANSIBLE.packages.debian, format!("plays playbooks, {USE}")),
        false => Check::unneeded(
            ANSIBLE.packages.debian,
            format!("not installed, needed by playbooks alone, {USE}"),
        ),
    });
    checks.push(emulators());
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

/// Whether systems of another architecture can be made.
fn emulators() -> Check {
    let name = "qemu-user";
    let others = ["arm64", "amd64"]
        .into_iter()
        .filter_map(Architecture::named);
    let others: Vec<_> = others.filter(|it| !it.is_run_here()).collect();
    match others.iter().all(|it| it.emulator().is_some()) {
        true => Check::ok(name, format!("runs programs of other architectures, {USE}")),
        false => Check::unneeded(
            name,
            format!(
                "not installed, needed by other architectures alone, {USE}: install {EMULATORS}"
            ),
        ),
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
}
