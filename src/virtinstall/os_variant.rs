//! Which operating system virt-install is told of: it chooses the machine's devices by that.

/// What makes virt-install look for itself, and go on when it doesn't know.
const DETECTED: &str = "detect=on,require=off";

/// A release of any number.
const ANY: &str = "rocky-unknown";

/// The best name for `release` among `known`, the short names that libosinfo has on this host.
///
/// A release may be newer than the host, or a beta: then it is the unknown one of its major
/// number, then an unknown one at all.
pub(super) fn choose(release: &str, known: &[String]) -> String {
    let major_end = release.find(|c: char| !c.is_ascii_digit());
    let major = &release[..major_end.unwrap_or(release.len())];
    let wishes = [
        format!("rocky{release}-unknown"),
        format!("rocky{major}-unknown"),
        format!("rocky{release}"),
        format!("rocky{major}"),
        ANY.to_owned(),
    ];
    let found = wishes.into_iter().find(|wish| known.contains(wish));
    found.unwrap_or_else(|| DETECTED.to_owned())
}

/// Whether `systems`, the table that osinfo-query prints, has an entry for `release` or at least
/// for its major number.
pub fn is_known(release: &str, systems: &str) -> bool {
    let chosen = choose(release, &short_names(systems));
    chosen != DETECTED && chosen != ANY
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
            assert_eq!(is_known(release, PRINTED), expected, "{release}");
            assert!(!is_known(release, ""), "{release}");
        }
    }

    #[test]
    fn unknown_releases_get_the_nearest_name() {
        let known = short_names(PRINTED);
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
}
