//! Which module of the sources may use which. Knowledge goes one way: from the command line down
//! to the formats, and nothing below knows what is above it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of a crate, each with those that it may use. Where only a part of a module may be used,
/// that part is named.
type Rules = [(&'static str, &'static [&'static str])];

/// The command, and what it uses of the crate `foreign`.
const COMMAND: &Rules = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "checksum",
            "command",
            "describe",
            "distribution",
            "foreign::registry",
            "formats",
            "printable",
            "sandbox",
            "status",
            "virtinstall::settings",
        ],
    ),
    (
        "command",
        &[
            "bootloader",
            "checksum",
            "config",
            "current_release",
            "describe",
            "distribution",
            "engine",
            "foreign",
            "formats",
            "image",
            "inventory",
            "osinfo",
            "printable",
            "report",
            "rooted",
            "rootfs",
            "sandbox",
            "shell",
            "signals",
            "status",
            "system",
            "virtinstall",
        ],
    ),
    ("report", &["engine", "printable"]),
    (
        "engine",
        &[
            "checksum",
            "foreign::address",
            "foreign::archives",
            "foreign::run",
            "foreign::stage",
            "image",
            "printable",
            "signals",
            "virtinstall",
        ],
    ),
    (
        "virtinstall",
        &[
            "console",
            "distribution",
            "foreign::address",
            "foreign::run",
            "foreign::stage",
            "image",
            "osinfo",
        ],
    ),
    ("inventory", &["describe", "image"]),
    (
        "current_release",
        &["distribution", "foreign::address", "describe"],
    ),
    ("distribution", &[]),
    (
        "describe",
        &[
            "checksum",
            "config",
            "distribution",
            "foreign::address",
            "formats",
            "image",
            "shell",
            "system",
        ],
    ),
    ("config", &[]),
    ("console", &[]),
    ("formats", &["checksum", "foreign", "image"]),
    ("image", &["checksum", "distribution"]),
    ("checksum", &[]),
    ("printable", &[]),
    ("rootfs", &["foreign::run", "rooted", "sandbox", "system"]),
    ("rooted", &[]),
    ("sandbox", &["rooted", "signals"]),
    ("signals", &[]),
    ("status", &[]),
    ("bootloader", &["console", "rooted", "shell", "system"]),
    ("shell", &[]),
    ("system", &["image"]),
    ("osinfo", &["foreign::run"]),
];

/// The crate `foreign`: its formats don't know each other, and what runs programs knows none.
const FOREIGN: &Rules = &[
    ("btrfs", &["run", "stage"]),
    ("f2fs", &["run", "stage"]),
    ("ntfs", &["run", "stage"]),
    ("squashfs", &["run", "stage"]),
    ("xfs", &["run", "stage"]),
    ("run", &["address", "stage"]),
    ("stage", &[]),
    ("address", &[]),
];

/// The library.
const LIBRARY: &Rules = &[
    ("about", &["error", "fs::Choice", "fs::Options", "place"]),
    (
        "build",
        &[
            "disk", "error", "fs", "layout", "place", "table", "units", "volume",
        ],
    ),
    (
        "container",
        &[
            "about",
            "compress",
            "disk",
            "error",
            "fs::Choice",
            "fs::Options",
            "fs::options",
            "hexadecimal",
            "identity",
            "pax",
            "place",
            "units",
        ],
    ),
    (
        "archive",
        &[
            "about",
            "calendar",
            "compress",
            "disk",
            "error",
            "fs",
            "hexadecimal",
            "identity",
            "place",
            "source::oci::Platform",
            "tree",
            "units",
        ],
    ),
    ("compress", &["error", "pipeline", "place"]),
    // What is read back must not be checked by what has written it: structs are shared, no more.
    (
        "inspect",
        &[
            "disk",
            "error",
            "fs::*::format",
            "identity",
            "place",
            "table::Entry",
            "table::Hybrid",
            "table::Partition",
            "table::Role",
            "table::Table",
            "table::TableId",
            "table::format",
            "units",
            "volume::*::format",
            // Cipher, splitter and derivation of keys are held against cryptsetup.
            "volume::luks::Argon2Cost",
            "volume::luks::Cipher",
            "volume::luks::Hash",
            "volume::luks::Kdf",
            "volume::luks::MEMORY_MAX",
            "volume::luks::Passphrase",
            "volume::luks::split",
        ],
    ),
    (
        "volume",
        &["calendar", "disk", "error", "identity", "place", "units"],
    ),
    (
        "layout",
        &[
            "error", "fs", "identity", "place", "table", "tree", "units", "volume",
        ],
    ),
    ("table", &["disk", "error", "identity", "units"]),
    ("volume", &["disk", "error", "identity", "place", "units"]),
    (
        "fs",
        &[
            "calendar", "disk", "error", "identity", "place", "tree", "units",
        ],
    ),
    (
        "source",
        &[
            "error",
            "hexadecimal",
            "identity",
            "magic",
            "pax",
            "pipeline",
            "place",
            "tree",
            "units",
        ],
    ),
    ("pax", &[]),
    ("pipeline", &[]),
    ("tree", &["error", "identity", "units"]),
    ("disk", &["error", "units"]),
    ("magic", &[]),
    ("calendar", &["identity"]),
    ("hexadecimal", &[]),
    ("identity", &["error", "units"]),
    ("units", &[]),
    ("error", &["place", "units::Bytes"]),
    ("place", &[]),
];

