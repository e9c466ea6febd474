//! The numbers of a boot sector, read without any code of the library.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(crate) type Numbers = BTreeMap<&'static str, u64>;

/// Name, offset and width of each number.
const COMMON: [(&str, usize, usize); 12] = [
    ("bytes per sector", 11, 2),
    ("sectors per cluster", 13, 1),
    ("reserved sectors", 14, 2),
    ("FATs", 16, 1),
    ("root entries", 17, 2),
    ("sectors (16 bits)", 19, 2),
    ("media", 21, 1),
    ("sectors per FAT (16 bits)", 22, 2),
    ("sectors per track", 24, 2),
    ("heads", 26, 2),
    ("hidden sectors", 28, 4),
    ("sectors (32 bits)", 32, 4),
];
const OF_16: [(&str, usize, usize); 4] = [
    ("drive", 36, 1),
    ("reserved", 37, 1),
    ("boot signature", 38, 1),
    ("type", 54, 8),
];
const OF_32: [(&str, usize, usize); 10] = [
    ("sectors per FAT (32 bits)", 36, 4),
    ("flags", 40, 2),
    ("version", 42, 2),
    ("root cluster", 44, 4),
    ("FSInfo", 48, 2),
    ("backup", 50, 2),
    ("drive", 64, 1),
    ("reserved", 65, 1),
    ("boot signature", 66, 1),
    ("type", 82, 8),
];

pub(crate) fn numbers(image: &Path) -> Numbers {
    let mut bytes = [0; 512];
    File::open(image).unwrap().read_exact(&mut bytes).unwrap();
    assert_eq!(bytes[510..], [0x55, 0xAA]);
    let of_type: &[_] = if bytes[22..24] == [0, 0] {
        &OF_32
    } else {
        &OF_16
    };
    let fields = COMMON.iter().chain(of_type);
    fields
        .map(|(name, offset, width)| {
            let field = bytes[*offset..offset + width].iter().rev();
            let value = field.fold(0, |value, byte| value << 8 | u64::from(*byte));
            (*name, value)
        })
        .collect()
}
