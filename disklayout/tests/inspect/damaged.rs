//! Whatever is in an image, reading it ends, with an answer or an error, after work that the size
//! of the image bounds.

use std::fs;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use disklayout::disk::{Disk, MemDisk};
use disklayout::inspect;
use proptest::prelude::*;
use testkit::mount::Mounted;
use testkit::program;
use testkit::random::cases;
use testkit::root::is_root;

use crate::support::{MIB, Scratch, run};
use crate::{awkward, btrfs, xfs};

/// A disk that counts how much is read of it.
#[derive(Debug)]
struct Counting {
    disk: MemDisk,
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl Disk for Counting {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.disk.write_at(buf, offset)
    }
}

/// Reads all that there is: facts, names, attributes, and the start of every file.
fn read_everything(disk: &dyn Disk) -> Result<usize, disklayout::Error> {
    let image = inspect::image(disk)?;
    let mut entries = 0;
    for volume in &image.volumes {
        let Ok(Some(found)) = &volume.filesystem else {
            continue;
        };
        if !found.has_files() {
            continue;
        }
        let mut walk = found.walk()?;
        while let Some(entry) = walk.next()? {
            entries += 1;
            let _ = found.xattrs(&entry.node);
            if let Ok(file) = found.open(&entry.node) {
                let mut bytes = vec![0; file.len().min(64 << 10) as usize];
                let _ = file.read_at(&mut bytes, 0);
                let middle = file.len() / 2;
                let _ = file.read_at(&mut bytes[..(file.len() - middle).min(10) as usize], middle);
            }
        }
    }
    Ok(entries)
}

/// Makes the checksum right of what is changed at a place, where there is one.
type Seal = fn(&dyn Disk, usize);

/// An image; what isn't zero in it is looked for once, not in every case.
struct Sample {
    name: &'static str,
    image: Vec<u8>,
    seal: Seal,
    /// Where it isn't zero, in steps of 32 bytes: what is there is what is read.
    places: Vec<usize>,
}

/// How long what stands at a place is.
const PLACE: usize = 32;

/// How much of it is written at once.
const PAGE: usize = 4096;

impl Sample {
    fn new(name: &'static str, image: Vec<u8>) -> Self {
        let chunks = image.chunks(PLACE).enumerate();
        let used = chunks.filter(|(_, chunk)| *chunk != &[0; PLACE][..chunk.len()]);
        Self {
            places: used.map(|(index, _)| index * PLACE).collect(),
            name,
            image,
            seal: |_, _| (),
        }
    }

    fn disk(&self) -> Counting {
        self.disk_of(self.image.len())
    }

