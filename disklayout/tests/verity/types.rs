//! The types of the Discoverable Partitions Specification, by the names that systemd and fdisk have.

use disklayout::table::types::named;
use testkit::program::run;
use uuid::Uuid;

/// Names that mean another type on every machine.
fn is_alias(name: &str) -> bool {
    let words = ["root", "usr", "root-secondary", "usr-secondary"];
    let bare = name.trim_end_matches("-sig").trim_end_matches("-verity");
    words.contains(&bare)
}

#[test]
fn systemd_has_the_same_guids_for_names() {
    let said = run("systemd-id128", &["show"]).unwrap();
    let lines = said.lines().skip(1);
    let pairs: Vec<_> = lines.filter_map(|line| line.split_once(' ')).collect();
    let pairs = pairs.into_iter().filter(|(name, _)| !is_alias(name));
    let mut seen = 0;
    for (name, guid) in pairs {
        let kind = named(name).unwrap_or_else(|| panic!("{name} isn't known"));
        assert_eq!(kind.guid, guid.trim().parse::<Uuid>().unwrap(), "{name}");
        assert_eq!(kind.byte.is_none(), name.contains("-verity"), "{name}");
        seen += 1;
    }
    // 21 processors with six types each, and what doesn't depend on one.
    assert!(seen >= 21 * 6 + 9, "{seen}");
}

#[test]
fn fdisk_has_the_same_titles_for_guids() {
    let said = run("sfdisk", &["--list-types", "--label", "gpt"]).unwrap();
    let lines = said.lines().filter_map(|line| line.split_once("  "));
    let of_linux = lines.filter(|(_, title)| {
        let title = title.trim();
        title.starts_with("Linux ") && title != "Linux reserved"
    });
    let mut seen = 0;
    for (guid, title) in of_linux {
        let kind = named(title).unwrap_or_else(|| panic!("{title} isn't known"));
        assert_eq!(kind.guid, guid.parse::<Uuid>().unwrap(), "{title}");
        assert_eq!(kind.title, title.trim());
        seen += 1;
    }
    assert!(seen >= 18 * 6 + 8, "{seen}");
}
