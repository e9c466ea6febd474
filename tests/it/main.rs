//! The one integration binary: one module a subject.

/// A web server on this machine, for the other modules.
mod server;
/// Digests of images with large holes, for the other modules.
mod sparse;
/// The binary in a directory and an environment of its own, for the other modules.
mod world;

/// `all`: what it builds, renames and removes.
mod all;
/// `check`: its lines, its JSON and its changes.
mod check;
/// Downloads, on the level of the library.
mod download;
/// Whole runs of the engine, on the level of the library.
mod engine;
/// One subcommand for every image group.
mod groups;
/// Runs of the binary that are killed, interrupted or run into each other.
mod killed;
/// Where the configuration and its files are found.
mod locate;
/// Which module of the sources may use which.
mod modules;
/// Options of every command.
mod options;
/// `plan`: text and JSON.
mod plan;
/// Configurations that are refused.
mod reject;
/// Safe output, on the level of the library.
mod safe_output;
/// The same input gives the same bytes.
mod same_bytes;
/// Exit statuses.
mod status;
/// Files that come from the data directory or the network.
mod uploads;
