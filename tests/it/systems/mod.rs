//! Systems that are assembled from specifications of vmdb2: by an ordinary user, by root, and where
//! no namespaces are allowed; what is in their images, and that nothing is left of their making.

pub(crate) mod assembled;
mod bootable;
mod caches;
mod container;
pub(crate) mod debian;
pub(crate) mod ends;
mod foreign;
pub(crate) mod machine;
mod nightly;
mod parted;
pub(crate) mod place;
pub(crate) mod user;
mod volumes;
