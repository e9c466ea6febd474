//! The part of the lists of packages that an installation can need.
//!
//! apt reads all lists whenever packages have changed since: most of a second for those of Debian's
//! main, and ten times as long where programs are emulated. What it decides depends on few of them: on
//! what is asked for, on what that and its dependencies may need, and on other versions of what is
//! installed.

use std::collections::{HashMap, HashSet};

use memchr::memmem;

use super::deb822::{alternatives, fields, groups, names, stanzas, value};

/// The fields that make apt install more; others say what doesn't go together.
const FOLLOWED: [&str; 3] = ["Pre-Depends", "Depends", "Recommends"];

/// How a field is found that few have, and those without which a system is nothing.
const PROVIDES: &[u8] = b"\nProvides:";
const ESSENTIAL: [&[u8]; 3] = [
    b"\nEssential: yes",
    b"\nImportant: yes",
    b"\nProtected: yes",
];

/// What `Status` of an installed package ends with (dpkg-query(1)).
const INSTALLED: &[u8] = b" installed";

/// What of `lists` (each the contents of a file `Packages`, deb822(5)) matters when the packages
/// `wanted` are installed where `status` (dpkg's) tells what is installed: for each list the stanzas
/// that do, in their order. `None` where that isn't sure: when a name isn't plainly that of a package,
/// and when apt would have to choose between packages that provide the same, which it does by the order
/// in which it has met their names.
pub(super) fn reachable(lists: &[Vec<u8>], status: &[u8], wanted: &[&str]) -> Option<Vec<Vec<u8>>> {
    let installed = Installed::new(status);
    let packages = Packages::new(lists, &installed);
    let mut reached = Reached::new(&packages);
    for name in wanted {
        if !packages.named.has(name.as_bytes()) {
            return None;
        }
        reached.add(name.as_bytes());
    }
    reached.follow()?;
    let mut parts = vec![Vec::new(); lists.len()];
    for (stanza, is_reached) in packages.stanzas.iter().zip(reached.stanzas) {
        if is_reached {
            parts[stanza.list].extend_from_slice(stanza.text);
            parts[stanza.list].extend_from_slice(b"\n\n");
        }
    }
    Some(parts)
}

/// What is installed.
struct Installed<'a> {
    versions: HashMap<&'a [u8], &'a [u8]>,
    provided: HashSet<&'a [u8]>,
}

impl<'a> Installed<'a> {
    fn new(status: &'a [u8]) -> Self {
        let (mut versions, mut provided) = (HashMap::new(), HashSet::new());
        for (_, text) in stanzas(status) {
            let field = |wanted| value(text, wanted);
            let (Some(name), Some(version), Some(status)) =
                (field("Package"), field("Version"), field("Status"))
            else {
                continue;
            };
            if status.ends_with(INSTALLED) {
                versions.insert(name, version);
                provided.extend(names(field("Provides")));
            }
        }
        Self { versions, provided }
    }

    fn has(&self, name: &[u8]) -> bool {
        self.versions.contains_key(name) || self.provided.contains(name)
    }
}

/// A version of a package in a list.
struct Stanza<'a> {
    list: usize,
    /// Where it starts there.
    start: usize,
    name: &'a [u8],
    text: &'a [u8],
}

impl Stanza<'_> {
    const fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// All that lists have.
struct Packages<'a> {
    installed: &'a Installed<'a>,
    stanzas: Vec<Stanza<'a>>,
    named: Names<'a>,
    providers: Names<'a>,
    essential: Vec<&'a [u8]>,
}

