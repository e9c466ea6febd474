//! A disk that is encrypted as it is written.
//!
//! What was never written reads as zero here, as on every disk, although it would be noise to whoever
//! opens the container: zeroes that somebody relies on are encrypted when it is known which they are.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::cipher::Cipher;
use crate::disk::{Coming, Disk, append, check_range, is_zero, merged};
use crate::units::SectorSize;
use crate::volume::assembly::{Assembly, rounded, without};

/// So much is encrypted at once. A buffer of this size stays in the processor's cache.
const PIECE: u64 = 256 << 10;

/// What most filesystems have their files in.
const BLOCK: u64 = 4096;

/// The bytes of a container of LUKS, sector by sector.
#[derive(Debug)]
pub(crate) struct Encrypted<'a> {
    /// The disk that has the container's data, and nothing else.
    below: Arc<dyn Disk + Send + 'a>,
    /// Bytes of a sector.
    sector: u64,
    cipher: Cipher,
    /// Held while parts of a sector are changed.
    edge: Mutex<()>,
    late: OnceLock<Late>,
}

/// What is known when all but the data of files has been written.
#[derive(Debug)]
struct Late {
    assembly: Assembly,
    /// What has to read as zero and wasn't written.
    zeroes: Vec<Range<u64>>,
}

impl<'a> Encrypted<'a> {
    /// What `cipher` makes of sectors of this size is written to `below`, which has a whole number of
    /// them.
    pub(crate) fn new(
        below: Arc<dyn Disk + Send + 'a>,
        sector: SectorSize,
        cipher: Cipher,
    ) -> Self {
        Self {
            below,
            sector: sector.get(),
            cipher,
            edge: Mutex::default(),
            late: OnceLock::new(),
        }
    }

    /// Says what comes, as [`Disk::expect`] does; which bytes are then written to the disk below.
    pub(crate) fn prepare(&self, coming: &Coming<'_>) -> io::Result<Vec<Range<u64>>> {
        // Files end in the middle of blocks: what is written in whole blocks takes fewer writes.
        let unit = match self.len().is_multiple_of(BLOCK) {
            true => self.sector.max(BLOCK),
            false => self.sector,
        };
        let assembly = Assembly::new(unit, coming.data, self)?;
        let mut zeroes = Vec::new();
        for range in rounded(coming.zeroes, self.sector) {
            for range in without(range, assembly.units()) {
                self.add_unwritten(range, &mut zeroes)?;
            }
        }
        let all = assembly.units().iter().chain(&zeroes).cloned();
        let all = merged(all.collect());
        let late = Late { assembly, zeroes };
        match self.late.set(late) {
            Ok(()) => Ok(all),
            Err(_) => Err(io::Error::other("what comes was said already")),
        }
    }

