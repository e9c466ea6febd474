//! What lies between a partition and a filesystem.

pub mod verity;
