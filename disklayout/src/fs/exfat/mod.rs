//! exFAT, of the geometry that mkfs.exfat of exfatprogs 1.2.0 gives it.

pub(crate) mod format;
