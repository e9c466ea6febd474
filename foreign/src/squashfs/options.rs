//! What can be chosen of a squashfs, and what mksquashfs is told of it.

use std::ffi::OsString;

use disklayout::fs::options::{self};
use disklayout::fs::{Choice, Request};
use disklayout::{Error, Place, Result};

const COMPRESSION: &str = "compression";
const LEVEL: &str = "compression-level";
const BLOCK_SIZE: &str = "block-size";

pub(super) const CHOICES: [Choice; 3] = [
    Choice::new(BLOCK_SIZE, "BYTES", "Bytes in a block: a power of two"),
    Choice::new(
        COMPRESSION,
        "NAME",
        "What it is compressed with: gzip, xz, zstd, lz4, lzo or none",
    ),
    Choice::new(LEVEL, "LEVEL", "How well gzip, zstd or lzo compress"),
];

/// Compressors that inodes aren't stored in: one of them is changed afterwards.
const FOREIGN: [&str; 2] = ["lz4", "lzo"];

/// Compressors and the levels that they have.
const COMPRESSORS: [(&str, Option<u8>); 6] = [
    ("gzip", Some(9)),
    ("xz", None),
    ("zstd", Some(22)),
    ("lz4", None),
    ("lzo", Some(9)),
    (NONE, None),
];
const NONE: &str = "none";

/// That of mksquashfs.
const DEFAULT_BLOCK_SIZE: u32 = 128 << 10;

/// How data is stored.
#[derive(Debug)]
pub(super) struct Compression {
    compressor: &'static str,
    level: Option<u8>,
    /// Bytes in a block.
    pub block_size: u32,
}

impl Compression {
    /// What is asked for, with the defaults of mksquashfs.
    ///
    /// # Errors
    /// `InvalidSpec` at the option.
    pub(super) fn read(request: &Request<'_>) -> Result<Self> {
        let (options, place) = (&request.options, &request.place);
        options.check(place, request.kind, &CHOICES)?;
        let compressor = options.parse(place, COMPRESSION, compressor)?;
        let (compressor, levels) = compressor.unwrap_or(COMPRESSORS[0]);
        let level = options.parse(place, LEVEL, options::number::<u8>)?;
        check_level(place, compressor, level, levels)?;
        let block_size = options.parse(place, BLOCK_SIZE, block_size)?;
        Ok(Self {
            compressor,
            level,
            block_size: block_size.unwrap_or(DEFAULT_BLOCK_SIZE),
        })
    }

    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut arguments = vec!["-b".to_owned(), self.block_size.to_string()];
        if self.compressor == NONE {
            let tables = ["-noI", "-noD", "-noF", "-noX"];
            arguments.extend(tables.map(str::to_owned));
        } else {
            arguments.extend(["-comp", self.compressor].map(str::to_owned));
        }
        if FOREIGN.contains(&self.compressor) {
            arguments.push("-noI".to_owned());
        }
        if let Some(level) = self.level {
            arguments.extend(["-Xcompression-level".to_owned(), level.to_string()]);
        }
        arguments.into_iter().map(OsString::from).collect()
    }
}

fn compressor(text: &str) -> std::result::Result<(&'static str, Option<u8>), String> {
    let found = COMPRESSORS.into_iter().find(|(name, _)| *name == text);
    found.ok_or_else(|| {
        let names = COMPRESSORS.map(|(name, _)| name).join(", ");
        format!("squashfs has no compression '{text}'; known are {names}")
    })
}

fn check_level(place: &Place, compressor: &str, level: Option<u8>, most: Option<u8>) -> Result<()> {
    let message = match (level, most) {
        (None, _) => return Ok(()),
        (Some(level), Some(most)) if (1..=most).contains(&level) => return Ok(()),
        (Some(level), Some(most)) => format!("{level} is no level of {compressor}, 1 to {most}"),
        (Some(_), None) => format!("compression '{compressor}' has no levels; leave it out"),
    };
    Err(Error::invalid(place.choice(LEVEL), message))
}

fn block_size(text: &str) -> std::result::Result<u32, String> {
    let bytes = options::bytes(text)?;
    let size = u32::try_from(bytes).ok();
    size.filter(|size| size.is_power_of_two() && (4096..=1 << 20).contains(size))
        .ok_or_else(|| format!("'{text}' has to be a power of two from 4096 to 1M"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::fs::Options;
    use disklayout::{Identity, Timestamp};

    fn arguments(chosen: &[(&str, &str)]) -> Result<Vec<OsString>> {
        let identity = Identity::new("disk", Timestamp::default());
        let none = Options::default();
        let options = chosen
            .iter()
            .fold(none, |options, (name, value)| options.with(name, value));
        let request = Request {
            options,
            ..Request::new("p", "squashfs", identity)
        };
        Compression::read(&request).map(|it| it.arguments())
    }

    #[test]
    fn what_is_chosen_is_told() {
        for (chosen, expected) in [
            (&[][..], "-b 131072 -comp gzip"),
            (
                &[("compression", "zstd"), ("compression-level", "22")],
                "-b 131072 -comp zstd -Xcompression-level 22",
            ),
            (
                &[("compression", "none"), ("block-size", "1M")],
                "-b 1048576 -noI -noD -noF -noX",
            ),
            (&[("compression", "lz4")], "-b 131072 -comp lz4 -noI"),
        ] {
            let expected: Vec<_> = expected.split(' ').map(OsString::from).collect();
            assert_eq!(arguments(chosen).unwrap(), expected);
        }
    }

    #[test]
    fn what_there_is_not_is_refused() {
        for (chosen, place, words) in [
            (
                &[("compression", "lzma")][..],
                "p.compression",
                "no compression 'lzma'; known are gzip, xz",
            ),
            (
                &[("compression-level", "10")],
                "p.compression-level",
                "10 is no level of gzip, 1 to 9",
            ),
            (
                &[("compression", "xz"), ("compression-level", "1")],
                "p.compression-level",
                "'xz' has no levels",
            ),
            (
                &[("block-size", "2M")],
                "p.block-size",
                "power of two from 4096 to 1M",
            ),
            (&[("level", "1")], "p.level", "no option of this name"),
        ] {
            let error = arguments(chosen).unwrap_err();
            assert_eq!(error.place(), place);
            assert!(error.message().contains(words), "{error}");
        }
    }
}
