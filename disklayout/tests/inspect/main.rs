//! What other programs made is read right, what this library made is read as it was described, and
//! what is damaged is an error.

mod awkward;
mod btrfs;
mod copies;
mod damaged;
mod erofs;
mod exfat;
mod ext;
mod fat;
mod ntfs;
mod properties;
mod sectors;
mod superblocks;
mod support;
mod tree;
mod xfs;