impl<'a> Packages<'a> {
    fn new(lists: &'a [Vec<u8>], installed: &'a Installed<'a>) -> Self {
        let (mut all, mut provided, mut essential) = (Vec::new(), Vec::new(), Vec::new());
        for (list, text) in lists.iter().enumerate() {
            let first = all.len();
            all.extend(stanzas(text).map(|(start, text)| {
                let name = value(text, "Package").unwrap_or_default();
                Stanza {
                    list,
                    start,
                    name,
                    text,
                }
            }));
            // Few have these fields: they are searched for in all of the text at once.
            let having = |field: &'static [u8]| {
                let found = memmem::find_iter(text, field);
                let all: &[Stanza<'a>] = &all;
                found.map(move |at| first + all[first..].partition_point(|it| it.end() <= at))
            };
            provided.extend(having(PROVIDES).flat_map(|index| {
                let names = names(value(all[index].text, "Provides"));
                names.map(move |name| (name, index))
            }));
            let essential_ones = ESSENTIAL.into_iter().flat_map(having);
            essential.extend(essential_ones.map(|index| all[index].name));
        }
        let named = all.iter().enumerate().map(|(index, it)| (it.name, index));
        Self {
            installed,
            named: Names::new(named.collect()),
            providers: Names::new(provided),
            stanzas: all,
            essential,
        }
    }

    fn is_installed(&self, stanza: &Stanza<'_>) -> bool {
        let installed = self.installed.versions.get(stanza.name).copied();
        installed.is_some() && installed == value(stanza.text, "Version")
    }

    /// Whether more than one package could be taken to have something of this name.
    fn is_choice(&self, name: &[u8]) -> bool {
        let providers = self.providers.of(name);
        let mut providers = providers.map(|index| self.stanzas[index].name);
        let first = providers.next();
        !self.named.has(name)
            && !self.installed.has(name)
            && providers.any(|other| Some(other) != first)
    }
}

/// The indices of stanzas by names, in their order.
struct Names<'a>(Vec<(&'a [u8], usize)>);

impl<'a> Names<'a> {
    fn new(mut names: Vec<(&'a [u8], usize)>) -> Self {
        // Most lists are sorted by name as they are.
        names.sort();
        Self(names)
    }

    fn of(&self, name: &[u8]) -> impl Iterator<Item = usize> {
        let from = self.0.partition_point(|(other, _)| *other < name);
        let rest = self.0[from..].iter();
        rest.take_while(move |(other, _)| *other == name)
            .map(|(_, index)| *index)
    }

    fn has(&self, name: &[u8]) -> bool {
        self.0
            .binary_search_by(|(other, _)| (*other).cmp(name))
            .is_ok()
    }
}

/// What was reached of the packages.
struct Reached<'a> {
    packages: &'a Packages<'a>,
    stanzas: Vec<bool>,
    names: HashSet<&'a [u8]>,
    /// The stanzas whose dependencies weren't looked at yet.
    next: Vec<usize>,
}

impl<'a> Reached<'a> {
    /// What matters whatever is installed.
    fn new(packages: &'a Packages<'a>) -> Self {
        let mut reached = Self {
            packages,
            stanzas: vec![false; packages.stanzas.len()],
            names: HashSet::new(),
            next: Vec::new(),
        };
        let installed = packages.installed.versions.keys().copied();
        for name in packages.essential.iter().copied().chain(installed) {
            reached.add(name);
        }
        reached
    }

    fn add(&mut self, name: &'a [u8]) {
        if !self.names.insert(name) {
            return;
        }
        let Packages {
            named, providers, ..
        } = self.packages;
        for index in named.of(name).chain(providers.of(name)) {
            let was_reached = std::mem::replace(&mut self.stanzas[index], true);
            if !was_reached && !self.packages.is_installed(&self.packages.stanzas[index]) {
                self.next.push(index);
            }
        }
    }

