//! What installations need beside their programs: libvirt, memory, kickstarts, known releases.

use std::path::Path;

use foreign::run::{Packages, Runner};
use indicatif::BinaryBytes;

use super::check::{Check, grouped};
use super::directory;
use super::images::Images;
use crate::command::{Context, kickstart};
use crate::engine::{Memory, OVERHEAD_MIB};
use crate::image::{Image, InstallRecipe};
use crate::osinfo::{self, OSINFO_QUERY};
use crate::virtinstall::connect;
use crate::virtinstall::hypervisor::Facts;
use crate::virtinstall::{self, Installation, VirtType};

/// What brings the daemon of libvirt with QEMU.
const DAEMON: Packages = Packages::two(
    "libvirt-daemon-system",
    "libvirt-daemon-kvm",
    "Fedora, Rocky",
);

type Installs<'a> = Vec<(&'a Image, &'a InstallRecipe)>;

/// Everything that the installations among `images` need.
pub(super) fn checks(context: &Context, images: &Images<'_>, runner: &Runner) -> Vec<Check> {
    let installs: Installs<'_> = images.installs().collect();
    let names: Vec<_> = installs.iter().map(|(image, _)| *image).collect();
    let settings = &context.settings.install;
    if installs.is_empty() {
        return vec![Check::unneeded(
            "libvirt",
            "no system is to be installed here",
        )];
    }
    let mut checks = libvirt(&context.settings.directory, settings, &names);
    let (plans, refusals) = plans(context, &installs);
    checks.extend(refusals);
    let largest = plans.iter().map(|plan| plan.memory_mib).max();
    checks.extend(
        largest
            .zip(Memory::of_host())
            .map(|(wanted, there)| memory(wanted, there).of(&names)),
    );
    checks.extend(known_releases(&installs, runner));
    checks
}

/// libvirt as it answers, and what follows from that.
fn libvirt(directory: &Path, settings: &virtinstall::Settings, names: &[&Image]) -> Vec<Check> {
    let host = connect::open(settings.connect.as_deref());
    let facts = match host.and_then(|host| host.facts()) {
        Ok(facts) => facts,
        Err(error) => {
            let check = Check::missing("libvirt", format!("{error:#}")).of(names);
            // Another package doesn't help a program that was built without it.
            let has_libvirt = cfg!(feature = "libvirt");
            return vec![if has_libvirt {
                check.with(DAEMON)
            } else {
                check
            }];
        }
    };
    let text = format!("{}, {}", facts.uri, facts.hypervisor);
    let mut checks = vec![Check::ok("libvirt", text).of(names)];
    checks.push(acceleration(&facts, settings.virt_type).of(names));
    if is_of_system(&facts.uri) {
        // What is wrong with the directory itself is told with it.
        checks.extend(directory::reach(directory, names).ok());
    }
    checks
}

/// Whether machines at `uri` run as a user of their own.
fn is_of_system(uri: &str) -> bool {
    uri.starts_with("qemu")
        && uri
            .split('?')
            .next()
            .is_some_and(|uri| uri.ends_with("/system"))
}

/// How machines run.
fn acceleration(facts: &Facts, virt_type: VirtType) -> Check {
    const NAME: &str = "kvm";
    let advice =
        "see that /dev/kvm is there and that the processor's virtualization is switched on";
    match (virt_type, facts.has_kvm) {
        (VirtType::Kvm, false) => Check::missing(
            NAME,
            format!("--virt-type asks for it, libvirt has none: {advice}"),
        ),
        (VirtType::Auto, false) => Check::remark(
            NAME,
            format!("installations are emulated, which is slow: {advice}"),
        ),
        (VirtType::Qemu, _) => Check::remark(
            NAME,
            "installations are emulated, which is slow: --virt-type asks for it",
        ),
        (VirtType::Auto | VirtType::Kvm, true) => Check::ok(NAME, "virtual machines can use it"),
    }
}

