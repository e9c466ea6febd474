//! stand-in
use crate::disk::Disk;
use crate::error::Result;
use crate::place::Place;
use crate::units::Bytes;
use uuid::Uuid;
#[derive(Clone, Debug)]
pub struct Request {
    pub place: Place,
    pub uuid: Option<Uuid>,
    pub label: Option<String>,
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
    pub fn sector_size(&self) -> u32 {
        4096
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
