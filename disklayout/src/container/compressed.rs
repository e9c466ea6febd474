//! The bytes of a disk, compressed: every unit is a frame, a member or a stream for itself, so that
//! all threads compress and programs that know nothing of units read all of them in a row.

use std::io;
use std::sync::OnceLock;

use super::ordered::{Append, Encode, Ordered};
use super::output::Output;
use super::room::Encoded;
use super::units::Units;
use super::{Container, Format, MakeFile, Plan, Request, Target};
use crate::about::About;
use crate::compress::{Codec, Compression, SeekTable};
use crate::error::Result;
use crate::fs::Choice;
use crate::fs::options::number;

const LEVEL: &str = "compression_level";

/// A disk, byte for byte, compressed. zstd has a table of its frames at the end ("Zstandard Seekable
/// Format" 0.1.0).
#[derive(Clone, Copy, Debug)]
pub struct Compressed {
    codec: Codec,
}

impl Compressed {
    /// The format with this compression.
    pub const fn new(codec: Codec) -> Self {
        Self { codec }
    }

    fn of(self, request: &Request<'_>) -> Result<Compression> {
        let place = request.place;
        request.check(&self)?;
        let usual = Compression::new(self.codec).with_seek_table();
        match request.options.parse(place, LEVEL, number)? {
            None => Ok(usual),
            Some(level) => usual.at_level(&place.choice(LEVEL), level),
        }
    }
}

impl Format for Compressed {
    fn about(&self) -> About {
        match self.codec {
            Codec::Zstd => About {
                names: &["raw.zst"],
                extension: "img.zst",
                choices: const { &[Choice::new(LEVEL, "1-22", "How hard, 3 if nothing is said")] },
            },
            Codec::Gzip => About {
                names: &["raw.gz"],
                extension: "img.gz",
                choices: const { &[Choice::new(LEVEL, "1-9", "How hard, 6 if nothing is said")] },
            },
            Codec::Xz => About {
                names: &["raw.xz"],
                extension: "img.xz",
                choices: const { &[Choice::new(LEVEL, "0-9", "How hard, 6 if nothing is said")] },
            },
        }
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        let compression = self.of(request)?;
        Ok(Box::new(CompressedPlan {
            units: Units {
                disk: request.size.get(),
                size: self.codec.block_len() as u64,
            },
            compression,
        }))
    }
}

#[derive(Debug)]
struct CompressedPlan {
    units: Units,
    compression: Compression,
}

impl Plan for CompressedPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        None
    }

    fn is_compressed(&self) -> bool {
        true
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let frames = Frames {
            units: self.units,
            compression: self.compression,
            next: 0,
            zeroes: OnceLock::new(),
            table: SeekTable::default(),
        };
        let blocks = Blocks(self.compression);
        Ok(Box::new(Ordered::new(
            self.units,
            (blocks, frames),
            Output::new(target),
            make,
        )))
    }
}

/// Compresses units.
#[derive(Debug)]
struct Blocks(Compression);

impl Encode for Blocks {
    fn encode(&self, _: u64, bytes: &[u8]) -> io::Result<Encoded> {
        Ok(Encoded {
            bytes: self.0.compress(bytes)?,
            is_plain: false,
        })
    }
}

/// Puts units into the file, those that are left out as zeroes.
#[derive(Debug)]
struct Frames {
    units: Units,
    compression: Compression,
    /// The unit that comes next.
    next: u64,
    /// A whole unit of zeroes, compressed.
    zeroes: OnceLock<Vec<u8>>,
    table: SeekTable,
}

impl Frames {
    fn append_frame(&mut self, unit: u64, bytes: &[u8], output: &mut Output) -> io::Result<()> {
        self.table.add(bytes.len(), self.units.len(unit));
        self.next = unit + 1;
        output.append(bytes)
    }

    fn fill_up(&mut self, to: u64, output: &mut Output) -> io::Result<()> {
        while self.next < to {
            let bytes = self.zeroes(self.units.len(self.next))?;
            self.append_frame(self.next, &bytes, output)?;
        }
        Ok(())
    }

    /// So many zeroes, compressed; once only where they are a whole unit.
    fn zeroes(&self, len: usize) -> io::Result<Vec<u8>> {
        let compress = || self.compression.compress(&vec![0; len]);
        match (self.zeroes.get(), len as u64 == self.units.size) {
            (_, false) => compress(),
            (Some(known), true) => Ok(known.clone()),
            (None, true) => {
                let bytes = compress()?;
                Ok(self.zeroes.get_or_init(|| bytes).clone())
            }
        }
    }
}

impl Append for Frames {
    fn append(&mut self, unit: u64, encoded: &Encoded, output: &mut Output) -> io::Result<()> {
        self.fill_up(unit, output)?;
        self.append_frame(unit, &encoded.bytes, output)
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        self.fill_up(self.units.disk.div_ceil(self.units.size), output)?;
        if self.units.disk == 0 {
            output.append(&self.compression.compress(&[])?)?;
        }
        match self.compression.has_seek_table() {
            true => output.append(&self.table.frame()),
            false => Ok(()),
        }
    }
}
