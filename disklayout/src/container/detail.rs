//! What an image file that exists says of itself.

/// A fact about an image file besides its format and the size of the disk in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What it is called: where it could be chosen, as the option.
    pub name: &'static str,
    /// What it is.
    pub value: DetailValue,
}

/// What a fact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetailValue {
    /// A number; bytes where it is a size.
    Number(u64),
    /// A word. It may come from the file.
    Text(String),
    /// Whether something is so.
    Flag(bool),
}

impl Detail {
    /// A number; bytes where it is a size.
    pub const fn number(name: &'static str, value: u64) -> Self {
        let value = DetailValue::Number(value);
        Self { name, value }
    }

    /// A word.
    pub fn text(name: &'static str, value: impl Into<String>) -> Self {
        let value = DetailValue::Text(value.into());
        Self { name, value }
    }

    /// Whether something is so.
    pub const fn flag(name: &'static str, value: bool) -> Self {
        let value = DetailValue::Flag(value);
        Self { name, value }
    }
}
