//! stand-in
use crate::disk::Disk;
use crate::error::Result;
use crate::place::Place;
use crate::units::Bytes;
use uuid::Uuid;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub salt: Option<Vec<u8>>,
}
#[derive(Clone, Debug)]
pub struct Request {
    pub place: Place,
    pub data_len: Bytes,
    pub settings: Settings,
    pub uuid: Uuid,
}
#[derive(Debug, Clone)]
pub struct Plan;
#[derive(Debug, Clone)]
pub struct RootHash;
impl RootHash {
    pub fn partition_uuids(&self) -> (Uuid, Uuid) {
        (Uuid::nil(), Uuid::nil())
    }
}
#[derive(Debug)]
pub struct Leaves;
impl Leaves {
    pub fn new(_plan: &Plan) -> Self {
        Self
    }
    pub fn leaf(&self, _block: u64, _bytes: &[u8]) {}
}
pub fn plan(_request: Request) -> Result<Plan> {
    Ok(Plan)
}
impl Plan {
    pub fn hash_len(&self) -> Bytes {
        Bytes::new(4096)
    }
    pub fn data_block(&self) -> u32 {
        4096
    }
    pub fn write(&self, _leaves: &Leaves, _disk: &dyn Disk) -> Result<RootHash> {
        Ok(RootHash)
    }
}
