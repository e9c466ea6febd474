//! Options of whatever runs programs in a sandbox.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, value_parser};

use super::values::{option, value};
use crate::command::system::Tree;

const TREE: &str = "tree";

/// The option that says where a tree is made.
pub(super) fn tree(elsewhere: &str) -> Arg {
    let help = format!(
        "Make the tree in memory or in a directory, 'memory' or its path [default: memory, {elsewhere} \
         where there is too little of it]"
    );
    option(TREE, "WHERE", "")
        .help(help)
        .value_parser(value_parser!(PathBuf))
}

/// What it says.
pub(super) fn tree_of(matches: &ArgMatches) -> Tree {
    match value::<PathBuf>(matches, TREE) {
        None => Tree::Auto,
        Some(word) if word.as_os_str() == "memory" => Tree::Memory,
        Some(directory) => Tree::Below(directory),
    }
}
