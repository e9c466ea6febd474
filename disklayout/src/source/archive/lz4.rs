//! The frames of lz4 ("LZ4 Frame Format Description" 1.6.4), and those of its first versions.

use std::hash::Hasher;
use std::io::{self, Read};

use lz4_flex::block::decompress_into_with_dict;
use twox_hash::XxHash32;

/// What a frame begins with, lowest byte first.
pub(super) const MAGIC: u32 = 0x184D_2204;
/// What a frame of the first versions begins with.
pub(super) const LEGACY_MAGIC: u32 = 0x184C_2102;

/// What a block of the first versions becomes at most, in bytes.
const LEGACY_BLOCK: usize = 8 << 20;
/// What such a block takes at most when it can't be compressed.
const LEGACY_STORED: usize = LEGACY_BLOCK + LEGACY_BLOCK / 255 + 16;
/// The most that a block may refer back to in those before it, in bytes.
const WINDOW: usize = 64 << 10;
/// Tells that a block is stored as it is.
const STORED: u32 = 1 << 31;

/// Reads one frame.
pub(super) struct Lz4<R> {
    input: R,
    header: Header,
    /// What is decompressed, and how much of it was read.
    block: Vec<u8>,
    read: usize,
    /// The end of all blocks before, where blocks refer to it.
    window: Vec<u8>,
    content: XxHash32,
    content_len: u64,
    is_at_end: bool,
    /// How many bytes were read that belong to what follows.
    too_many: u64,
}

/// What the start of a frame says of its blocks.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    is_legacy: bool,
    block_max: usize,
    are_linked: bool,
    have_checksums: bool,
    content_size: Option<u64>,
    has_content_checksum: bool,
}

/// Where a block starts, or what ends them.
enum Start {
    Block(u32),
    End,
}

impl<R: Read> Lz4<R> {
    /// Reads the start of a frame.
    pub(super) fn new(mut input: R) -> io::Result<Self> {
        Ok(Self {
            header: Header::read(&mut input)?,
            input,
            block: Vec::new(),
            read: 0,
            window: Vec::new(),
            content: XxHash32::with_seed(0),
            content_len: 0,
            is_at_end: false,
            too_many: 0,
        })
    }

    /// The input, once all of the frame is read, and how many bytes before it what follows starts.
    pub(super) fn into_inner(self) -> (R, u64) {
        (self.input, self.too_many)
    }

    /// Goes to the next block. There is none after the last one.
    fn next_block(&mut self) -> io::Result<()> {
        self.read = 0;
        self.block.clear();
        let start = match self.header.is_legacy {
            true => self.legacy_start()?,
            false => match number(&mut self.input)? {
                0 => Start::End,
                start => Start::Block(start),
            },
        };
        match start {
            Start::Block(start) => self.decompress(start),
            Start::End => self.finish(),
        }
    }

