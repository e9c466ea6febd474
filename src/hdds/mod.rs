//! hdds
