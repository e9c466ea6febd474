//! Features by the names that mkfs.xfs and xfs_info give them.

/// The one feature of version 4 that isn't a matter of course: names of both cases are the same.
pub(super) const VERSION_ASCII_CI: u16 = 0x4000;
/// Directories as they have been since 2002.
pub(super) const VERSION_DIRV2: u16 = 0x2000;
/// `sb_features2` is in use.
pub(super) const VERSION_MOREBITS: u16 = 0x8000;
/// Entries of directories tell what they lead to.
pub(super) const FEATURES2_FTYPE: u32 = 0x200;

pub(super) const INCOMPAT_FTYPE: u32 = 1;
pub(super) const INCOMPAT_META_UUID: u32 = 1 << 2;
pub(super) const INCOMPAT_NEEDSREPAIR: u32 = 1 << 4;

const RO_COMPAT: &[(u32, &str)] = &[
    (1 << 0, "finobt"),
    (1 << 1, "rmapbt"),
    (1 << 2, "reflink"),
    (1 << 3, "inobtcount"),
];

const INCOMPAT: &[(u32, &str)] = &[
    (INCOMPAT_FTYPE, "ftype"),
    (1 << 1, "sparse"),
    (INCOMPAT_META_UUID, "meta_uuid"),
    (1 << 3, "bigtime"),
    (INCOMPAT_NEEDSREPAIR, "needsrepair"),
    (1 << 5, "nrext64"),
    (1 << 6, "exchange"),
    (1 << 7, "parent"),
    (1 << 8, "metadir"),
    (1 << 9, "zoned"),
    (1 << 10, "zone_gaps"),
];

/// Incompatible features under which inodes, directories and extents are as usual.
pub(super) const INCOMPAT_KNOWN: u32 = 0x1FF;

/// The names of all incompatible features in `bits`.
pub(super) fn incompatible(bits: u32) -> Vec<String> {
    names("incompat", bits, INCOMPAT)
}

/// The names of all features of version 5.
pub(super) fn all(incompat: u32, ro_compat: u32) -> Vec<String> {
    let ro_compat = names("ro_compat", ro_compat, RO_COMPAT);
    [vec!["crc".to_owned()], ro_compat, incompatible(incompat)].concat()
}

fn names(set: &str, bits: u32, known: &[(u32, &str)]) -> Vec<String> {
    let bits = (0..32).map(|bit| 1 << bit).filter(|bit| bits & bit != 0);
    bits.map(|bit: u32| {
        let found = known.iter().find(|(mask, _)| *mask == bit);
        found.map_or_else(|| format!("{set} {bit:#x}"), |(_, name)| (*name).to_owned())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_has_a_name() {
        assert_eq!(
            incompatible(0x8000_0201),
            ["ftype", "zoned", "incompat 0x80000000"]
        );
        assert_eq!(all(0, 0x14), ["crc", "reflink", "ro_compat 0x10"]);
    }
}
