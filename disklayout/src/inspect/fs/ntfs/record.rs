//! What update sequences protect: records of the master file table and blocks of indexes.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::ntfs::format::{
    INDEX_MAGIC, PROTECTED_STRIDE, RECORD_IN_USE, RECORD_MAGIC, REFERENCE_NUMBER, RecordHeader,
};
use crate::inspect::fs::ntfs::Ntfs;

/// A record with the bytes that its update sequence had replaced.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) header: RecordHeader,
    /// As far as they are in use.
    pub(super) bytes: Vec<u8>,
}

/// Puts back what the update sequence has replaced: the last two bytes of every stride, which all
/// have to be the same number. Tells what is wrong otherwise.
pub(super) fn unprotect(bytes: &mut [u8], magic: [u8; 4]) -> Result<(), String> {
    let word = |bytes: &[u8], at: usize| {
        let pair = bytes.get(at..)?.first_chunk()?;
        Some(u16::from_le_bytes(*pair))
    };
    if !bytes.starts_with(&magic) {
        return Err(format!("it doesn't begin with {}", magic.escape_ascii()));
    }
    let strides = bytes.len() / PROTECTED_STRIDE;
    let (offset, count) = (word(bytes, 4), word(bytes, 6));
    let (offset, count) = (
        usize::from(offset.unwrap_or(0)),
        usize::from(count.unwrap_or(0)),
    );
    if count != strides + 1 || offset % 2 != 0 || offset + count * 2 > PROTECTED_STRIDE - 2 {
        return Err(format!(
            "its update sequence has {count} numbers at {offset}"
        ));
    }
    let number = word(bytes, offset);
    for stride in 0..strides {
        let end = (stride + 1) * PROTECTED_STRIDE - 2;
        if word(bytes, end) != number {
            return Err(format!("its part {stride} was written at another time"));
        }
        let from = offset + 2 * (stride + 1);
        bytes.copy_within(from..from + 2, end);
    }
    Ok(())
}

pub(super) fn index_block(place: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    let why = unprotect(&mut bytes, INDEX_MAGIC);
    why.map_err(|why| Error::corrupt(place, why))?;
    Ok(bytes)
}

impl Record {
    pub(super) fn parse(number: u64, mut bytes: Vec<u8>) -> Result<Self> {
        let place = format!("record {number}");
        unprotect(&mut bytes, RECORD_MAGIC).map_err(|why| Error::corrupt(&*place, why))?;
        let Ok((header, _)) = RecordHeader::read_from_prefix(&bytes) else {
            return Err(Error::corrupt(place, "it has no header"));
        };
        let in_use = header.bytes_in_use.get() as usize;
        if in_use > bytes.len() || in_use < size_of::<RecordHeader>() {
            let message = format!("{in_use} bytes of it are said to be in use");
            return Err(Error::corrupt(place, message));
        }
        bytes.truncate(in_use);
        Ok(Self {
            number,
            header,
            bytes,
        })
    }

    /// The number of the record of which this one is a part.
    pub(super) fn base(&self) -> u64 {
        self.header.base_mft_record.get() & REFERENCE_NUMBER
    }
}

impl Ntfs<'_> {
    /// A record that is in use.
    pub(super) fn record(&self, number: u64) -> Result<Record> {
        let place = format!("record {number}");
        let size = self.volume.record_size;
        let offset = number.checked_mul(size as u64);
        let offset = offset.filter(|at| *at < self.mft.len());
        let Some(offset) = offset.filter(|at| self.mft.position(*at).is_some()) else {
            return Err(Error::corrupt(
                place,
                "the master file table ends before it",
            ));
        };
        let mut bytes = vec![0; size];
        self.mft.fill(&self.area, &place, offset, &mut bytes)?;
        let record = Record::parse(number, bytes)?;
        if record.header.flags.get() & RECORD_IN_USE == 0 {
            return Err(Error::corrupt(place, "it isn't in use"));
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_update_sequence_replaced_is_put_back() {
        let mut bytes = vec![0; 1024];
        bytes[..4].copy_from_slice(b"FILE");
        bytes[4] = 48;
        bytes[6] = 3;
        bytes[48..54].copy_from_slice(&[7, 0, 1, 2, 3, 4]);
        bytes[510] = 7;
        bytes[1022] = 7;
        let sound = bytes.clone();
        unprotect(&mut bytes, RECORD_MAGIC).unwrap();
        assert_eq!(
            (&bytes[510..512], &bytes[1022..]),
            (&[1, 2][..], &[3, 4][..])
        );
        for at in [0, 4, 5, 6, 7, 48, 49, 510, 1023] {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x80;
            assert!(unprotect(&mut bytes, RECORD_MAGIC).is_err(), "{at}");
        }
        for len in [0, 3, 7, 512] {
            assert!(unprotect(&mut sound[..len].to_vec(), RECORD_MAGIC).is_err());
        }
    }
}
