//! The whole of a configuration: its three lists, and what no group can see of the others.

use std::collections::HashMap;
use std::sync::Arc;

use super::model::{Config, Group, InstallGroup, LayoutGroup, Rename};
use super::naming::Names;
use super::{
    distribution, family, install_group, keys, layout_group, names, variants, whole_group,
};
use crate::checksum::Algorithm;
use crate::config::{ConfigError, Document, Findings, Value, json};
use crate::distribution::Distribution;

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
        let document = Arc::new(json::parse(text, file)?);
        let mut findings = Findings::with(Arc::new(Names(Arc::clone(&document))));
        let config = read(&document, distribution, reserved, &mut findings);
        match config {
            Some(config) if findings.errors.is_empty() => Ok(Self {
                warnings: findings.warnings,
                ..config
            }),
            _ => Err(ConfigError::new(findings.errors)),
        }
    }
}

/// Reads a configuration; `None` when anything is wrong with it.
fn read(
    document: &Document,
    given: Option<Distribution>,
    reserved: &[&str],
    f: &mut Findings,
) -> Option<Config> {
    let top = document.root().object(&keys::TOP, f)?;
    let found = top.optionally("distribution", f, distribution::read);
    let is_chosen = given.is_some() || top.optional("distribution").is_some();
    let chosen = given.or(found.clone().flatten()).unwrap_or_default();
    let chosen = Arc::new(chosen);
    let mut list = |key: &str| {
        if top.optional(key).is_none() {
            f.warn(
                top.place(),
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
    let mut config = Config {
        distribution: chosen,
        layouts: layouts?,
        installs: installs?,
        renames: renames?,
        warnings: Vec::new(),
    };
    let mut wrong = equal_names(&config);
    if wrong.is_empty() {
        wrong = wrong_file_names(&config);
    }
    wrong.extend(config.layouts.iter().flat_map(whole_group::objections));
    wrong.extend(family::join(&mut config.layouts));
    for (path, message) in wrong {
        f.refuse::<()>(document.spot(&path).place(), message);
    }
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

/// What is wrong with a configuration, by the path of the value that is to be changed.
type Wrong = Vec<(String, String)>;

/// Two groups of one name would be one subcommand.
fn equal_names(config: &Config) -> Wrong {
    let mut seen: HashMap<&str, String> = HashMap::new();
    let mut wrong = Vec::new();
    for (path, group) in groups(config) {
        if let Some(first) = seen.insert(group.name(), path.clone()) {
            let message = format!("'{}' is the name of {first} already", group.name());
            wrong.push((format!("{path}.name"), message));
        }
    }
    wrong
}

/// Two images of one name would overwrite each other: `a_b`, and `a` in version `b`.
fn wrong_file_names(config: &Config) -> Wrong {
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut wrong = Vec::new();
    for (path, name) in groups(config).flat_map(file_names) {
        wrong.extend(too_long(&path, &name));
        if let Some(first) = seen.insert(name.clone(), path.clone()) {
            let message = format!("an image of {first} is called '{name}' already");
            wrong.push((path, message));
        }
    }
    // The names of the files with checksums are longer than those of the images.
    let names = groups(config).flat_map(checksum_names);
    wrong.extend(names.filter_map(|(path, name)| too_long(&path, &name)));
    wrong
}

fn too_long(path: &str, file_name: &str) -> Option<(String, String)> {
    let message = names::check_length(file_name).err()?;
    Some((path.to_owned(), message))
}

/// The groups, each with its path.
fn groups(config: &Config) -> impl Iterator<Item = (String, Group<'_>)> {
    let path = |list: &str, index: usize| format!("{list}[{index}]");
    let layouts = config.layouts.iter().enumerate();
    let layouts = layouts.map(move |(i, group)| (path("guestfs", i), Group::Layout(group)));
    let installs = config.installs.iter().enumerate();
    layouts.chain(installs.map(move |(i, group)| (path("virtinstall", i), Group::Install(group))))
}

/// The names of the images of a group, each with the group's path.
fn file_names((path, group): (String, Group<'_>)) -> Vec<(String, String)> {
    let names = match group {
        Group::Layout(group) => layout_names(group),
        Group::Install(group) => install_names(group),
    };
    names.into_iter().map(|name| (path.clone(), name)).collect()
}

/// The names of the files with checksums beside the images of a group, each with the group's path.
fn checksum_names((path, group): (String, Group<'_>)) -> Vec<(String, String)> {
    let algorithms = match group {
        Group::Layout(group) => {
            let all = group.formats.iter();
            all.flat_map(|it| &it.checksums).copied().collect()
        }
        Group::Install(group) if group.finish.checksum => vec![Algorithm::Sha256],
        Group::Install(_) => Vec::new(),
    };
    let names = file_names((path, group)).into_iter();
    let names = names.flat_map(|(path, name)| {
        let all = algorithms.iter();
        all.map(move |it| (path.clone(), it.file_name(&name)))
    });
    names.collect()
}

fn layout_names(group: &LayoutGroup) -> Vec<String> {
    let variants = variants::of(group).into_iter();
    let names = variants.flat_map(|(label, filesystem)| {
        let formats = group.formats.iter();
        formats.map(move |it| variants::file_name(group, label, filesystem, &it.extension))
    });
    names.collect()
}

/// Relative releases stand for themselves: what they are is known only when images are built.
fn install_names(group: &InstallGroup) -> Vec<String> {
    let releases = group.releases.iter();
    let names = releases.flat_map(|(release, arches)| {
        let release = release.to_string();
        let name = move |arch: &String| variants::install_file_name(group, &release, arch);
        arches.iter().map(name)
    });
    names.collect()
}