/// The sources of each crate, and their rules.
const CRATES: [(&str, &Rules); 3] = [
    ("src", COMMAND),
    ("disklayout/src", LIBRARY),
    ("foreign/src", FOREIGN),
];

/// Formats that may use another one: a GPT has a protective MBR in front of it.
const RELATED: &[(&str, &str)] = &[("table::gpt", "table::mbr")];

/// The parts of `table` and `fs` that belong to no format.
const SHARED: &[&str] = &[
    "fs::copy",
    "fs::draft",
    "fs::file_type",
    "fs::misfits",
    "fs::options",
    "fs::request",
    "fs::tool",
    "volume::assembly",
    "volume::joined",
    "table::format",
    "table::types",
];

/// What paths into that crate begin with.
const FOREIGN_CRATE: &str = "foreign::";

/// A path in the sources, from the root of its crate: `["fs", "ext", "format"]`.
type ModulePath = Vec<String>;

/// One place where a module uses another.
#[derive(Debug)]
struct Usage {
    at: String,
    from: ModulePath,
    to: ModulePath,
}

#[test]
fn knowledge_goes_one_way() {
    let mut wrong = Vec::new();
    for (directory, rules) in CRATES {
        let usages = usages(directory);
        assert!(
            usages.len() > 50,
            "only {} uses in {directory}",
            usages.len()
        );
        let is_wrong = |usage: &&Usage| !is_allowed(usage, rules) || knows_another_format(usage);
        wrong.extend(usages.iter().filter(is_wrong).map(|usage| {
            let (from, to) = (usage.from.join("::"), usage.to.join("::"));
            format!("{}: {from} uses {to}", usage.at)
        }));
    }
    assert!(wrong.is_empty(), "not allowed:\n{}", wrong.join("\n"));
}

#[test]
fn the_rules_have_no_circle_and_the_modules_have_rules() {
    for (directory, rules) in CRATES {
        let known: BTreeSet<_> = rules.iter().map(|(module, _)| *module).collect();
        for path in sources(Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)) {
            let module = module_path(&path, directory);
            let top = module.first().map_or("lib", String::as_str);
            assert!(top == "lib" || known.contains(top), "{top} has no rule");
        }
        // Modules are taken away that use none of the rest, until nothing is left.
        let mut rest = rules.to_vec();
        while !rest.is_empty() {
            let names: BTreeSet<_> = rest.iter().map(|(module, _)| *module).collect();
            let before = rest.len();
            rest.retain(|(_, uses)| uses.iter().any(|used| names.contains(top_of(used))));
            assert!(rest.len() < before, "a circle among {names:?}");
        }
    }
}

