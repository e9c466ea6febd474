//! Swap space of Linux, as mkswap makes it.

pub(crate) mod format;
