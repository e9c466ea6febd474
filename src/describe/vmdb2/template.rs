//! Templates in the values of a specification, by the rules of Jinja2 as vmdb2 has them: every string
//! is one, keys aren't; what isn't defined is empty; one line end at the end goes away.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value};

use super::Settings;
use crate::config::{Findings, Kind, Node, Place};

/// So many instructions a template may take: loops end.
const FUEL: u64 = 200_000;

/// What renders templates.
pub(super) struct Templates {
    environment: Environment<'static>,
    variables: Value,
}

/// The tags before any step, as Python shows them.
const NO_TAGS: &str = "{'tags': {}, 'tagnames': []}";

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
        ]);
        for (name, value) in &settings.variables {
            variables.insert(name.clone(), Value::from(value.clone()));
        }
        // What Python's repr shows of them, as strings: vmdb2 gives templates that.
        let arch = format!("'{}'", settings.arch);
        variables.insert("arch".to_owned(), Value::from(arch));
        variables.insert("tags".to_owned(), Value::from(NO_TAGS));
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

    /// The same node with all its strings rendered, in lists and objects too; it stands at `place`.
    /// The `findings` are told of what is wrong.
    pub(super) fn expand(&self, node: &Node, place: &Place, findings: &mut Findings) -> Node {
        let kind = match &node.kind {
            Kind::String(text) => {
                let rendered = findings.check(place, self.render(text));
                Kind::String(rendered.unwrap_or_default())
            }
            Kind::List(nodes) => {
                let nodes = nodes.iter().enumerate().map(|(index, node)| {
                    self.expand(node, &place.index(index, Some(node.position)), findings)
                });
                Kind::List(nodes.collect())
            }
            Kind::Object(pairs) => {
                let pairs = pairs.iter().map(|(key, node)| {
                    let place = place.key(key, Some(node.position));
                    (key.clone(), self.expand(node, &place, findings))
                });
                Kind::Object(pairs.collect())
            }
            Kind::Bool(_) | Kind::Integer(_) => node.kind.clone(),
            Kind::Null | Kind::Float(_) | Kind::Date(_) => {
                let message = format!(
                    "expected a string, a whole number, true or false, a list or an object, found \
                     {}; put text into quotes",
                    node.kind
                );
                findings.refuse::<()>(place, message);
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
            ("{{ arch|replace(\"'\", '') }}", "amd64"),
            ("{% if 'amd64' in arch %}y{% else %}n{% endif %}", "y"),
            ("{{ arch == \"'amd64'\" }} {{ arch|length }}", "True 7"),
            ("{{ arch[1:-1] }}-{{ arch ~ 'x' }}", "amd64-'amd64'x"),
            ("{{ tags }}", "{'tags': {}, 'tagnames': []}"),
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
