//! The whole of a configuration: its three lists, and what no group can see of the others.

use std::collections::HashMap;
use std::sync::Arc;

use super::document;
use super::model::{Config, InstallGroup, LayoutGroup, Rename};
use super::problem::ConfigError;
use super::reader::{Findings, Value};
use super::{distribution, install_group, keys, layout_group, names, variants};
use crate::distribution::Distribution;
use crate::image::checksum_name;

impl Config {
    /// Reads `text`, the content of `file`. No group may have one of the `reserved` names, which
    /// are the commands of the program.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, file: &str, reserved: &[&str]) -> Result<Self, ConfigError> {
        Self::parse_for(None, text, file, reserved)
    }

    /// Reads `text` as [`Config::parse`] does, for this distribution, whatever it says itself.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse_for(
        distribution: Option<Distribution>,
        text: &str,
        file: &str,
        reserved: &[&str],
    ) -> Result<Self, ConfigError> {
        let node = document::parse(text, file)?;
        let mut findings = Findings::default();
        let config = read(&Value::root(&node), distribution, reserved, &mut findings);
        match config {
            Some(config) if findings.errors.is_empty() => Ok(Self {
                warnings: findings.warnings,
                ..config
            }),
            _ => Err(ConfigError::new(file, findings.errors)),
        }
    }
}

/// Reads a configuration; `None` when anything is wrong with it.
fn read(
    top: &Value<'_>,
    given: Option<Distribution>,
    reserved: &[&str],
    f: &mut Findings,
) -> Option<Config> {
    let top = top.object(&keys::TOP, f)?;
    let found = top.optionally("distribution", f, distribution::read);
    let is_chosen = given.is_some() || top.optional("distribution").is_some();
    let chosen = given.or(found.clone().flatten()).unwrap_or_default();
    let chosen = Arc::new(chosen);
    let mut list = |key: &str| {
        if top.optional(key).is_none() {
            f.warn(
                "",
                format!("the key '{key}' is missing; it is taken for an empty list"),
            );
        }
        top.optional(key)
    };
    let lists = [list("guestfs"), list("virtinstall"), list("renames")];
    let [layouts, installs, renames] = lists;
    let layouts = all(layouts, "groups", f, |group, f| {
        layout_group::read(group, reserved, f)
    });
    let installs = all(installs, "groups", f, |group, f| {
        install_group::read(group, &chosen, is_chosen, reserved, f)
    });
    let renames = all(renames, "pairs of file names", f, rename);
    found?;
    let config = Config {
        distribution: chosen,
        layouts: layouts?,
        installs: installs?,
        renames: renames?,
        warnings: Vec::new(),
    };
    check_names(&config, f)?;
    check_file_names(&config, f);
    Some(config)
}

fn all<'a, T>(
    list: Option<&Value<'a>>,
    what: &str,
    f: &mut Findings,
    read: impl FnMut(&Value<'a>, &mut Findings) -> Option<T>,
) -> Option<Vec<T>> {
    list.map_or(Some(Vec::new()), |list| list.each(what, f, read))
}

fn rename(pair: &Value<'_>, f: &mut Findings) -> Option<Rename> {
    let names = pair.each("file names", f, |name, f| {
        let text = name.string(f)?;
        let checked = names::check_word(text).and_then(|()| names::check_length(text));
        f.check(name.place(), checked).map(|()| text.to_string())
    })?;
    match <[String; 2]>::try_from(names) {
        Ok([from, to]) => Some(Rename { from, to }),
        Err(names) => {
            let count = names.len();
            f.refuse(
                pair.place(),
                format!("expected the old and the new name, found {count}"),
            )
        }
    }
}

/// Two groups of one name would be one subcommand.
fn check_names(config: &Config, f: &mut Findings) -> Option<()> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut sound = Some(());
    for group in config.groups() {
        if let Some(first) = seen.insert(group.name(), group.place()) {
            let message = format!("'{}' is the name of {first} already", group.name());
            sound = f.refuse(&format!("{}.name", group.place()), message);
        }
    }
    sound
}

/// Two images of one name would overwrite each other: `a_b`, and `a` in version `b`.
fn check_file_names(config: &Config, f: &mut Findings) {
    let layouts = config.layouts.iter().flat_map(layout_names);
    let installs = config.installs.iter().flat_map(install_names);
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (file_name, place) in layouts.chain(installs) {
        f.check(place, names::check_length(&file_name));
        if let Some(first) = seen.get(&file_name) {
            let message = format!("an image of {first} is called '{file_name}' already");
            f.refuse::<()>(place, message);
        }
        seen.insert(file_name, place);
    }
    let installs = config.installs.iter();
    installs
        .filter(|group| group.finish.checksum)
        .for_each(|group| check_checksum_names(group, f));
}

fn layout_names(group: &LayoutGroup) -> Vec<(String, &str)> {
    let variants = variants::of(group).into_iter();
    let names = variants.map(|(label, filesystem)| variants::file_name(group, label, filesystem));
    names.map(|name| (name, group.place.as_str())).collect()
}

/// The names of the files with checksums. They are longer than those of the images.
fn check_checksum_names(group: &InstallGroup, f: &mut Findings) {
    for (file_name, place) in install_names(group) {
        f.check(place, names::check_length(&checksum_name(&file_name)));
    }
}

/// Relative releases stand for themselves: what they are is known only when images are built.
fn install_names(group: &InstallGroup) -> Vec<(String, &str)> {
    let releases = group.releases.iter();
    let names = releases.flat_map(|(release, arches)| {
        let release = release.to_string();
        let name = move |arch: &String| variants::install_file_name(group, &release, arch);
        arches.iter().map(name)
    });
    names.map(|name| (name, group.place.as_str())).collect()
}
