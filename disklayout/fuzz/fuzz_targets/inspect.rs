//! Arbitrary bytes as an image: reading it ends, with an answer or an error.
#![no_main]

use std::fs;
use std::path::Path;

use disklayout::disk::{Disk, MemDisk, Window};
use disklayout::fs::{Options, Registry, Request, Unwatched};
use disklayout::inspect;
use disklayout::tree::{Attributes, Content, FileTree, Node, NodeKind, Xattr, Xattrs};
use disklayout::{Bytes, Identity, Timestamp};
use libfuzzer_sys::fuzz_target;

/// How much of a file is read, and of how many.
const READ: u64 = 64 << 10;
const FILES: usize = 256;

/// An input is made of records: an offset in units of 16 bytes, a length, and so many bytes. What
/// no record writes is zero. That way an image of megabytes is an input of kilobytes.
const HEAD: usize = 5;

/// Large enough for every format that can be told by its superblock.
const IMAGE: u64 = 4 << 20;

fuzz_target!(
    init: seeds(),
    |bytes: &[u8]| {
        let disk = MemDisk::new(IMAGE);
        let mut rest = bytes;
        while let Some((head, behind)) = rest.split_first_chunk::<HEAD>() {
            let [a, b, c, d, e] = *head;
            let offset = u64::from(u32::from_le_bytes([a, b, c, 0])) * 16 % IMAGE;
            let len = usize::from(u16::from_le_bytes([d, e])).min(behind.len());
            let len = len.min((IMAGE - offset) as usize);
            let (data, behind) = behind.split_at(len);
            disk.write_at(data, offset).unwrap();
            rest = behind;
        }
        let _ = read(&disk);
        // The same when its end is missing.
        let start = Window::new(&disk, Bytes::new(0), Bytes::new(IMAGE / 4 * 3)).unwrap();
        let _ = read(&start);
    }
);

fn read(disk: &dyn Disk) -> disklayout::Result<()> {
    let image = inspect::image(disk)?;
    for volume in &image.volumes {
        let Ok(Some(found)) = &volume.filesystem else {
            continue;
        };
        let mut walk = found.walk()?;
        let mut files = 0;
        while let Some(entry) = walk.next()? {
            files += 1;
            if files > FILES {
                continue;
            }
            let _ = found.xattrs(&entry.node);
            let _ = found.target(&entry.node);
            if let Ok(file) = found.open(&entry.node) {
                let mut bytes = vec![0; file.len().min(READ) as usize];
                let _ = file.read_at(&mut bytes, 0);
                let _ = file.stored();
            }
        }
    }
    Ok(())
}

/// With DISKLAYOUT_SEEDS, a directory, images of our own writers are put there as inputs.
fn seeds() {
    let Some(directory) = std::env::var_os("DISKLAYOUT_SEEDS") else {
        return;
    };
    let registry = Registry::native();
    for kind in registry.names() {
        for (variant, options) in ["", "features=^metadata_csum", "features=^has_journal"]
            .into_iter()
            .enumerate()
        {
            let mut chosen = Options::default();
            if let Some((name, value)) = options.split_once('=') {
                chosen.set(name, value);
            }
            let identity = Identity::new("fuzz", Timestamp::from_seconds(1_000_000_000));
            let request = Request {
                tree: tree(),
                options: chosen,
                label: Some("LABEL"),
                ..Request::new("fuzz", kind, identity)
            };
            let draft = registry.draft(request);
            let Ok(plan) = draft.and_then(|draft| draft.at(Bytes::new(IMAGE))) else {
                continue;
            };
            let disk = MemDisk::new(IMAGE);
            if plan.write_all(&disk, &Unwatched).is_ok() {
                let path = Path::new(&directory).join(format!("{kind}-{variant}"));
                fs::write(path, records(&disk)).unwrap();
            }
        }
    }
    // Images that others made, in raw form, become inputs too.
    for entry in fs::read_dir(&directory).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "img") {
            let bytes = fs::read(&path).unwrap();
            let disk = MemDisk::new(IMAGE.max(bytes.len() as u64));
            disk.write_at(&bytes, 0).unwrap();
            fs::write(path.with_extension("seed"), records(&disk)).unwrap();
        }
    }
}

fn tree() -> FileTree {
    let mut tree = FileTree::new(Timestamp::from_seconds(1_000_000_000));
    let attributes = Attributes::file(Timestamp::from_seconds(1_000_000_000));
    for number in 0..20 {
        let content = Content::inline(&vec![number; usize::from(number) * 100]);
        let mut node = Node::new(NodeKind::File(content), attributes);
        if number == 7 {
            node.xattrs = Xattrs::new([Xattr {
                name: b"user.name".as_slice().into(),
                value: b"value".as_slice().into(),
            }]);
        }
        let path = format!("/directory/a long name of a file {number}");
        let _ = tree.put("fuzz", path.as_bytes(), node);
    }
    tree
}

/// What isn't zero, in pieces of 1 KiB.
fn records(disk: &MemDisk) -> Vec<u8> {
    const PIECE: u64 = 1024;
    let mut found = Vec::new();
    for at in (0..IMAGE).step_by(PIECE as usize) {
        let mut bytes = vec![0; PIECE as usize];
        disk.read_at(&mut bytes, at).unwrap();
        let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else {
            continue;
        };
        let bytes = &bytes[..=last];
        found.extend(&((at / 16) as u32).to_le_bytes()[..3]);
        found.extend((bytes.len() as u16).to_le_bytes());
        found.extend(bytes);
    }
    found
}
