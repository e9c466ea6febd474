//! diskimage-builder: what its files say.

pub mod block;
