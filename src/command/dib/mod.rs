//! Builds of diskimage-builder, and what they are made of: elements, scripts in directories, images of
//! clouds.

pub mod block_device;
pub mod build;
pub mod builds;
pub mod element_info;
pub mod extract_image;
pub mod get_kernel;
mod installation;
pub mod run_parts;
