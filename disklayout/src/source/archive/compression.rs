//! Compressed archives: which format it is, and its bytes as one stream however many members,
//! streams or frames they are in.

use std::io::{self, BufReader, Read};
use std::sync::{Arc, OnceLock};

use super::ahead::Ahead;
use super::header::{BLOCK, Header};
use super::{lz4, magic, window, zeroes};
use crate::tree::{Section, Stream};

/// How much of the file is read at once.
const BUFFER: usize = 128 << 10;
/// What liblzma takes beside its dictionary, in bytes; plenty.
const XZ_REST: u64 = 1 << 20;

/// A way to compress a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Xz,
    Zstd,
    Bzip2,
    Lz4,
    /// A frame of lz4 or zstd that is to be skipped.
    Skipped,
}

impl Format {
    /// The format of what begins with these bytes.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Self::Zstd),
            [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Skipped),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            _ => {
                let magic = u32::from_le_bytes(*start.first_chunk()?);
                matches!(magic, lz4::MAGIC | lz4::LEGACY_MAGIC).then_some(Self::Lz4)
            }
        }
    }
}

/// Where something follows in a file that is no compressed data, once it was read to its end.
type Rest = Arc<OnceLock<u64>>;

/// Whether a file is compressed; otherwise it is a plain archive, or nothing that is known.
pub(super) fn is_compressed(file: &Section) -> io::Result<bool> {
    let mut start = [0; BLOCK];
    let count = file.read_up_to(&mut start, 0)?;
    // The first name of a plain archive may begin like a compressed file.
    Ok(Header::new(start).is_none() && Format::of(&start[..count]).is_some())
}

/// A compressed file.
#[derive(Clone, Debug)]
pub(super) struct Compressed {
    file: Section,
    /// The largest window that is read, in bytes.
    window_max: u64,
    rest: Rest,
}

impl Compressed {
    pub(super) fn new(file: Section, window_max: u64) -> Self {
        Self {
            file,
            window_max,
            rest: Rest::default(),
        }
    }

    /// What follows the compressed data, once a stream was read to its end: where, how many bytes,
    /// and the first of them.
    pub(super) fn rest(&self) -> io::Result<Option<(u64, u64, Vec<u8>)>> {
        let Some(offset) = self.rest.get().copied() else {
            return Ok(None);
        };
        let mut start = vec![0; magic::LEN];
        let count = self.file.read_up_to(&mut start, offset)?;
        start.truncate(count);
        let len = self.file.len()?.saturating_sub(offset);
        Ok(Some((offset, len, start)))
    }

    /// Fills the start of `buf` with the first decompressed bytes.
    pub(super) fn read_up_to(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut stream = self.open()?.take(buf.len() as u64);
        let mut start = Vec::new();
        // What was read in front of a fault is good.
        let _ = stream.read_to_end(&mut start);
        buf[..start.len()].copy_from_slice(&start);
        Ok(start.len())
    }
}

impl Stream for Compressed {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut stream = Decompressed {
            file: self.file.clone(),
            window_max: self.window_max,
            decoder: None,
            start: 0,
            ahead: None,
            rest: Arc::clone(&self.rest),
        };
        stream.begin(input(&self.file, 0), 0)?;
        Ok(Box::new(stream))
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

fn input(file: &Section, offset: u64) -> Input {
    let file = file.clone();
    BufReader::with_capacity(BUFFER, At { file, offset })
}

/// Where the next byte is.
fn position(input: &Input) -> u64 {
    input.get_ref().offset - input.buffer().len() as u64
}

/// The bytes of all members of a compressed file.
struct Decompressed {
    file: Section,
    window_max: u64,
    /// Of the member that is being read, which starts there; none at the end.
    decoder: Option<Decoder>,
    start: u64,
    /// The members that come next, where they are read by all threads.
    ahead: Option<Ahead>,
    rest: Rest,
}

/// Reads one member, stream or frame.
enum Decoder {
    Gzip(flate2::bufread::GzDecoder<Input>),
    Xz(liblzma::bufread::XzDecoder<Input>, u64),
    Zstd(zstd::Decoder<'static, Input>),
    Bzip2(bzip2::bufread::BzDecoder<Input>),
    Lz4(Box<lz4::Lz4<Input>>),
}

impl Read for Decompressed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(ahead) = &mut self.ahead {
                let count = ahead.read(buf)?;
                if count > 0 || buf.is_empty() {
                    return Ok(count);
                }
                let offset = ahead.offset();
                self.ahead = None;
                self.begin(input(&self.file, offset), offset)?;
            }
            let Some(decoder) = &mut self.decoder else {
                return Ok(0);
            };
            let count = decoder.read(buf)?;
            if count > 0 || buf.is_empty() {
                return Ok(count);
            }
            self.go_on()?;
        }
    }
}

