//! The one integration binary: one module a subject. Checkers that others wrote judge the images;
//! one that is missing fails its tests.

mod audit;
mod checkers;
mod checkers_refuse;
mod download;
mod engine;
mod ntfs;
mod oracle;
mod oracle_differs;
mod rocky_set;
mod safe_output;
mod sample;
