//! Features by the names that dumpe2fs gives them.

/// Features that the reader has to know of, beyond those that are written here.
pub(super) const COMPAT_HAS_JOURNAL: u32 = 0x4;
pub(super) const INCOMPAT_RECOVER: u32 = 0x4;
pub(super) const INCOMPAT_JOURNAL_DEV: u32 = 0x8;
pub(super) const INCOMPAT_META_BG: u32 = 0x10;
pub(super) const RO_COMPAT_GDT_CSUM: u32 = 0x10;
pub(super) const RO_COMPAT_BIGALLOC: u32 = 0x200;

const COMPAT: &[(u32, &str)] = &[
    (0x1, "dir_prealloc"),
    (0x2, "imagic_inodes"),
    (0x4, "has_journal"),
    (0x8, "ext_attr"),
    (0x10, "resize_inode"),
    (0x20, "dir_index"),
    (0x40, "lazy_bg"),
    (0x200, "sparse_super2"),
    (0x400, "fast_commit"),
    (0x800, "stable_inodes"),
    (0x1000, "orphan_file"),
];

const INCOMPAT: &[(u32, &str)] = &[
    (0x1, "compression"),
    (0x2, "filetype"),
    (0x4, "needs_recovery"),
    (0x8, "journal_dev"),
    (0x10, "meta_bg"),
    (0x40, "extent"),
    (0x80, "64bit"),
    (0x100, "mmp"),
    (0x200, "flex_bg"),
    (0x400, "ea_inode"),
    (0x1000, "dirdata"),
    (0x2000, "metadata_csum_seed"),
    (0x4000, "large_dir"),
    (0x8000, "inline_data"),
    (0x1_0000, "encrypt"),
    (0x2_0000, "casefold"),
];

const RO_COMPAT: &[(u32, &str)] = &[
    (0x1, "sparse_super"),
    (0x2, "large_file"),
    (0x8, "huge_file"),
    (0x10, "uninit_bg"),
    (0x20, "dir_nlink"),
    (0x40, "extra_isize"),
    (0x100, "quota"),
    (0x200, "bigalloc"),
    (0x400, "metadata_csum"),
    (0x800, "replica"),
    (0x1000, "read-only"),
    (0x2000, "project"),
    (0x4000, "shared_blocks"),
    (0x8000, "verity"),
    (0x1_0000, "orphan_present"),
];

/// Incompatible features under which files are read as usual. Compression and what only Lustre
/// writes are not among them; encrypted files are read as they are stored.
pub(super) const INCOMPAT_KNOWN: u32 = 0x2
    | 0x4
    | 0x8
    | 0x10
    | 0x40
    | 0x80
    | 0x100
    | 0x200
    | 0x400
    | 0x2000
    | 0x4000
    | 0x8000
    | 0x1_0000
    | 0x2_0000;

/// The names of all bits that are set.
pub(super) fn names(compat: u32, incompat: u32, ro_compat: u32) -> Vec<String> {
    [
        ("C", compat, COMPAT),
        ("I", incompat, INCOMPAT),
        ("R", ro_compat, RO_COMPAT),
    ]
    .into_iter()
    .flat_map(|(letter, bits, known)| {
        let set = (0..32).filter(move |bit| bits & (1 << bit) != 0);
        set.map(move |bit| {
            let found = known.iter().find(|(mask, _)| *mask == 1 << bit);
            found.map_or_else(
                || format!("FEATURE_{letter}{bit}"),
                |(_, name)| (*name).to_owned(),
            )
        })
    })
    .collect()
}
