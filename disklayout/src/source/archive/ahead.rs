//! Members of a gzip file (RFC 1952, 2.2) that are decompressed by all threads.
//!
//! A member doesn't say how long it is. Where one was short, more of its kind are likely to follow:
//! what looks like the start of each is searched for, and what is between two starts is decompressed as
//! if it was a member. That counts only if it ends where the next one was taken to start; from anything
//! else on the file is read as any other.

use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use libdeflater::Decompressor;
use memchr::memmem;

use crate::pipeline::Pipeline;
use crate::tree::Section;

/// How many bytes a member may have that is read this way, and what was in it.
const MEMBER_MAX: usize = 2 << 20;
const CONTENT_MAX: usize = 8 << 20;

/// How many bytes are read of one at least.
const READ_MIN: usize = 64 << 10;

/// How many bytes of a header are the same in all members of one maker.
const HEADER: usize = 10;

/// A member's bytes, what was in it, and how many there are of its bytes. Nothing where it is none.
type Member = Option<(Vec<u8>, u64)>;

/// Members that are decompressed ahead.
#[derive(Debug)]
pub(super) struct Ahead {
    file: Section,
    header: [u8; HEADER],
    members: Pipeline<Vec<u8>, Member>,
    /// Where the next one to be decompressed starts, if one is known to, and how many bytes it is likely
    /// to have.
    coming: Option<u64>,
    likely: usize,
    /// What is being read, and where that which follows it starts.
    content: Cursor<Vec<u8>>,
    read: Buffers,
    offset: u64,
}

impl Ahead {
    /// The members behind one that starts at `start` and ends at `end`; `None` where they aren't
    /// likely to be short.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) fn behind(file: &Section, start: u64, end: u64) -> io::Result<Option<Self>> {
        let [mut first, mut header] = [[0; HEADER]; 2];
        if end - start > MEMBER_MAX as u64
            || file.read_up_to(&mut first, start)? < HEADER
            || file.read_up_to(&mut header, end)? < HEADER
            || header != first
        {
            return Ok(None);
        }
        let read = Buffers::default();
        let spare = read.clone();
        Ok(Some(Self {
            file: file.clone(),
            header,
            members: Pipeline::new(move |bytes: Vec<u8>| decompress(&bytes, &spare)),
            read,
            coming: Some(end),
            likely: (end - start) as usize,
            content: Cursor::default(),
            offset: end,
        }))
    }

    /// Where the first byte is that was not read this way, once there is nothing more.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Hands over members until there are enough.
    fn hand_over(&mut self) -> io::Result<()> {
        while let Some(start) = self.coming
            && !self.members.is_full()
        {
            let mut bytes = Vec::new();
            let (len, is_last) = loop {
                let known = bytes.len();
                let wanted = (2 * known).max(self.likely + self.likely / 4);
                let wanted = wanted.clamp(READ_MIN, MEMBER_MAX);
                bytes.resize(wanted, 0);
                let count = self
                    .file
                    .read_up_to(&mut bytes[known..], start + known as u64)?;
                bytes.truncate(known + count);
                // The start may be behind the end of what was known.
                let from = known.saturating_sub(HEADER).max(HEADER).min(bytes.len());
                match memmem::find(&bytes[from..], &self.header) {
                    Some(at) => break (from + at, false),
                    None if bytes.len() < wanted => break (bytes.len(), true),
                    None if wanted == MEMBER_MAX => {
                        self.coming = None;
                        return Ok(());
                    }
                    None => {}
                }
            };
            bytes.truncate(len);
            self.likely = len;
            self.coming = (!is_last).then_some(start + len as u64);
            self.members.push(bytes);
        }
        Ok(())
    }
}

impl Read for Ahead {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.content.read(buf)?;
            if count > 0 || buf.is_empty() {
                return Ok(count);
            }
            self.hand_over()?;
            let Some((content, len)) = self.members.pop().flatten() else {
                return Ok(0);
            };
            let before = std::mem::replace(&mut self.content, Cursor::new(content));
            self.read.give(before.into_inner());
            self.offset += len;
        }
    }
}

/// Memory of what was read, which is of the size that the next members need: as new memory it would be
/// filled with zeroes, by the kernel and here, for nothing.
#[derive(Clone, Debug, Default)]
struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    fn take(&self) -> Vec<u8> {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    fn give(&self, buffer: Vec<u8>) {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.push(buffer);
    }
}

