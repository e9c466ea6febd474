//! Elements with all that they need.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Result, bail};

use super::elements::{Element, Library};
use crate::config::nearest;

/// What one of the elements has to provide: without it there is no tree to work at.
const OPERATING_SYSTEM: &str = "operating-system";

impl Library {
    /// The elements `wanted` with those that they need, sorted by name; what is provided by others is
    /// none of them. diskimage-builder has no order of elements either: scripts have numbers.
    ///
    /// # Errors
    /// When there is no such element, when two provide the same, when one is wanted that another one
    /// provides, and when none provides `operating-system`.
    pub fn expand(&self, wanted: &[String]) -> Result<Vec<&Element>> {
        let mut all: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        let mut provided = BTreeMap::new();
        let mut queue: VecDeque<(&str, Option<&str>)> =
            wanted.iter().map(|name| (name.as_str(), None)).collect();
        while let Some((name, needed_by)) = queue.pop_front() {
            // Elements that don't exist may be provided.
            if provided.contains_key(name) {
                continue;
            }
            let Some(element) = self.get(name) else {
                bail!("{}", self.unknown(name, needed_by));
            };
            for provision in &element.provides {
                provide(&mut provided, provision, name)?;
            }
            let needed = element.depends.iter().map(String::as_str);
            let new = needed.filter(|it| all.insert(it) && !provided.contains_key(it));
            queue.extend(new.map(|it| (it, Some(name))));
        }
        for name in wanted {
            if let Some(by) = provided.get(name.as_str()) {
                bail!("the element '{name}' is provided by '{by}' already: leave one of them out");
            }
        }
        if !provided.contains_key(OPERATING_SYSTEM) {
            bail!(
                "none of the elements provides an operating system: name one that does, like \
                 debian-minimal"
            );
        }
        let names = all.into_iter().filter(|name| !provided.contains_key(name));
        Ok(names.filter_map(|name| self.get(name)).collect())
    }

    fn unknown(&self, name: &str, needed_by: Option<&str>) -> String {
        let needed = needed_by.map(|by| format!(", which '{by}' needs"));
        let needed = needed.unwrap_or_default();
        let names: Vec<_> = self.names().collect();
        let advice = match nearest(name, &names) {
            Some(other) => format!("did you mean '{other}'?"),
            None => "ELEMENTS_PATH has the directories that elements are in".to_owned(),
        };
        format!("there is no element '{name}'{needed}: {advice}")
    }
}

fn provide<'a>(
    provided: &mut BTreeMap<&'a str, &'a str>,
    provision: &'a str,
    by: &'a str,
) -> Result<()> {
    match provided.insert(provision, by) {
        Some(other) if other != by => {
            bail!(
                "the elements '{other}' and '{by}' both provide '{provision}': leave one of them out"
            )
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::elements::tests::make;
    use super::*;

    #[test]
    fn needs_are_followed_and_what_is_provided_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        make(
            root.path(),
            &[
                ("e/os", "", "operating-system"),
                ("e/vm", "block-device base", ""),
                ("e/block-device-mbr", "", "block-device"),
                ("e/block-device-gpt", "", "block-device"),
                ("e/base", "vm deep", ""),
                ("e/deep", "", ""),
                ("e/broken", "nothing", ""),
                ("e/self", "", "self operating-system"),
            ],
        );
        let library = Library::read(&[root.path().join("e")]).unwrap();
        for (wanted, expected) in [
            ("os", Ok("os")),
            // The provider may come behind what needs it.
            (
                "vm os block-device-mbr",
                Ok("base block-device-mbr deep os vm"),
            ),
            ("os os", Ok("os")),
            (
                "vm os",
                Err("there is no element 'block-device', which 'vm' needs"),
            ),
            ("vmm os", Err("did you mean 'vm'?")),
            ("something-else os", Err("ELEMENTS_PATH")),
            ("deep", Err("operating system")),
            ("broken os", Err("'nothing', which 'broken' needs")),
            (
                "os block-device-gpt block-device-mbr",
                Err("'block-device-gpt' and 'block-device-mbr' both provide 'block-device'"),
            ),
            ("self", Err("'self' is provided by 'self'")),
            ("", Err("operating system")),
        ] {
            let words: Vec<_> = wanted.split_whitespace().map(str::to_owned).collect();
            let found = library.expand(&words).map(|found| {
                let names: Vec<_> = found.iter().map(|it| it.name.as_str()).collect();
                names.join(" ")
            });
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{wanted}"),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{wanted}: {error}");
                }
                (found, _) => panic!("{wanted}: {found:?}"),
            }
        }
    }
}
