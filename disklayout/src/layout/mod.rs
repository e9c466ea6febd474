//! From the description of a disk to a plan in which everything is decided.
//!
//! `spec` is what front ends describe disks with. `bounds` turns starts and ends into `sectors`,
//! `mbr_rules`, `gpt_rules` and `bare_rules` admit partitions to a table, `fit` lets sizes follow
//! from content, `content` tells sizes through volumes and encryption, `holding` decides what is in
//! partitions and `groups` of volumes, parts of which may be `elsewhere`, `blobs` finds room for bytes
//! that stand for themselves, and `plan` puts all of it together.

mod areas;
mod bare_rules;
mod blobs;
mod bounds;
mod content;
mod elsewhere;
mod filling;
mod fit;
mod gpt_rules;
mod groups;
mod hashes;
mod holding;
mod hybrid;
mod kinds;
mod mbr_rules;
mod placed;
mod placing;
mod plan;
mod planner;
mod sectors;
mod size;
mod space;
pub mod spec;

pub use plan::{
    DiskPlan, EncryptedPlan, GroupPlan, HashesPlan, Held, Member, PartitionPlan, RawBytes,
};
pub use planner::plan;
pub use size::{DiskSize, Room};