    /// The old form has no mark at the end: the file ends there, or another frame begins.
    fn legacy_start(&mut self) -> io::Result<Start> {
        let mut bytes = Vec::with_capacity(4);
        self.input.by_ref().take(4).read_to_end(&mut bytes)?;
        let Ok(start) = bytes.as_slice().try_into().map(u32::from_le_bytes) else {
            return match bytes.as_slice() {
                [] => Ok(Start::End),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        };
        if start == 0 || is_magic(start) {
            self.too_many = 4;
            return Ok(Start::End);
        }
        Ok(Start::Block(start))
    }

    fn decompress(&mut self, start: u32) -> io::Result<()> {
        let is_stored = !self.header.is_legacy && start & STORED != 0;
        let len = match self.header.is_legacy {
            true => start,
            false => start & !STORED,
        } as usize;
        let max = self.header.block_max;
        let most = match self.header.is_legacy {
            true => LEGACY_STORED,
            false => max,
        };
        if len > most {
            return Err(corrupt("a block is larger than blocks of the frame can be"));
        }
        let mut stored = vec![0; len];
        self.input.read_exact(&mut stored)?;
        if self.header.have_checksums && number(&mut self.input)? != sum(&stored) {
            return Err(corrupt("a block's checksum is wrong"));
        }
        self.block = match is_stored {
            true => stored,
            false => {
                let mut block = vec![0; max];
                let len = decompress_into_with_dict(&stored, &mut block, &self.window);
                block.truncate(len.map_err(|error| corrupt(&error.to_string()))?);
                block
            }
        };
        self.remember();
        Ok(())
    }

    /// Takes in a block that has come.
    fn remember(&mut self) {
        self.content_len += self.block.len() as u64;
        if self.header.has_content_checksum {
            self.content.write(&self.block);
        }
        if self.header.are_linked {
            let from_block = self.block.len().min(WINDOW);
            let kept = WINDOW - from_block;
            let dropped = self.window.len().saturating_sub(kept);
            self.window.drain(..dropped);
            let from = self.block.len() - from_block;
            self.window.extend_from_slice(&self.block[from..]);
        }
    }

    /// Checks what the end of a frame says of its content.
    fn finish(&mut self) -> io::Result<()> {
        self.is_at_end = true;
        let size = self.header.content_size;
        if size.is_some_and(|size| size != self.content_len) {
            return Err(corrupt("the frame hasn't the size that it tells"));
        }
        let has_checksum = self.header.has_content_checksum;
        if has_checksum && number(&mut self.input)? != self.content.finish_32() {
            return Err(corrupt("the checksum of the content is wrong"));
        }
        Ok(())
    }
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.read == self.block.len() && !self.is_at_end {
            self.next_block()?;
        }
        let ahead = &self.block[self.read..];
        let count = ahead.len().min(buf.len());
        buf[..count].copy_from_slice(&ahead[..count]);
        self.read += count;
        Ok(count)
    }
}

impl Header {
    fn read(input: &mut impl Read) -> io::Result<Self> {
        match number(input)? {
            LEGACY_MAGIC => Ok(Self {
                is_legacy: true,
                block_max: LEGACY_BLOCK,
                are_linked: false,
                have_checksums: false,
                content_size: None,
                has_content_checksum: false,
            }),
            _ => Self::read_descriptor(input),
        }
    }

    /// Flags, the size of blocks, perhaps that of the content, and a checksum of all this.
    fn read_descriptor(input: &mut impl Read) -> io::Result<Self> {
        let mut descriptor = vec![0; 2];
        input.read_exact(&mut descriptor)?;
        let (flags, sizes) = (descriptor[0], descriptor[1]);
        let flag = |bit: u8| flags >> bit & 1 == 1;
        if flags >> 6 != 1 || flag(1) || !matches!(sizes, 0x40 | 0x50 | 0x60 | 0x70) {
            return Err(corrupt("the start of the frame isn't that of version 1"));
        }
        if flag(0) {
            let message = "the frame needs a dictionary, which isn't known";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let content_size = match flag(3) {
            true => {
                let mut size = [0; 8];
                input.read_exact(&mut size)?;
                descriptor.extend_from_slice(&size);
                Some(u64::from_le_bytes(size))
            }
            false => None,
        };
        let mut check = [0];
        input.read_exact(&mut check)?;
        if u32::from(check[0]) != sum(&descriptor) >> 8 & 0xFF {
            return Err(corrupt("the checksum of the frame's start is wrong"));
        }
        Ok(Self {
            is_legacy: false,
            // 64 KiB, 256 KiB, 1 MiB or 4 MiB.
            block_max: 1 << (8 + 2 * (sizes >> 4)),
            are_linked: !flag(5),
            have_checksums: flag(4),
            content_size,
            has_content_checksum: flag(2),
        })
    }
}

/// Whether something begins with this that is no block of the old form.
fn is_magic(number: u32) -> bool {
    matches!(number, MAGIC | LEGACY_MAGIC) || number & !0xF == 0x184D_2A50
}

fn sum(bytes: &[u8]) -> u32 {
    XxHash32::oneshot(0, bytes)
}

fn number(input: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn corrupt(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
