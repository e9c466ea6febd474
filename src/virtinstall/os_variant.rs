//! Which operating system virt-install is told of: it chooses the machine's devices by that.

use crate::distribution::{Distribution, leading_digits};

/// What makes virt-install look for itself, and go on when it doesn't know.
const DETECTED: &str = "detect=on,require=off";

/// The best name for `release` of `distribution` among `known`, the short names that libosinfo has
/// on this host. A release may be newer than the host, or a beta.
pub(super) fn choose(distribution: &Distribution, release: &str, known: &[String]) -> String {
    let wishes = distribution.os_variants.iter();
    let mut names = wishes.map(|wish| filled_in(wish, release));
    let found = names.find(|name| known.contains(name));
    found.unwrap_or_else(|| DETECTED.to_owned())
}

/// Whether `systems`, the table that osinfo-query prints, has an entry for `release` or at least
/// for its major number.
pub fn is_known(distribution: &Distribution, release: &str, systems: &str) -> bool {
    let known = short_names(systems);
    let mut names = distribution.os_variants.iter().filter_map(|wish| {
        let name = filled_in(wish, release);
        // What is the same for every release says nothing of this one.
        (name != *wish).then_some(name)
    });
    names.any(|name| known.contains(&name))
}

fn filled_in(wish: &str, release: &str) -> String {
    wish.replace("{release}", release)
        .replace("{major}", leading_digits(release))
}

/// The short names in the table that osinfo-query prints, whose first column they are.
pub(super) fn short_names(table: &str) -> Vec<String> {
    // A heading and a line come before them.
    let lines = table.lines().skip(2);
    let names = lines.filter_map(|line| line.split('|').next());
    names
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = " Short ID       | Version
----------------+----------
 rocky-unknown  |
 rocky8         | 8
 rocky8-unknown | 8-unknown
 rocky9         | 9
 rocky9.0       | 9.0
 rocky9-unknown | 9-unknown
";

    #[test]
    fn names_come_without_the_heading() {
        let names = short_names(PRINTED);
        assert_eq!(names.len(), 6);
        assert_eq!(
            (names[0].as_str(), names[5].as_str()),
            ("rocky-unknown", "rocky9-unknown")
        );
        assert!(short_names("").is_empty());
    }

    #[test]
    fn a_release_is_known_by_its_major_number() {
        for (release, expected) in [("9", true), ("9.7", true), ("8-BETA", true), ("10", false)] {
            let rocky = Distribution::default();
            assert_eq!(is_known(&rocky, release, PRINTED), expected, "{release}");
            assert!(!is_known(&rocky, release, ""), "{release}");
        }
    }

    #[test]
    fn unknown_releases_get_the_nearest_name() {
        let known = short_names(PRINTED);
        let choose = |release: &str, known: &[String]| {
            super::choose(&Distribution::default(), release, known)
        };
        for (release, expected) in [
            ("9", "rocky9-unknown"),
            ("9.7", "rocky9-unknown"),
            ("8-BETA", "rocky8-unknown"),
            ("8-LookAhead", "rocky8-unknown"),
            ("10", "rocky-unknown"),
            ("BETA", "rocky-unknown"),
        ] {
            assert_eq!(choose(release, &known), expected);
        }
        assert_eq!(choose("9", &["rocky9".to_owned()]), "rocky9");
        assert_eq!(
            choose("9.7", &["rocky9.7".to_owned(), "rocky9".to_owned()]),
            "rocky9.7"
        );
        assert_eq!(choose("9", &[]), DETECTED);
    }

    #[test]
    fn each_distribution_has_its_own_names() {
        let known = [
            "almalinux8",
            "almalinux9",
            "almalinux9.1",
            "fedora40",
            "fedora-unknown",
        ];
        let known = known.map(str::to_owned);
        for (name, release, expected) in [
            ("almalinux", "9", "almalinux9"),
            ("almalinux", "9.1", "almalinux9.1"),
            ("almalinux", "9.4", "almalinux9"),
            ("almalinux", "10", "almalinux8"),
            ("fedora", "40", "fedora40"),
            ("fedora", "41", "fedora-unknown"),
        ] {
            let distribution = Distribution::known(name).unwrap();
            assert_eq!(choose(&distribution, release, &known), expected);
            assert_eq!(choose(&distribution, release, &[]), DETECTED);
        }
    }
}
