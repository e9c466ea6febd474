//! NTFS: its structures. Nothing here makes a volume.

pub mod format;
