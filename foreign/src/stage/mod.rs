//! Files that programs read and write while an image is built. Nothing here knows a format.

mod memfd;
mod nameless;
pub(crate) mod plant;
pub(crate) mod scratch;
pub(crate) mod splice;
pub mod staging;

pub use memfd::MemFile;
pub use nameless::NamelessFile;
pub use staging::Staging;