#[test]
fn what_is_not_allowed_is_found() {
    for (directory, rules, file, line, is_right) in [
        (
            "src",
            COMMAND,
            "command/all.rs",
            "use crate::cli::Status;",
            false,
        ),
        (
            "src",
            COMMAND,
            "command/all.rs",
            "use crate::status::Status;",
            true,
        ),
        (
            "src",
            COMMAND,
            "command/all.rs",
            "use super::set::ImageSet;",
            true,
        ),
        ("src", COMMAND, "command/mod.rs", "use super::cli;", false),
        (
            "src",
            COMMAND,
            "engine/mod.rs",
            "let x = crate::describe::hdds::Config::default();",
            false,
        ),
        (
            "src",
            COMMAND,
            "engine/mod.rs",
            "// like crate::describe::hdds::Config",
            true,
        ),
        (
            "src",
            COMMAND,
            "describe/hdds/mod.rs",
            "use crate::{image::Image, engine};",
            false,
        ),
        (
            "src",
            COMMAND,
            "describe/hdds/mod.rs",
            "use crate::config::Value;",
            true,
        ),
        (
            "src",
            COMMAND,
            "config/value.rs",
            "use crate::describe::hdds::Config;",
            false,
        ),
        (
            "src",
            COMMAND,
            "describe/hdds/mod.rs",
            "#[cfg(test)]\nmod tests { use crate::engine; }",
            true,
        ),
        (
            "src",
            COMMAND,
            "engine/plan.rs",
            "use foreign::run::Runner;",
            true,
        ),
        (
            "src",
            COMMAND,
            "engine/plan.rs",
            "use foreign::xfs::XfsFormat;",
            false,
        ),
        (
            "foreign/src",
            FOREIGN,
            "xfs/mod.rs",
            "use crate::run::version::require;",
            true,
        ),
        (
            "foreign/src",
            FOREIGN,
            "xfs/mod.rs",
            "use crate::ntfs;",
            false,
        ),
        (
            "foreign/src",
            FOREIGN,
            "stage/scratch.rs",
            "use crate::run::Tool;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "inspect/ext.rs",
            "use crate::fs::ext::format::*;",
            true,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "inspect/ext.rs",
            "use crate::fs::ext::write;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "inspect/lvm/headers.rs",
            "use crate::volume::lvm::format::Id;",
            true,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "inspect/lvm/headers.rs",
            "use crate::volume::lvm::write;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "inspect/mbr.rs",
            "use crate::table::mbr;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "inspect/mbr.rs",
            "use crate::build;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "fs/fat/mod.rs",
            "use crate::fs::{FsPlan, ext};",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "fs/fat/mod.rs",
            "use super::ext::space::Run;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "fs/fat/mod.rs",
            "use crate::fs::{FsPlan, Request};",
            true,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "inspect/verity/verify.rs",
            "use crate::volume::verity::format::Superblock;",
            true,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "inspect/verity/verify.rs",
            "use crate::volume::verity::Plan;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "volume/verity/mod.rs",
            "use crate::fs::Format;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "volume/verity/mod.rs",
            "use crate::volume::luks::Header;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "table/mbr.rs",
            "use super::gpt;",
            false,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "table/gpt.rs",
            "use super::mbr;",
            true,
        ),
        (
            "disklayout/src",
            LIBRARY,
            "disk/mod.rs",
            "use crate::fs::Registry;",
            false,
        ),
    ] {
        let found = usages_in(Path::new(file), &module_path(Path::new(file), ""), line);
        let ok = found
            .iter()
            .all(|usage| is_allowed(usage, rules) && !knows_another_format(usage));
        assert_eq!(ok, is_right, "{directory}/{file}: {line}: {found:?}");
    }
}

