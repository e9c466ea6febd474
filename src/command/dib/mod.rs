//! What builds of diskimage-builder are made of: elements, and scripts in directories.

pub mod build;
pub mod element_info;
pub mod get_kernel;
mod installation;
pub mod run_parts;