    /// Adds the sectors of `range` that nobody has written to.
    fn add_unwritten(&self, range: Range<u64>, to: &mut Vec<Range<u64>>) -> io::Result<()> {
        let mut buffer = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let data = self.next_data(at).min(range.end);
            if data > at {
                append(to, at..data);
            }
            at = data;
            let hole = self.next_hole(at).min(range.end);
            while at < hole {
                buffer.resize((hole - at).min(PIECE) as usize, 0);
                self.below.read_at(&mut buffer, at)?;
                for sector in buffer.chunks(self.sector as usize) {
                    let next = at + sector.len() as u64;
                    if is_zero(sector) {
                        append(to, at..next);
                    }
                    at = next;
                }
            }
        }
        Ok(())
    }

    /// Encrypts the zeroes that somebody relies on, by all threads. Nothing else needs to be written.
    pub(crate) fn write_zeroes(&self) -> io::Result<()> {
        let Some(late) = self.late.get() else {
            return Ok(());
        };
        let zeroes = vec![0; PIECE as usize];
        late.zeroes.par_iter().try_for_each(|range| {
            let count = (range.end - range.start).div_ceil(PIECE);
            (0..count).into_par_iter().try_for_each(|piece| {
                let at = range.start + piece * PIECE;
                let len = PIECE.min(range.end - at);
                self.seal(&zeroes[..len as usize], at)
            })
        })
    }

    /// Encrypts whole sectors.
    fn seal(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut at = offset;
        for piece in bytes.chunks(PIECE as usize) {
            let mut sealed = piece.to_vec();
            self.cipher.encrypt(at / self.sector, &mut sealed);
            self.below.write_at(&sealed, at)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Reads whole sectors; those that were never written are zero.
    fn unseal(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.below.read_at(buf, offset)?;
        for (sector, number) in buf
            .chunks_mut(self.sector as usize)
            .zip(offset / self.sector..)
        {
            if !is_zero(sector) {
                self.cipher.decrypt(number, sector);
            }
        }
        Ok(())
    }

    /// Changes a part of a sector.
    fn change(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let start = offset / self.sector * self.sector;
        let at = (offset - start) as usize;
        let _edge = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sector = vec![0; self.sector as usize];
        self.unseal(&mut sector, start)?;
        sector[at..at + bytes.len()].copy_from_slice(bytes);
        self.seal(&sector, start)
    }

    /// Writes what comes before the data of files, wherever it is.
    fn write_early(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let end = offset + buf.len() as u64;
        let first = offset.next_multiple_of(self.sector).min(end);
        let last = (end / self.sector * self.sector).max(first);
        let (head, rest) = buf.split_at((first - offset) as usize);
        let (whole, tail) = rest.split_at((last - first) as usize);
        self.change(head, offset)?;
        self.seal(whole, first)?;
        self.change(tail, last)
    }
}

impl Disk for Encrypted<'_> {
    fn len(&self) -> u64 {
        self.below.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.len(), offset, buf.len() as u64)?;
        let start = offset / self.sector * self.sector;
        let end = (offset + buf.len() as u64).next_multiple_of(self.sector);
        let mut sectors = vec![0; (end - start) as usize];
        self.unseal(&mut sectors, start)?;
        let at = (offset - start) as usize;
        buf.copy_from_slice(&sectors[at..at + buf.len()]);
        Ok(())
    }

    fn next_data(&self, offset: u64) -> u64 {
        let found = self.below.next_data(offset);
        (found / self.sector * self.sector).max(offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        let found = self.below.next_hole(offset);
        found
            .next_multiple_of(self.sector)
            .min(self.len().max(offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_range(self.len(), offset, buf.len() as u64)?;
        match self.late.get() {
            None => self.write_early(buf, offset),
            Some(late) => {
                let seal = |bytes: &[u8], at| self.seal(bytes, at);
                late.assembly.take(buf, offset, &seal)
            }
        }
    }

    fn settle(&self, offset: u64, len: u64) {
        self.below.settle(offset, len);
    }

    /// Where it is known what comes, zeroes have to be encrypted as well.
    fn wants_expectations(&self) -> bool {
        true
    }

    /// By all threads, as there is something to do about every byte.
    fn copy_from(&self, source: &File, from: u64, offset: u64, len: u64) -> io::Result<()> {
        check_range(self.len(), offset, len)?;
        let end = offset + len;
        let pieces = offset / PIECE..end.div_ceil(PIECE);
        pieces.into_par_iter().try_for_each(|piece| {
            let start = offset.max(piece * PIECE);
            let mut bytes = vec![0; (end.min((piece + 1) * PIECE) - start) as usize];
            source.read_exact_at(&mut bytes, from + (start - offset))?;
            match is_zero(&bytes) && self.late.get().is_none() {
                true => Ok(()),
                false => self.write_at(&bytes, start),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disk::MemDisk;
    use crate::volume::luks::{self, Kdf, Passphrase, Secrets, Version};

    const LEN: u64 = 64 << 10;

    fn cipher(sector: SectorSize) -> Cipher {
        let mut request = luks::Request::new("p", Version::Luks2, Secrets::new([7; 32]));
        request.sector_size = sector;
        request.keys = vec![luks::Key {
            passphrase: Passphrase::new(*b"k"),
            kdf: Kdf::PBKDF2,
        }];
        luks::plan(request).unwrap().cipher()
    }

    fn encrypted(below: &Arc<MemDisk>, sector: SectorSize) -> Encrypted<'static> {
        let below: Arc<dyn Disk + Send> = below.clone();
        Encrypted::new(below, sector, cipher(sector))
    }

    /// What whoever opens the container reads.
    fn opened(below: &MemDisk, sector: SectorSize) -> Vec<u8> {
        let mut bytes = vec![0; LEN as usize];
        below.read_at(&mut bytes, 0).unwrap();
        cipher(sector).decrypt(0, &mut bytes);
        bytes
    }

    proptest! {
        /// Writes before and after it is known what comes, wherever they begin and end.
        #[test]
        fn whoever_opens_it_reads_what_was_written(
            early in prop::collection::vec((0..LEN, 1..9000_u64, 1..255_u8), 0..6),
            data in prop::collection::btree_set(0..LEN / 100, 0..40),
            zeroes in 0..LEN,
            is_small: bool,
        ) {
            let sector = if is_small { SectorSize::B512 } else { SectorSize::B4096 };
            let below = Arc::new(MemDisk::new(LEN));
            let disk = encrypted(&below, sector);
            let mut plain = vec![0; LEN as usize];
            for (at, len, byte) in early {
                let end = LEN.min(at + len);
                plain[at as usize..end as usize].fill(byte);
                disk.write_at(&vec![byte; (end - at) as usize], at).unwrap();
            }
            let mut read = vec![1; LEN as usize];
            disk.read_at(&mut read, 0).unwrap();
            prop_assert!(read == plain);
            let stretches: Vec<_> = data.iter().map(|it| it * 100..it * 100 + 100).collect();
            let mut told = Vec::new();
            stretches.iter().for_each(|it| append(&mut told, it.clone()));
            let needed = zeroes..LEN;
            let coming = Coming { data: &told, zeroes: std::slice::from_ref(&needed) };
            let all = disk.prepare(&coming).unwrap();
            prop_assert!(all.iter().all(|it| it.start.is_multiple_of(sector.get())));
            disk.write_zeroes().unwrap();
            // Every other one first.
            for parity in [1, 0] {
                for range in stretches.iter().filter(|it| it.start / 100 % 2 == parity) {
                    plain[range.start as usize..range.end as usize].fill(9);
                    disk.write_at(&[9; 100], range.start).unwrap();
                }
            }
            let found = opened(&below, sector);
            let sector = sector.get() as usize;
            for (number, (found, plain)) in found.chunks(sector).zip(plain.chunks(sector)).enumerate() {
                let end = (number + 1) * sector;
                if plain.iter().any(|byte| *byte != 0) || end as u64 > zeroes {
                    prop_assert!(found == plain, "sector {number}");
                }
            }
        }
    }

    #[test]
    fn what_is_copied_by_all_threads_is_the_same() {
        let source = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..LEN).map(|at| (at % 251) as u8).collect();
        source.write_all_at(&bytes, 0).unwrap();
        let below = Arc::new(MemDisk::new(LEN));
        let disk = encrypted(&below, SectorSize::B4096);
        disk.copy_from(&source, 5, 700, LEN - 700 - 5).unwrap();
        let mut found = vec![0; (LEN - 705) as usize];
        disk.read_at(&mut found, 700).unwrap();
        assert!(found == bytes[5..bytes.len() - 700]);
        assert!(disk.write_at(&[1; 2], LEN - 1).is_err());
        let seen = opened(&below, SectorSize::B4096);
        assert!(seen[700..700 + found.len()] == found);
    }
}