impl Decompressed {
    /// Goes on behind the member that was read to its end.
    fn go_on(&mut self) -> io::Result<()> {
        let Some(decoder) = self.decoder.take() else {
            return Ok(());
        };
        let is_gzip = matches!(decoder, Decoder::Gzip(_));
        let (input, too_many) = decoder.into_input();
        let offset = position(&input) - too_many;
        if is_gzip {
            self.ahead = Ahead::behind(&self.file, self.start, offset)?;
        }
        match self.ahead {
            Some(_) => Ok(()),
            None => self.begin(input, offset),
        }
    }

    /// Begins with the member that comes next from `offset` on, if one does.
    fn begin(&mut self, before: Input, offset: u64) -> io::Result<()> {
        let Some((format, start)) = self.find(offset)? else {
            return Ok(());
        };
        self.check_window(format, start)?;
        let input = match start == position(&before) {
            true => before,
            false => input(&self.file, start),
        };
        self.decoder = Some(Decoder::new(format, input, self.window_max)?);
        self.start = start;
        Ok(())
    }

    /// Where the next member starts: behind frames that are skipped, and zeroes that fill up.
    fn find(&self, mut offset: u64) -> io::Result<Option<(Format, u64)>> {
        let file = &self.file;
        loop {
            let mut start = [0; 8];
            let count = file.read_up_to(&mut start, offset)?;
            match Format::of(&start[..count]) {
                Some(Format::Skipped) => offset = after_skipped(file, &start[..count], offset)?,
                Some(format) => return Ok(Some((format, offset))),
                None if start[0] == 0 && count > 0 => offset = zeroes::end(file, offset)?,
                None => {
                    if count > 0 {
                        // The same for everyone who reads to the end.
                        self.rest.get_or_init(|| offset);
                    }
                    return Ok(None);
                }
            }
        }
    }

    fn check_window(&self, format: Format, offset: u64) -> io::Result<()> {
        let mut start = [0; window::HEADER];
        let count = self.file.read_up_to(&mut start, offset)?;
        match window::of(format, &start[..count]) {
            Some(window) if window > self.window_max => {
                Err(window::refusal(Some(window), self.window_max))
            }
            _ => Ok(()),
        }
    }
}

/// Where a frame ends that is to be skipped: it has a length of four bytes.
fn after_skipped(file: &Section, start: &[u8], offset: u64) -> io::Result<u64> {
    let len = start.get(4..).and_then(<[u8]>::first_chunk);
    let end = len.map(|len| offset + 8 + u64::from(u32::from_le_bytes(*len)));
    let end = end.filter(|end| file.len().is_ok_and(|len| *end <= len));
    end.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

impl Decoder {
    fn new(format: Format, input: Input, window_max: u64) -> io::Result<Self> {
        Ok(match format {
            Format::Gzip => Self::Gzip(flate2::bufread::GzDecoder::new(input)),
            Format::Xz => {
                let memory = window_max + XZ_REST;
                let stream = liblzma::stream::Stream::new_stream_decoder(memory, 0)?;
                let decoder = liblzma::bufread::XzDecoder::new_stream(input, stream);
                Self::Xz(decoder, window_max)
            }
            Format::Zstd | Format::Skipped => {
                let mut decoder = zstd::Decoder::with_buffer(input)?.single_frame();
                decoder.window_log_max(window_max.ilog2())?;
                Self::Zstd(decoder)
            }
            Format::Bzip2 => Self::Bzip2(bzip2::bufread::BzDecoder::new(input)),
            Format::Lz4 => Self::Lz4(Box::new(lz4::Lz4::new(input)?)),
        })
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buf),
            Self::Xz(decoder, window_max) => decoder.read(buf).map_err(|error| {
                // Blocks may have different dictionaries.
                match is_over_memory(&error) {
                    true => window::refusal(None, *window_max),
                    false => error,
                }
            }),
            Self::Zstd(decoder) => decoder.read(buf),
            Self::Bzip2(decoder) => decoder.read(buf),
            Self::Lz4(decoder) => decoder.read(buf),
        }
    }

    /// What is left, and how many bytes before it what follows starts.
    fn into_input(self) -> (Input, u64) {
        match self {
            Self::Gzip(decoder) => (decoder.into_inner(), 0),
            Self::Xz(decoder, _) => (decoder.into_inner(), 0),
            Self::Zstd(decoder) => (decoder.finish(), 0),
            Self::Bzip2(decoder) => (decoder.into_inner(), 0),
            Self::Lz4(decoder) => decoder.into_inner(),
        }
    }
}

fn is_over_memory(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    matches!(inner, Some(liblzma::stream::Error::MemLimit))
}
