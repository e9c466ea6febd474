//! Volume groups of LVM2: linear and striped logical volumes on physical ones.
//!
//! A [`Request`] becomes a [`Plan`], in which every logical volume has its extents: those that lvcreate
//! 2.03 gives it when it is called for one after the other. Each physical volume then gets its label and
//! the metadata of the whole group; what is in logical volumes is written by others.

mod allocate;
mod checks;
mod demand;
pub(crate) mod format;
mod geometry;
mod names;
mod placing;
mod plan;
mod planner;
mod request;
mod text;
mod write;

pub use format::Id;
pub use plan::{Area, MemberPlan, Plan, Segment, Volume};
pub use planner::plan;
pub use request::{Member, Request, Stripes, VolumeRequest, VolumeSize};
