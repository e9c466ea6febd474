//! The `createhdds` command: which images there should be, which are missing, and their building.

pub mod bootloader;
pub mod checksum;
pub mod cli;
pub mod command;
pub mod config;
pub mod console;
pub mod current_release;
pub mod describe;
pub mod distribution;
pub mod engine;
pub mod formats;
pub mod image;
pub mod inventory;
pub mod osinfo;
pub mod printable;
pub mod report;
pub mod rooted;
pub mod rootfs;
pub mod sandbox;
pub mod shell;
pub mod signals;
pub mod status;
pub mod system;
pub mod virtinstall;
