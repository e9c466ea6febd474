//! The files in `/boot/grub` beside the configuration and the image: GRUB's modules and lists, a
//! font, its messages in other languages, and an empty environment block.

use anyhow::{Context, Result, bail};

use super::environment;
use super::plan::DIRECTORY;
use super::platform::Platform;
use crate::rooted::Tree;

/// What files are given.
pub(super) const PERMISSIONS: u32 = 0o644;

const FONT: &str = "/usr/share/grub/unicode.pf2";

/// Where messages are: those of packages, and those that Ubuntu has in packages of languages.
const LOCALES: [&str; 2] = ["/usr/share/locale", "/usr/share/locale-langpack"];

/// A file of the tree that is copied to another place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copy {
    /// The file.
    pub(super) from: String,
    /// Where it goes.
    pub(super) to: String,
}

impl Copy {
    pub(super) fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
        }
    }

    /// Makes it.
    ///
    /// # Errors
    /// Where the file isn't there or the other can't be written.
    pub(super) fn make(&self, tree: &Tree) -> Result<()> {
        let Self { from, to } = self;
        let bytes = tree.read(from)?;
        let bytes = bytes.with_context(|| format!("the tree has no {from}"))?;
        tree.write(to, &bytes, PERMISSIONS)
    }
}

/// Refuses a tree without GRUB for `platform`, or without the programs that make its configuration
/// and its image.
///
/// # Errors
/// The file that isn't there, and the package that has it.
pub(super) fn check(tree: &Tree, platform: Platform, modules: &[&str]) -> Result<()> {
    let directory = platform.modules();
    let mut needed = vec![
        ("/usr/sbin/grub-mkconfig".to_owned(), "grub-common"),
        ("/usr/bin/grub-mkimage".to_owned(), "grub-common"),
        ("/usr/sbin/grub-probe".to_owned(), "grub-common"),
        (format!("{directory}/kernel.img"), platform.package),
        (format!("{directory}/moddep.lst"), platform.package),
    ];
    if platform.is_bios() {
        needed.push((format!("{directory}/boot.img"), platform.package));
    }
    let modules = modules.iter();
    needed.extend(modules.map(|name| (format!("{directory}/{name}.mod"), platform.package)));
    for (path, package) in needed {
        if !tree.has_file(&path)? {
            bail!("the tree has no {path}: install the package {package} in it");
        }
    }
    Ok(())
}

/// Puts everything where GRUB looks for it.
///
/// # Errors
/// Where a file can't be read or written.
pub(super) fn install(tree: &Tree, platform: Platform) -> Result<()> {
    let from = platform.modules();
    let names = tree.names(&from)?;
    let to = format!("{DIRECTORY}/{}", platform.name);
    let loaded = names.iter().filter(|name| is_loaded(name));
    let mut copies: Vec<_> = loaded
        .map(|name| Copy::new(format!("{from}/{name}"), format!("{to}/{name}")))
        .collect();
    if tree.has_file(FONT)? {
        copies.push(Copy::new(FONT, format!("{DIRECTORY}/fonts/unicode.pf2")));
    }
    copies.extend(messages(tree)?);
    for directory in ["fonts", "locale"] {
        tree.make_directory(&format!("{DIRECTORY}/{directory}"))?;
    }
    copies.iter().try_for_each(|copy| copy.make(tree))?;
    let environment = format!("{DIRECTORY}/grubenv");
    match tree.has_file(&environment)? {
        true => Ok(()),
        false => tree.write(&environment, &environment::empty(), PERMISSIONS),
    }
}

/// Whether GRUB may load a file of its directory of modules. Images that others are made from are
/// left out, as is the one list that grub-install leaves out.
fn is_loaded(name: &str) -> bool {
    let (_, extension) = name.rsplit_once('.').unwrap_or_default();
    match name {
        "boot.img" | "modinfo.sh" => true,
        "fdt.lst" => false,
        _ => matches!(extension, "mod" | "lst" | "o"),
    }
}

