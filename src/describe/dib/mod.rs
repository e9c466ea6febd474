//! Builds of diskimage-builder: elements, which have scripts for the phases of a build, and
//! configurations of block devices.

pub mod block;
mod elements;
mod expand;
mod hooks;
mod kernels;
mod parts;
mod request;
mod variables;

pub use elements::{Element, Library};
pub use hooks::Hooks;
pub use kernels::Kernel;
pub use parts::{PATTERN, Parts};
pub use request::Request;
pub use variables::variables;
