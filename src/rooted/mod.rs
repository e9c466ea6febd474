//! Files of a tree by the paths that they have for a process with the tree as its root.

mod locate;
mod stand_in;
mod tree;

pub use locate::{locate, locate_followed};
pub use stand_in::{Placed, StandIn, is_hidden};
pub use tree::Tree;
