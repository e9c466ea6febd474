//! Reads images back: their chunks are gone through once.

use std::io;
use std::ops::Range;

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::read::{Find, Held, Read, Stretch, damaged, unsupported};
use crate::disk::Disk;

/// More chunks aren't kept in memory.
const CHUNKS_MAX: u32 = 1 << 22;

/// So much of a chunk of one value is unpacked at once.
const PIECE: u64 = 1 << 20;

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let mut header = Header::new_zeroed();
    let len = file.len().min(HEADER_LEN) as usize;
    file.read_at(&mut header.as_mut_bytes()[..len], 0)?;
    if header.magic.get() != MAGIC {
        return Ok(None);
    }
    if (len as u64) < HEADER_LEN {
        return Err(damaged("the file ends within its header"));
    }
    let block = u64::from(header.block_size.get());
    if header.major.get() != 1 {
        let message = format!("version {} isn't known, 1 is", header.major);
        return Err(unsupported(message));
    }
    if block == 0 || !block.is_multiple_of(4) {
        return Err(damaged(format!("blocks have {block} bytes")));
    }
    let size = block * u64::from(header.blocks.get());
    let parts = parts(file, &header, block)?;
    let end = parts.last().map_or(0, |part| part.range.end);
    if end != size {
        let message = format!("the chunks are {end} bytes, not {size}");
        return Err(damaged(message));
    }
    Ok(Some(Box::new(Read::new(file, size, Parts(parts)))))
}

/// What a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Data from this place in the file on.
    Data(u64),
    /// A value over and over.
    Value([u8; 4]),
    Nothing,
}

/// The bytes of the disk that a chunk is about.
#[derive(Clone, Debug)]
struct Part {
    range: Range<u64>,
    holds: Holds,
}

fn parts(file: &dyn Disk, header: &Header, block: u64) -> io::Result<Vec<Part>> {
    let chunks = header.chunks.get();
    if chunks > CHUNKS_MAX {
        return Err(unsupported(format!(
            "it has {chunks} chunks, more than {CHUNKS_MAX}"
        )));
    }
    let header_len = u64::from(header.chunk_header_len.get()).max(CHUNK_LEN);
    let mut at = u64::from(header.header_len.get());
    let (mut parts, mut start) = (Vec::new(), 0_u64);
    for _ in 0..chunks {
        let mut chunk = Chunk::new_zeroed();
        let cut = |_| damaged("the file ends within its chunks");
        file.read_at(chunk.as_mut_bytes(), at).map_err(cut)?;
        let len = u64::from(chunk.blocks.get()) * block;
        let data = at + header_len;
        let holds = match chunk.kind.get() {
            RAW => Some((Holds::Data(data), len)),
            FILL => {
                let mut value = [0; 4];
                file.read_at(&mut value, data).map_err(cut)?;
                let holds = if value == [0; 4] {
                    Holds::Nothing
                } else {
                    Holds::Value(value)
                };
                Some((holds, 4))
            }
            DONT_CARE => Some((Holds::Nothing, 0)),
            CRC32 => None,
            other => return Err(damaged(format!("{other:#06x} is no kind of a chunk"))),
        };
        let told = u64::from(chunk.len.get());
        if holds.is_some_and(|(_, len)| told != header_len + len) || told < header_len {
            return Err(damaged(format!("the chunk at {at} has {told} bytes")));
        }
        if let Some((holds, _)) = holds.filter(|_| len > 0) {
            let end = start.checked_add(len);
            let end = end.ok_or_else(|| damaged("the chunks are larger than any disk"))?;
            parts.push(Part {
                range: start..end,
                holds,
            });
            start = end;
        }
        at += told;
    }
    Ok(parts)
}

/// All chunks, in the order of the disk.
#[derive(Debug)]
struct Parts(Vec<Part>);

impl Parts {
    fn at(&self, offset: u64) -> Option<&Part> {
        let position = self.0.partition_point(|part| part.range.end <= offset);
        self.0.get(position)
    }
}

impl Find for Parts {
    fn find(&self, _: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let part = self
            .at(offset)
            .ok_or_else(|| damaged("no chunk is there"))?;
        let range = part.range.clone();
        Ok(match part.holds {
            Holds::Data(place) => Stretch {
                range,
                held: Held::At(place),
            },
            Holds::Nothing => Stretch {
                range,
                held: Held::Nothing,
            },
            Holds::Value(_) => {
                let within = (offset - range.start) / PIECE * PIECE;
                let start = range.start + within;
                Stretch {
                    range: start..range.end.min(start + PIECE),
                    held: Held::Packed,
                }
            }
        })
    }

    fn unpack(&self, _: &dyn Disk, stretch: &Range<u64>) -> io::Result<Vec<u8>> {
        let len = stretch.end - stretch.start;
        match self.at(stretch.start).map(|part| part.holds) {
            Some(Holds::Value(value)) => Ok(value.repeat((len / 4) as usize)),
            _ => Err(damaged("no chunk of one value is there")),
        }
    }
}
