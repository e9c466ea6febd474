//! The options of the commands that builds of diskimage-builder are made of.

pub(super) mod element_info;
pub(super) mod extract_image;
pub(super) mod get_kernel;
pub(super) mod run_parts;
