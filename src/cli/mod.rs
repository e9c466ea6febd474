//! cli

pub mod logging;
