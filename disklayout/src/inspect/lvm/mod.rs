//! Reads volume groups of LVM2 back.
//!
//! [`member`] reads one physical volume, [`groups`] puts several together, and [`Group::open`] gives the
//! bytes of a logical volume. Linear and striped segments are mapped; others are told by their name.
//! What is damaged is told: as an error where nothing is left, else as a warning.

mod config;
mod fields;
mod group;
mod headers;
mod member;
mod metadata;
mod physical;
mod reads;
mod segments;
mod volume;

pub use group::{Group, groups};
pub use member::{Member, member};
pub use metadata::{LogicalVolume, Metadata};
pub use physical::{GroupMember, PhysicalVolume};
pub use segments::{Area, Mapping, Segment};
pub use volume::VolumeDisk;
