//! Builds of diskimage-builder: elements, which have scripts for the phases of a build, and
//! configurations of block devices.

pub mod block;
mod breaks;
mod build;
pub mod builds;
mod elements;
mod environment;
mod expand;
mod hooks;
mod kernels;
mod names;
mod outputs;
mod parts;
mod phase;
mod request;
mod size;
mod variables;

pub use breaks::{Breaks, Stage};
pub use build::{Build, Host};
pub use elements::{Element, Library};
pub use environment::Environment;
pub use hooks::Hooks;
pub use kernels::Kernel;
pub use names::is_variable_name;
pub use outputs::{Holds, Output, known as known_types};
pub use parts::{PATTERN, Parts};
pub use phase::{Phase, Side};
pub use request::Request;
pub use variables::variables;
