//! The entries of a configuration in one list, each with its name and with what it stands on.
//!
//! There are three forms, which may be mixed: objects with one key, the plugin's, of which each says
//! its base; the same with those that stand on them inside of them; and levels of pairs, of a plugin
//! and its object, as the first versions of diskimage-builder had them.

use super::entry::{Base, Entry, Planned, string};
use super::plugin::{self, Plugin};
use crate::config::{Findings, Keys, Object, Value};

/// What a configuration looks like, for messages.
const SHAPE: &str = "a configuration is a list of objects with one key each, like '- local_loop: {name: \
                     image0}'";

/// The entries of the configuration `root`, those inside of others before them.
pub(super) fn flatten<'a>(root: &Value<'a>, findings: &mut Findings) -> Vec<Planned<'a>> {
    let mut flat = Flat {
        entries: Vec::new(),
        findings,
    };
    let _ = flat.top(root);
    flat.entries
}

/// The list so far.
struct Flat<'a, 'f> {
    entries: Vec<Planned<'a>>,
    findings: &'f mut Findings,
}

impl<'a> Flat<'a, '_> {
    fn top(&mut self, root: &Value<'a>) -> Option<()> {
        if !root.is_list() {
            let message = format!("found {}: {SHAPE}", root.shown());
            return self.findings.refuse(root.place(), message);
        }
        let values = root.list("entries", self.findings)?;
        if values.is_empty() {
            let message = format!("there is no entry: {SHAPE}");
            return self.findings.refuse(root.place(), message);
        }
        for value in &values {
            // What is wrong with one entry doesn't keep the others from being read.
            let _ = match value.is_list() {
                true => self.level(value),
                false => self.single(value),
            };
        }
        Some(())
    }

    /// An object with one key.
    fn single(&mut self, value: &Value<'a>) -> Option<()> {
        if !value.is_object() {
            let message = format!("found {}: {SHAPE}", value.shown());
            return self.findings.refuse(value.place(), message);
        }
        let entries = value.entries("an object", self.findings)?;
        let [(word, inner)] = entries.as_slice() else {
            let keys: Vec<_> = entries.iter().map(|(key, _)| *key).collect();
            let message = format!(
                "an entry has one key, its plugin; this has {}: {}; begin a new entry for each",
                keys.len(),
                keys.join(", ")
            );
            return self.findings.refuse(value.place(), message);
        };
        let plugin = self.plugin(word, inner)?;
        self.expand(plugin, inner, None)
    }

    /// A list of pairs, or a pair.
    fn level(&mut self, value: &Value<'a>) -> Option<()> {
        let values = value.list("pairs of a plugin and its object", self.findings)?;
        if values.iter().all(Value::is_list) {
            for pair in &values {
                let _ = self.pair(pair);
            }
            return Some(());
        }
        self.pair(value)
    }

    fn pair(&mut self, value: &Value<'a>) -> Option<()> {
        let values = value.list("a plugin and its object", self.findings)?;
        let [word, inner] = values.as_slice() else {
            let message = format!(
                "expected two values, the plugin and its object, found {}",
                values.len()
            );
            return self.findings.refuse(value.place(), message);
        };
        let name = word.string(self.findings)?;
        let plugin = self.plugin(name, word)?;
        self.expand(plugin, inner, None)
    }

    fn plugin(&mut self, word: &str, value: &Value<'a>) -> Option<Plugin> {
        match Plugin::parse(word) {
            Some(plugin) => Some(plugin),
            None => self.findings.refuse(value.place(), plugin::unknown(word)),
        }
    }

    /// Adds an entry and all that is inside of it; `parent` is what it is inside of.
    fn expand(&mut self, plugin: Plugin, value: &Value<'a>, parent: Option<&Base>) -> Option<()> {
        let object = self.object(value, plugin.keys())?;
        let base = self.base(plugin, &object, parent)?;
        let name = match (object.optional("name"), &base) {
            (Some(name), _) => string(name, self.findings)?,
            (None, Some(base)) => format!("{}_{}", plugin.word(), base.name),
            (None, None) => {
                let word = plugin.word();
                let message = format!("'{word}' has neither 'name' nor 'base': give it a name");
                return self.findings.refuse(object.place(), message);
            }
        };
        let partitions = match (plugin, object.optional("partitions")) {
            (Plugin::Partitioning, Some(list)) => self.partitions(list, base.as_ref())?,
            _ => Vec::new(),
        };
        self.children(&name, &object);
        self.entries.push(Planned {
            plugin,
            entry: Entry { name, base, object },
            partitions,
        });
        Some(())
    }

    /// What an entry stands on. That of volumes may be a list, and means nothing.
    fn base(
        &mut self,
        plugin: Plugin,
        object: &Object<'a>,
        parent: Option<&Base>,
    ) -> Option<Option<Base>> {
        match object.optional("base") {
            Some(value) if plugin == Plugin::Lvm && value.is_list() => Some(None),
            Some(value) => Some(Some(Base {
                name: string(value, self.findings)?,
                place: value.place().clone(),
            })),
            None => Some(parent.cloned()),
        }
    }

    fn partitions(&mut self, list: &Value<'a>, base: Option<&Base>) -> Option<Vec<Entry<'a>>> {
        let values = list.list("partitions", self.findings)?;
        let mut partitions = Vec::new();
        for value in &values {
            let Some(object) = self.object(value, &plugin::PARTITION) else {
                continue;
            };
            let Some(name) = object.required("name", self.findings).cloned() else {
                continue;
            };
            let Some(name) = string(&name, self.findings) else {
                continue;
            };
            self.check_own_base(&object, base);
            self.children(&name, &object);
            let base = base.cloned();
            partitions.push(Entry { name, base, object });
        }
        (partitions.len() == values.len()).then_some(partitions)
    }

    /// Refuses another base of a partition than that of its table, which it would silently have.
    fn check_own_base(&mut self, object: &Object<'a>, base: Option<&Base>) {
        let Some((own, base)) = object.optional("base").zip(base) else {
            return;
        };
        if !own.is_text(&base.name) {
            let name = &base.name;
            let message = format!("the table of this partition is on '{name}': leave 'base' out");
            self.findings.refuse::<()>(own.place(), message);
        }
    }

    /// Adds what is inside of the entry called `name`.
    fn children(&mut self, name: &str, object: &Object<'a>) {
        for key in object.keys() {
            let Some((plugin, value)) = Plugin::parse(key).zip(object.optional(key)) else {
                continue;
            };
            let parent = Base {
                name: name.to_owned(),
                place: value.place().clone(),
            };
            let _ = self.expand(plugin, value, Some(&parent));
        }
    }

    /// An object whose other keys are warned of, and refused where something would be lost in them.
    fn object(&mut self, value: &Value<'a>, keys: &Keys) -> Option<Object<'a>> {
        let object = value.object(keys, self.findings)?;
        for key in object.keys() {
            let is_lost = object.optional(key).is_some_and(Value::is_object);
            if is_lost && Plugin::parse(key).is_none() {
                let place = object.place_of(key);
                self.findings.refuse::<()>(&place, plugin::unknown(key));
            }
        }
        Some(object)
    }
}
