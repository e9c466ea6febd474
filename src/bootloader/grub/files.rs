//! The files in `/boot/grub` beside the configuration and the image: GRUB's modules and lists, a font,
//! its messages in other languages, and an empty environment block.

use anyhow::{Context, Result, bail};

use super::environment;
use super::plan::DIRECTORY;
use super::platform::Platform;
use crate::bootloader::Tree;

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

/// Whether GRUB may load a file of its directory of modules. It has no use for fdt.lst, whose module is
/// in no image of these platforms, nor for images that others are made from.
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