/// The installations that can be planned, and what is against the others.
fn plans(context: &Context, installs: &Installs<'_>) -> (Vec<Installation>, Vec<Check>) {
    let (mut plans, mut refused) = (vec![], vec![]);
    for (image, recipe) in installs {
        let settings = &context.settings.install;
        let plan = kickstart::find(&context.data, image).and_then(|kickstart| {
            Installation::plan(&image.file_name, recipe, kickstart, "", settings)
        });
        match plan {
            Ok(plan) => plans.push(plan),
            Err(error) => refused.push((*image, format!("{error:#}"))),
        }
    }
    let mut checks = grouped(&refused, |message| Check::missing("kickstarts", message));
    if !plans.is_empty() {
        let count = plans.len();
        let text = format!("found for {count} of {} installations", installs.len());
        checks.insert(0, Check::ok("kickstarts", text));
    }
    (plans, checks)
}

/// Whether a machine of `wanted` MiB can run.
fn memory(wanted: u64, there: Memory) -> Check {
    let shown = |mib: u64| BinaryBytes(mib << 20);
    let (machine, available) = (shown(wanted), shown(there.available_mib));
    if wanted > there.all_mib {
        let all = shown(there.all_mib);
        let text =
            format!("a virtual machine has {machine}, the host has {all} with its swap space");
        return Check::missing("memory", text);
    }
    let text = format!("{available} are available, a virtual machine has {machine}");
    if wanted + OVERHEAD_MIB > there.available_mib {
        return Check::remark("memory", text);
    }
    Check::ok("memory", text)
}

/// Whether the database knows the releases. That it isn't there is told with the other programs.
fn known_releases(installs: &Installs<'_>, runner: &Runner) -> Option<Check> {
    runner.find(&"doctor".into(), OSINFO_QUERY).ok()?;
    Some(match osinfo::releases(runner) {
        Ok(systems) => releases(installs, &systems),
        Err(error) => Check::remark("osinfo", error.message()),
    })
}

fn releases(installs: &Installs<'_>, systems: &str) -> Check {
    let is_unknown = |recipe: &InstallRecipe| {
        !virtinstall::is_known(&recipe.distribution, &recipe.release, systems)
    };
    let unknown = installs.iter().filter(|(_, recipe)| is_unknown(recipe));
    let (images, mut names): (Vec<&Image>, Vec<&str>) = unknown
        .map(|(image, recipe)| (*image, recipe.release.as_str()))
        .unzip();
    if images.is_empty() {
        return Check::ok(
            "osinfo",
            "the database of operating systems knows every release",
        );
    }
    names.sort_unstable();
    names.dedup();
    let text = format!(
        "the database of operating systems doesn't know {}; virtual machines get devices that any \
         system has",
        names.join(", ")
    );
    Check::remark("osinfo", text).of(&images)
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn without_kvm_installations_are_slow_or_impossible() {
        use VirtType::{Auto, Kvm, Qemu};
        for (virt_type, has_kvm, expected) in [
            (Auto, true, State::Ok),
            (Auto, false, State::Remark),
            (Kvm, true, State::Ok),
            (Kvm, false, State::Missing),
            (Qemu, true, State::Remark),
            (Qemu, false, State::Remark),
        ] {
            let facts = Facts {
                uri: "qemu:///system".into(),
                hypervisor: "QEMU 7.2.22".into(),
                has_kvm,
            };
            let check = acceleration(&facts, virt_type);
            assert_eq!(check.state, expected, "{check:?}");
        }
    }

    #[test]
    fn one_machine_needs_its_memory() {
        for (wanted, available_mib, all_mib, expected) in [
            (3072, 3584, 8192, State::Ok),
            (3072, 3583, 8192, State::Remark),
            (3072, 100, 3072, State::Remark),
            (3073, 100, 3072, State::Missing),
        ] {
            let there = Memory {
                available_mib,
                all_mib,
            };
            let check = memory(wanted, there);
            assert_eq!(check.state, expected, "{check:?}");
        }
    }

    #[test]
    fn machines_of_the_system_have_a_user_of_their_own() {
        for (uri, expected) in [
            ("qemu:///system", true),
            ("qemu+unix:///system?socket=/run/x", true),
            ("qemu:///session", false),
            ("test:///default", false),
        ] {
            assert_eq!(is_of_system(uri), expected, "{uri}");
        }
    }
}
