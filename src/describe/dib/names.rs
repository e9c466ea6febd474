//! Names that parts of a build may have.

/// Whether a variable of the environment may be called so: by letters, digits and `_`, and by no digit
/// first.
pub fn is_variable_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && !name.starts_with(|it: char| it.is_ascii_digit())
        && name.bytes().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_are_those_of_shells() {
        for name in ["A", "_", "DIB_RELEASE", "a1"] {
            assert!(is_variable_name(name), "{name}");
        }
        for name in ["", "1A", "A-B", "A=", "A B", "ä", "A\0"] {
            assert!(!is_variable_name(name), "{name}");
        }
    }
}
