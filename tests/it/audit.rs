//! Holds the dependencies against `deny.toml` wherever the tests run: licences, sources, crates
//! that are banned and crates in two versions. Only known vulnerabilities are left to
//! `cargo deny check`, which downloads the advisory database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What `deny.toml` allows.
#[derive(Default)]
struct Rules {
    licences: BTreeSet<String>,
    /// Licences that only certain crates may have.
    exceptions: BTreeMap<String, BTreeSet<String>>,
    registries: BTreeSet<String>,
    banned: BTreeSet<String>,
    /// `name@version prefix` of crates that may be there beside a newer version.
    skipped: BTreeSet<String>,
}

struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    /// `None` for a member of the workspace.
    source: Option<String>,
    /// Whether the program is built with it: what only tests use isn't.
    built_in: bool,
}

fn rules() -> Rules {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let document: toml::Table = text.parse().unwrap();
    Rules {
        licences: list(&document, "licenses", "allow"),
        exceptions: exceptions(&document),
        registries: list(&document, "sources", "allow-registry"),
        banned: list(&document, "bans", "deny"),
        skipped: list(&document, "bans", "skip"),
    }
}

/// A list of strings, or of tables that name a crate.
fn list(document: &toml::Table, section: &str, key: &str) -> BTreeSet<String> {
    let entries = document[section][key].as_array().unwrap();
    let text = |entry: &toml::Value| {
        let entry = entry.get("crate").unwrap_or(entry);
        entry.as_str().unwrap().to_owned()
    };
    entries.iter().map(text).collect()
}

/// The licences of `[licenses] exceptions`, by the crates that may have them.
fn exceptions(document: &toml::Table) -> BTreeMap<String, BTreeSet<String>> {
    let entries = document["licenses"]["exceptions"].as_array().unwrap();
    let one = |entry: &toml::Value| {
        let allowed = entry["allow"].as_array().unwrap();
        let allowed = allowed.iter().map(|it| it.as_str().unwrap().to_owned());
        (
            entry["crate"].as_str().unwrap().to_owned(),
            allowed.collect(),
        )
    };
    entries.iter().map(one).collect()
}

/// Every package of the lock file that a build for this machine's architecture can use.
fn packages() -> Vec<Package> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--all-features",
        ])
        .args(["--filter-platform", &platform])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {complaint}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let built_in = built_in(&metadata);
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|one| package(one, &built_in)).collect()
}

/// Members of the workspace that are there for tests only.
const TEST_ONLY: &str = "/testkit#";

/// The packages that members of the workspace need other than for their tests, directly or not.
fn built_in(metadata: &Value) -> BTreeSet<&str> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let nodes: BTreeMap<_, _> = nodes
        .iter()
        .map(|node| (node["id"].as_str(), node))
        .collect();
    let members = metadata["workspace_members"].as_array().unwrap();
    let mut found = BTreeSet::new();
    let members = members.iter().map(|id| id.as_str().unwrap());
    let mut waiting: Vec<_> = members.filter(|id| !id.contains(TEST_ONLY)).collect();
    while let Some(id) = waiting.pop() {
        if found.insert(id) {
            let needed = nodes[&Some(id)]["deps"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| {
                    let kinds = one["dep_kinds"].as_array().unwrap();
                    kinds.iter().any(|kind| kind["kind"] != "dev")
                });
            waiting.extend(needed.map(|one| one["pkg"].as_str().unwrap()));
        }
    }
    found
}

fn package(value: &Value, built_in: &BTreeSet<&str>) -> Package {
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    Package {
        name: text("name").unwrap(),
        version: text("version").unwrap(),
        licence: text("license"),
        source: text("source"),
        built_in: built_in.contains(value["id"].as_str().unwrap()),
    }
}

/// Every breach of the rules, one line each.
fn breaches(packages: &[Package], rules: &Rules) -> Vec<String> {
    let mut found = Vec::new();
    for one in packages {
        let Package { name, version, .. } = one;
        let licence = one.licence.as_deref().unwrap_or("");
        let excepted = rules.exceptions.get(name);
        if !permits(licence, &rules.licences)
            && !excepted.is_some_and(|allowed| permits(licence, allowed))
        {
            found.push(format!(
                "{name} {version}: licence \"{licence}\" is not allowed"
            ));
        }
        if let Some(source) = &one.source
            && !is_known(source, rules)
        {
            found.push(format!("{name} {version}: source {source} is not allowed"));
        }
        if rules.banned.contains(name) {
            found.push(format!("{name} {version}: the crate is banned"));
        }
    }
    found.extend(duplicates(packages, rules));
    found
}

fn is_known(source: &str, rules: &Rules) -> bool {
    let registry = source.strip_prefix("registry+");
    registry.is_some_and(|address| rules.registries.contains(address))
}

