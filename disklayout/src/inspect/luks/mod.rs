//! Containers of LUKS, read and unlocked.
//!
//! The headers may be damaged or hostile: what they ask for is limited, 4 GiB of memory among it.
//! Volumes encrypted with `aes-xts-plain64` are read; other ciphers are told by their names.

mod costs;
mod digest;
mod facts;
mod luks1;
mod luks2;
mod slot;
mod unlocked;

pub use facts::{Facts, Slot};
pub use unlocked::Unlocked;

use crate::disk::Disk;
use crate::error::{Error, ErrorKind, Result};
use crate::volume::luks::Passphrase;
use crate::volume::luks::format::MAGIC;
use digest::Digest;
use slot::KeySlot;

const PLACE: &str = "LUKS header";

/// A container whose header was read.
#[derive(Debug)]
pub struct Luks<'a> {
    disk: &'a dyn Disk,
    facts: Facts,
    warnings: Vec<String>,
    /// What could open it, or why that can't be told.
    keys: Vec<(u32, Result<KeySlot, String>)>,
    /// What is encrypted, or why that can't be read.
    volume: Result<Volume, String>,
}

/// Where the volume is, and how it is encrypted.
#[derive(Clone, Debug)]
struct Volume {
    offset: u64,
    /// Whole sectors.
    len: u64,
    sector_size: u32,
    iv_tweak: u64,
    digest: Digest,
}

/// Reads the header of the container that fills `disk`; `None` where there is none.
///
/// Of LUKS2, the newer one of two sound headers is taken; where one is damaged, the other one. That is a
/// warning.
///
/// # Errors
/// `Corrupt` when there is a header, but none that can be read; `Io` when reading fails.
pub fn read(disk: &dyn Disk) -> Result<Option<Luks<'_>>> {
    let mut start = [0; 8];
    if disk.len() < start.len() as u64 {
        return Ok(None);
    }
    read_into(disk, 0, &mut start)?;
    match start {
        [magic @ .., 0, 1] if magic == MAGIC => luks1::read(disk).map(Some),
        _ => luks2::read(disk),
    }
}

impl<'a> Luks<'a> {
    /// What the header tells.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What is wrong with it, though it can be read.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Unlocks the volume with `passphrase`: key slots are tried in their order, which takes what each of
    /// them costs.
    ///
    /// # Errors
    /// `InvalidSpec` when it opens no slot; `Unsupported` when the volume is of a kind that isn't read here,
    /// or no slot can be tried; `Io` when reading fails.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Unlocked<'a>> {
        let volume = self.volume()?;
        let (mut tried, mut untried) = (Vec::new(), Vec::new());
        for (number, key) in &self.keys {
            let opened = match key {
                Ok(key) => key.open(self.disk, passphrase, &volume.digest),
                Err(why) => Err(Error::unsupported(PLACE, why)),
            };
            match opened {
                Ok(Some(key)) => return Unlocked::new(self.disk, volume, *number, key),
                Ok(None) => tried.push(number.to_string()),
                Err(error) if error.kind() == ErrorKind::Io => return Err(error),
                Err(error) => untried.push(format!("key slot {number}: {}", error.message())),
            }
        }
        Err(none_opens(&tried, &untried))
    }

    fn volume(&self) -> Result<&Volume> {
        let volume = self.volume.as_ref();
        volume.map_err(|why| Error::unsupported(PLACE, why))
    }
}

fn none_opens(tried: &[String], untried: &[String]) -> Error {
    let untried = match untried {
        [] => String::new(),
        untried => format!("; not tried: {}", untried.join(", ")),
    };
    if tried.is_empty() {
        let message = format!("there is no key slot that can be tried{untried}");
        return Error::unsupported(PLACE, message);
    }
    let tried = tried.join(", ");
    let message = format!("the passphrase opens none of the key slots {tried}{untried}");
    Error::invalid(PLACE, message)
}

fn read_into(disk: &dyn Disk, offset: u64, bytes: &mut [u8]) -> Result<()> {
    disk.read_at(bytes, offset).map_err(|error| {
        let message = format!("can't read {} bytes at offset {offset}", bytes.len());
        Error::io(PLACE, message, error)
    })
}
