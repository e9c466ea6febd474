//! What scripts of a build are told of its elements.

use super::elements::Element;
use crate::shell::quoted;

/// Commands of bash that set `IMAGE_ELEMENT`, the names of elements, and `IMAGE_ELEMENT_YAML`, their
/// directories by name, and a function with what an associative array of both is made of, as bash
/// exports no arrays.
pub fn variables(elements: &[&Element]) -> String {
    let names: Vec<_> = elements.iter().map(|it| it.name.as_str()).collect();
    let yaml = elements
        .iter()
        .map(|it| format!("{}: {}\n", plain(&it.name), path(it)));
    let array = elements
        .iter()
        .map(|it| format!("[{}]={} ", it.name, it.path.display()));
    format!(
        "export IMAGE_ELEMENT={}\nexport IMAGE_ELEMENT_YAML={}\n\
         function get_image_element_array {{\n  echo {}\n}};\nexport -f get_image_element_array;\n",
        quoted(&names.join(" ")),
        quoted(&yaml.collect::<String>()),
        quoted(&array.collect::<String>()),
    )
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
