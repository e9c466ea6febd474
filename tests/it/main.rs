//! The one integration binary: one module a subject.

mod download;
mod engine;
mod safe_output;
