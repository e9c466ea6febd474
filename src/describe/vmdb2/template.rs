//! Templates in the values of a specification, by the rules of Jinja2 as vmdb2 has them: every string
//! is one, keys aren't; what isn't defined is empty; one line end at the end goes away.

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Environment, UndefinedBehavior, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Settings;
use crate::config::{Kind, Node};

/// So many instructions a template may take: loops end.
const FUEL: u64 = 200_000;

/// What renders templates.
pub(super) struct Templates {
    environment: Environment<'static>,
    variables: Value,
}

/// A text as Python shows it where a value is printed by its `repr`.
#[derive(Debug)]
struct Shown(String);

impl Object for Shown {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Templates {
    /// Those of a specification that is read with `settings`.
    pub(super) fn new(settings: &Settings) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_fuel(Some(FUEL));
        let tarball = match &settings.rootfs_tarball {
            Some(path) => Value::from(path.display().to_string()),
            None => Value::from(()),
        };
        let mut variables: BTreeMap<String, Value> = BTreeMap::from([
            ("output".to_owned(), Value::from(settings.device.clone())),
            // It is one or the other that vmdb2 is given.
            ("image".to_owned(), Value::from(())),
            ("rootfs_tarball".to_owned(), tarball),
            (
                "arch".to_owned(),
                Value::from_object(Shown(format!("'{}'", settings.arch))),
            ),
        ]);
        for (name, value) in &settings.variables {
            variables.insert(name.clone(), Value::from(value.clone()));
        }
        Self {
            environment,
            variables: Value::from(variables),
        }
    }

    /// The text that a template becomes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn render(&self, text: &str) -> Result<String, String> {
        // A template has as much to do with most strings as they have braces.
        if !text.contains(['{', '\n']) {
            return Ok(text.to_owned());
        }
        let rendered = self.environment.render_str(text, &self.variables);
        rendered.map_err(|error| {
            let line = error.line().filter(|line| *line > 1);
            let line = line.map(|line| format!(", in line {line} of the text"));
            let detail = error.detail().unwrap_or_default();
            let kind = error.kind();
            format!(
                "the template is wrong: {kind}: {detail}{}",
                line.unwrap_or_default()
            )
        })
    }

    /// The same node with all its strings rendered, in lists and objects too. `refuse` is told of what
    /// is wrong, and where.
    pub(super) fn expand(&self, node: &Node, refuse: &mut dyn FnMut(&Node, String)) -> Node {
        let kind = match &node.kind {
            Kind::String(text) => match self.render(text) {
                Ok(text) => Kind::String(text),
                Err(message) => {
                    refuse(node, message);
                    Kind::String(text.clone())
                }
            },
            Kind::List(nodes) => {
                Kind::List(nodes.iter().map(|node| self.expand(node, refuse)).collect())
            }
            Kind::Object(pairs) => {
                let pairs = pairs.iter();
                Kind::Object(
                    pairs
                        .map(|(key, node)| (key.clone(), self.expand(node, refuse)))
                        .collect(),
                )
            }
            Kind::Bool(_) | Kind::Integer(_) => node.kind.clone(),
            Kind::Null | Kind::Float(_) | Kind::Date(_) => {
                let message = format!(
                    "expected a string, a whole number, true or false, a list or an object, found \
                     {}; put text into quotes",
                    node.kind
                );
                refuse(node, message);
                Kind::Null
            }
        };
        Node {
            kind,
            position: node.position,
        }
    }
}

/// The variables that vmdb2 sets itself, which nobody else may.
pub(super) const BUILT_IN: [&str; 5] = ["arch", "image", "output", "rootfs_tarball", "tags"];

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> Result<String, String> {
        let settings = Settings {
            variables: vec![("x".into(), "one".into()), ("list".into(), "a b".into())],
            ..Settings::for_tests()
        };
        Templates::new(&settings).render(text)
    }

    #[test]
    fn templates_are_those_of_jinja() {
        for (text, expected) in [
            ("plain", "plain"),
            ("{{ x }}", "one"),
            ("a{{x}}b{{ nothing }}c", "aonebc"),
            ("{{ output }}", "/d/a.img.disk.tmp"),
            ("{{ rootfs_tarball }} {{ image }}", "None None"),
            ("{{ arch }}", "'amd64'"),
            ("line\n", "line"),
            ("line\n\n", "line\n"),
            ("{% if x == 'one' %}yes{% else %}no{% endif %}", "yes"),
            ("{% for i in range(3) %}{{ i }},{% endfor %}", "0,1,2,"),
            ("{{ x|upper }} {{ nothing|default('d') }}", "ONE d"),
            ("{{ 1 == 1 }}", "True"),
            ("{# comment #}x", "x"),
            ("${ROOT?}/x {single}", "${ROOT?}/x {single}"),
            ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
            ("{{ x ~ 'y' }}", "oney"),
            ("{% set y = x %}{{ y }}", "one"),
        ] {
            assert_eq!(render(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_and_nothing_hangs() {
        for text in [
            "{{ x",
            "{% if %}",
            "{{ x|nosuch }}",
            "{% for i in range(1000000) %}{% for j in range(1000000) %}x{% endfor %}{% endfor %}",
        ] {
            let error = render(text).unwrap_err();
            assert!(error.starts_with("the template is wrong: "), "{error}");
        }
    }
}
