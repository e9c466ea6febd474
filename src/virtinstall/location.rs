//! Where an installation tree is.

/// The trees of the distribution itself, by the words that stand for them.
const TREES: [(&str, &str); 2] = [
    ("pub", "https://download.rockylinux.org/pub/rocky"),
    ("stg", "https://download.rockylinux.org/stg/rocky"),
];

/// Where a mirror has the tree of a release and an architecture.
const BELOW_A_MIRROR: &str = "/{release}/BaseOS/{arch}/os";

/// The tree of `release` for `arch` at `source`: `pub`, `stg`, or the address of a mirror. An
/// address with `{release}` or `{arch}` in it is that of the tree itself.
pub(super) fn tree(source: &str, release: &str, arch: &str) -> String {
    let word = TREES.iter().find(|(word, _)| *word == source);
    let source = word.map_or(source, |(_, address)| address);
    let template = if source.contains("{release}") || source.contains("{arch}") {
        source.to_owned()
    } else {
        format!("{}{BELOW_A_MIRROR}", source.trim_end_matches('/'))
    };
    let tree = template
        .replace("{release}", release)
        .replace("{arch}", arch);
    // virt-install knows trees of this host by their paths only.
    match tree.strip_prefix("file://") {
        Some(path) => path.strip_prefix("localhost").unwrap_or(path).to_owned(),
        None => tree,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_lead_to_trees() {
        for (source, expected) in [
            (
                "pub",
                "https://download.rockylinux.org/pub/rocky/8-BETA/BaseOS/x86_64/os",
            ),
            (
                "stg",
                "https://download.rockylinux.org/stg/rocky/8-BETA/BaseOS/x86_64/os",
            ),
            (
                "http://mirror/rocky/",
                "http://mirror/rocky/8-BETA/BaseOS/x86_64/os",
            ),
            ("ftp://mirror/{arch}/tree", "ftp://mirror/x86_64/tree"),
            (
                "https://m/{release}-{arch}/os/",
                "https://m/8-BETA-x86_64/os/",
            ),
            ("file:///srv/{release}", "/srv/8-BETA"),
            ("file://localhost/srv/{release}", "/srv/8-BETA"),
            ("/srv/rocky", "/srv/rocky/8-BETA/BaseOS/x86_64/os"),
        ] {
            assert_eq!(tree(source, "8-BETA", "x86_64"), expected);
        }
    }
}