fn top_of(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

fn is_allowed(usage: &Usage, rules: &Rules) -> bool {
    let (Some(from), Some(to)) = (usage.from.first(), usage.to.first()) else {
        return true;
    };
    // The roots of the crates tie everything together.
    let Some((_, allowed)) = rules.iter().find(|(module, _)| module == from) else {
        return from == "lib";
    };
    from == to
        || allowed
            .iter()
            .any(|pattern| begins_with(&usage.to, pattern))
}

/// Whether `path` begins with `pattern`, in which `*` stands for any name.
fn begins_with(path: &[String], pattern: &str) -> bool {
    let mut names = path.iter();
    let mut parts = pattern.split("::");
    parts.all(|part| names.next().is_some_and(|name| part == "*" || part == name))
}

/// Whether one format of `fs`, `table` or `volume` uses another one.
fn knows_another_format(usage: &Usage) -> bool {
    let (Some(from), Some(to)) = (format_of(&usage.from), format_of(&usage.to)) else {
        return false;
    };
    from != to && !RELATED.contains(&(from.as_str(), to.as_str()))
}

/// The format that a path belongs to. Names with a capital are items of the module above.
fn format_of(path: &[String]) -> Option<String> {
    let [top, format, ..] = path else { return None };
    let is_module = format.starts_with(|c: char| c.is_ascii_lowercase());
    let name = format!("{top}::{format}");
    let is_format = matches!(top.as_str(), "fs" | "table" | "volume") && is_module;
    (is_format && !SHARED.contains(&name.as_str())).then_some(name)
}

fn usages(directory: &str) -> Vec<Usage> {
    let files = sources(Path::new(env!("CARGO_MANIFEST_DIR")).join(directory));
    let tests = files
        .iter()
        .flat_map(|path| test_files(path))
        .collect::<BTreeSet<_>>();
    let files = files.iter().filter(|path| !tests.contains(*path));
    files
        .flat_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            usages_in(path, &module_path(path, directory), &text)
        })
        .collect()
}

/// The source files below `directory`, sorted.
fn sources(directory: PathBuf) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
    found
}

/// The files that the module at `path` has for its tests only: `#[cfg(test)] mod NAME;`.
fn test_files(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap();
    let declarations = text.split("#[cfg(test)]").skip(1);
    declarations
        .filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split_once(';'))
        .map(|(name, _)| path.with_file_name(format!("{name}.rs")))
        .collect()
}

/// The path of the module in the file `path` of the crate at `directory`.
fn module_path(path: &Path, directory: &str) -> ModulePath {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let inside = path.strip_prefix(root).unwrap_or(path).with_extension("");
    let mut names: ModulePath = inside
        .iter()
        .map(|name| name.to_str().unwrap().to_owned())
        .collect();
    names.pop_if(|name| name == "mod");
    names
}

/// What `text`, the module `from`, uses of its own crate, and of `foreign`. Comments and what follows
/// `#[cfg(test)] mod` don't count.
fn usages_in(file: &Path, from: &ModulePath, text: &str) -> Vec<Usage> {
    let foreign = ["foreign".to_owned()];
    let mut found = Vec::new();
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line));
    let code = lines.collect::<Vec<_>>().join("\n");
    for (word, levels) in [
        ("crate::", None),
        (FOREIGN_CRATE, None),
        ("super::", Some(1)),
        ("super::super::", Some(2)),
    ] {
        for (at, _) in code.match_indices(word) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c == ':' || c == '_' || c.is_alphanumeric()) {
                continue;
            }
            let base = match levels {
                None if word == FOREIGN_CRATE => &foreign[..],
                None => &[][..],
                Some(levels) => &from[..from.len().saturating_sub(levels)],
            };
            let line = code[..at].matches('\n').count() + 1;
            found.extend(
                paths(&code[at + word.len()..])
                    .into_iter()
                    .map(|rest| Usage {
                        at: format!("{}:{line}", file.display()),
                        from: from.clone(),
                        to: base.iter().cloned().chain(rest).collect(),
                    }),
            );
        }
    }
    found.retain(|usage| usage.to.first().is_some_and(|name| name != "super"));
    found
}

/// The paths at the beginning of `text`: one, or those of a list in braces.
fn paths(text: &str) -> Vec<ModulePath> {
    let Some(list) = text.strip_prefix('{') else {
        let end = text
            .find(|c: char| !(c == '_' || c == ':' || c.is_alphanumeric()))
            .unwrap_or(text.len());
        let (path, rest) = text.split_at(end);
        let names: ModulePath = path
            .split("::")
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        if !rest.starts_with('{') {
            return vec![names];
        }
        let join = |inner: ModulePath| names.iter().cloned().chain(inner).collect();
        return paths(rest).into_iter().map(join).collect();
    };
    items(list)
        .into_iter()
        .flat_map(|item| paths(item.trim()))
        .collect()
}

/// The items of a list up to its closing brace; those of lists in it belong to their items.
fn items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(&list[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|item| !item.trim().is_empty());
    found
}
