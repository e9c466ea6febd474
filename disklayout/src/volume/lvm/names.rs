//! Which names LVM takes. `lvm(8)`, "VALID NAMES".

use crate::error::{Error, Result};
use crate::place::{Field, Place};

/// `NAME_LEN`, without the NUL.
const NAME_MAX: usize = 127;

/// What the names of a group and of one of its volumes have together at most: three more bytes name the
/// device that is made of both.
const BOTH_MAX: usize = 124;

/// What the kernel takes for the name of a device, in which hyphens of names are doubled.
const DEVICE_MAX: usize = 127;

/// What a tag has at most.
const TAG_MAX: usize = 1024;

/// What names of logical volumes may not begin with: LVM makes such ones itself.
const RESERVED_STARTS: [&str; 2] = ["snapshot", "pvmove"];

/// What they may not have in them: LVM calls the parts of volumes so.
const RESERVED_PARTS: [&str; 16] = [
    "_cdata", "_cmeta", "_corig", "_cvol", "_imeta", "_iorig", "_mimage", "_mlog", "_pmspare",
    "_rimage", "_rmeta", "_tdata", "_tmeta", "_vdata", "_vorigin", "_wcorig",
];

/// Refuses what can't be the name of a volume group.
pub(super) fn check_group(place: &Place, name: &str) -> Result<()> {
    refuse(place, "volume group", name, wrong_with(name))
}

/// Refuses what can't be the name of a logical volume in `group`.
pub(super) fn check_volume(place: &Place, group: &str, name: &str) -> Result<()> {
    let wrong = wrong_with(name)
        .or_else(|| reserved(name))
        .or_else(|| wrong_with_both(group, name));
    refuse(place, "logical volume", name, wrong)
}

/// Refuses what can't be a tag.
pub(super) fn check_tag(place: &Place, tag: &str) -> Result<()> {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"_+.-/=!:&#".contains(&byte);
    let wrong = match tag {
        "" => Some("is empty".to_owned()),
        _ if tag.len() > TAG_MAX => Some(format!(
            "has {} characters; {TAG_MAX} are the most",
            tag.len()
        )),
        _ if !tag.bytes().all(is_one) => {
            Some("has characters other than A-Z a-z 0-9 _ + . - / = ! : & #".to_owned())
        }
        _ => None,
    };
    match wrong {
        None => Ok(()),
        Some(wrong) => Err(Error::invalid(
            place.clone(),
            format!("the tag '{}' {wrong}", tag.escape_default()),
        )),
    }
}

fn refuse(place: &Place, what: &str, name: &str, wrong: Option<String>) -> Result<()> {
    let Some(wrong) = wrong else { return Ok(()) };
    let message = format!("the name '{}' of a {what} {wrong}", name.escape_default());
    Err(Error::invalid(place.field(Field::Name), message))
}

fn wrong_with(name: &str) -> Option<String> {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"+_.-".contains(&byte);
    Some(match name {
        "" => "is empty".to_owned(),
        "." | ".." => "is that of a directory".to_owned(),
        _ if name.starts_with('-') => "begins with a hyphen".to_owned(),
        _ if !name.bytes().all(is_one) => {
            "has characters other than A-Z a-z 0-9 + _ . -".to_owned()
        }
        _ if name.len() > NAME_MAX => {
            let len = name.len();
            format!("has {len} characters; {NAME_MAX} are the most")
        }
        _ => return None,
    })
}

fn reserved(name: &str) -> Option<String> {
    let start = RESERVED_STARTS
        .iter()
        .find(|start| name.starts_with(**start));
    let part = RESERVED_PARTS.iter().find(|part| name.contains(**part));
    match (start, part) {
        (Some(start), _) => Some(format!("begins with '{start}', which LVM keeps for itself")),
        (None, Some(part)) => Some(format!("has '{part}' in it, which LVM keeps for itself")),
        (None, None) => None,
    }
}

fn wrong_with_both(group: &str, name: &str) -> Option<String> {
    let both = group.len() + name.len();
    if both > BOTH_MAX {
        return Some(format!(
            "has {} characters, that of its group {}; both together may have {BOTH_MAX}",
            name.len(),
            group.len()
        ));
    }
    let hyphens = group.matches('-').count() + name.matches('-').count();
    let device = both + hyphens + 1;
    (device > DEVICE_MAX).then(|| {
        format!(
            "gives its device a name of {device} characters, since each hyphen is doubled in it; \
             {DEVICE_MAX} are the most"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(result: Result<()>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_of_groups() {
        let place = Place::from("vgs[0]");
        let long = "x".repeat(127);
        for name in [
            "a", "a-", "...", ".a", "snapshot", "x_tmeta", "0", "+", &long,
        ] {
            check_group(&place, name).unwrap();
        }
        let too_long = "x".repeat(128);
        for (name, why) in [
            ("", "empty"),
            (".", "directory"),
            ("..", "directory"),
            ("-a", "hyphen"),
            ("a b", "characters other than"),
            ("ä", "characters other than"),
            ("a/b", "characters other than"),
            (&too_long, "128 characters"),
        ] {
            let said = said(check_group(&place, name));
            assert!(
                said.starts_with("vgs[0].name: ") && said.contains(why),
                "{said}"
            );
        }
    }

    #[test]
    fn names_of_volumes() {
        let place = Place::from("lvs[0]");
        let check = |group: &str, name: &str| check_volume(&place, group, name);
        for name in ["a", "apvmove", "xsnapshot", "lvol0", "tmeta", "a_vpool"] {
            check("v", name).unwrap();
        }
        for name in ["snapshot", "snapshots", "pvmove", "pvmove0"] {
            let said = said(check("v", name));
            assert!(said.contains("begins with"), "{said}");
        }
        for part in RESERVED_PARTS {
            for name in [part.to_owned(), format!("a{part}"), format!("a{part}_0")] {
                let said = said(check("v", &name));
                assert!(said.contains(part), "{said}");
            }
        }
        check("v", &"x".repeat(123)).unwrap();
        assert!(said(check("v", &"x".repeat(124))).contains("together"));
        check(&"v".repeat(100), &"x".repeat(24)).unwrap();
        check(&"v".repeat(100), &"x".repeat(25)).unwrap_err();
        check("v", &"x-".repeat(41)).unwrap();
        assert!(said(check("v", &"x-".repeat(42))).contains("doubled"));
    }

    #[test]
    fn tags() {
        let place = Place::from("lvs[0]");
        let long = "x".repeat(1024);
        for tag in ["a", "-a", ".", "a/b", "a+b_c.d:e=f!g#h&i", &long] {
            check_tag(&place, tag).unwrap();
        }
        let too_long = "x".repeat(1025);
        for tag in ["", "a b", "@a", "a@b", "a,b", "a\"b", "ä", "a\\", &too_long] {
            check_tag(&place, tag).unwrap_err();
        }
    }
}
