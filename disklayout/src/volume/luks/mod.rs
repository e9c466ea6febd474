//! Encryption of Linux: LUKS2 and LUKS1, as cryptsetup 2.6 lays them out.
//!
//! A [`Request`] becomes a [`Plan`], which has all that isn't secret; keys are made of passphrases when
//! it is written. What lies in the volume is encrypted by the plan's [`Cipher`], sector by sector.
//! Whatever others take from a random generator is derived from [`Secrets`].

mod cipher;
mod encrypted;
pub(crate) mod format;
mod hash;
mod kdf;
mod luks1;
mod luks2;
mod passphrase;
mod plan;
mod request;
mod secrets;
mod slot;
pub(crate) mod split;
mod xts;

pub use cipher::Cipher;
pub(crate) use encrypted::Encrypted;
pub use hash::Hash;
pub(crate) use kdf::MEMORY_MAX;
pub use kdf::{Argon2Cost, Kdf};
pub use passphrase::Passphrase;
pub use plan::{Plan, plan};
pub use request::{Key, Request, Version};
pub use secrets::Secrets;
