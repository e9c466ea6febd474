//! The distributions whose systems are installed: what their images are called, where their trees
//! are, how libosinfo calls them, and who tells their current release.

use std::fmt;

/// How far a release is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// It is out.
    #[default]
    Released,
    /// It has a branch of its own, and isn't out yet.
    Branched,
    /// It is what everything goes into first.
    Rawhide,
}

/// What sets of images of one distribution have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// The word for it, or for the one that it is like.
    pub name: &'static str,
    /// What stands before the release in file names: `rocky`. It doesn't end in a digit.
    pub prefix: String,
    /// Where the trees of releases are: the address of a mirror, or of the tree itself when it has
    /// `{release}`, `{arch}` or `{variant}` in it.
    pub tree: String,
    /// The same for releases that are made ready, where there is such a place.
    pub staged: Option<String>,
    /// The same for releases that aren't out yet, where there is such a place.
    pub development: Option<String>,
    /// Where a mirror has the trees of released, of branched releases and of Rawhide.
    pub(crate) below_a_mirror: [&'static str; 3],
    /// Short names of libosinfo, the best one first. `{release}` and `{major}` are filled in.
    pub os_variants: Vec<String>,
    /// The address of the document that tells the current release.
    pub release_url: String,
    /// After how many days an image is outdated where nothing else is said.
    pub maxage_days: u64,
    /// The last release that was made for i686, where releases are counted.
    pub last_i686: Option<u64>,
}

/// The words for the distributions that are known.
pub const NAMES: [&str; 3] = ["rocky", "almalinux", "fedora"];

/// What is filled in in the address of a tree.
pub const PLACEHOLDERS: [&str; 3] = ["{release}", "{arch}", "{variant}"];

/// How the addresses of mirrors begin.
const SCHEMES: [&str; 4] = ["http://", "https://", "ftp://", "file://"];

/// Where mirrors of Enterprise Linux have the tree of a release and an architecture.
const ENTERPRISE_LINUX: &str = "/{release}/BaseOS/{arch}/os";

/// What the file names of installed systems end in, before the extension.
const ARCHES: [&str; 11] = [
    "x86_64", "i686", "i386", "aarch64", "armv7l", "armhfp", "ppc64", "ppc64le", "s390x",
    "riscv64", "noarch",
];

/// Whose an image is by its file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This set may have made it.
    Ours,
    /// A set of another distribution has made it: of this one, where it is known.
    Other(Option<&'static str>),
}

impl Distribution {
    /// The distribution that is called `name`.
    pub fn known(name: &str) -> Option<Self> {
        match name {
            "rocky" => Some(Self::rocky()),
            "almalinux" => Some(Self::almalinux()),
            "fedora" => Some(Self::fedora()),
            _ => None,
        }
    }

    fn rocky() -> Self {
        Self {
            name: "rocky",
            prefix: "rocky".into(),
            tree: "https://download.rockylinux.org/pub/rocky".into(),
            staged: Some("https://download.rockylinux.org/stg/rocky".into()),
            development: None,
            below_a_mirror: [ENTERPRISE_LINUX; 3],
            os_variants: [
                "rocky{release}-unknown",
                "rocky{major}-unknown",
                "rocky{release}",
                "rocky{major}",
                "rocky-unknown",
            ]
            .map(Into::into)
            .into(),
            release_url: "https://endoflife.date/api/rocky-linux.json".into(),
            maxage_days: 14,
            last_i686: Some(8),
        }
    }

    fn almalinux() -> Self {
        Self {
            name: "almalinux",
            prefix: "al".into(),
            tree: "https://repo.almalinux.org/almalinux".into(),
            staged: None,
            development: None,
            below_a_mirror: ["/{release}/BaseOS/{arch}/os/"; 3],
            os_variants: ["almalinux{release}", "almalinux{major}", "almalinux8"]
                .map(Into::into)
                .into(),
            release_url: "https://endoflife.date/api/almalinux.json".into(),
            maxage_days: 7,
            last_i686: Some(8),
        }
    }

