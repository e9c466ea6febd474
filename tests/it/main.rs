//! The one integration binary: one module a subject.

mod download;
mod safe_output;
