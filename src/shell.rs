//! Text that a shell reads.

/// `text` as one word that means nothing else.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
