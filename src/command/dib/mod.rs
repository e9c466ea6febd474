//! Builds of diskimage-builder, and what they are made of: elements, and scripts in directories.

pub mod builds;
pub mod element_info;
pub mod get_kernel;
mod installation;
pub mod run_parts;
