//! Text of others on its way to a terminal or a log: names of files, labels, addresses, what
//! programs say. What could steer a terminal, or begin a line of its own, is shown as an escape.

use std::borrow::Cow;

/// `text` as one line: control characters, and those that turn or part lines, become `\n`,
/// `\u{1b}` and the like. All else stays, letters of any language included.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, steers)
}

/// `text` of several lines, each of them as [`printable`] makes it; tabs stay too.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| steers(c) && !matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether `c` does something else than to be shown: C0 and C1 controls, separators of lines and
/// paragraphs, and what changes the direction of the text around it.
fn steers(c: char) -> bool {
    let is_direction = matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_nothing_else() {
        for (text, line, lines) in [
            ("plain, ü, 日本, a\\b", None, None),
            ("\u{1b}]0;title\u{7}", Some("\\u{1b}]0;title\\u{7}"), None),
            ("a\nERROR:b", Some("a\\nERROR:b"), Some("a\nERROR:b")),
            ("a\r\tb", Some("a\\r\\tb"), Some("a\\r\tb")),
            ("\u{9b}31m\u{7f}", Some("\\u{9b}31m\\u{7f}"), None),
            ("gpj\u{202e}.exe", Some("gpj\\u{202e}.exe"), None),
            ("a\u{2028}b", Some("a\\u{2028}b"), None),
        ] {
            let line = line.unwrap_or(text);
            assert_eq!(printable(text), line);
            assert_eq!(printable_lines(text), lines.unwrap_or(line));
        }
    }
}
