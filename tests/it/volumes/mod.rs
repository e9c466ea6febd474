//! LUKS, LVM2 and dm-verity volumes, opened by a kernel.

/// The machine opens what is made here.
mod layers;
/// The machine whose kernel opens them.
pub(crate) mod machine;
/// The machine opens what the programs themselves have made, and refuses what is damaged.
mod samples;
