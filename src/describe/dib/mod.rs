//! Builds of diskimage-builder: elements, which have scripts for the phases of a build, and
//! configurations of block devices.

pub mod block;
mod builds;
mod elements;
mod expand;
mod hooks;
mod kernels;
mod names;
mod parts;
mod request;
mod variables;

pub use builds::{Build, Builds, key_names, read as read_builds};
pub use elements::{Element, Library};
pub use hooks::Hooks;
pub use kernels::Kernel;
pub use names::is_variable_name;
pub use parts::{PATTERN, Parts};
pub use request::Request;
pub use variables::variables;
