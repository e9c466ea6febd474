//! Text that a shell reads.

/// `text` as one word that means nothing else.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The same without quotes where it needs none.
pub fn word(text: &str) -> String {
    let is_plain = |it: u8| {
        it.is_ascii_alphanumeric()
            || matches!(
                it,
                b'_' | b'@' | b'%' | b'+' | b'=' | b':' | b',' | b'.' | b'/' | b'-'
            )
    };
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_quotes_where_they_need_them() {
        for (text, expected) in [
            ("a-b_c=d,e:f/g.h@i%j+k", "a-b_c=d,e:f/g.h@i%j+k"),
            ("", "''"),
            ("~/a", "'~/a'"),
            ("a b", "'a b'"),
            ("$HOME", "'$HOME'"),
            ("it's", r"'it'\''s'"),
            ("ä", "'ä'"),
            ("a\nb", "'a\nb'"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
