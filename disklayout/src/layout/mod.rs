//! From the description of a disk to a plan in which everything is decided.

pub mod guestfs;
mod plan;

pub use plan::{DiskPlan, EntryPlan, PartitionPlan, Role, TablePlan};
