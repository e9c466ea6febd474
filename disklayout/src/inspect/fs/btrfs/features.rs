//! Features by the names that Linux gives them below `/sys/fs/btrfs/features`.

pub(super) const METADATA_UUID: u64 = 1 << 10;

const INCOMPAT: &[&str] = &[
    "mixed_backref",
    "default_subvol",
    "mixed_groups",
    "compress_lzo",
    "compress_zstd",
    "big_metadata",
    "extended_iref",
    "raid56",
    "skinny_metadata",
    "no_holes",
    "metadata_uuid",
    "raid1c34",
    "zoned",
    "extent_tree_v2",
    "raid_stripe_tree",
    "incompat_15",
    "simple_quota",
    "remap_tree",
];

const COMPAT_RO: &[&str] = &[
    "free_space_tree",
    "free_space_tree_valid",
    "verity",
    "block_group_tree",
];

/// Incompatible features under which trees of files are as usual, and chunks too.
pub(super) const INCOMPAT_KNOWN: u64 = 0xFFF | (1 << 16);

/// The names of all bits that are set.
pub(super) fn names(incompat: u64, compat_ro: u64) -> Vec<String> {
    let sets = [
        ("incompat", incompat, INCOMPAT),
        ("compat_ro", compat_ro, COMPAT_RO),
    ];
    let named = sets.into_iter().flat_map(|(set, bits, known)| {
        let set_ones = (0..64).filter(move |bit| bits >> bit & 1 != 0);
        set_ones.map(move |bit| {
            let name = known.get(bit).map(|name| (*name).to_owned());
            name.unwrap_or_else(|| format!("{set}_{bit}"))
        })
    });
    named.collect()
}