    /// A disk of `len` bytes: the image is cut, or the disk has grown.
    fn disk_of(&self, len: usize) -> Counting {
        let disk = MemDisk::new(len as u64);
        let used = len.min(self.image.len());
        let mut pages: Vec<_> = self.places.iter().map(|at| at / PAGE * PAGE).collect();
        pages.dedup();
        for at in pages.into_iter().filter(|at| *at < used) {
            let end = used.min(at + PAGE);
            disk.write_at(&self.image[at..end], at as u64).unwrap();
        }
        Counting {
            disk,
            reads: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }
}

/// A small image; every `{}` in the commands that make it is its path.
fn made(scratch: &Scratch, size: u64, commands: &[String]) -> Vec<u8> {
    let image = scratch.sample("a.img", size);
    for command in commands {
        let words = command.split_whitespace();
        let words: Vec<_> = words
            .map(|word| word.replace("{}", &image.display().to_string()))
            .collect();
        let output = program::output(&words[0], &words[1..]);
        assert!(output.status.success(), "{command}: {output:?}");
    }
    fs::read(&image).unwrap()
}

/// Blocks of XFS: what is at which of their bytes, where their checksum is, and how long they are.
const XFS_BLOCKS: &[(&[u8], usize, usize, usize)] = &[
    (b"XFSB", 0, 224, 512),
    (b"IN", 0, 100, 512),
    (b"XDB3", 0, 4, 4096),
    (b"XDD3", 0, 4, 4096),
    (b"BMA3", 0, 64, 4096),
    (b"XSLM", 0, 12, 4096),
    (b"XARM", 0, 12, 4096),
    (&[0x3B, 0xEE], 8, 12, 4096),
    (&[0x3E, 0xBE], 8, 12, 4096),
];

/// Of the block around `at`, in XFS with blocks of 4096 bytes and inodes of 512.
fn seal_xfs(disk: &dyn Disk, at: usize) {
    for (magic, within, crc, len) in XFS_BLOCKS {
        let start = at / len * len;
        let mut bytes = vec![0; *len];
        if disk.read_at(&mut bytes, start as u64).is_ok() && bytes[*within..].starts_with(magic) {
            bytes[*crc..crc + 4].fill(0);
            let sum = crc32c::crc32c(&bytes).to_le_bytes();
            disk.write_at(&sum, (start + crc) as u64).unwrap();
        }
    }
}

/// Of the superblock or node around `at`, in Btrfs with nodes of 4096 bytes and CRC-32C.
fn seal_btrfs(disk: &dyn Disk, at: usize) {
    const SUPERBLOCK: u64 = 64 << 10;
    let start = at as u64 / 4096 * 4096;
    let (mut bytes, mut uuid) = ([0; 4096], [0; 16]);
    disk.read_at(&mut uuid, SUPERBLOCK + 32).unwrap();
    let is_read = disk.read_at(&mut bytes, start).is_ok();
    if is_read && (start == SUPERBLOCK || bytes[32..].starts_with(&uuid)) {
        let sum = crc32c::crc32c(&bytes[32..]).to_le_bytes();
        disk.write_at(&sum, start).unwrap();
    }
}

/// An image that the kernel has written to, if that can be mounted here.
fn mounted(scratch: &Scratch, size: u64, command: &str, options: &str) -> Option<Vec<u8>> {
    if !is_root() {
        return None;
    }
    let image = scratch.sample("m.img", size);
    run(command, &[&image]);
    let mounted = Mounted::new(&image, &format!("rw,{options}"));
    awkward::fill_little(mounted.path());
    if command.starts_with("mkfs.btrfs") {
        btrfs::fill_little(mounted.path());
    }
    drop(mounted);
    fs::read(&image).ok()
}

/// Every format, with a few files where others' programs can put them there.
fn samples() -> &'static [Sample] {
    static SAMPLES: OnceLock<Vec<Sample>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let scratch = Scratch::new();
        let root = scratch.path("tree");
        fs::create_dir_all(root.join("dir/sub")).unwrap();
        for number in 0..30 {
            let name = format!("dir/file-of-this-number-{number}");
            fs::write(root.join(name), vec![7; number * 50]).unwrap();
        }
        fs::write(root.join("large"), vec![9; 50_000]).unwrap();
        let prototype = scratch.path("prototype");
        fs::write(&prototype, xfs::prototype(&root)).unwrap();
        let xfs = |options: &str| {
            let shown = prototype.display();
            vec![format!(
                "mkfs.xfs --unsupported -q -f -d agcount=1 {options} -p {shown} {{}}"
            )]
        };
        let root = root.display();
        let ext = |options: &str| vec![format!("mke2fs -q -F -d {root} {options} {{}}")];
        let fat = |width: u32| {
            vec![
                format!("mkfs.fat -F {width} -s 1 {{}}"),
                format!("mcopy -s -i {{}} {root}/dir {root}/large ::"),
            ]
        };
        let mut ntfs = vec!["mkntfs -q -F -Q -s 512 -p 0 -H 255 -S 63 -c 512 {}".to_owned()];
        for number in 0..8 {
            let name = format!("file-of-this-number-{number}");
            ntfs.push(format!(
                "ntfscp -q {{}} {root}/dir/{name} /{name}-with-more-behind-it"
            ));
        }
        ntfs.push(format!("ntfscp -q {{}} {root}/large /large"));
        let one = |command: &str| vec![command.to_owned()];
        let erofs = vec![format!("mkfs.erofs --quiet {{}} {root}")];
        [
            ("ext2", MIB, ext("-t ext2")),
            ("ext4", MIB, ext("-t ext4 -O ^has_journal")),
            (
                "ext4 old",
                MIB,
                ext("-t ext4 -O ^metadata_csum,^has_journal"),
            ),
            (
                "ext4 inline",
                MIB,
                ext("-t ext4 -O inline_data,^metadata_csum,^has_journal"),
            ),
            ("fat12", MIB, fat(12)),
            ("fat16", 4 * MIB, fat(16)),
            ("fat32", 34 * MIB, fat(32)),
            ("exfat", 4 * MIB, one("mkfs.exfat {}")),
            ("ntfs", 4 * MIB, ntfs),
            ("erofs", 0, erofs),
            ("swap", MIB, one("mkswap {}")),
            ("xfs 4", 24 * MIB, xfs("-m crc=0 -b size=1024")),
            (
                "gpt",
                2 * MIB,
                one("parted -s {} mklabel gpt mkpart a 40s 1MiB mkpart b 1MiB 1500kiB"),
            ),
            (
                "mbr",
                2 * MIB,
                one(concat!(
                    "parted -s -a none {} mklabel msdos mkpart primary 40s 1MiB ",
                    "mkpart extended 2048s 4000s mkpart logical 2100s 2200s ",
                    "mkpart logical 2300s 2400s mkpart logical 2500s 2600s"
                )),
            ),
        ]
        .map(|(name, size, commands)| Sample::new(name, made(&scratch, size, &commands)))
        .into_iter()
        .chain(mounted_samples(&scratch))
        .collect()
    })
}

