//! What lies between a disk and its filesystems: disks that are put together of others.

pub mod lvm;
