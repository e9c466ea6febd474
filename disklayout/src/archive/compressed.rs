//! Tar archives that are compressed.

use std::io::Write;

use super::{Facts, Format, Plan, Request, tar};
use crate::about::About;
use crate::compress::{Codec, Compression, ParallelWriter};
use crate::disk::MakeFile;
use crate::error::{Error, Result};
use crate::fs::options::number;
use crate::fs::{Choice, Progress};
use crate::tree::FileTree;
use crate::units::Bytes;

const LEVEL: &str = "compression_level";

/// A tar archive, compressed block by block, which every program for the compression reads.
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
        let place = &request.place;
        let usual = Compression::new(self.codec);
        match request.options.parse(place, LEVEL, number)? {
            None => Ok(usual),
            Some(level) => usual.at_level(&place.choice(LEVEL), level),
        }
    }
}

impl Format for Compressed {
    fn about(&self) -> About {
        const fn choices(levels: &'static str, help: &'static str) -> [Choice; 2] {
            [Choice::new(LEVEL, levels, help), tar::SPARSE]
        }
        match self.codec {
            Codec::Gzip => About {
                names: &["tar.gz", "tgz"],
                extension: "tar.gz",
                choices: const { &choices("1-9", "How hard, 6 if nothing is said") },
            },
            Codec::Zstd => About {
                names: &["tar.zst", "tzst"],
                extension: "tar.zst",
                choices: const { &choices("1-22", "How hard, 3 if nothing is said") },
            },
            Codec::Xz => About {
                names: &["tar.xz", "txz"],
                extension: "tar.xz",
                choices: const { &choices("0-9", "How hard, 6 if nothing is said") },
            },
        }
    }

    fn plan(&self, request: Request<'_>) -> Result<Box<dyn Plan>> {
        request.check(self)?;
        Ok(Box::new(CompressedPlan {
            compression: self.of(&request)?,
            archive: tar::plan(request)?,
        }))
    }
}

#[derive(Debug)]
struct CompressedPlan {
    archive: tar::Plan,
    compression: Compression,
}

impl Plan for CompressedPlan {
    fn tree(&self) -> &FileTree {
        self.archive.tree()
    }

    fn warnings(&self) -> &[String] {
        self.archive.warnings()
    }

    fn len(&self) -> Option<Bytes> {
        None
    }

    fn write(
        &self,
        out: &mut dyn Write,
        make: &MakeFile<'_>,
        progress: &dyn Progress,
    ) -> Result<Facts> {
        let mut compressed = ParallelWriter::new(out, self.compression);
        let facts = self.archive.write(&mut compressed, make, progress)?;
        let fail = |error| Error::io(self.archive.place(), "can't write the archive", error);
        compressed.finish().map_err(fail)?;
        Ok(facts)
    }
}