    /// Goes on to all that what was reached may need; `None` where apt has a choice.
    fn follow(&mut self) -> Option<()> {
        while let Some(index) = self.next.pop() {
            for (field, value) in fields(self.packages.stanzas[index].text) {
                if !FOLLOWED.iter().any(|it| it.as_bytes() == field) {
                    continue;
                }
                for group in groups(Some(value)) {
                    let exists = |name: &&[u8]| {
                        let Packages {
                            named, providers, ..
                        } = self.packages;
                        named.has(name) || providers.has(name)
                    };
                    let first = alternatives(group).find(exists);
                    if first.is_some_and(|name| self.packages.is_choice(name)) {
                        return None;
                    }
                    alternatives(group).for_each(|name| self.add(name));
                }
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Package: base\nStatus: install ok installed\nVersion: 1\nProvides: awk, sh (= 2)\n\n\
                          Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n";

    /// The names of what is reached.
    fn reached(list: &str, wanted: &[&str]) -> Option<String> {
        let parts = reachable(&[list.as_bytes().to_vec()], STATUS.as_bytes(), wanted)?;
        let names = stanzas(&parts[0]).map(|(_, text)| {
            let [name, version] = ["Package", "Version"].map(|name| value(text, name).unwrap());
            format!(
                "{}_{}",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(version)
            )
        });
        Some(names.collect::<Vec<_>>().join(" "))
    }

    /// A list of packages: `NAME FIELD: VALUE; FIELD: VALUE`.
    fn list(lines: &[&str]) -> String {
        let stanzas = lines.iter().map(|line| {
            let (name, fields) = line.split_once(' ').unwrap_or((line, ""));
            let version = if fields.contains("Version:") {
                ""
            } else {
                "Version: 1\n"
            };
            let fields = fields.replace("; ", "\n");
            format!("Package: {name}\n{version}{fields}\n").replace("\n\n", "\n") + "\n"
        });
        stanzas.collect()
    }

    #[test]
    fn dependencies_are_followed_and_what_is_installed_is_there() {
        let list = list(&[
            "other Depends: third",
            "a Depends: b (>= 1), c:any | d\n , e [amd64]; Suggests: other",
            "b Pre-Depends: f",
            "c Recommends: g",
            "d",
            "e",
            "f",
            "g Conflicts: other",
            "base Depends: other",
            "base Version: 2; Depends: new",
            "new",
            "must Essential: yes; Depends: too",
            "too",
            "third",
        ]);
        let expected = "a_1 b_1 c_1 d_1 e_1 f_1 g_1 base_1 base_2 new_1 must_1 too_1";
        assert_eq!(reached(&list, &["a"]).as_deref(), Some(expected));
        let expected = "f_1 base_1 base_2 new_1 must_1 too_1";
        assert_eq!(reached(&list, &["f"]).as_deref(), Some(expected));
    }

    #[test]
    fn where_apt_has_a_choice_it_sees_everything() {
        let list = list(&[
            "one Provides: mail, single (= 3)",
            "two Provides: mail, awk",
            "real Depends: one | mail",
            "choice Depends: missing | mail",
            "single-one Depends: single",
            "has Depends: awk, sh",
            "behind Depends: choice",
        ]);
        assert_eq!(
            reached(&list, &["real"]).as_deref(),
            Some("one_1 two_1 real_1")
        );
        assert_eq!(
            reached(&list, &["single-one"]).as_deref(),
            Some("one_1 single-one_1")
        );
        assert_eq!(reached(&list, &["has"]).as_deref(), Some("two_1 has_1"));
        for name in ["choice", "behind"] {
            assert_eq!(reached(&list, &[name]), None, "{name}");
        }
        for name in [
            "mail",
            "real/stable",
            "real=1",
            "rea*",
            "real+",
            "real:amd64",
            "none",
        ] {
            assert_eq!(reached(&list, &[name]), None, "{name}");
        }
    }

    #[test]
    fn lists_stay_apart_and_end_as_they_may() {
        let lists = [
            "\n\nPackage: a\nVersion: 1\n\n\n\nProvides: a\nPackage: x\nVersion: 1",
            "Package: a\nVersion: 2",
        ];
        let lists = lists.map(|text| text.as_bytes().to_vec());
        let parts = reachable(&lists, b"", &["a"]).unwrap();
        let expected = [
            "Package: a\nVersion: 1\n\nProvides: a\nPackage: x\nVersion: 1\n\n",
            "Package: a\nVersion: 2\n\n",
        ];
        assert_eq!(parts, expected.map(|text| text.as_bytes().to_vec()));
    }
}
