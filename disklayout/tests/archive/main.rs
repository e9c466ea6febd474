//! Archives held against the programs that everybody unpacks them with, and against our own readers.

mod containers;
mod extracted;
mod large;
mod listed;
mod made;
mod programs;
mod properties;
mod python;
mod read_back;
mod refused;
mod same_bytes;
mod sample;
