//! Where something stands in a file.

use std::fmt;
use std::sync::Arc;

/// Line and column, both counted from 1. Columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position behind `text`, which stands here.
    #[must_use]
    pub fn behind(self, text: &str) -> Self {
        match text.rsplit_once('\n') {
            Some((before, last)) => Self {
                line: self.line + 1 + before.matches('\n').count(),
                column: 1 + last.chars().count(),
            },
            None => Self {
                column: self.column + text.chars().count(),
                ..self
            },
        }
    }
}

/// A place in a file: `set.json:14:22 groups[2].parts[0].end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the user calls it.
    pub file: Arc<str>,
    /// Where the value begins; `None` for the whole file.
    pub position: Option<Position>,
    /// The path of the value, empty for the whole file: `groups[2].parts[0].end`.
    pub path: String,
}

impl Place {
    /// The whole of `file`.
    pub fn of_file(file: &Arc<str>) -> Self {
        Self {
            file: Arc::clone(file),
            position: None,
            path: String::new(),
        }
    }

    /// The place of the value of `key`, which stands at `position` in the object here. Without a
    /// position it isn't there, and that of the object is the nearest.
    #[must_use]
    pub fn key(&self, key: &str, position: Option<Position>) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let shown = shortened(key);
        let path = match (
            self.path.is_empty(),
            shown == key && key.chars().all(is_plain),
        ) {
            (true, _) => shown,
            (false, true) => format!("{}.{key}", self.path),
            (false, false) => format!("{}[\"{shown}\"]", self.path),
        };
        self.below(path, position)
    }

    /// The place of the value at `index`, which stands at `position` in the list here. Without a
    /// position it isn't there, and that of the list is the nearest.
    #[must_use]
    pub fn index(&self, index: usize, position: Option<Position>) -> Self {
        self.below(format!("{}[{index}]", self.path), position)
    }

    fn below(&self, path: String, position: Option<Position>) -> Self {
        Self {
            file: Arc::clone(&self.file),
            position: position.or(self.position),
            path,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, " {}", self.path)?;
        }
        Ok(())
    }
}

/// The start of a text, on one line, so that a pasted file doesn't fill the screen.
pub(super) fn shortened(text: &str) -> String {
    const LIMIT: usize = 40;
    let start = text.chars().take(LIMIT);
    let mut shown: String = start.flat_map(char::escape_debug).collect();
    if text.chars().nth(LIMIT).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_rendered_as_file_position_and_path() {
        let file = Place::of_file(&"dir/a.json".into());
        let at = |line, column| Some(Position { line, column });
        let group = file.key("groups", at(2, 4)).index(2, at(14, 22));
        let long = "x".repeat(50);
        for (place, shown) in [
            (file.clone(), "dir/a.json"),
            (file.key("odd key", at(3, 1)), "dir/a.json:3:1 odd key"),
            // Nothing of it is in the file.
            (file.key("groups", None), "dir/a.json groups"),
            (group.clone(), "dir/a.json:14:22 groups[2]"),
            (group.key("end", at(15, 1)), "dir/a.json:15:1 groups[2].end"),
            (group.key("end", None), "dir/a.json:14:22 groups[2].end"),
            (group.index(7, None), "dir/a.json:14:22 groups[2][7]"),
            (
                group.key("8.4", None),
                r#"dir/a.json:14:22 groups[2]["8.4"]"#,
            ),
            (
                group.key("a\n\"", None),
                r#"dir/a.json:14:22 groups[2]["a\n\""]"#,
            ),
            (
                group.key(&long, None),
                &format!(r#"dir/a.json:14:22 groups[2]["{}..."]"#, &long[..40]),
            ),
        ] {
            assert_eq!(place.to_string(), shown);
        }
    }

    #[test]
    fn positions_count_characters_and_lines() {
        for (text, line, column) in [
            ("", 1, 1),
            ("ab", 1, 3),
            ("\t\u{fc}\u{1f600}", 1, 4),
            ("a\r\n", 2, 1),
            ("\n\n  ", 3, 3),
            ("\u{2028}\r", 1, 3),
        ] {
            assert_eq!(
                Position::START.behind(text),
                Position { line, column },
                "{text:?}"
            );
        }
        let later = Position { line: 3, column: 5 };
        assert_eq!(later.behind("xy"), Position { line: 3, column: 7 });
        assert_eq!(later.behind("\nxy"), Position { line: 4, column: 3 });
    }
}
