//! Frames of lz4, made by hand.

use std::io::Read;

use twox_hash::XxHash32;

use super::super::lz4::{LEGACY_MAGIC, Lz4, MAGIC};

/// What is set in the flags of a frame.
const INDEPENDENT: u8 = 0x20;
const BLOCK_CHECKSUMS: u8 = 0x10;
const SIZE: u8 = 0x08;
const CHECKSUM: u8 = 0x04;

/// A frame with these flags, of blocks of 64 KiB.
fn with_flags(flags: u8, content: &[u8]) -> Vec<u8> {
    let mut descriptor = vec![0x40 | flags, 0x40];
    if flags & SIZE != 0 {
        descriptor.extend_from_slice(&(content.len() as u64).to_le_bytes());
    }
    let check = (XxHash32::oneshot(0, &descriptor) >> 8) as u8;
    let mut frame = [&MAGIC.to_le_bytes()[..], &descriptor, &[check]].concat();
    let mut start = 0;
    for block in content.chunks(65_536) {
        // Only what is linked may refer to blocks before.
        let window = match flags & INDEPENDENT {
            0 => &content[start.max(65_536) - 65_536..start],
            _ => &[],
        };
        let packed = lz4_flex::block::compress_with_dict(block, window);
        let (len, bytes) = match packed.len() < block.len() {
            true => (packed.len() as u32, &*packed),
            false => (block.len() as u32 | 1 << 31, block),
        };
        frame.extend_from_slice(&len.to_le_bytes());
        frame.extend_from_slice(bytes);
        if flags & BLOCK_CHECKSUMS != 0 {
            frame.extend_from_slice(&XxHash32::oneshot(0, bytes).to_le_bytes());
        }
        start += block.len();
    }
    frame.extend_from_slice(&[0; 4]);
    if flags & CHECKSUM != 0 {
        frame.extend_from_slice(&XxHash32::oneshot(0, content).to_le_bytes());
    }
    frame
}

/// A frame as `lz4` makes it when told of the size.
pub(super) fn frame(content: &[u8]) -> Vec<u8> {
    with_flags(INDEPENDENT | SIZE | CHECKSUM, content)
}

/// A frame as `lz4 -l` makes it.
pub(super) fn legacy_frame(content: &[u8]) -> Vec<u8> {
    let mut frame = LEGACY_MAGIC.to_le_bytes().to_vec();
    for block in content.chunks(8 << 20) {
        let packed = lz4_flex::block::compress(block);
        frame.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        frame.extend_from_slice(&packed);
    }
    frame
}

fn read(frame: &[u8]) -> std::io::Result<(Vec<u8>, usize)> {
    let mut decoder = Lz4::new(frame)?;
    let mut content = Vec::new();
    decoder.read_to_end(&mut content)?;
    let (rest, too_many) = decoder.into_inner();
    Ok((content, rest.len() + too_many as usize))
}

/// Text that repeats itself at a distance of more than a block, and noise.
fn content() -> Vec<u8> {
    let text = (0..40_000_u32).map(|index| ((index * index) >> 7) as u8 % 50);
    let text: Vec<u8> = text.collect();
    let noise =
        (0..70_000_u64).map(|index| (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8);
    [text.repeat(4), noise.collect(), text].concat()
}

#[test]
fn frames_with_all_flags_are_read_to_their_end() {
    let content = content();
    for flags in (0..0x40).filter(|flags| flags & 3 == 0) {
        let mut bytes = with_flags(flags, &content);
        bytes.extend_from_slice(b"rest");
        assert!(read(&bytes).unwrap() == (content.clone(), 4), "{flags:#x}");
        assert_eq!(read(&with_flags(flags, b"")).unwrap(), (vec![], 0));
    }
    for next in [&MAGIC.to_le_bytes()[..], b"\x5F\x2A\x4D\x18", &[0; 4], b""] {
        let large = content.repeat(40);
        let bytes = [&legacy_frame(&large), next].concat();
        assert!(read(&bytes).unwrap() == (large, next.len()));
    }
}

#[test]
fn whatever_is_changed_or_cut_off_is_noticed() {
    let content = b"some text some text some text".repeat(9);
    let flags = INDEPENDENT | SIZE | CHECKSUM | BLOCK_CHECKSUMS;
    let frame = with_flags(flags, &content);
    for at in 4..frame.len() {
        let mut damaged = frame.clone();
        damaged[at] ^= 1;
        assert!(read(&damaged).is_err(), "{at}");
        assert!(read(&frame[..at]).is_err(), "{at}");
    }
    let legacy = legacy_frame(&content);
    for len in 5..legacy.len() {
        assert!(read(&legacy[..len]).is_err(), "{len}");
    }
    let huge = [&LEGACY_MAGIC.to_le_bytes()[..], &[0xFF; 100]].concat();
    assert!(read(&huge).is_err());
}
