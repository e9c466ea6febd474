//! `/etc/default/grub`, which GRUB's configuration is made from.

use crate::system::Grub;

/// Where it is in a tree.
pub(super) const PATH: &str = "/etc/default/grub";

/// What the kernel is told where the console is serial.
const SERIAL: [&str; 3] = ["loglevel=3", "console=tty0", "console=ttyS0,115200n8"];

/// What it is told where it is to say little.
const QUIET: [&str; 3] = [
    "quiet",
    "systemd.show_status=false",
    "rd.systemd.show_status=false",
];

/// What it is told otherwise.
const TELLING: &str = "systemd.show_status=true";

/// How GRUB uses the first serial port.
const SERIAL_COMMAND: &str = "serial --speed=115200 --unit=0 --word=8 --parity=no --stop=1";

/// What is set, in this order.
fn settings(grub: &Grub) -> Vec<(&'static str, String)> {
    let mut parameters: Vec<&str> = grub.kernel_parameters.iter().map(String::as_str).collect();
    if grub.serial {
        parameters.extend(SERIAL);
    }
    match grub.quiet {
        true => parameters.extend(QUIET),
        false => parameters.push(TELLING),
    }
    let mut settings = vec![
        ("GRUB_CMDLINE_LINUX_DEFAULT", quoted(&parameters.join(" "))),
        ("GRUB_ENABLE_CRYPTODISK", "y".to_owned()),
        ("GRUB_TIMEOUT", grub.timeout.to_string()),
    ];
    if grub.serial {
        settings.push(("GRUB_TERMINAL", "serial".to_owned()));
        settings.push(("GRUB_SERIAL_COMMAND", quoted(SERIAL_COMMAND)));
    }
    settings
}

/// The file with all that is asked for in it: in place of a line that sets the same, behind one that
/// would if it weren't a comment, or at its end.
pub(super) fn edited(text: &str, grub: &Grub) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (name, value) in settings(grub) {
        set(&mut lines, name, format!("{name}={value}"));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn set(lines: &mut Vec<String>, name: &str, setting: String) {
    let sets = |line: &String, name: &str| {
        let value = line.trim_start().strip_prefix(name);
        value.is_some_and(|value| value.starts_with('='))
    };
    // Of several, the last one counts.
    if let Some(active) = lines.iter().rposition(|line| sets(line, name)) {
        lines[active] = setting;
        return;
    }
    let comment = format!("#{name}");
    match lines.iter().position(|line| sets(line, &comment)) {
        Some(commented) => lines.insert(commented + 1, setting),
        None => lines.push(setting),
    }
}

/// `text` between double quotes, as a shell reads it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}
