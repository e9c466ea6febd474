//! The keys that a kind of object has, and what is said of a key that isn't among them.

/// No key is a misspelling of a longer one than this.
const LONGEST: usize = 64;

/// The keys of one kind of object.
#[derive(Debug)]
pub struct Keys {
    /// Those that mean something.
    pub known: &'static [&'static str],
    /// Keys that are often put here by mistake, with what is to be said of them.
    pub mistaken: &'static [(&'static str, &'static str)],
}

impl Keys {
    /// Why `key` isn't one of these; `None` when it is.
    pub(super) fn objection(&self, key: &str) -> Option<String> {
        if self.known.contains(&key) {
            return None;
        }
        let advice = match self.mistaken.iter().find(|(name, _)| *name == key) {
            Some((_, advice)) => (*advice).to_string(),
            None => advice(key, self.known),
        };
        Some(format!("unknown key '{key}': {advice}"))
    }
}

/// What is said of a `word` that is none of those that are known.
pub fn advice(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(name) => format!("did you mean '{name}'?"),
        None => format!("known here are {}", known.join(", ")),
    }
}

/// The one of `known` that `word` is most likely a misspelling of.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.trim().to_lowercase().replace('-', "_");
    let word = plain(word);
    if word.len() > LONGEST {
        return None;
    }
    let tolerated = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&word, &plain(name)), *name))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: Keys = Keys {
        known: &["start", "filesystem", "gpt_type", "gpt-type"],
        mistaken: &[("content", "it is called 'contents'")],
    };

    #[test]
    fn unknown_keys_are_told_with_the_nearest_known_one() {
        let far = "known here are start, filesystem, gpt_type, gpt-type";
        for (key, advice) in [
            ("gpt-type", None),
            ("Start", Some("did you mean 'start'?")),
            ("filesytsem", Some("did you mean 'filesystem'?")),
            ("GPT-Type ", Some("did you mean 'gpt_type'?")),
            ("content", Some("it is called 'contents'")),
            ("mode", Some(far)),
            (&"start".repeat(100), Some(far)),
        ] {
            let expected = advice.map(|advice| format!("unknown key '{key}': {advice}"));
            assert_eq!(KEYS.objection(key), expected);
        }
    }
}
