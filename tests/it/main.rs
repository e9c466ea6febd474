//! Tests of the whole command, one module a subject. Checkers that others wrote judge the images;
//! one that is missing fails its tests.

mod audit;
mod checkers;
mod checkers_refuse;
mod oracle;
mod oracle_differs;
mod sample;
