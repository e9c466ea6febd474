//! Volume groups held against LVM2's own programs, which need no device mapper for what is asked of them.

mod checkers;
mod damage;
mod extents;
mod pinned;
mod properties;
mod read;
mod refused;
mod support;
mod text;