/// Crates of the program in two versions; like cargo-deny, it leaves out what only tests use.
fn duplicates(packages: &[Package], rules: &Rules) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut unused = rules.skipped.clone();
    for Package { name, version, .. } in packages.iter().filter(|one| one.built_in) {
        let skip = rules
            .skipped
            .iter()
            .find(|skip| is_skipped(name, version, skip));
        match skip {
            Some(skip) => drop(unused.remove(skip)),
            None => drop(versions.entry(name).or_default().insert(version)),
        }
    }
    let twice = versions.iter().filter(|(_, versions)| versions.len() > 1);
    let twice = twice.map(|(name, versions)| format!("{name}: versions {versions:?}"));
    let unused = unused
        .iter()
        .map(|skip| format!("{skip}: skipped but not there any more"));
    twice.chain(unused).collect()
}

/// `syn@2` stands for every 2.x of syn.
fn is_skipped(name: &str, version: &str, skip: &str) -> bool {
    let (skipped, prefix) = skip.split_once('@').unwrap_or((skip, ""));
    name == skipped && format!("{version}.").starts_with(&format!("{prefix}."))
}

/// Whether an SPDX licence expression can be met with the allowed licences. The old `/` is OR.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

fn any_of(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = all_of(rest, allowed);
    while take(rest, "OR") {
        met |= all_of(rest, allowed);
    }
    met
}

fn all_of(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = licence(rest, allowed);
    while take(rest, "AND") {
        met &= licence(rest, allowed);
    }
    met
}

/// A licence, with its exception if it has one, or an expression in parentheses.
fn licence(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    if take(rest, "(") {
        return any_of(rest, allowed) & take(rest, ")");
    }
    let Some((name, after)) = rest.split_first() else {
        return false;
    };
    *rest = after;
    if take(rest, "WITH")
        && let Some((exception, after)) = rest.split_first()
    {
        *rest = after;
        return allowed.contains(&format!("{name} WITH {exception}"));
    }
    allowed.contains(*name)
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    let found = rest.first() == Some(&word);
    if found {
        *rest = &rest[1..];
    }
    found
}

#[test]
fn dependencies_keep_the_rules() {
    let packages = packages();
    // The workspace alone has three.
    assert!(packages.len() > 50, "only {} packages", packages.len());
    let found = breaches(&packages, &rules());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_breach_is_found() {
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let cases = [
        (
            "a",
            "1.0.0",
            Some("GPL-3.0-only"),
            CRATES_IO,
            "a 1.0.0: licence",
        ),
        ("a", "1.0.0", None, CRATES_IO, "a 1.0.0: licence"),
        (
            "a",
            "1.0.0",
            Some("LGPL-2.1"),
            CRATES_IO,
            "a 1.0.0: licence",
        ),
        (
            "a",
            "1.0.0",
            Some("MIT"),
            "git+https://example.com/a",
            "a 1.0.0: source",
        ),
        (
            "a",
            "1.0.0",
            Some("MIT"),
            "registry+https://example.com/a",
            "a 1.0.0: source",
        ),
        (
            "openssl-sys",
            "0.9.1",
            Some("MIT"),
            CRATES_IO,
            "openssl-sys 0.9.1: the crate is banned",
        ),
        ("serde", "0.9.0", Some("MIT"), CRATES_IO, "serde: versions"),
    ];
    for (name, version, licence, source, expected) in cases {
        let mut packages = packages();
        packages.push(Package {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.map(str::to_owned),
            source: Some(source.to_owned()),
            built_in: true,
        });
        let found = breaches(&packages, &rules());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{found:?}");
    }
}

#[test]
fn a_skip_that_nothing_needs_is_found() {
    let skipped = BTreeSet::from(["gone@1".to_owned()]);
    let rules = Rules {
        skipped,
        ..Rules::default()
    };
    assert_eq!(
        duplicates(&[], &rules),
        ["gone@1: skipped but not there any more"]
    );
}

#[test]
fn skips_name_whole_version_numbers() {
    assert!(is_skipped("syn", "2.0.119", "syn@2"));
    assert!(is_skipped("syn", "2.0.119", "syn@2.0"));
    assert!(!is_skipped("syn", "20.0.0", "syn@2"));
    assert!(!is_skipped("synth", "2.0.0", "syn@2"));
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT", "ISC", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
    let allowed = allowed.map(str::to_owned).into();
    for met in [
        "MIT",
        "MIT OR GPL-3.0-only",
        "GPL-3.0-only/MIT",
        "MIT AND ISC",
        "(MIT OR GPL-3.0-only) AND ISC",
        "GPL-3.0-only OR (ISC AND MIT)",
        "GPL-2.0-only OR Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(permits(met, &allowed), "{met}");
    }
    for unmet in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT",
        "MIT)",
        "MIT ISC",
        "MIT WITH LLVM-exception",
        "(MIT OR ISC) AND GPL-3.0-only",
    ] {
        assert!(!permits(unmet, &allowed), "{unmet}");
    }
}
