//! Containers of LUKS, held against cryptsetup and QEMU; theirs, read by this library.

mod changed;
mod damage;
mod data;
mod headers;
mod support;
mod unlocking;
