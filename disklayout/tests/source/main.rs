//! Sources of trees held against programs that others wrote.

mod archive;
mod directory;
#[expect(dead_code, reason = "no images are made here")]
#[path = "../programs/mod.rs"]
mod programs;
#[path = "../shared/root.rs"]
mod root;
