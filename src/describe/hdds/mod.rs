//! hdds.json: which images there should be, and where the files that they need are.
//!
//! `keys` has the names of the keys, and `naming` what the library's objects and fields are called by
//! them; `top`, `layout_group` (with `part`, `volume`, `holding`, `encryption`, `files`, `bounds` and
//! `table`), `contents` and `install_group` (with `distribution`, `installed_disk` and `machine`) turn
//! values into the groups of `model`; `variants` turns groups into images (with `for_label`, `volumes`
//! and `family`), and `whole_group` tells what no part of one can. `locate` finds the files, and
//! `encoding` makes text of them. Nothing here opens a network connection.

pub mod arch;
mod bounds;
mod contents;
mod distribution;
pub mod encoding;
mod encryption;
mod family;
mod file_format;
mod files;
mod for_label;
mod holding;
mod install_group;
mod installed_disk;
mod keys;
mod layout_group;
pub mod locate;
pub mod machine;
mod mkfs;
mod model;
pub mod names;
mod naming;
mod part;
pub mod releases;
mod shipped;
pub mod size;
mod source;
mod table;
mod top;
mod variants;
mod volume;
mod volumes;
mod whole_group;

#[cfg(test)]
mod reject;

pub use model::{Config, Group, InstallGroup, LayoutGroup, Part, Rename};
pub use variants::{install_images, layout_images};
