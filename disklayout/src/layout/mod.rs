//! From the description of a disk to a plan in which everything is decided.

mod bare_rules;
mod blank;
mod esp;
mod files;
mod flags;
mod gpt_rules;
pub mod guestfs;
mod kinds;
mod label;
mod mbr_rules;
mod plan;
pub mod single;
mod size;
mod space;
mod spec;

pub use flags::Flag;
pub use label::Label;
pub use plan::{DiskPlan, EntryPlan, Hybrid, PartitionPlan, Role, TablePlan};
pub use size::{DiskSize, Room};
