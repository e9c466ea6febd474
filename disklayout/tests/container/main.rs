//! Image files held against qemu-img, and against each other.

mod compressed;
mod formats;
mod kinds;
mod qcow2;
mod raw;
mod sample;
