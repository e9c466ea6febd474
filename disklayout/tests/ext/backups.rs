//! The copies of the superblock and the descriptors, also beyond 4 GiB and beyond 2^32 blocks.

use std::ops::Range;
use std::path::Path;

use disklayout::disk::Disk;
use disklayout::fs::Unwatched;

use crate::checkers::{self, dumpe2fs, e2fsck, unequal};
use crate::support::{
    GIB, KINDS, MIB, Scratch, TIB, empty_tree, least_size, open, plan, read, write_image,
};

/// The parts of a superblock that tell one filesystem from another or that mke2fs counts for
/// itself: s_wtime, s_lastcheck, s_uuid, s_hash_seed, s_mkfs_time, s_jnl_blocks (where the
/// journal lies), s_kbytes_written and s_checksum.
const NOT_COMPARED: [Range<usize>; 8] = [
    0x30..0x34,
    0x40..0x44,
    0x68..0x78,
    0xEC..0xFC,
    0x108..0x10C,
    0x10C..0x150,
    0x178..0x180,
    0x3FC..0x400,
];

/// A filesystem as its own superblock describes it.
struct Shape {
    block_size: u64,
    first_data_block: u64,
    blocks_per_group: u64,
    groups: u64,
    desc_size: u64,
}

fn number(superblock: &[u8], offset: usize) -> u64 {
    let bytes = superblock[offset..offset + 4].try_into().unwrap();
    u64::from(u32::from_le_bytes(bytes))
}

impl Shape {
    fn read(superblock: &[u8]) -> Self {
        let blocks = number(superblock, 4) | number(superblock, 0x150) << 32;
        let first_data_block = number(superblock, 0x14);
        let blocks_per_group = number(superblock, 0x20);
        let has_64bit = number(superblock, 0x60) & 0x80 != 0;
        Self {
            block_size: 1024 << number(superblock, 0x18),
            first_data_block,
            blocks_per_group,
            groups: (blocks - first_data_block).div_ceil(blocks_per_group),
            desc_size: if has_64bit { 64 } else { 32 },
        }
    }

