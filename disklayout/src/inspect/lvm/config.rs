//! The syntax of LVM's configuration, in which its metadata is written. `lvm.conf(5)`, "SYNTAX".

use crate::error::{Error, Result};

const PLACE: &str = "LVM metadata";

/// How deep sections may be in one another. Metadata has five levels.
const DEPTH_MAX: usize = 16;

/// How many sections, settings and values a text may have.
const NODES_MAX: usize = 1 << 20;

/// What ends a name.
const SPECIAL: &[char] = &['{', '}', '=', '[', ']', ',', '"', '\'', '#'];

/// A value, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(i64),
    Text(String),
    List(Vec<Self>),
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Value(Value),
    Section(Section),
}

/// Settings and sections in it, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section(Vec<(String, Node)>);

impl Section {
    /// All that `text` says.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut parser = Parser {
            text,
            at: 0,
            left: NODES_MAX,
        };
        let section = parser.section(0)?;
        match parser.peek() {
            None => Ok(section),
            Some(_) => Err(parser.wrong("a section ends that never began")),
        }
    }

    /// The sections in it.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.0.iter().filter_map(|(name, node)| match node {
            Node::Section(section) => Some((name.as_str(), section)),
            Node::Value(_) => None,
        })
    }

    /// The section called `name`.
    pub(super) fn section(&self, name: &str) -> Option<&Self> {
        let mut sections = self.sections();
        sections.find_map(|(found, section)| (found == name).then_some(section))
    }

    /// The value called `name`.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find_map(|(found, node)| match node {
            Node::Value(value) if found == name => Some(value),
            Node::Value(_) | Node::Section(_) => None,
        })
    }

    /// The text called `name`.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::List(_) => None,
        }
    }

    /// The number called `name`, where it isn't negative.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Number(number) => u64::try_from(*number).ok(),
            Value::Text(_) | Value::List(_) => None,
        }
    }

    /// The texts in the list called `name`, which may be one text.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        let values = match self.value(name) {
            Some(Value::List(values)) => values,
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        let texts = values.iter().filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            Value::Number(_) | Value::List(_) => None,
        });
        texts.collect()
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// How many nodes there may still be.
    left: usize,
}

impl<'a> Parser<'a> {
    fn wrong(&self, what: &str) -> Error {
        let line = self.text[..self.at].matches('\n').count() + 1;
        Error::corrupt(PLACE, format!("line {line}: {what}"))
    }

    /// The next character that counts.
    fn peek(&mut self) -> Option<char> {
        loop {
            let rest = &self.text[self.at..];
            let space = rest.find(|c: char| !c.is_whitespace());
            self.at += space.unwrap_or(rest.len());
            let rest = &self.text[self.at..];
            if !rest.starts_with('#') {
                return rest.chars().next();
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    /// Whether `wanted` is next; then it is behind.
    fn skip(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.at += wanted.len_utf8();
        }
        is_next
    }

    /// Counts a node.
    fn count(&mut self) -> Result<()> {
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| self.wrong("there is more than anybody writes"))?;
        Ok(())
    }

    /// What is up to the end of a section, or of the text.
    fn section(&mut self, depth: usize) -> Result<Section> {
        let mut found = Vec::new();
        while !matches!(self.peek(), None | Some('}')) {
            self.count()?;
            let name = self.name()?;
            let node = match self.peek() {
                Some('{') => Node::Section(self.inner(depth)?),
                _ => {
                    self.skip('=');
                    Node::Value(self.value()?)
                }
            };
            found.push((name, node));
        }
        Ok(Section(found))
    }

    /// A section in braces.
    fn inner(&mut self, depth: usize) -> Result<Section> {
        if depth >= DEPTH_MAX {
            return Err(self.wrong("sections are too deep in one another"));
        }
        self.skip('{');
        let section = self.section(depth + 1)?;
        match self.skip('}') {
            true => Ok(section),
            false => Err(self.wrong("a section doesn't end")),
        }
    }

    fn name(&mut self) -> Result<String> {
        match self.peek() {
            Some('"') => self.quoted('"'),
            _ => self.word().map(str::to_owned),
        }
    }

    /// What is up to the next space or special character.
    fn word(&mut self) -> Result<&'a str> {
        let rest = &self.text[self.at..];
        let is_end = |c: char| c.is_whitespace() || SPECIAL.contains(&c);
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        if word.is_empty() {
            return Err(self.wrong("there is no name or value where one has to be"));
        }
        self.at += word.len();
        Ok(word)
    }

    fn value(&mut self) -> Result<Value> {
        if !self.skip('[') {
            return self.single();
        }
        let mut values = Vec::new();
        while !self.skip(']') {
            values.push(self.single()?);
            if !self.skip(',') && self.peek() != Some(']') {
                return Err(self.wrong("a list doesn't end"));
            }
        }
        Ok(Value::List(values))
    }

    fn single(&mut self) -> Result<Value> {
        self.count()?;
        match self.peek() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote).map(Value::Text),
            _ => {
                let word = self.word()?;
                // Other numbers and words aren't in what is read here.
                let text = || Value::Text(word.to_owned());
                Ok(word.parse().map_or_else(|_| text(), Value::Number))
            }
        }
    }

    /// A text between two of `quote`. In double ones, a backslash is before what stands for itself.
    fn quoted(&mut self, quote: char) -> Result<String> {
        self.skip(quote);
        let mut text = String::new();
        let mut rest = self.text[self.at..].char_indices();
        while let Some((at, c)) = rest.next() {
            if c == quote {
                self.at += at + c.len_utf8();
                return Ok(text);
            }
            let escaped = (c == '\\' && quote == '"').then(|| rest.next()).flatten();
            text.push(escaped.map_or(c, |(_, c)| c));
        }
        Err(self.wrong("a text doesn't end"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        Section::parse(text).unwrap_err().message().to_owned()
    }

    #[test]
    fn sections_values_and_comments() {
        let text = "a { # x }\n b = 5\nc=\"d\\\"\\\\\"\t# }\n e = [ \"f\", 7 ,]\ng {\n}\n h = 'i\\' j = -1 }\nk = []";
        let root = Section::parse(text).unwrap();
        let a = root.section("a").unwrap();
        assert_eq!(a.number("b"), Some(5));
        assert_eq!(a.text("c"), Some("d\"\\"));
        assert_eq!(a.text("h"), Some("i\\"));
        assert_eq!(a.texts("e"), ["f"]);
        assert_eq!(a.value("j"), Some(&Value::Number(-1)));
        assert_eq!(
            (a.number("j"), a.number("c"), a.text("b")),
            (None, None, None)
        );
        assert_eq!(a.section("g"), Some(&Section::default()));
        assert_eq!(root.value("k"), Some(&Value::List(Vec::new())));
        assert_eq!(Section::parse(" # only\n").unwrap(), Section::default());
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        for (text, why) in [
            ("}", "never began"),
            ("a {", "doesn't end"),
            ("a = {", "no name or value"),
            ("a = ", "no name or value"),
            ("a = \"b", "text doesn't end"),
            ("a = \"b\\", "text doesn't end"),
            ("a = [1", "list doesn't end"),
            ("a = [1 2]", "list doesn't end"),
            ("a = [,]", "no name or value"),
            ("= 1", "no name or value"),
            (&"a {".repeat(20), "too deep"),
            (&"a=1 ".repeat(NODES_MAX), "more than anybody"),
        ] {
            let said = said(text);
            assert!(said.contains(why), "{said}");
        }
        assert!(said("\n\na = \"").starts_with("line 3: "));
    }
}
