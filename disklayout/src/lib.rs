//! Partition tables, filesystems and archives, written in process.
//!
//! A disk is *described*, then *planned*, then *written*. Planning is pure and decides everything;
//! writing decides nothing. There is no process, clock, random number, environment variable or
//! terminal in this library.

mod about;
pub mod archive;
mod build;
mod calendar;
pub mod compress;
pub mod container;
pub mod disk;
mod error;
pub mod fs;
mod hexadecimal;
mod identity;
pub mod inspect;
pub mod layout;
pub mod magic;
mod pax;
mod pipeline;
mod place;
pub mod source;
pub mod table;
pub mod tree;
mod units;
pub mod volume;

pub use about::About;
pub use build::{Zeroes, build};
pub use calendar::DateTime;
pub use error::{Error, ErrorKind, Result};
pub use identity::{Identity, Timestamp};
pub use place::{Field, Naming, Place};
pub use units::{Bytes, Lba, LbaRange, SECTOR_SIZE, SectorSize};
