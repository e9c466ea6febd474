//! Image files held against qemu-img, and against each other.

mod android;
mod compressed;
mod damage;
mod formats;
mod hostile;
mod kinds;
mod others;
mod ova;
mod qcow2;
mod qcow2_read;
mod qcow2_refused;
mod raw;
mod sample;
mod vhd;
mod vhdx;
