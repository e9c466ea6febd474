//! Makes an empty ext2, ext3 or ext4 filesystem in a sparse file: `mkext KIND SIZE FILE`.

use std::error::Error;
use std::fs::File;

use disklayout::disk::SparseFile;
use disklayout::fs::{Registry, Request, Unwatched};
use disklayout::{Bytes, Identity, Timestamp};

/// Images are made at this time, 2000-01-01, so that the same arguments give the same bytes.
const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [kind, size, path] = arguments.as_slice() else {
        return Err("usage: mkext KIND SIZE FILE, with the size in bytes".into());
    };
    let size: u64 = size.parse()?;
    let identity = Identity::new(path, TIME);
    let draft = Registry::native().draft(Request::new("mkext", kind, identity))?;
    let plan = draft.at(Bytes::new(size))?;
    println!("{:#?}", plan.summary());
    let disk = SparseFile::create(File::create_new(path)?, size)?;
    plan.write_all(&disk, &Unwatched)?;
    Ok(())
}
