//! Addresses as they are shown: what is secret in them isn't.

/// What stands for a user name and a password.
const MASK: &str = "***";

/// `text` with a mask instead of the user name and the password in each address in it.
pub fn masked(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + "://".len());
        shown.push_str(before);
        rest = after;
        if let Some(end) = user_end(after) {
            shown.push_str(MASK);
            rest = &after[end..];
        }
    }
    shown.push_str(rest);
    shown
}

/// Whether there is a user name in an address.
pub fn has_user(address: &str) -> bool {
    masked(address) != address
}

/// Where the `@` behind a user name is, in what follows the scheme of an address.
fn user_end(after: &str) -> Option<usize> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '\'' | '"');
    let word = after.split(is_end).next().unwrap_or_default();
    let authority = word.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // What should be a port isn't one: a password with a '/' in it.
    let (_, port) = authority.rsplit_once(':')?;
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) || authority.ends_with(']');
    (!is_port).then(|| word.rfind('@')).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_are_masked_wherever_they_stand() {
        for (text, expected) in [
            ("https://u:secret@h/a", "https://***@h/a"),
            ("https://secret@h", "https://***@h"),
            ("http://u:a@secret@h:80/a", "http://***@h:80/a"),
            ("http://u:se/cret@h/a", "http://***@h/a"),
            (
                "can't get 'ftp://u:secret@h/a' or 'http://u:secret@i'",
                "can't get 'ftp://***@h/a' or 'http://***@i'",
            ),
            ("http://h/@scope/a", "http://h/@scope/a"),
            ("http://h:80/a@b?c=d@e", "http://h:80/a@b?c=d@e"),
            ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
            ("http://[::1]/a@b", "http://[::1]/a@b"),
            ("u@h", "u@h"),
            ("", ""),
        ] {
            assert_eq!(masked(text), expected);
            assert_eq!(has_user(text), text != expected, "{text}");
        }
    }
}
