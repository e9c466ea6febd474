//! From the description of a disk to a plan in which everything is decided.

mod files;
mod gpt_rules;
pub mod guestfs;
mod label;
mod mbr_rules;
mod plan;
pub mod single;
mod size;
mod space;
mod spec;

pub use plan::{DiskPlan, EntryPlan, PartitionPlan, Role, TablePlan};
pub use size::{DiskSize, Room};
