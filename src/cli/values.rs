//! Values of options that are more than a word or a number.

use disklayout::source::{Mapping, Owners};

/// Owner and group by their numbers: names differ from machine to machine.
pub(super) fn owner(text: &str) -> Result<(u32, u32), String> {
    match Owners::parse_forced("", text) {
        Ok(Owners::Forced { uid, gid }) => Ok((uid, gid)),
        Ok(other) => Err(format!("{other:?} isn't one owner")),
        Err(error) => Err(error.message().to_owned()),
    }
}

/// Numbers of users or groups that become others.
pub(super) fn mapping(text: &str) -> Result<Mapping, String> {
    Mapping::parse("", text).map_err(|error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_two_numbers() {
        assert_eq!(owner("0:4294967294"), Ok((0, u32::MAX - 1)));
        for text in ["", "0", "a:b", "+1:0", "1:", "1:2:3", "0:4294967295"] {
            owner(text).unwrap_err();
        }
    }
}
