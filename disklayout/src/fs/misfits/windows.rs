//! Names that Windows keeps for itself, on every filesystem that it reads.

/// Names of devices, which Windows opens, and Linux refuses on some of these filesystems, whatever
/// follows a dot.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// With one digit from 1 to 9, or the raised 1, 2 or 3 of Latin-1, behind it.
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// Refuses a name that Windows doesn't find a file by: that of a device, and one that ends with a
/// dot or a space, which it leaves out.
///
/// # Errors
/// Why there can't be such a name, as [`super::Survey::note`] takes it.
pub fn check_windows_name(name: &str) -> Result<(), String> {
    if name.ends_with(['.', ' ']) {
        return Err("ends with a dot or a space".to_owned());
    }
    match is_device(name) {
        true => Err("is the name of a device".to_owned()),
        false => Ok(()),
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let is = |device: &&str| stem.eq_ignore_ascii_case(device);
    let start = stem.strip_suffix(|c| matches!(c, '1'..='9' | '¹' | '²' | '³'));
    let is_numbered = |device: &&str| start.is_some_and(|it| it.eq_ignore_ascii_case(device));
    DEVICES.iter().any(is) || NUMBERED_DEVICES.iter().any(is_numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_refused_whatever_follows_a_dot() {
        for name in [
            "CON",
            "con",
            "Aux.txt",
            "nul.tar.gz",
            "prn",
            "COM1",
            "lpt9 .x",
            "com¹",
            "LPT³.a",
            "CONIN$",
            "conout$.log",
        ] {
            assert_eq!(
                check_windows_name(name).unwrap_err(),
                "is the name of a device",
                "{name}"
            );
        }
        for name in [
            "console", "com", "com0", "com10", "CONIN", "a.con", ".con", "lpt", "auxx", "⁴com4",
        ] {
            check_windows_name(name).unwrap();
        }
    }

    #[test]
    fn what_windows_cuts_off_is_refused() {
        for name in ["a.", "a ", "...", " "] {
            check_windows_name(name).unwrap_err();
        }
        check_windows_name(" a b.c").unwrap();
    }
}
