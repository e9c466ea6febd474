//! Opens what can hold an image: a file, a block device, a pipe.

use std::fs::{File, FileType};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use disklayout::disk::SparseFile;
use disklayout::source::{Rules, oci};
use foreign::stage::NamelessFile;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// What stands for standard input.
pub(super) const STDIN: &str = "-";

/// How long somebody may need to open the other end of a named pipe.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

const NOT_KEPT: &str = "can't keep it in a file without a name in TMPDIR or /var/tmp";

/// How much of a pipe is read at once.
const BUFFER: usize = 256 << 10;

/// Opens the image at `path`, which `full` leads to.
pub(super) fn open(path: &Path, full: &Path) -> Result<SparseFile> {
    if path == Path::new(STDIN) {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        return by_type(file, |file| keep(&[], file));
    }
    // A named pipe would be waited for until somebody writes to it.
    let mut options = File::options();
    let options = options
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits() as i32);
    let file = options.open(full).context("can't open it")?;
    by_type(file, |file| {
        let first = await_writer(file)?;
        let flags = fcntl_getfl(file)?;
        fcntl_setfl(file, flags - OFlags::NONBLOCK)?;
        keep(&first, file)
    })
}

fn by_type(file: File, keep: impl FnOnce(&File) -> Result<SparseFile>) -> Result<SparseFile> {
    let kind = file.metadata().context("can't look at it")?.file_type();
    if kind.is_file() || kind.is_block_device() {
        return SparseFile::open(file).context("can't tell its length");
    }
    match other(kind) {
        None => keep(&file),
        Some(noun) => bail!("it is no regular file, block device or pipe, but {noun}"),
    }
}

/// What holds no image; `None` for what can be read once.
fn other(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        Some("a directory")
    } else if kind.is_char_device() {
        Some("a character device")
    } else if kind.is_fifo() || kind.is_socket() {
        None
    } else {
        Some("something else")
    }
}

/// Waits until somebody has opened a pipe for writing; what was written first.
fn await_writer(mut pipe: &File) -> Result<Vec<u8>> {
    let start = Instant::now();
    let mut first = vec![0; BUFFER];
    loop {
        match pipe.read(&mut first) {
            Ok(0) if start.elapsed() < PATIENCE => sleep(PAUSE),
            Ok(0) => bail!(
                "it is no regular file but a pipe to which nobody writes: start what writes to it \
                 first, or give it to standard input and '{STDIN}' here"
            ),
            Ok(count) => {
                first.truncate(count);
                return Ok(first);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("can't read it"),
        }
    }
}

/// Copies `first` and what else comes from a pipe to a file without a name.
fn keep(first: &[u8], pipe: &File) -> Result<SparseFile> {
    let mut kept = Kept::new()?;
    let mut source = first.chain(pipe);
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("can't read it"),
        };
        kept.write_all(&buffer[..count]).context(NOT_KEPT)?;
    }
    kept.finish()
}

/// What a file was before it was compressed, in a file without a name.
///
/// # Errors
/// When it can't be decompressed or kept.
pub(super) fn unpacked(disk: &SparseFile, path: &Path) -> Result<SparseFile> {
    let mut kept = Kept::new()?;
    let file = disk.file().try_clone()?;
    let name = path.to_string_lossy();
    oci::decompress("image", &name, file, &Rules::default(), &mut kept)?;
    kept.finish()
}

/// A file without a name in which zeroes are holes.
struct Kept {
    file: NamelessFile,
    len: u64,
}

impl Kept {
    fn new() -> Result<Self> {
        let file = NamelessFile::new().context(NOT_KEPT)?;
        Ok(Self { file, len: 0 })
    }

    fn finish(self) -> Result<SparseFile> {
        let file = self.file.file();
        file.set_len(self.len).context(NOT_KEPT)?;
        Ok(SparseFile::open(file.try_clone()?)?)
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.iter().any(|byte| *byte != 0) {
            self.file.file().write_all_at(bytes, self.len)?;
        }
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::disk::Disk;
    use std::os::fd::OwnedFd;

    /// A pipe into which `bytes` are written by and by.
    fn pipe(bytes: Vec<u8>) -> File {
        let (reader, mut writer) = io::pipe().unwrap();
        std::thread::spawn(move || io::Write::write_all(&mut writer, &bytes).unwrap());
        File::from(OwnedFd::from(reader))
    }

    #[test]
    fn what_comes_from_a_pipe_is_kept_with_holes() {
        let mut bytes = vec![0; 3 << 20];
        bytes[7] = 7;
        *bytes.last_mut().unwrap() = 9;
        let kept = keep(b"first", &pipe(bytes.clone())).unwrap();
        assert_eq!(kept.len(), 5 + (3 << 20));
        let mut found = vec![0; kept.len() as usize];
        kept.read_at(&mut found, 0).unwrap();
        assert_eq!((&found[..5], &found[5..]), (&b"first"[..], &bytes[..]));
        use std::os::unix::fs::MetadataExt;
        assert!(kept.file().metadata().unwrap().blocks() * 512 < 2 << 20);
    }
}