    /// Groups 1 and the powers of 3, 5 and 7.
    fn backups(&self) -> Vec<u64> {
        let powers = |base: u64| (0..).map(move |power| base.pow(power));
        let below = |base| powers(base).take_while(|group| *group < self.groups);
        let mut groups: Vec<_> = [3, 5, 7].into_iter().flat_map(below).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    fn block_of(&self, group: u64) -> u64 {
        self.first_data_block + group * self.blocks_per_group
    }
}

/// A superblock without what is meant to differ.
fn masked(mut superblock: Vec<u8>) -> Vec<u8> {
    for range in NOT_COMPARED {
        superblock[range].fill(0);
    }
    superblock
}

/// The last word is the CRC-32C of all others, without the final inversion, or zero.
fn checksum_is_right(superblock: &[u8]) -> bool {
    let has_checksums = number(superblock, 0x64) & 0x400 != 0;
    let sum = !crc32c::crc32c(&superblock[..0x3FC]);
    number(superblock, 0x3FC) == if has_checksums { u64::from(sum) } else { 0 }
}

fn differing_bytes(ours: &[u8], theirs: &[u8]) -> Vec<usize> {
    (0..ours.len())
        .filter(|at| ours[*at] != theirs[*at])
        .collect()
}

/// Our superblocks and those of mke2fs, byte by byte, and our descriptors against our own.
fn compare_bytes(ours: &dyn Disk, theirs: &dyn Disk) {
    let primary = read(ours, 1024, 1024);
    let shape = Shape::read(&primary);
    let primaries = [&primary, &read(theirs, 1024, 1024)].map(|bytes| masked(bytes.clone()));
    assert_eq!(differing_bytes(&primaries[0], &primaries[1]), [0; 0]);
    let length = usize::try_from(shape.groups * shape.desc_size).unwrap();
    let descriptors = |group| {
        let block = shape.block_of(group) + 1;
        read(ours, block * shape.block_size, length)
    };
    let first = descriptors(0);
    for group in shape.backups() {
        let offset = shape.block_of(group) * shape.block_size;
        let [ours, theirs] = [ours, theirs].map(|disk| read(disk, offset, 1024));
        assert!(checksum_is_right(&ours), "group {group}");
        let [ours, theirs] = [ours, theirs].map(masked);
        assert_eq!(differing_bytes(&ours, &theirs), [0; 0], "group {group}");
        assert!(first == descriptors(group), "descriptors of group {group}");
    }
}

/// The numbers in every copy are those of the primary. A copy is never marked clean.
fn compare_numbers(image: &Path, shape: &Shape) {
    let primary = dumpe2fs(&[], image).unwrap();
    let block_size = format!("blocksize={}", shape.block_size);
    // dumpe2fs 1.47.0 takes block numbers of 31 bits.
    let groups = shape.backups().into_iter();
    for group in groups.take_while(|group| shape.block_of(*group) < 1 << 31) {
        let superblock = format!("superblock={}", shape.block_of(group));
        let mut copy = dumpe2fs(&["-o", &superblock, "-o", &block_size], image).unwrap();
        let state = copy.insert("Filesystem state".to_owned(), "clean".to_owned());
        assert_eq!(state.as_deref(), Some("not clean"));
        assert!(unequal(&copy, &primary).is_empty(), "group {group}");
    }
}

fn check(kind: &str, size: u64) {
    let scratch = Scratch::new();
    let [ours, theirs] =
        ["copies-", checkers::SAMPLE].map(|who| scratch.path(&format!("{who}{kind}-{size}.img")));
    write_image(&*plan(kind, size, empty_tree()).unwrap(), size, &ours);
    checkers::mke2fs(kind, size, &theirs).unwrap();
    e2fsck(&ours).unwrap();
    let [our_disk, their_disk] = [&ours, &theirs].map(|path| open(path));
    compare_bytes(&our_disk, &their_disk);
    let shape = Shape::read(&read(&our_disk, 1024, 1024));
    assert!(shape.groups <= 1 || !shape.backups().is_empty());
    compare_numbers(&ours, &shape);
}

#[test]
fn copies_in_small_and_middling_filesystems() {
    for kind in KINDS {
        check(kind, least_size(kind));
    }
    for size in [17 * MIB, 300 * MIB, 13 * GIB, 40 * GIB + 7 * MIB] {
        KINDS.into_iter().for_each(|kind| check(kind, size));
    }
}

/// Group 177147 is the first power beyond 2^32 blocks.
#[test]
#[ignore = "slow: mke2fs and e2fsck of 22 TiB"]
fn copies_beyond_32_bits_of_blocks() {
    check("ext4", 22 * TIB);
}

/// e2fsck repairs the filesystem from a copy when the primary is gone.
#[test]
fn a_copy_stands_in_for_a_lost_primary() {
    let scratch = Scratch::new();
    for kind in KINDS {
        let size = 40 * MIB;
        let plan = plan(kind, size, crate::trees::names(100)).unwrap();
        let image = scratch.image(&format!("lost-{kind}.img"), size, &*plan);
        open(&image).write_at(&[0xFF; 4096], 1024).unwrap();
        e2fsck(&image).unwrap_err();
        // Exit status 1: everything was repaired.
        let image_name = image.to_str().unwrap();
        let said = checkers::run("e2fsck", &["-fy", "-b", "8193", "-B", "1024", image_name]);
        assert!(said.unwrap_err().contains("FILE SYSTEM WAS MODIFIED"));
        e2fsck(&image).unwrap();
        let tree = crate::trees::names(100);
        let found = crate::readers::ext4_view_differences(&tree, &image);
        assert!(found.is_empty(), "{kind}: {found:?}");
    }
}

/// The comparison of bytes sees every byte that isn't masked.
#[test]
#[should_panic(expected = "[82]")]
fn a_changed_byte_is_noticed() {
    let size = 17 * MIB;
    let disks = [0, 1].map(|_| {
        let disk = disklayout::disk::MemDisk::new(size);
        plan("ext4", size, empty_tree())
            .unwrap()
            .write_all(&disk, &Unwatched)
            .unwrap();
        disk
    });
    disks[1].write_at(&[1], (8193 << 10) + 82).unwrap();
    compare_bytes(&disks[0], &disks[1]);
}