/// Those of which only the kernel makes all forms.
fn mounted_samples(scratch: &Scratch) -> impl Iterator<Item = Sample> {
    let commands: [(&str, u64, &str, &str, Seal); 3] = [
        (
            "xfs 5",
            24 * MIB,
            "mkfs.xfs --unsupported -q -d agcount=1",
            "",
            seal_xfs,
        ),
        (
            "btrfs",
            48 * MIB,
            "mkfs.btrfs -q --mixed -n 4096 -m single -d single",
            "compress=zstd",
            seal_btrfs,
        ),
        (
            "btrfs lzo",
            48 * MIB,
            "mkfs.btrfs -q --mixed -n 4096 -m single -d single -O ^no-holes",
            "compress=lzo",
            seal_btrfs,
        ),
    ];
    commands
        .into_iter()
        .filter_map(|(name, size, command, options, seal)| {
            let image = mounted(scratch, size, command, options)?;
            Some(Sample {
                seal,
                ..Sample::new(name, image)
            })
        })
}

#[test]
fn sound_samples_have_their_files() {
    for sample in samples() {
        let expected = match sample.name {
            "swap" | "gpt" | "mbr" => 0,
            "exfat" => 1,
            "ntfs" => 10,
            "ext2" | "ext4" | "ext4 old" | "ext4 inline" => 35,
            "xfs 5" => 353,
            "btrfs" | "btrfs lzo" => 378,
            _ => 34,
        };
        assert_eq!(
            read_everything(&sample.disk()).unwrap(),
            expected,
            "{}",
            sample.name
        );
    }
}

/// A byte at one of the places, in `0..1`, that hold something, and what becomes of it.
fn any_change() -> impl Strategy<Value = (f64, usize, u8)> {
    let byte = prop_oneof![
        any::<u8>(),
        Just(0),
        Just(0xFF),
        (0..8_u32).prop_map(|bit| 1 << bit),
    ];
    (0.0..1.0, 0..PLACE, byte)
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn damaged_samples_are_read_to_an_end(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any_change(), any::<bool>()), 1..8),
        factor in prop_oneof![3 => Just(1.0), 1 => 0.0..1.5],
        is_sealed in any::<bool>(),
    ) {
        let sample = which.get(samples());
        let (image, places) = (&sample.image, &sample.places);
        let len = (image.len() as f64 * factor) as usize;
        let disk = sample.disk_of(len);
        for ((place, within, byte), is_flip) in changes {
            let at = places[(place * places.len() as f64) as usize] + within;
            let new = if is_flip { image[at] ^ byte } else { byte };
            if at >= len {
                continue;
            }
            disk.write_at(&[new], at as u64).unwrap();
            if is_sealed {
                (sample.seal)(&disk, at);
            }
        }
        let _ = read_everything(&disk);
        let (reads, bytes) = (disk.reads.into_inner(), disk.bytes.into_inner());
        // Each entry costs a few reads and the start of a file; entries have 12 bytes at least.
        prop_assert!(reads < 40 * image.len() as u64 / 12, "{reads} reads");
        prop_assert!(bytes < 64 * image.len() as u64 + (64 << 20), "{bytes} bytes");
    }
}

#[test]
fn every_byte_of_the_first_blocks_at_its_extremes() {
    for sample in samples() {
        // This one knows its holes.
        let (image, disk) = (&sample.image, sample.disk().disk);
        for at in sample.places.iter().filter(|at| **at < 4096) {
            for at in *at..at + PLACE {
                for byte in [0, 1, 0x7F, 0x80, 0xFF] {
                    disk.write_at(&[byte], at as u64).unwrap();
                    let _ = inspect::image(&disk);
                }
                disk.write_at(&image[at..=at], at as u64).unwrap();
            }
        }
        assert!(inspect::image(&disk).is_ok(), "{}", sample.name);
    }
}
