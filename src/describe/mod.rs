//! Front ends: each knows one way to describe images, and makes what the library plans of it.

pub mod dib;
pub mod hdds;
pub mod identifiers;
pub mod luks;
mod mkfs;
pub mod vmdb2;
