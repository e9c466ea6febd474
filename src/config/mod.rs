//! Values as a user wrote them in a file, each with its place: file, line, column and path.
//!
//! `json` reads a text; what it yields is a [`Document`], whatever the format of the text was.
//! Front ends read its values by their keys, and everything that is wrong becomes one of the
//! [`Findings`]. No key of any front end is known here.

mod document;
mod findings;
pub mod json;
mod keys;
mod node;
mod object;
mod place;
mod problem;
mod value;
pub mod yaml;

#[cfg(test)]
pub(crate) mod tests;

pub use document::{Document, Spot};
pub use findings::Findings;
pub use keys::{Keys, advice, nearest};
pub use node::{Kind, Node};
pub use object::Object;
pub use place::{Place, Position};
pub use problem::{ConfigError, Problem};
pub use value::Value;
