//! Partition tables from the description to the bytes, checked against recordings of libguestfs,
//! programs that others wrote and the reader in `inspect`.

mod bytes;
mod damaged;
mod expected;
mod external;
mod keys;
mod lenient;
mod properties;
mod recorded;
mod refused;
mod single;
mod support;
mod writing;
