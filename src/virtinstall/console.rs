//! What a virtual machine prints.

use std::collections::VecDeque;

/// How many lines are kept for the report of a failure.
const KEPT_LINES: usize = 20;

/// The longest line that is taken, in bytes: a machine may print anything.
const LONGEST_LINE: usize = 4096;

/// The lines that a machine has printed, without what would move a terminal's cursor.
#[derive(Debug, Default)]
pub(super) struct Console {
    line: Vec<u8>,
    last: VecDeque<String>,
}

impl Console {
    /// Takes what was printed; `show` gets every line that is complete.
    pub(super) fn take(&mut self, bytes: &[u8], mut show: impl FnMut(&str)) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(&mut show),
                _ if self.line.len() == LONGEST_LINE => {
                    self.end_line(&mut show);
                    self.line.push(*byte);
                }
                _ => self.line.push(*byte),
            }
        }
    }

    fn end_line(&mut self, show: &mut impl FnMut(&str)) {
        let line = plain(&std::mem::take(&mut self.line));
        if line.is_empty() {
            return;
        }
        show(&line);
        if self.last.len() == KEPT_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// The last lines, the one that isn't complete included.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let unfinished = Some(plain(&self.line)).filter(|line| !line.is_empty());
        self.last.iter().cloned().chain(unfinished).collect()
    }
}

/// The text of a line without escape sequences and control characters.
fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => skip_sequence(&mut characters),
            '\t' => plain.push(' '),
            _ if character.is_control() => {}
            _ => plain.push(character),
        }
    }
    plain.trim_end().to_owned()
}

/// Skips the rest of an escape sequence (ECMA-48): one character, or `[` and all up to a letter.
fn skip_sequence(characters: &mut std::str::Chars<'_>) {
    if characters.next() == Some('[') {
        characters.find(|character| ('@'..='~').contains(character));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_when_they_are_complete() {
        let (mut console, mut shown) = (Console::default(), Vec::new());
        for part in ["one\r\ntw", "o\n\n", "\x1b[1;31mred\x1b[0m\x07\n\x1bcthree"] {
            console.take(part.as_bytes(), |line| shown.push(line.to_owned()));
        }
        assert_eq!(shown, ["one", "two", "red"]);
        assert_eq!(console.last_lines(), ["one", "two", "red", "three"]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut console = Console::default();
        for number in 0..1000 {
            console.take(format!("line {number}\n").as_bytes(), |_| {});
        }
        let last = console.last_lines();
        assert_eq!((last.len(), last[0].as_str()), (KEPT_LINES, "line 980"));
        console.take(&vec![b'x'; 3 * LONGEST_LINE], |line| {
            assert_eq!(line.len(), LONGEST_LINE);
        });
        assert_eq!(console.line.len(), LONGEST_LINE);
    }
}
