//! Hash trees of dm-verity held against veritysetup of cryptsetup byte by byte, and images with them
//! against systemd, which finds them by the types and UUIDs of their partitions.

mod damage;
mod dissected;
mod hostile;
mod refused;
mod same_bytes;
mod support;
mod types;
mod veritysetup;