    fn fedora() -> Self {
        Self {
            name: "fedora",
            prefix: "f".into(),
            tree: "https://download.fedoraproject.org/pub/{collection}".into(),
            staged: None,
            development: Some("https://dl.fedoraproject.org/pub/{collection}".into()),
            below_a_mirror: [
                "/releases/{release}/{variant}/{basearch}/os/",
                "/development/{release}/{variant}/{basearch}/os/",
                "/development/rawhide/{variant}/{basearch}/os",
            ],
            os_variants: ["fedora{release}", "fedora-unknown"].map(Into::into).into(),
            release_url: "https://fedorapeople.org/groups/qa/metadata/release.json".into(),
            maxage_days: 7,
            last_i686: None,
        }
    }

    /// Where a mirror has the tree of a release of `stage`.
    pub fn below_a_mirror(&self, stage: Stage) -> &'static str {
        let [released, branched, rawhide] = self.below_a_mirror;
        match stage {
            Stage::Released => released,
            Stage::Branched => branched,
            Stage::Rawhide => rawhide,
        }
    }

    /// Whether its releases are called by words too: `stable`, `branched` and `rawhide`.
    pub fn has_words(&self) -> bool {
        self.development.is_some()
    }

    /// How libosinfo's short names of its releases begin: `rocky`.
    pub fn os_prefix(&self) -> &str {
        let best = self.os_variants.first().map_or("", String::as_str);
        best.split('{').next().unwrap_or_default()
    }

    /// Whether there is such a thing as `release` for `arch`.
    pub fn is_released(&self, release: &str, arch: &str) -> bool {
        let Some(last) = self.last_i686.filter(|_| arch == "i686") else {
            return true;
        };
        let digits = leading_digits(release);
        let major: Result<u64, _> = digits.parse();
        digits.is_empty() || major.is_ok_and(|major| major <= last)
    }

    /// Whose the image called `file_name` is. What is called like an installed system may be ours
    /// only if its release stands behind our prefix; other names are those of layouts, which all
    /// sets share.
    pub fn owner_of(&self, file_name: &str) -> Owner {
        let stems = [".qcow2", ".img"].map(|end| file_name.strip_suffix(end));
        let stem = stems.into_iter().flatten().next();
        let Some(rest) = stem.and_then(|stem| stem.strip_prefix("disk_")) else {
            return Owner::Ours;
        };
        let Some((first, _)) = rest.split_once('_') else {
            return Owner::Ours;
        };
        if is_release_of(first, &self.prefix) {
            return Owner::Ours;
        }
        let others = NAMES.into_iter().filter_map(Self::known);
        let mut others = others.filter(|other| is_release_of(first, &other.prefix));
        match others.next() {
            Some(other) => Owner::Other(Some(other.name)),
            None if is_installed(rest) && !first.starts_with(|c: char| c.is_ascii_digit()) => {
                Owner::Other(None)
            }
            None => Owner::Ours,
        }
    }
}

