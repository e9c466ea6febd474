//! The options of the commands that builds of diskimage-builder are made of, and of those that build.

mod abbreviations;
pub(super) mod block_device;
pub(super) mod disk_image_create;
pub(super) mod diskimage_builder;
pub(super) mod element_info;
pub(super) mod extract_image;
pub(super) mod get_kernel;
pub(super) mod run_parts;
mod shared;
mod values;
pub(super) mod virt_dib;
