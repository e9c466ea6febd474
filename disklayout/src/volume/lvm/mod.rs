//! stand-in
use crate::disk::Disk;
use crate::error::Result;
use crate::identity::Identity;
use crate::place::Place;
use crate::units::Bytes;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stripes {
    pub count: u32,
    pub size: Bytes,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeSize {
    Bytes(Bytes),
    Extents(u64),
    OfGroup(u32),
    OfFree(u32),
    OfMembers(u32),
}
#[derive(Clone, Debug)]
pub struct Request {
    pub place: Place,
    pub name: String,
    pub extent_size: Option<Bytes>,
    pub members: Vec<Member>,
    pub volumes: Vec<VolumeRequest>,
    pub identity: Identity,
}
#[derive(Clone, Debug)]
pub struct Member {
    pub size: Bytes,
}
#[derive(Clone, Debug)]
pub struct VolumeRequest {
    pub place: Place,
    pub name: String,
    pub size: VolumeSize,
    pub stripes: Option<Stripes>,
}
#[derive(Debug)]
pub struct Plan {
    volumes: Vec<Volume>,
}
#[derive(Debug)]
pub struct Volume {
    pub name: String,
    pub size: Bytes,
    pub segments: Vec<Segment>,
}
#[derive(Debug)]
pub struct Segment {
    pub len: Bytes,
    pub stripe_size: Bytes,
    pub stripes: Vec<Stripe>,
}
#[derive(Debug)]
pub struct Stripe {
    pub member: usize,
    pub offset: Bytes,
}
pub fn plan(_request: Request) -> Result<Plan> {
    Ok(Plan { volumes: vec![] })
}
impl Plan {
    pub fn data_start(&self) -> Bytes {
        Bytes::new(1 << 20)
    }
    pub fn members(&self) -> &[Member] {
        &[]
    }
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }
    pub fn write_member(&self, _index: usize, _disk: &dyn Disk) -> Result<()> {
        Ok(())
    }
}
pub fn smallest_member(_extent: Option<Bytes>, _extents: u64) -> Bytes {
    Bytes::new(0)
}
pub fn extent_size(chosen: Option<Bytes>) -> Bytes {
    chosen.unwrap_or(Bytes::new(4 << 20))
}
