//! Partition tables: emitted as they were decided.

pub(crate) mod format;
pub(crate) mod gpt;
pub(crate) mod mbr;
pub(crate) mod types;