/// GRUB's messages in all languages that there are.
fn messages(tree: &Tree) -> Result<Vec<Copy>> {
    let mut found = Vec::new();
    for locales in LOCALES {
        for language in tree.names(locales)? {
            let from = format!("{locales}/{language}/LC_MESSAGES/grub.mo");
            // Beside the languages there is a file of aliases.
            if tree.has_directory(&format!("{locales}/{language}"))? && tree.has_file(&from)? {
                found.push(Copy::new(from, format!("{DIRECTORY}/locale/{language}.mo")));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::system::Firmware;

    fn put(root: &Path, path: &str) {
        let path = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, path.to_str().unwrap()).unwrap();
    }

    #[test]
    fn what_is_missing_is_told_with_its_package() {
        for (firmware, package) in [
            (Firmware::Bios, "grub-pc-bin"),
            (Firmware::Uefi, "grub-efi-amd64-bin"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let platform = Platform::of(firmware, "amd64").unwrap();
            let at = platform.modules();
            let mut needed = vec![
                ("/usr/sbin/grub-mkconfig".to_owned(), "grub-common"),
                ("/usr/bin/grub-mkimage".to_owned(), "grub-common"),
                ("/usr/sbin/grub-probe".to_owned(), "grub-common"),
                (format!("{at}/kernel.img"), package),
                (format!("{at}/moddep.lst"), package),
                (format!("{at}/ext2.mod"), package),
            ];
            if platform.is_bios() {
                needed.push((format!("{at}/boot.img"), package));
            }
            for (path, _) in &needed {
                put(directory.path(), path);
            }
            let tree = Tree::open(directory.path()).unwrap();
            check(&tree, platform, &["ext2"]).unwrap();
            for (path, package) in needed {
                fs::remove_file(directory.path().join(&path[1..])).unwrap();
                let error = check(&tree, platform, &["ext2"]).unwrap_err().to_string();
                let expected =
                    format!("the tree has no {path}: install the package {package} in it");
                assert_eq!(error, expected);
                put(directory.path(), &path);
            }
        }
    }

    #[test]
    fn everything_is_put_in_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for path in [
            "usr/lib/grub/i386-pc/ext2.mod",
            "usr/lib/grub/i386-pc/fs.lst",
            "usr/lib/grub/i386-pc/fdt.lst",
            "usr/lib/grub/i386-pc/efiemu32.o",
            "usr/lib/grub/i386-pc/modinfo.sh",
            "usr/lib/grub/i386-pc/boot.img",
            "usr/lib/grub/i386-pc/kernel.img",
            "usr/lib/grub/i386-pc/config.h",
            "usr/lib/grub/i386-pc/grub-bios-setup",
            "usr/lib/grub/i386-pc/monolithic/a.mod",
            "usr/share/grub/unicode.pf2",
            "usr/share/locale/locale.alias",
            "usr/share/locale/de/LC_MESSAGES/grub.mo",
            "usr/share/locale/fr/LC_MESSAGES/sed.mo",
            "usr/share/locale-langpack/en_GB/LC_MESSAGES/grub.mo",
        ] {
            put(root, path);
        }
        let tree = Tree::open(root).unwrap();
        let platform = Platform::of(Firmware::Bios, "amd64").unwrap();
        for _ in 0..2 {
            install(&tree, platform).unwrap();
            let names = |path: &str| tree.names(path).unwrap();
            assert_eq!(names(DIRECTORY), ["fonts", "grubenv", "i386-pc", "locale"]);
            let modules = ["boot.img", "efiemu32.o", "ext2.mod", "fs.lst", "modinfo.sh"];
            assert_eq!(names("/boot/grub/i386-pc"), modules);
            assert_eq!(names("/boot/grub/fonts"), ["unicode.pf2"]);
            assert_eq!(names("/boot/grub/locale"), ["de.mo", "en_GB.mo"]);
        }
        for (from, to) in [
            ("usr/lib/grub/i386-pc/ext2.mod", "i386-pc/ext2.mod"),
            ("usr/share/locale/de/LC_MESSAGES/grub.mo", "locale/de.mo"),
        ] {
            let [from, to] = [root.join(from), root.join("boot/grub").join(to)];
            assert_eq!(fs::read(from).unwrap(), fs::read(to).unwrap());
        }
        // What GRUB has kept there stays.
        tree.write("/boot/grub/grubenv", b"kept", PERMISSIONS)
            .unwrap();
        install(&tree, platform).unwrap();
        let kept = tree.read("/boot/grub/grubenv").unwrap();
        assert_eq!(kept.as_deref(), Some(&b"kept"[..]));
    }
}
