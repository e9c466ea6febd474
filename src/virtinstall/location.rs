//! Where an installation tree is.

use anyhow::{Context, Result};

use crate::distribution::{PLACEHOLDERS, Stage};
use crate::image::InstallRecipe;

/// The words for the trees of the distribution itself: those of releases, and of what becomes one.
const PUBLISHED: &str = "pub";
const STAGED: &str = "stg";

/// The variant of a distribution that has several, where none is given.
const DEFAULT_VARIANT: &str = "Everything";

/// The tree that `recipe` is installed from at `source`: `pub`, `stg`, or the address of a mirror.
/// An address with `{release}`, `{arch}` or `{variant}` in it is that of the tree itself.
///
/// # Errors
/// When the distribution has no such place.
pub(super) fn tree(source: &str, recipe: &InstallRecipe) -> Result<String> {
    let source = place(source, recipe)?;
    let template = if PLACEHOLDERS.iter().any(|word| source.contains(word)) {
        source.to_owned()
    } else {
        let below = recipe.distribution.below_a_mirror(recipe.stage);
        format!("{}{below}", source.trim_end_matches('/'))
    };
    let tree = filled_in(&template, recipe);
    // virt-install knows trees of this host by their paths only.
    Ok(match tree.strip_prefix("file://") {
        Some(path) => path.strip_prefix("localhost").unwrap_or(path).to_owned(),
        None => tree,
    })
}

/// The address that `source` stands for.
fn place<'a>(source: &'a str, recipe: &'a InstallRecipe) -> Result<&'a str> {
    let distribution = &recipe.distribution;
    match source {
        PUBLISHED if recipe.stage != Stage::Released => {
            let development = distribution.development.as_deref();
            Ok(development.unwrap_or(&distribution.tree))
        }
        PUBLISHED => Ok(&distribution.tree),
        STAGED => distribution.staged.as_deref().with_context(|| {
            format!("{distribution} has no tree that is called '{STAGED}'; give -b an address")
        }),
        address => Ok(address),
    }
}

fn filled_in(template: &str, recipe: &InstallRecipe) -> String {
    let arch = recipe.arch.as_str();
    // Names that only Fedora has for the same things.
    let base_arch = if arch == "i686" { "i386" } else { arch };
    let collection = match arch {
        "i686" | "ppc64" | "ppc64le" => "fedora-secondary",
        _ => "fedora/linux",
    };
    // Its Workstation has no tree to install from.
    let variant = match recipe.variant.as_deref() {
        None | Some("Workstation") => DEFAULT_VARIANT,
        Some(variant) => variant,
    };
    template
        .replace("{release}", &recipe.release)
        .replace("{arch}", arch)
        .replace("{basearch}", base_arch)
        .replace("{collection}", collection)
        .replace("{variant}", variant)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::distribution::Distribution;
    use crate::image::{DiskFormat, Finish};

    fn recipe(distribution: &str, release: &str, arch: &str) -> InstallRecipe {
        InstallRecipe {
            place: "virtinstall[0]".into(),
            release: release.into(),
            stage: Stage::Released,
            arch: arch.into(),
            distribution: Arc::new(Distribution::known(distribution).unwrap()),
            variant: None,
            size_gib: 10,
            maxage_days: 0,
            bootopts: None,
            format: DiskFormat::default(),
            memory_mib: None,
            cpus: None,
            finish: Finish::default(),
        }
    }

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
            let recipe = recipe("rocky", "8-BETA", "x86_64");
            assert_eq!(tree(source, &recipe).unwrap(), expected);
        }
    }

    #[test]
    fn each_distribution_has_its_own_trees() {
        use Stage::{Branched, Rawhide, Released};
        for (name, stage, arch, variant, source, expected) in [
            (
                "almalinux",
                Released,
                "ppc64le",
                Some("Server"),
                "pub",
                "https://repo.almalinux.org/almalinux/40/BaseOS/ppc64le/os/",
            ),
            (
                "fedora",
                Released,
                "x86_64",
                None,
                "pub",
                "https://download.fedoraproject.org/pub/fedora/linux/releases/40/Everything/x86_64/os/",
            ),
            (
                "fedora",
                Released,
                "ppc64le",
                Some("Server"),
                "pub",
                "https://download.fedoraproject.org/pub/fedora-secondary/releases/40/Server/ppc64le/os/",
            ),
            (
                "fedora",
                Branched,
                "i686",
                Some("Workstation"),
                "pub",
                "https://dl.fedoraproject.org/pub/fedora-secondary/development/40/Everything/i386/os/",
            ),
            (
                "fedora",
                Rawhide,
                "aarch64",
                None,
                "pub",
                "https://dl.fedoraproject.org/pub/fedora/linux/development/rawhide/Everything/aarch64/os",
            ),
            (
                "fedora",
                Rawhide,
                "x86_64",
                None,
                "http://mirror/fedora/linux/",
                "http://mirror/fedora/linux/development/rawhide/Everything/x86_64/os",
            ),
            (
                "fedora",
                Released,
                "x86_64",
                Some("Server"),
                "/srv/{variant}/{arch}",
                "/srv/Server/x86_64",
            ),
        ] {
            let recipe = InstallRecipe {
                stage,
                variant: variant.map(Into::into),
                ..recipe(name, "40", arch)
            };
            assert_eq!(tree(source, &recipe).unwrap(), expected);
        }
        let message = tree("stg", &recipe("fedora", "40", "x86_64")).unwrap_err();
        assert_eq!(
            message.to_string(),
            "fedora has no tree that is called 'stg'; give -b an address"
        );
    }
}
