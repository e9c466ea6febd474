//! What lies between a partition and its filesystem.

pub mod luks;
