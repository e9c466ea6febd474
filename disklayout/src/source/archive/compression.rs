//! Compressed archives: which format it is, and its bytes as one stream however many members,
//! streams or frames they are in.

use std::io::{self, BufReader, Read};

use super::header::{BLOCK, Header};
use crate::tree::{Section, Stream};

/// How much of the file is read at once.
const BUFFER: usize = 128 << 10;
/// The largest window of zstd that is read, as a power of two: what `--long=31` makes.
const ZSTD_WINDOW: u32 = 31;

/// A way to compress a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Xz,
    Zstd,
    Bzip2,
}

impl Format {
    /// The format of what begins with these bytes.
    pub(super) const fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // A frame, and one that is to be skipped.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            _ => None,
        }
    }
}

/// The format of a file; none where it is a plain archive, or nothing that is known.
pub(super) fn of(file: &Section) -> io::Result<Option<Format>> {
    let mut start = [0; BLOCK];
    let count = read_up_to(file, &mut start, 0)?;
    // The first name of a plain archive may begin like a compressed file.
    Ok(match Header::new(start) {
        Some(_) => None,
        None => Format::of(&start[..count]),
    })
}

/// A compressed file.
#[derive(Debug)]
pub(super) struct Compressed {
    file: Section,
    format: Format,
}

impl Compressed {
    pub(super) const fn new(file: Section, format: Format) -> Self {
        Self { file, format }
    }
}

impl Stream for Compressed {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let bytes = At {
            file: self.file.clone(),
            offset: 0,
        };
        let input = BufReader::with_capacity(BUFFER, bytes);
        Ok(Box::new(Decompressed {
            format: self.format,
            decoder: Some(Decoder::new(self.format, input)?),
        }))
    }
}

/// A file from an offset on.
struct At {
    file: Section,
    offset: u64,
}

impl Read for At {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buf, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

type Input = BufReader<At>;

/// The bytes of all members of a compressed file. What follows the last one is left alone.
struct Decompressed {
    format: Format,
    /// Of the member that is being read; none at the end.
    decoder: Option<Decoder>,
}

/// Reads one member, stream or frame.
enum Decoder {
    Gzip(flate2::bufread::GzDecoder<Input>),
    Xz(liblzma::bufread::XzDecoder<Input>),
    Zstd(zstd::Decoder<'static, Input>),
    Bzip2(bzip2::bufread::BzDecoder<Input>),
}

impl Read for Decompressed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(buf)?;
            if count > 0 || buf.is_empty() {
                return Ok(count);
            }
            if let Some(decoder) = self.decoder.take() {
                self.decoder = next(self.format, decoder.into_input())?;
            }
        }
        Ok(0)
    }
}

/// A decoder for the member that comes next in `input`, if one does.
fn next(format: Format, input: Input) -> io::Result<Option<Decoder>> {
    let bytes = input.get_ref();
    let mut offset = bytes.offset - input.buffer().len() as u64;
    let mut start = [0; 6];
    let mut count = read_up_to(&bytes.file, &mut start, offset)?;
    // Streams of xz may have zeroes between them, four at a time.
    while format == Format::Xz && count >= 4 && start[..4] == [0; 4] {
        offset += 4;
        count = read_up_to(&bytes.file, &mut start, offset)?;
    }
    if Format::of(&start[..count]) != Some(format) {
        return Ok(None);
    }
    let input = match offset == bytes.offset - input.buffer().len() as u64 {
        true => input,
        false => {
            let file = bytes.file.clone();
            BufReader::with_capacity(BUFFER, At { file, offset })
        }
    };
    Decoder::new(format, input).map(Some)
}

/// Fills the start of `buf`; less than all of it only at the end of the file.
pub(super) fn read_up_to(file: &Section, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(&mut buf[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

impl Decoder {
    fn new(format: Format, input: Input) -> io::Result<Self> {
        Ok(match format {
            Format::Gzip => Self::Gzip(flate2::bufread::GzDecoder::new(input)),
            Format::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(u64::MAX, 0)?;
                Self::Xz(liblzma::bufread::XzDecoder::new_stream(input, stream))
            }
            Format::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(input)?.single_frame();
                decoder.window_log_max(ZSTD_WINDOW)?;
                Self::Zstd(decoder)
            }
            Format::Bzip2 => Self::Bzip2(bzip2::bufread::BzDecoder::new(input)),
        })
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buf),
            Self::Xz(decoder) => decoder.read(buf),
            Self::Zstd(decoder) => decoder.read(buf),
            Self::Bzip2(decoder) => decoder.read(buf),
        }
    }

    fn into_input(self) -> Input {
        match self {
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Xz(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
            Self::Bzip2(decoder) => decoder.into_inner(),
        }
    }
}
