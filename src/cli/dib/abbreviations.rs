//! Beginnings of options that getopt takes for the whole.

use clap::Command;

/// The command, which also takes every beginning of one of `names` that is one of no other of them.
/// Without that, options that only this program has would make some ambiguous.
pub(super) fn taken(command: Command, names: &[&'static str]) -> Command {
    names.iter().fold(command, |command, name| {
        let is_known = command.get_arguments().any(|arg| arg.get_id() == name);
        match is_known {
            true => command.mut_arg(name, |arg| arg.aliases(beginnings(name, names))),
            false => command,
        }
    })
}

/// The beginnings of `name` that are one of no other name.
fn beginnings(name: &'static str, names: &[&str]) -> Vec<&'static str> {
    let beginnings = (1..name.len()).map(|end| &name[..end]);
    let is_unique = |beginning: &&str| {
        let mut meant = names.iter().filter(|other| other.starts_with(beginning));
        meant.next().is_some() && meant.next().is_none()
    };
    beginnings.filter(is_unique).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_belong_to_one_name() {
        let names = ["min", "max", "offline"];
        assert_eq!(beginnings("min", &names), ["mi"]);
        assert_eq!(beginnings("offline", &["offline", "off"])[0], "offl");
    }
}
