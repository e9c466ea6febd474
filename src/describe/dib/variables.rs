//! What scripts of a build are told of its elements.

use super::elements::Element;
use super::environment::Environment;
use crate::shell::quoted;

/// What functions are called in the environment, as bash exports them.
const FUNCTION: &str = "BASH_FUNC_";

/// Says something, and ends a script with the status of what has failed.
const DIE: &str = "() {  local status=$?; { set +x; } 2> /dev/null; echo \"$*\"; exit $status\n}";

/// Sets what scripts are told of `elements`, as [`variables`] has it.
pub(super) fn set(environment: &mut Environment, elements: &[&Element]) {
    environment.set("IMAGE_ELEMENT", names(elements));
    environment.set("IMAGE_ELEMENT_YAML", yaml(elements));
    let array = quoted(&array(elements));
    let function = |name: &str| format!("{FUNCTION}{name}%%");
    environment.set(
        &function("get_image_element_array"),
        format!("() {{  echo {array}\n}}"),
    );
    environment.set(&function("die"), DIE);
}

/// Commands of bash that declare the variables that begin with `prefix`.
pub(super) fn declared(environment: &Environment, prefix: &str) -> String {
    let all = environment.iter().filter_map(|(name, value)| {
        let name = name.to_str().filter(|name| name.starts_with(prefix))?;
        let mut escaped = String::new();
        for character in value.to_string_lossy().chars() {
            if matches!(character, '$' | '`' | '"' | '\\') {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        Some(format!("declare -x {name}=\"{escaped}\""))
    });
    all.collect::<Vec<_>>().join("\n")
}

/// Commands of bash that set `IMAGE_ELEMENT`, the names of elements, and `IMAGE_ELEMENT_YAML`, their
/// directories by name, and a function with what an associative array of both is made of, as bash
/// exports no arrays.
pub fn variables(elements: &[&Element]) -> String {
    format!(
        "export IMAGE_ELEMENT={}\nexport IMAGE_ELEMENT_YAML={}\n\
         function get_image_element_array {{\n  echo {}\n}};\nexport -f get_image_element_array;\n",
        quoted(&names(elements)),
        quoted(&yaml(elements)),
        quoted(&array(elements)),
    )
}

fn names(elements: &[&Element]) -> String {
    let names: Vec<_> = elements.iter().map(|it| it.name.as_str()).collect();
    names.join(" ")
}

/// Their directories by their names.
fn yaml(elements: &[&Element]) -> String {
    let lines = elements.iter();
    let lines = lines.map(|it| format!("{}: {}\n", plain(&it.name), path(it)));
    lines.collect()
}

/// What an associative array of both is made of.
fn array(elements: &[&Element]) -> String {
    let words = elements.iter();
    let words = words.map(|it| format!("[{}]={} ", it.name, it.path.display()));
    words.collect()
}

fn path(element: &Element) -> String {
    plain(&element.path.display().to_string())
}

/// A word of YAML: as it is where it can't be taken for anything else.
fn plain(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '/' | '_' | '-' | '.');
    let begins = text.starts_with(|it: char| it.is_ascii_alphabetic() || it == '/');
    let is_word = !matches!(
        text.to_ascii_lowercase().as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
    );
    match begins && is_word && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_them_whatever_directories_are_called() {
        let element = |name: &str, path: &str| Element {
            name: name.to_owned(),
            path: path.into(),
            depends: Default::default(),
            provides: Default::default(),
        };
        let elements = [element("a", "/x/a"), element("no", "/it's $HOME/no")];
        let text = variables(&elements.iter().collect::<Vec<_>>());
        let script = format!(
            "{text}bash -c 'echo \"$IMAGE_ELEMENT\"; echo \"$IMAGE_ELEMENT_YAML\"; get_image_element_array'"
        );
        let said = Command::new("bash").args(["-c", &script]).output().unwrap();
        let expected = "a no\na: /x/a\n'no': '/it''s $HOME/no'\n\n[a]=/x/a [no]=/it's $HOME/no \n";
        assert_eq!(String::from_utf8(said.stdout).unwrap(), expected);
    }
}
