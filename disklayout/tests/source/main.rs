//! Sources of trees held against programs that others wrote.

mod archive;
mod directory;
