//! Installed systems: virt-install runs the installer in a virtual machine of libvirt.

pub mod settings;

pub use settings::{Settings, VirtType};
