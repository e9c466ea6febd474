//! The numbers of users and groups by their names, as `/etc/passwd` and `/etc/group` have them.

use std::collections::BTreeMap;

/// Users and groups by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    users: BTreeMap<Vec<u8>, u32>,
    groups: BTreeMap<Vec<u8>, u32>,
}

impl Accounts {
    /// Reads the text of an `/etc/passwd` and of an `/etc/group`. The first line of a name counts;
    /// lines that name no number are left out.
    pub fn parse(passwd: &[u8], group: &[u8]) -> Self {
        Self {
            users: numbers(passwd),
            groups: numbers(group),
        }
    }

    /// The number of a user.
    pub fn user(&self, name: &[u8]) -> Option<u32> {
        self.users.get(name).copied()
    }

    /// The number of a group.
    pub fn group(&self, name: &[u8]) -> Option<u32> {
        self.groups.get(name).copied()
    }
}

/// Lines of `NAME:PASSWORD:NUMBER`, with or without more behind.
fn numbers(text: &[u8]) -> BTreeMap<Vec<u8>, u32> {
    let mut numbers = BTreeMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut fields = line.split(|byte| *byte == b':');
        let (name, number) = (fields.next(), fields.nth(1));
        let number = number.and_then(|number| str::from_utf8(number).ok()?.parse().ok());
        // The highest number stands for nobody.
        let number = number.filter(|number| *number != u32::MAX);
        if let (Some(name @ [_, ..]), Some(number)) = (name, number) {
            numbers.entry(name.to_vec()).or_insert(number);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_with_a_number_counts() {
        let passwd = b"root:x:0:0::/root:/bin/sh\n\nadm:x:x\nadm:x:3:4\nadm:x:5:5\n+\n:x:7:7\n";
        let group = b"adm:x:4:\nnobody:x:4294967295:\nlast::9";
        let accounts = Accounts::parse(passwd, group);
        let users = [&b"root"[..], b"adm", b"", b"+"].map(|name| accounts.user(name));
        assert_eq!(users, [Some(0), Some(3), None, None]);
        let groups = [&b"adm"[..], b"nobody", b"last"].map(|name| accounts.group(name));
        assert_eq!(groups, [Some(4), None, Some(9)]);
    }
}
