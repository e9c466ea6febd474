//! What arrives on the disk is what the contents say, whatever their source and place.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use proptest::prelude::*;
use testkit::random::cases;

use super::*;
use crate::disk::MemDisk;
use crate::error::ErrorKind;
use crate::fs::Unwatched;
use crate::tree::{Extent, Store, Stream};

fn copy(
    place: &Place,
    block_size: u64,
    pieces: Vec<Piece<'_>>,
    disk: &dyn Disk,
    progress: &dyn Progress,
) -> Result<()> {
    Data::of_list(place, block_size, pieces).copy(disk, progress)
}

/// Room for all that the tests copy.
const DISK: u64 = 64 << 20;

#[derive(Debug)]
struct Forward(Vec<u8>);

impl Stream for Forward {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}

/// Adds up what it is told.
#[derive(Debug, Default)]
struct Sum {
    files: AtomicU64,
    bytes: AtomicU64,
    calls: AtomicU64,
}

impl Progress for Sum {
    fn advance(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// One sequence of bytes behind every kind of source.
struct Sources {
    bytes: Vec<u8>,
    file: tempfile::NamedTempFile,
    random: Arc<Store>,
    streams: [Arc<Store>; 2],
}

impl Sources {
    /// No byte is zero.
    fn new(len: usize) -> Self {
        let words = (0..len.div_ceil(4)).map(|word| word as u32 | 0x0101_0101);
        let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).take(len).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let stream = || Arc::new(Store::stream("stream", Forward(bytes.clone())));
        Self {
            random: Arc::new(Store::file("store", file.reopen().unwrap())),
            streams: [stream(), stream()],
            file,
            bytes,
        }
    }

    /// `len` bytes from `offset` of one of the sources; with `hole`, a third of them is one.
    fn content(&self, kind: u8, offset: usize, len: usize, hole: bool) -> Content {
        let third = (len / 3) as u64;
        let (len, offset) = (len as u64, offset as u64);
        let extent = |logical, len| Extent {
            logical,
            len,
            offset: offset + logical,
        };
        let extents = vec![extent(0, third), extent(2 * third, len - 2 * third)];
        let store = match kind {
            0 => return Content::inline(&self.bytes[offset as usize..][..len as usize]),
            1 => return Content::host(self.file.path(), self.bytes.len() as u64),
            2 => &self.random,
            kind => &self.streams[usize::from(kind) % 2],
        };
        match hole {
            true => Content::stored_with_holes(store, len, extents),
            false => Content::stored(store, offset, len),
        }
    }
}

/// Lays `contents` out from block 1 on, `gap` blocks apart, in pieces of at most `step` bytes.
fn pieces(contents: &[Content], gap: u64, step: u64) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut disk = 4096;
    for content in contents {
        let mut logical = 0;
        loop {
            let len = step.min(content.len() - logical);
            let ends_file = logical + len == content.len();
            pieces.push(Piece {
                content,
                logical,
                len,
                disk,
                ends_file,
            });
            logical += len;
            disk += len.next_multiple_of(4096) + gap * 4096;
            if ends_file {
                break;
            }
        }
    }
    pieces
}

/// What `pieces` make of an empty disk, told by reading each content from its start.
fn expected(pieces: &[Piece<'_>]) -> Vec<u8> {
    let mut disk = vec![0; DISK as usize];
    for piece in pieces {
        let mut all = vec![0; piece.content.len() as usize];
        piece.content.open().unwrap().read_exact(&mut all).unwrap();
        let data = &all[piece.logical as usize..][..piece.len as usize];
        disk[piece.disk as usize..][..data.len()].copy_from_slice(data);
    }
    disk
}

fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(run)
}

fn read(disk: &dyn Disk) -> Vec<u8> {
    let mut bytes = vec![0; disk.len() as usize];
    disk.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn assert_copies(pieces: Vec<Piece<'_>>, threads: usize) -> MemDisk {
    let (disk, sum) = (MemDisk::new(DISK), Sum::default());
    let expected = expected(&pieces);
    let files = pieces.iter().filter(|piece| piece.ends_file).count() as u64;
    let data = |piece: &Piece<'_>| {
        let extents = piece
            .content
            .extents_in(piece.logical..piece.logical + piece.len);
        extents.map(|extent| extent.len).sum::<u64>()
    };
    let bytes: u64 = pieces.iter().map(data).sum();
    on_threads(threads, || {
        copy(&"parts[0]".into(), 4096, pieces, &disk, &sum)
    })
    .unwrap();
    assert!(read(&disk) == expected, "other bytes on the disk");
    assert_eq!(sum.files.into_inner(), files);
    assert_eq!(sum.bytes.into_inner(), bytes);
    disk
}

