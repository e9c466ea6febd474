//! `/etc/default/grub`, which GRUB's configuration is made from.

use crate::console;
use crate::system::Grub;

/// Where it is in a tree.
pub(super) const PATH: &str = "/etc/default/grub";

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

/// What is set for a system of this architecture, in this order.
fn settings(grub: &Grub, architecture: &str, is_encrypted: bool) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    if grub.kernel_parameters.is_some() || grub.serial || grub.quiet {
        let parameters = quoted(&parameters(grub, architecture).join(" "));
        settings.push(("GRUB_CMDLINE_LINUX_DEFAULT", parameters));
    }
    // GRUB would ask for a passphrase to read what it doesn't need.
    let opens = if is_encrypted { "n" } else { "y" };
    settings.push(("GRUB_ENABLE_CRYPTODISK", opens.to_owned()));
    if let Some(seconds) = grub.timeout {
        settings.push(("GRUB_TIMEOUT", seconds.to_string()));
    }
    match (grub.serial, console::has_numbered_ports(architecture)) {
        (false, _) => {}
        (true, true) => {
            settings.push(("GRUB_TERMINAL", "serial".to_owned()));
            settings.push(("GRUB_SERIAL_COMMAND", quoted(SERIAL_COMMAND)));
        }
        (true, false) => settings.push(("GRUB_TERMINAL", "console".to_owned())),
    }
    settings
}

/// What the kernel is told.
fn parameters(grub: &Grub, architecture: &str) -> Vec<String> {
    let mut parameters = grub.kernel_parameters.clone().unwrap_or_default();
    let mut add = |more: &[&str]| parameters.extend(more.iter().map(|&it| it.to_owned()));
    if grub.serial {
        let console = format!("console={},115200n8", console::serial(architecture));
        add(&["loglevel=3", "console=tty0", &console]);
    }
    match grub.quiet {
        true => add(&QUIET),
        false => add(&[TELLING]),
    }
    parameters
}

/// The file of a system of this architecture with all that is asked for in it: in place of a line
/// that sets the same, behind one that would if it weren't a comment, or at its end. GRUB opens nothing
/// that `is_encrypted`.
pub(super) fn edited(text: &str, grub: &Grub, architecture: &str, is_encrypted: bool) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (name, value) in settings(grub, architecture, is_encrypted) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Firmware;

    fn grub(firmware: Firmware, serial: bool, quiet: bool) -> Grub {
        let parameters = ["biosdevname=0", "net.ifnames=0", "consoleblank=0", "rw"];
        Grub {
            firmware,
            root: 0,
            esp: None,
            serial,
            quiet,
            timeout: Some(0),
            kernel_parameters: Some(parameters.map(str::to_owned).into()),
            installs_packages: false,
        }
    }

    /// What Debian 12 has in it, without most of the comments.
    const DEBIAN: &str = "\
# If you change this file, run 'update-grub' afterwards to update
GRUB_DEFAULT=0
GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"
GRUB_CMDLINE_LINUX=\"\"

#GRUB_DISABLE_OS_PROBER=false

#GRUB_TERMINAL=console

#GRUB_GFXMODE=640x480
";

    /// The lines that vmdb2 0.40 has left of it, with a serial console.
    const RECORDED: &str = "\
# If you change this file, run 'update-grub' afterwards to update
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
GRUB_CMDLINE_LINUX_DEFAULT=\"biosdevname=0 net.ifnames=0 consoleblank=0 rw loglevel=3 console=tty0 console=ttyS0,115200n8 systemd.show_status=true\"
GRUB_CMDLINE_LINUX=\"\"

#GRUB_DISABLE_OS_PROBER=false

#GRUB_TERMINAL=console
GRUB_TERMINAL=serial

#GRUB_GFXMODE=640x480
GRUB_ENABLE_CRYPTODISK=y
GRUB_SERIAL_COMMAND=\"serial --speed=115200 --unit=0 --word=8 --parity=no --stop=1\"
";

    #[test]
    fn the_lines_are_those_of_vmdb2() {
        for firmware in [Firmware::Bios, Firmware::Uefi] {
            assert_eq!(
                edited(DEBIAN, &grub(firmware, true, false), "amd64", false),
                RECORDED
            );
            assert_eq!(
                edited(RECORDED, &grub(firmware, true, false), "amd64", false),
                RECORDED
            );
        }
    }

    #[test]
    fn the_console_is_that_of_the_architecture() {
        let grub = grub(Firmware::Uefi, true, false);
        assert_eq!(edited(DEBIAN, &grub, "i386", false), RECORDED);
        let text = edited(DEBIAN, &grub, "arm64", false);
        assert!(
            text.contains(" console=tty0 console=ttyAMA0,115200n8 "),
            "{text}"
        );
        assert!(text.contains("\nGRUB_TERMINAL=console\n"), "{text}");
        assert!(!text.contains("GRUB_SERIAL_COMMAND"), "{text}");
    }

    #[test]
    fn what_is_said_to_the_kernel_follows_from_the_console() {
        for (serial, quiet, expected) in [
            (false, false, "rw systemd.show_status=true\""),
            (
                false,
                true,
                "rw quiet systemd.show_status=false rd.systemd.show_status=false\"",
            ),
            (
                true,
                true,
                "rw loglevel=3 console=tty0 console=ttyS0,115200n8 quiet \
                 systemd.show_status=false rd.systemd.show_status=false\"",
            ),
        ] {
            let text = edited("", &grub(Firmware::Bios, serial, quiet), "amd64", false);
            let start = "GRUB_CMDLINE_LINUX_DEFAULT=\"biosdevname=0 net.ifnames=0 consoleblank=0 ";
            let first = text.lines().next().unwrap();
            assert_eq!(first, format!("{start}{expected}"));
            assert_eq!(text.contains("GRUB_TERMINAL=serial\n"), serial);
            assert_eq!(text.lines().count(), if serial { 5 } else { 3 }, "{text}");
        }
    }

    #[test]
    fn a_setting_takes_the_place_that_it_has() {
        for (before, after) in [
            ("", "A=1"),
            ("X=2\nY=3", "X=2\nY=3\nA=1"),
            ("X=2\nA=0\nY=3", "X=2\nA=1\nY=3"),
            ("X=2\n#A=0\nY=3", "X=2\n#A=0\nA=1\nY=3"),
            ("#A=7\nX=2\nA=0\nY=3", "#A=7\nX=2\nA=1\nY=3"),
            ("A=0\nX=2\nA=5\nY=3", "A=0\nX=2\nA=1\nY=3"),
            ("  A=0", "A=1"),
            ("#A=0\n#A=5", "#A=0\nA=1\n#A=5"),
            ("AB=0\n#AB=0\nBA=0", "AB=0\n#AB=0\nBA=0\nA=1"),
            ("# A=0", "# A=0\nA=1"),
            ("A =0", "A =0\nA=1"),
        ] {
            let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
            set(&mut lines, "A", "A=1".to_owned());
            assert_eq!(lines.join("\n"), after, "{before}");
        }
    }

    #[test]
    fn a_shell_reads_what_was_meant() {
        let awkward = r#"a "b" $HOME `id` \ 'c' $(id)"#;
        let mut grub = grub(Firmware::Bios, false, false);
        grub.kernel_parameters = Some(vec![awkward.to_owned()]);
        let script =
            edited("", &grub, "amd64", false) + "printf %s \"$GRUB_CMDLINE_LINUX_DEFAULT\"";
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output();
        let said = String::from_utf8(output.unwrap().stdout).unwrap();
        assert_eq!(said, format!("{awkward} {TELLING}"));
    }
}