impl Default for Distribution {
    /// The one that the shipped set is of.
    fn default() -> Self {
        Self::rocky()
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The digits that `release` begins with: `8` of `8-BETA`.
pub fn leading_digits(release: &str) -> &str {
    let end = release.find(|c: char| !c.is_ascii_digit());
    &release[..end.unwrap_or(release.len())]
}

/// Whether `text` is `prefix` and a release: numbers with dots between them, and maybe a word
/// behind a hyphen.
fn is_release_of(text: &str, prefix: &str) -> bool {
    let Some(release) = text.strip_prefix(prefix) else {
        return false;
    };
    let number = release.split('-').next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    release == "rawhide" || number.split('.').all(is_number)
}

/// Whether a name ends like that of an installed system: with an architecture.
fn is_installed(stem: &str) -> bool {
    let ends = |arch: &&str| {
        let rest = stem.strip_suffix(*arch);
        rest.is_some_and(|rest| rest.trim_end_matches('_').contains('_') && rest.ends_with('_'))
    };
    ARCHES.iter().any(ends)
}

/// Refuses what is neither the address of a mirror or of a tree nor an absolute path.
///
/// # Errors
/// What is wrong with it. `words` are those that could have been given instead: `pub, stg, `.
pub fn check_tree(text: &str, words: &str) -> Result<(), String> {
    let is_address = SCHEMES.iter().any(|scheme| {
        let rest = text.strip_prefix(scheme);
        // A file is on no host.
        rest.is_some_and(|rest| !rest.is_empty() && rest.starts_with('/') == (*scheme == "file://"))
    });
    if !is_address && !text.starts_with('/') {
        return Err(format!(
            "give {words}an address that begins with http://, https://, ftp:// or file:///, or an \
             absolute path"
        ));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("there is a space or a control character in it".to_owned());
    }
    let plain = PLACEHOLDERS
        .iter()
        .fold(text.to_owned(), |text, word| text.replace(word, ""));
    if plain.contains(['{', '}']) {
        let [release, arch, variant] = PLACEHOLDERS;
        return Err(format!(
            "only {release}, {arch} and {variant} are filled in"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_a_distribution_with_a_prefix_of_its_own() {
        let all = NAMES.map(|name| Distribution::known(name).unwrap());
        for (one, name) in all.iter().zip(NAMES) {
            assert_eq!(one.name, name);
            let sharing = all.iter().filter(|other| other.prefix == one.prefix);
            assert_eq!(sharing.count(), 1);
        }
        assert_eq!(Distribution::known("Rocky"), None);
    }

    #[test]
    fn images_of_other_distributions_are_told_from_ours() {
        use Owner::{Other, Ours};
        for (ours, file_name, expected) in [
            ("rocky", "disk_rocky8_minimal_x86_64.qcow2", Ours),
            ("rocky", "disk_rocky8-BETA_minimal_3_x86_64.img", Ours),
            ("rocky", "disk_rocky9.4_old_x86_64.qcow2", Ours),
            (
                "rocky",
                "disk_al9_minimal_3_x86_64.qcow2",
                Other(Some("almalinux")),
            ),
            (
                "rocky",
                "disk_al9_minimal_3_x86_64.img",
                Other(Some("almalinux")),
            ),
            (
                "rocky",
                "disk_f40_minimal_3_x86_64.qcow2",
                Other(Some("fedora")),
            ),
            (
                "rocky",
                "disk_frawhide_kde_4_x86_64.qcow2",
                Other(Some("fedora")),
            ),
            (
                "rocky",
                "disk_f40_minimal_of_nobodys_machine.qcow2",
                Other(Some("fedora")),
            ),
            ("almalinux", "disk_al8_minimal_x86_64.qcow2", Ours),
            (
                "almalinux",
                "disk_rocky9_minimal_x86_64.qcow2",
                Other(Some("rocky")),
            ),
            ("almalinux", "disk_alma9_minimal_x86_64.qcow2", Other(None)),
            ("fedora", "disk_f39_minimal_x86_64.qcow2", Ours),
            ("fedora", "disk_foo_minimal_x86_64.qcow2", Other(None)),
            ("fedora", "disk_centos9_minimal_aarch64.img", Other(None)),
            // Layouts, and names that nobody gives to an installed system.
            ("rocky", "disk_full_mbr.img", Ours),
            ("rocky", "disk_ks_prerelease_9_6.img", Ours),
            ("rocky", "disk_f2fs.img", Ours),
            ("rocky", "disk_f2fs_gpt.img", Ours),
            ("rocky", "disk_b.qcow2", Ours),
            ("rocky", "diskimg", Ours),
            ("rocky", "disk_9_minimal_x86_64.img", Ours),
            ("rocky", "disk_full_x86_64.img", Ours),
        ] {
            let distribution = Distribution::known(ours).unwrap();
            assert_eq!(
                distribution.owner_of(file_name),
                expected,
                "{ours}: {file_name}"
            );
        }
    }

    #[test]
    fn i686_ended_where_releases_are_counted() {
        for (name, release, arch, expected) in [
            ("rocky", "8", "i686", true),
            ("rocky", "8-BETA", "i686", true),
            ("rocky", "8.10", "i686", true),
            ("rocky", "9", "i686", false),
            ("rocky", "10", "i686", false),
            ("rocky", "rawhide", "i686", true),
            ("rocky", "9", "x86_64", true),
            ("fedora", "30", "i686", true),
        ] {
            let distribution = Distribution::known(name).unwrap();
            let is_released = distribution.is_released(release, arch);
            assert_eq!(is_released, expected, "{name} {release} {arch}");
        }
    }
}