fn content() -> impl Strategy<Value = (u8, usize, usize, bool)> {
    let len = prop_oneof![4 => 0..9000_usize, 1 => 0..700_000_usize];
    (0..5_u8, 0..300_000_usize, len, any::<bool>())
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn every_source_arrives_in_its_place(
        wanted in prop::collection::vec(content(), 1..30),
        gap in 0..3_u64,
        step in prop_oneof![Just(1_u64 << 30), 16_384..100_000_u64],
        reverse in any::<bool>(),
        threads in 1..4_usize,
    ) {
        let step = step.next_multiple_of(4096);
        let sources = Sources::new(1_000_000);
        let contents: Vec<_> = wanted
            .into_iter()
            .map(|(kind, offset, len, hole)| sources.content(kind, offset, len, hole))
            .collect();
        let mut pieces = pieces(&contents, gap, step);
        if reverse {
            pieces.reverse();
        }
        assert_copies(pieces, threads);
    }
}

/// What a file has behind a hole is read by another pass than what lies before the hole, as a
/// second file has its beginning. What comes between must stay.
#[test]
fn a_block_may_be_read_by_two_passes() {
    let sources = Sources::new(1 << 20);
    let contents = [
        sources.content(3, 77_329, 1572, true),
        sources.content(3, 77_853, 1575, false),
    ];
    for threads in [1, 3] {
        assert_copies(pieces(&contents, 0, u64::MAX), threads);
    }
}

#[test]
fn holes_and_zeroes_stay_holes() {
    let sources = Sources::new(3 << 20);
    for kind in [2, 3] {
        let content = [sources.content(kind, 0, 3 << 20, true)];
        let disk = assert_copies(pieces(&content, 0, u64::MAX), 2);
        assert_eq!(disk.allocated(), 2 << 20, "source {kind}");
    }
    let zeroes = [Content::inline(&[0; 100_000]), Content::inline(&[0; 10])];
    let disk = assert_copies(pieces(&zeroes, 0, 4096), 2);
    assert_eq!(disk.allocated(), 0);
}

/// Neighbours become one write, and one report of progress.
#[test]
fn small_files_are_written_together() {
    let sources = Sources::new(1 << 20);
    for kind in [0, 2, 3] {
        let contents: Vec<_> = (0..50)
            .map(|at| sources.content(kind, at * 5000, 4500, false))
            .collect();
        let (disk, sum) = (Failing::at(usize::MAX), Sum::default());
        let pieces = pieces(&contents, 0, u64::MAX);
        on_threads(1, || copy(&"parts[0]".into(), 4096, pieces, &disk, &sum)).unwrap();
        let writes = disk.writes.into_inner();
        assert!((1..=2).contains(&writes), "source {kind}: {writes} writes");
        assert_eq!(sum.calls.into_inner(), 1);
    }
}

/// Fails the write with this number and all after it.
#[derive(Debug)]
struct Failing {
    disk: MemDisk,
    writes: AtomicUsize,
    failing: usize,
    copies_files: bool,
}

impl Failing {
    fn at(failing: usize) -> Self {
        Self {
            disk: MemDisk::new(DISK),
            writes: AtomicUsize::new(0),
            failing,
            copies_files: false,
        }
    }
}

impl Disk for Failing {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        match self.writes.fetch_add(1, Ordering::Relaxed) < self.failing {
            true => self.disk.write_at(buf, offset),
            false => Err(io::Error::other("the disk is on fire")),
        }
    }

    fn copies_files(&self) -> bool {
        self.copies_files
    }
}

