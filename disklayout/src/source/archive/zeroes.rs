//! Goes over zeroes in a file, of which a sparse one may have terabytes.

use std::io;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use crate::tree::Section;

/// How much is read at once.
const BUFFER: usize = 64 << 10;

/// Where the first byte is that is no zero, from `offset` on; the end of the file if there is none.
pub(super) fn end(file: &Section, mut offset: u64) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match file.read_at(&mut buffer, offset) {
            Ok(0) => return Ok(offset),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if let Some(zeroes) = buffer[..count].iter().position(|byte| *byte != 0) {
            return Ok(offset + zeroes as u64);
        }
        offset = after_hole(file, offset + count as u64)?;
    }
}

/// Where the next data is: at `offset` itself unless that is in a hole. A filesystem that doesn't
/// know has no holes.
fn after_hole(file: &Section, offset: u64) -> io::Result<u64> {
    let start = file.start();
    let data = match seek(file.file(), SeekFrom::Data(start.saturating_add(offset))) {
        Ok(data) => data - start,
        Err(Errno::NXIO) => u64::MAX,
        Err(_) => offset,
    };
    Ok(data.min(file.len()?.max(offset)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn zeroes_end_where_data_starts_or_the_file_ends() {
        let file = tempfile::tempfile().unwrap();
        let whole = Section::whole(file.try_clone().unwrap());
        assert_eq!(end(&whole, 0).unwrap(), 0);
        file.set_len(1 << 42).unwrap();
        file.write_all_at(b"x", 5).unwrap();
        file.write_all_at(b"x", 1 << 40).unwrap();
        for (offset, expected) in [(0, 5), (5, 5), (6, 1 << 40), ((1 << 40) + 1, 1 << 42)] {
            assert_eq!(end(&whole, offset).unwrap(), expected, "{offset}");
        }
        let part = whole.part(3, 1 << 20);
        assert_eq!(
            [0, 3].map(|offset| end(&part, offset).unwrap()),
            [2, 1 << 20]
        );
    }
}
