//! Nodes from the events of a parser.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::scalars::{self, CORE};
use crate::config::node::{Kind, Node};
use crate::config::place::{Place, Position};
use crate::config::problem::Problem;

/// So many levels of lists and objects are read, as in JSON.
const MOST_LEVELS: usize = 127;

/// So many values may come from aliases.
const MOST_ALIASED: usize = 100_000;

/// The key by which an object takes the values of others.
const MERGE: &str = "<<";

/// Reads events and makes nodes of them.
pub(super) struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    file: &'a Arc<str>,
    /// What has an anchor, by its number, once it is complete.
    anchored: HashMap<usize, Node>,
    /// How many values have come from aliases.
    aliased: usize,
}

type Result<T> = std::result::Result<T, Problem>;

impl<'a> Composer<'a> {
    /// One for the text of `file`.
    pub(super) fn new(text: &'a str, file: &'a Arc<str>) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            file,
            anchored: HashMap::new(),
            aliased: 0,
        }
    }

    /// The only document.
    pub(super) fn document(mut self) -> Result<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                _ if root.is_some() => {
                    let message = "another document begins here: put it into a file of its own";
                    return Err(self.problem(&span.start, message));
                }
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        Ok(root.unwrap_or(Node {
            kind: Kind::Null,
            position: Position::START,
        }))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        // It gives an error again and again: the first one is the last that is asked for.
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        self.problem(error.marker(), error.info())
    }

    fn problem(&self, marker: &Marker, message: impl Into<String>) -> Problem {
        let place = Place {
            position: Some(position(marker)),
            ..Place::of_file(self.file)
        };
        Problem::new(place, message)
    }

    /// The node that begins with `event`, `level` levels below the top.
    fn node(&mut self, event: Event<'a>, span: Span, level: usize) -> Result<Node> {
        if level >= MOST_LEVELS && !matches!(event, Event::Scalar(..) | Event::Alias(_)) {
            let message = format!("there are more than {MOST_LEVELS} levels of lists and objects");
            return Err(self.problem(&span.start, message));
        }
        let (kind, anchor, at) = match event {
            Event::Alias(anchor) => return self.alias(anchor, &span),
            Event::Scalar(text, style, anchor, tag) => {
                let kind = self.scalar(&text, style, tag.as_deref(), &span)?;
                (kind, anchor, span.start)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", &span)?;
                (self.list(level)?, anchor, span.start)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", &span)?;
                (self.object(level)?, anchor, span.start)
            }
            _ => return Err(self.problem(&span.start, "a value is missing here")),
        };
        let node = Node {
            kind,
            position: position(&at),
        };
        if anchor > 0 {
            self.anchored.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<Node> {
        let Some(node) = self.anchored.get(&anchor) else {
            return Err(self.problem(&span.start, "the alias stands in what it is of"));
        };
        let node = node.clone();
        self.aliased += values(&node);
        match self.aliased > MOST_ALIASED {
            true => {
                let message = format!("aliases stand for more than {MOST_ALIASED} values");
                Err(self.problem(&span.start, message))
            }
            false => Ok(node),
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Result<Kind> {
        let Some(tag) = tag else {
            return Ok(match style {
                ScalarStyle::Plain => scalars::resolve(text),
                _ => Kind::String(text.to_owned()),
            });
        };
        if is_unspecific(tag) {
            return Ok(Kind::String(text.to_owned()));
        }
        let name = self.core(tag, span)?;
        let kind = scalars::tagged(name, text);
        kind.ok_or_else(|| self.problem(&span.start, format!("'{text}' is no {name}")))
    }

    /// Refuses a tag that is for something else.
    fn check_tag(&self, tag: Option<&Tag>, expected: &str, span: &Span) -> Result<()> {
        let tag = tag.filter(|tag| !is_unspecific(tag));
        match tag.map(|tag| self.core(tag, span)).transpose()? {
            Some(name) if name != expected => {
                let message = format!("the tag '!!{name}' isn't for this");
                Err(self.problem(&span.start, message))
            }
            _ => Ok(()),
        }
    }

    /// The name of a type that every YAML has.
    fn core<'t>(&self, tag: &'t Tag, span: &Span) -> Result<&'t str> {
        match tag.handle == CORE {
            true => Ok(&tag.suffix),
            false => {
                let tag = format!("{}{}", tag.handle, tag.suffix);
                let message = format!("the tag '{tag}' means nothing here: leave it out");
                Err(self.problem(&span.start, message))
            }
        }
    }

    fn list(&mut self, level: usize) -> Result<Kind> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::List(nodes)),
                (event, span) => nodes.push(self.node(event, span, level + 1)?),
            }
        }
    }

    fn object(&mut self, level: usize) -> Result<Kind> {
        let mut pairs = Vec::new();
        let mut lines: HashMap<String, usize> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, _) => break,
                key => key,
            };
            let key = self.key(event, &span)?;
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, level + 1)?;
            match key {
                Key::Merge => merged.extend(self.merged(value, &value_span)?),
                Key::Text(key) => {
                    if let Some(line) = lines.insert(key.clone(), span.start.line()) {
                        let message =
                            format!("the key '{key}' is there twice, first in line {line}");
                        return Err(self.problem(&span.start, message));
                    }
                    pairs.push((key, value));
                }
            }
        }
        for (key, value) in merged {
            // The own ones win, and then those of the first object.
            if lines.insert(key.clone(), 0).is_none() {
                pairs.push((key, value));
            }
        }
        Ok(Kind::Object(pairs))
    }

    fn key(&mut self, event: Event<'a>, span: &Span) -> Result<Key> {
        let Event::Scalar(text, style, _, tag) = event else {
            let what = match event {
                Event::SequenceStart(..) => "a list",
                Event::MappingStart(..) => "an object",
                _ => "an alias",
            };
            let message = format!("a key that is {what}: keys are strings");
            return Err(self.problem(&span.start, message));
        };
        if text == MERGE && style == ScalarStyle::Plain && tag.is_none() {
            return Ok(Key::Merge);
        }
        match self.scalar(&text, style, tag.as_deref(), span)? {
            Kind::String(key) => Ok(Key::Text(key)),
            other => {
                let message = format!("the key '{text}' is {other} in YAML 1.1: put it in quotes");
                Err(self.problem(&span.start, message))
            }
        }
    }

    /// The pairs that come from the value of a merge.
    fn merged(&self, value: Node, span: &Span) -> Result<Vec<(String, Node)>> {
        let wrong = || {
            let message = format!("'{MERGE}' takes an object or a list of objects");
            self.problem(&span.start, message)
        };
        match value.kind {
            Kind::Object(pairs) => Ok(pairs),
            Kind::List(nodes) => {
                let all = nodes.into_iter().map(|node| match node.kind {
                    Kind::Object(pairs) => Ok(pairs),
                    _ => Err(wrong()),
                });
                Ok(all.collect::<Result<Vec<_>>>()?.concat())
            }
            _ => Err(wrong()),
        }
    }
}

/// A key of an object.
enum Key {
    Text(String),
    Merge,
}

/// Whether a tag says no more than that a scalar is a string.
fn is_unspecific(tag: &Tag) -> bool {
    (tag.handle.as_str(), tag.suffix.as_str()) == ("", "!")
}

/// How many values a node is.
fn values(node: &Node) -> usize {
    match &node.kind {
        Kind::List(nodes) => nodes.iter().map(values).sum::<usize>() + 1,
        Kind::Object(pairs) => pairs.iter().map(|(_, node)| values(node)).sum::<usize>() + 1,
        _ => 1,
    }
}

/// Lines and columns count from 1.
fn position(marker: &Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}