#[test]
fn a_failing_disk_ends_it_soon() {
    let sources = Sources::new(20 << 20);
    for (kind, len, copies_files, what) in [
        (0, 1 << 20, true, "can't write "),
        (1, 1 << 20, true, "can't copy "),
        (1, 1 << 20, false, "can't write "),
        (2, 1 << 20, true, "can't copy "),
        (2, 1 << 20, false, "can't write "),
        (2, 10_000, true, "can't write "),
        (3, 1 << 20, true, "can't write "),
    ] {
        let contents: Vec<_> = (0..3)
            .map(|at| sources.content(kind, at * len, len, false))
            .collect();
        for (threads, failing) in [(1, 0), (1, 1), (3, 0)] {
            let disk = Failing {
                copies_files,
                ..Failing::at(failing)
            };
            let pieces = pieces(&contents, 1, u64::MAX);
            let result = on_threads(threads, || {
                copy(&"parts[0]".into(), 4096, pieces, &disk, &Unwatched)
            });
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io);
            assert_eq!(error.place(), "parts[0]");
            assert!(error.message().starts_with(what), "{error}");
            let writes = disk.writes.into_inner();
            assert!(writes <= failing + threads, "{writes} writes");
        }
    }
}

#[test]
fn a_source_that_changed_is_named() {
    let sources = Sources::new(4 << 20);
    let short = Arc::new(Store::stream(
        "short",
        Forward(sources.bytes[..9000].to_vec()),
    ));
    let len = 4 << 20;
    let path = sources.file.path().display().to_string();
    for (content, place, message) in [
        (
            Content::host("/there/is/none", 9),
            "/there/is/none",
            "can't open",
        ),
        (
            Content::host(sources.file.path(), len + 1),
            &*path,
            "the file had",
        ),
        (
            Content::stored(&sources.random, len - 5, 9),
            "store",
            "ends earlier",
        ),
        (
            Content::stored(&sources.random, 5, len),
            "store",
            "ends earlier",
        ),
        (Content::stored(&short, 5, len), "short", "ends earlier"),
        (Content::stored(&short, len, 5), "short", "ends earlier"),
    ] {
        for threads in [1, 3] {
            let disk = MemDisk::new(DISK);
            let contents = [content.clone()];
            let pieces = pieces(&contents, 0, u64::MAX);
            let result = on_threads(threads, || {
                copy(&"parts[0]".into(), 4096, pieces, &disk, &Unwatched)
            });
            let error = result.unwrap_err();
            assert_eq!(error.place(), place);
            assert!(error.message().contains(message), "{error}");
        }
    }
}

/// Bytes that several files of a stream share take further passes, however they overlap.
#[test]
fn files_may_share_bytes_of_a_stream() {
    let sources = Sources::new(4 << 20);
    let contents: Vec<_> = [
        (0, 3 << 20),
        (1000, 2 << 20),
        (1000, 2 << 20),
        (5, 1),
        (0, 0),
    ]
    .into_iter()
    .map(|(offset, len)| sources.content(3, offset, len, false))
    .collect();
    for threads in [1, 3] {
        assert_copies(pieces(&contents, 0, u64::MAX), threads);
        assert_copies(pieces(&contents, 2, 8192), threads);
    }
}

#[test]
fn large_files_go_to_a_file_on_disk() {
    let sources = Sources::new(5_000_001);
    let contents = [1, 2].map(|kind| sources.content(kind, 0, 5_000_001, false));
    let pieces = pieces(&contents, 1, u64::MAX);
    let expected = expected(&pieces);
    let file: File = tempfile::tempfile().unwrap();
    let disk = crate::disk::SparseFile::create(file, DISK).unwrap();
    copy(&"parts[0]".into(), 4096, pieces, &disk, &Unwatched).unwrap();
    assert!(read(&disk) == expected);
}

/// Between the data of files lie other things, such as indirect blocks.
#[test]
fn only_the_rest_of_a_block_is_filled() {
    let sources = Sources::new(1000);
    for kind in [0, 2, 3] {
        let content = sources.content(kind, 0, 1000, false);
        let piece = |disk| Piece {
            content: &content,
            logical: 0,
            len: 1000,
            disk,
            ends_file: true,
        };
        let disk = MemDisk::new(8192);
        disk.write_at(&[0xEE; 1024], 1024).unwrap();
        let pieces = vec![piece(0), piece(2048), piece(3072)];
        copy(&"parts[0]".into(), 1024, pieces, &disk, &Unwatched).unwrap();
        let found = read(&disk);
        assert_eq!(found[1024..2048], [0xEE; 1024], "source {kind}");
        assert_eq!(found[3072..4072], sources.bytes);
    }
}
