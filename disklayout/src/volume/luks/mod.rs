//! stand-in
use crate::disk::Disk;
use crate::error::Result;
use crate::place::Place;
use crate::units::{Bytes, SectorSize};
use uuid::Uuid;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Luks1,
    Luks2,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kdf {
    None,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passphrase;
impl Passphrase {
    pub fn new(_bytes: impl Into<Vec<u8>>) -> Self {
        Self
    }
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets;
impl Secrets {
    pub fn new(_bytes: [u8; 32]) -> Self {
        Self
    }
}
#[derive(Clone, Debug)]
pub struct Key {
    pub passphrase: Passphrase,
    pub kdf: Kdf,
}
#[derive(Clone, Debug)]
pub struct Request {
    pub place: Place,
    pub version: Version,
    pub key_bits: u32,
    pub sector_size: SectorSize,
    pub keys: Vec<Key>,
    pub subsystem: Option<String>,
    pub uuid: Option<Uuid>,
    pub label: Option<String>,
    pub allow_discards: bool,
    pub data_offset: Option<Bytes>,
    pub secrets: Secrets,
}
#[derive(Debug)]
pub struct Plan;
pub fn plan(_request: Request) -> Result<Plan> {
    Ok(Plan)
}
impl Plan {
    pub fn data_offset(&self) -> Bytes {
        Bytes::new(16 << 20)
    }
    pub fn data_len(&self, size: Bytes) -> Result<Bytes> {
        Ok(size)
    }
    pub fn sector_size(&self) -> SectorSize {
        SectorSize::B4096
    }
    pub fn uuid(&self) -> Uuid {
        Uuid::nil()
    }
    pub fn write(&self, _disk: &dyn Disk) -> Result<()> {
        Ok(())
    }
    pub fn cipher(&self) -> Cipher {
        Cipher
    }
}
#[derive(Debug)]
pub struct Cipher;
impl Cipher {
    pub fn encrypt(&self, _sector: u64, _bytes: &mut [u8]) {}
    pub fn decrypt(&self, _sector: u64, _bytes: &mut [u8]) {}
}
impl Request {
    pub fn new(place: impl Into<Place>, version: Version, secrets: Secrets) -> Self {
        Self {
            place: place.into(),
            version,
            key_bits: 512,
            sector_size: SectorSize::B512,
            keys: Vec::new(),
            subsystem: None,
            uuid: None,
            label: None,
            allow_discards: false,
            data_offset: None,
            secrets,
        }
    }
}
