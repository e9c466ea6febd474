//! A volume that is unlocked.

use std::fmt;
use std::io;

use zeroize::Zeroizing;

use super::{PLACE, Volume};
use crate::disk::{Disk, check_range};
use crate::error::{Error, Result};
use crate::volume::luks::Cipher;

/// The volume of a container, decrypted as it is read. It can't be written.
pub struct Unlocked<'a> {
    disk: &'a dyn Disk,
    offset: u64,
    len: u64,
    slot: u32,
    key: Zeroizing<Vec<u8>>,
    cipher: Cipher,
}

impl<'a> Unlocked<'a> {
    pub(super) fn new(
        disk: &'a dyn Disk,
        volume: &Volume,
        slot: u32,
        key: Zeroizing<Vec<u8>>,
    ) -> Result<Self> {
        let cipher = Cipher::new(&key, volume.sector_size, volume.iv_tweak);
        let cipher = cipher.ok_or_else(|| {
            let message = format!("sectors of {} bytes can't be", volume.sector_size);
            Error::corrupt(PLACE, message)
        })?;
        Ok(Self {
            disk,
            offset: volume.offset,
            len: volume.len,
            slot,
            key,
            cipher,
        })
    }

    /// The key slot that the passphrase has opened.
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// The volume key. It is secret.
    pub fn volume_key(&self) -> &[u8] {
        &self.key
    }

    /// What decrypts the volume.
    pub fn cipher(&self) -> &Cipher {
        &self.cipher
    }

    /// Reads whole sectors from `offset`, which is where one begins.
    fn read_sectors(&self, sectors: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(sectors, self.offset + offset)?;
        let number = offset / self.cipher.sector_size() as u64;
        self.cipher.decrypt(number, sectors);
        Ok(())
    }

    /// Reads a part of the sector that `offset` is in.
    fn read_part(&self, part: &mut [u8], offset: u64) -> io::Result<()> {
        let size = self.cipher.sector_size();
        let within = (offset % size as u64) as usize;
        let mut sector = Zeroizing::new(vec![0; size]);
        self.read_sectors(&mut sector, offset - within as u64)?;
        part.copy_from_slice(&sector[within..within + part.len()]);
        Ok(())
    }
}

impl Disk for Unlocked<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        let size = self.cipher.sector_size();
        let to_sector = (offset.next_multiple_of(size as u64) - offset) as usize;
        let (head, rest) = buf.split_at_mut(to_sector.min(buf.len()));
        let (sectors, tail) = rest.split_at_mut(rest.len() / size * size);
        let start = offset + head.len() as u64;
        let end = start + sectors.len() as u64;
        for (part, offset) in [(head, offset), (tail, end)] {
            if !part.is_empty() {
                self.read_part(part, offset)?;
            }
        }
        self.read_sectors(sectors, start)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

impl fmt::Debug for Unlocked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unlocked")
            .field("offset", &self.offset)
            .field("len", &self.len)
            .field("slot", &self.slot)
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}
