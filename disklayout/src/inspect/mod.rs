//! Reads images back.
//!
//! Nothing here uses a writer, so that a writer's mistake can't hide in its own checker. What is
//! read may be damaged or hostile: it is an error, never a panic or an endless loop.

mod gpt;
mod mbr;
mod table;

pub use table::{Partition, Table, table};