/// What is in a member, if these bytes are one and nothing else. Its last bytes tell how much that is.
fn decompress(bytes: &[u8], spare: &Buffers) -> Member {
    let len = u64::from(u32::from_le_bytes(*bytes.last_chunk()?));
    let len = usize::try_from(len)
        .ok()
        .filter(|len| *len <= CONTENT_MAX)?;
    let mut content = spare.take();
    content.resize(len, 0);
    // It takes a third less time than what reads streams, but has to have all of a member at once.
    let mut decompressor = Decompressor::new();
    let found = decompressor.gzip_decompress(bytes, &mut content).ok()?;
    (found == len).then_some((content, bytes.len() as u64))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::compression::Compressed;
    use super::*;
    use crate::tree::Stream;

    fn member(content: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn section(bytes: &[u8]) -> Section {
        let mut file: File = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Section::whole(file)
    }

    /// What a file holds, up to a fault.
    fn read(bytes: &[u8], threads: usize) -> (Vec<u8>, Option<io::ErrorKind>) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let compressed = Compressed::new(section(bytes), 1 << 27);
            let mut content = Vec::new();
            let read = compressed
                .open()
                .and_then(|mut it| it.read_to_end(&mut content));
            (content, read.err().map(|error| error.kind()))
        })
    }

    /// Bytes that don't become fewer.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let bytes = (0..len).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        bytes.collect()
    }

    #[test]
    fn members_of_all_kinds_come_one_behind_the_other() {
        let header = member(b"", 6)[..HEADER].to_vec();
        let contents = [
            noise(1000),
            b"one".to_vec(),
            Vec::new(),
            // What looks like the start of a member, within one.
            [&header[..], b"within", &header].concat(),
            noise(MEMBER_MAX + 5),
            b"two".to_vec(),
            vec![0; CONTENT_MAX + 1],
            vec![0; CONTENT_MAX],
            noise(100_000),
            b"three".to_vec(),
        ];
        for level in [0, 6] {
            let file: Vec<_> = contents.iter().flat_map(|it| member(it, level)).collect();
            for threads in [1, 2, 5] {
                let (content, error) = read(&file, threads);
                assert_eq!(error, None, "{level} {threads}");
                assert!(content == contents.concat(), "{level} {threads}");
            }
        }
    }

    #[test]
    fn short_members_are_read_this_way_to_the_last() {
        let members: Vec<_> = (0..40).map(|it| member(&noise(it * 999), 6)).collect();
        let file = members.concat();
        let end = members[0].len() as u64;
        let mut ahead = Ahead::behind(&section(&file), 0, end).unwrap().unwrap();
        let mut content = Vec::new();
        ahead.read_to_end(&mut content).unwrap();
        let expected: Vec<_> = (1..40).flat_map(|it| noise(it * 999)).collect();
        assert!(content == expected);
        assert_eq!(ahead.offset(), file.len() as u64);
        // None at the end, and none of another maker.
        let behind = |bytes: &[u8]| Ahead::behind(&section(bytes), 0, end).unwrap();
        assert!(behind(&members[0]).is_none());
        let mut other = file;
        other[members[0].len() + 9] ^= 1;
        assert!(behind(&other).is_none());
    }

    #[test]
    fn faults_are_those_of_the_member_that_has_them() {
        let members: Vec<_> = (1..9).map(|it| member(&noise(it * 5000), 6)).collect();
        let file = members.concat();
        let before: usize = members[..5].iter().map(Vec::len).sum();
        let good: Vec<_> = (1..6).flat_map(|it| noise(it * 5000)).collect();
        let mut damaged = file.clone();
        damaged[before + 2000] ^= 0xFF;
        for bytes in [&damaged[..], &file[..before + 2000]] {
            let (content, error) = read(bytes, 3);
            assert!(error.is_some());
            assert!(content.starts_with(&good));
        }
        let all: Vec<_> = (1..9).flat_map(|it| noise(it * 5000)).collect();
        for behind in [&[0; 700][..], b"something else"] {
            let (content, error) = read(&[&file, behind].concat(), 3);
            assert_eq!(error, None);
            assert!(content == all);
        }
    }
}
