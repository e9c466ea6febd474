//! Front ends: each knows one way to describe images, and makes what the library plans of it.

pub mod dib;
pub mod hdds;
pub mod identifiers;
pub mod luks;
mod mkfs;
pub mod vmdb2;

/// Bytes in hexadecimal digits.
///
/// # Errors
/// What is wrong with them.
pub fn hexadecimal(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("'{text}' isn't bytes in hexadecimal, two digits each");
    let is_digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_digits || !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let pairs = (0..text.len()).step_by(2).map(|at| &text[at..at + 2]);
    let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).map_err(|_| wrong()));
    bytes.collect()
}
