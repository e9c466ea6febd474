//! The superblock in front of a hash tree.

use uuid::Uuid;
use zerocopy::FromBytes;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::volume::verity::format::{
    self, BLOCK_MAX, BLOCK_MIN, SALT_MAX, SIGNATURE, SUPERBLOCK_ALIGN, VERSION,
};

pub(super) const PLACE: &str = "verity superblock";

/// What a superblock tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// Where it is on its disk, in bytes.
    pub offset: u64,
    /// Where the salt comes: 1 before the block, 0 behind it (Chrome OS).
    pub hash_type: u32,
    /// What hashes, as the kernel calls it.
    pub algorithm: String,
    /// Bytes in a block of the data.
    pub data_block_size: u32,
    /// Bytes in a block of the tree.
    pub hash_block_size: u32,
    /// How many blocks of data have a digest, at least one.
    pub data_blocks: u64,
    /// What is hashed with each block.
    pub salt: Vec<u8>,
    /// What identifies the tree.
    pub uuid: Uuid,
}

impl Superblock {
    /// How many bytes of data are protected; more than any disk has is the largest number.
    pub fn data_len(&self) -> u64 {
        let block = u64::from(self.data_block_size);
        self.data_blocks.saturating_mul(block)
    }
}

/// The superblock at `offset` of `hash`, if one starts there.
///
/// # Errors
/// `Corrupt` when one of its fields can't be right, `Unsupported` when it is of another version than
/// 1, `Io` when reading fails.
pub fn superblock(hash: &dyn Disk, offset: u64) -> Result<Option<Superblock>> {
    let end = offset.checked_add(SUPERBLOCK_ALIGN);
    if end.is_none_or(|end| end > hash.len()) {
        return Ok(None);
    }
    let mut bytes = [0; size_of::<format::Superblock>()];
    hash.read_at(&mut bytes, offset)
        .map_err(|error| Error::io(PLACE, format!("can't read it at offset {offset}"), error))?;
    match format::Superblock::read_from_bytes(&bytes) {
        Ok(found) if found.signature == SIGNATURE => facts(&found, offset).map(Some),
        _ => Ok(None),
    }
}

fn facts(it: &format::Superblock, offset: u64) -> Result<Superblock> {
    let version = it.version.get();
    if version != VERSION {
        let message = format!("it is of version {version}, where {VERSION} is known");
        return Err(Error::unsupported(PLACE, message));
    }
    let data_blocks = it.data_blocks.get();
    if data_blocks == 0 {
        return Err(Error::corrupt(PLACE, "there is no block of data"));
    }
    Ok(Superblock {
        offset,
        hash_type: hash_type(it.hash_type.get())?,
        algorithm: algorithm(&it.algorithm)?,
        data_block_size: block("data", it.data_block_size.get())?,
        hash_block_size: block("hash", it.hash_block_size.get())?,
        data_blocks,
        salt: salt(it)?.to_vec(),
        uuid: Uuid::from_bytes(it.uuid),
    })
}

fn hash_type(found: u32) -> Result<u32> {
    match found {
        0 | 1 => Ok(found),
        _ => Err(Error::corrupt(
            PLACE,
            format!("its hash type is {found}, where 0 and 1 are known"),
        )),
    }
}

fn algorithm(field: &[u8]) -> Result<String> {
    let end = field.iter().position(|byte| *byte == 0);
    let name = &field[..end.unwrap_or(field.len())];
    match str::from_utf8(name) {
        Ok(name) if !name.is_empty() && end.is_some() => Ok(name.to_owned()),
        _ => Err(Error::corrupt(
            PLACE,
            format!("'{}' names no hash function", name.escape_ascii()),
        )),
    }
}

fn block(what: &str, size: u32) -> Result<u32> {
    if size.is_power_of_two() && (BLOCK_MIN..=BLOCK_MAX).contains(&size) {
        return Ok(size);
    }
    let message = format!(
        "its {what} blocks have {size} bytes, which is no power of two from {BLOCK_MIN} to \
         {BLOCK_MAX}"
    );
    Err(Error::corrupt(PLACE, message))
}

fn salt(it: &format::Superblock) -> Result<&[u8]> {
    let size = usize::from(it.salt_size.get());
    it.salt.get(..size).ok_or_else(|| {
        let message = format!("its salt has {size} bytes, where {SALT_MAX} are the most");
        Error::corrupt(PLACE, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;
    use crate::error::ErrorKind;

    /// A sound one, from the specification alone.
    fn sound() -> [u8; 512] {
        let mut bytes = [0; 512];
        bytes[..6].copy_from_slice(b"verity");
        bytes[8] = 1;
        bytes[12] = 1;
        bytes[16..32].fill(7);
        bytes[32..38].copy_from_slice(b"sha256");
        bytes[65] = 0x10;
        bytes[69] = 0x02;
        bytes[72] = 9;
        bytes[80] = 2;
        bytes[88..90].copy_from_slice(b"NA");
        bytes
    }

    fn read(bytes: &[u8; 512]) -> Result<Option<Superblock>> {
        let disk = MemDisk::new(2048);
        disk.write_at(bytes, 1024).unwrap();
        superblock(&disk, 1024)
    }

    #[test]
    fn all_fields_are_told() {
        let found = read(&sound()).unwrap().unwrap();
        let expected = Superblock {
            offset: 1024,
            hash_type: 1,
            algorithm: "sha256".to_owned(),
            data_block_size: 4096,
            hash_block_size: 512,
            data_blocks: 9,
            salt: b"NA".to_vec(),
            uuid: Uuid::from_bytes([7; 16]),
        };
        assert_eq!(found, expected);
        assert_eq!(found.data_len(), 9 * 4096);
    }

    #[test]
    fn where_none_starts_there_is_none() {
        let disk = MemDisk::new(1024);
        for offset in [0, 512, 513, 1024, u64::MAX] {
            assert_eq!(superblock(&disk, offset).unwrap(), None);
        }
    }

    #[test]
    fn fields_that_cannot_be_right_are_refused() {
        for (at, byte, said) in [
            (8, 2, "version 2"),
            (12, 2, "hash type is 2"),
            (32, 0, "'' names no hash"),
            (33, 0xFF, "names no hash"),
            (65, 0x30, "data blocks have 12288 bytes"),
            (69, 0x01, "hash blocks have 256 bytes"),
            (71, 0x80, "hash blocks have 2147484160 bytes"),
            (72, 0, "no block of data"),
            (81, 1, "salt has 258 bytes"),
        ] {
            let mut bytes = sound();
            bytes[at] = byte;
            let error = read(&bytes).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            let is_version = error.kind() == ErrorKind::Unsupported;
            assert_eq!(is_version, at == 8, "{error}");
        }
        let mut bytes = sound();
        bytes[32..64].fill(b'x');
        assert!(read(&bytes).is_err());
    }
}
