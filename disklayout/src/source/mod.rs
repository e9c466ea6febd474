//! Where trees come from: directories, archives and single entries, one layer over the other.

mod accounts;
mod archive;
mod directory;
mod entry;
mod exclude;
mod host;
mod layer;
pub mod oci;
mod overlay;
mod owners;
mod rules;
mod scan;
mod whiteouts;
mod xattrs;

pub use accounts::Accounts;
pub use archive::{add_archive, open_compressed};
pub use directory::add_directory;
pub use entry::{Entry, EntryKind, FileSource, add_entry};
pub use exclude::Exclude;
pub use owners::{Mapping, Owners};
pub use rules::{DirectoryLinks, Rules};
