//! Partitions that have their sectors.

use disklayout::table::Role;

use super::partitioning::{Part, Table};
use crate::config::Place;

/// A disk that partitions are placed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes of it.
    pub(super) size: u64,
    /// Bytes of a sector.
    pub(super) sector: u64,
}

/// A partition with its sectors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'t> {
    /// What it is to be like; nothing is said of the extended one.
    pub(super) part: Option<&'t Part>,
    /// Its number in the table.
    pub(super) number: u32,
    pub(super) role: Role,
    pub(super) first: u64,
    pub(super) sectors: u64,
}

/// Why partitions can't be placed: what is wrong, and where that is said.
pub(super) type Wrong = (Place, String);

/// What is said of a partition that is larger than what is free, `free` bytes.
pub(super) fn too_large(part: &Part, size: u64, free: u64) -> Wrong {
    let name = &part.name;
    let message = match free {
        0 => format!("nothing is free for '{name}': give the image more, or those before it less"),
        _ => format!(
            "'{name}' has {size} bytes, and {free} are free: give {free}B at most or 100%, or the image \
             more"
        ),
    };
    (part.size_place.clone(), message)
}

/// What is said of a partition that is smaller than `least`.
pub(super) fn too_small(part: &Part, size: u64, least: &str) -> Wrong {
    let message = format!(
        "'{}' would have {size} bytes, and the least is {least}: give it or the image more, or those \
         before it less",
        part.name
    );
    (part.size_place.clone(), message)
}

/// What is said of an image that has no room for a table and a partition.
pub(super) fn no_room(table: &Table, room: Room, least: u64) -> Wrong {
    let message = format!(
        "the image has {} bytes, and this table and a partition need {least}: give the image more",
        room.size
    );
    (table.place.clone(), message)
}

#[cfg(test)]
mod tests {
    use disklayout::{Bytes, Identity, Timestamp, layout};
    use proptest::prelude::*;

    use crate::config::yaml;
    use crate::describe::dib::block::cases::usual;
    use crate::describe::dib::block::read;

    /// A partition in an MBR or in a GPT.
    fn part(number: usize, size: &str, is_primary: bool) -> String {
        let flags = if is_primary { ", flags: [primary]" } else { "" };
        format!("    - {{name: p{number}, size: {size}{flags}}}\n")
    }

    proptest! {
        /// Whatever is laid out is as the library wants it: inside of the disk, and nothing overlaps.
        #[test]
        fn what_is_laid_out_can_be_planned(
            sizes in prop::collection::vec("[1-9]{1,2}(MiB|%|MB)|[1-9]{3,6}(KiB|K|)", 1..8),
            primary in 0..5_usize,
            is_gpt: bool,
            sector in prop_oneof![Just(512_u64), Just(4096)],
            align in prop_oneof![Just("4096"), Just("1MiB"), Just("5MiB")],
            size in 1..100_000_u64,
        ) {
            let label = if is_gpt { "gpt" } else { "mbr" };
            let parts = sizes.iter().enumerate();
            let parts: String = parts
                .map(|(number, size)| part(number, size, !is_gpt && number < primary))
                .collect();
            let text = format!(
                "- local_loop: {{name: root, size: 64MiB}}\n- mkfs: {{name: mkfs_root, base: root, type: \
                 ext2, mount: {{mount_point: /}}}}\n- local_loop: {{name: image0, block_size: {sector}}}\n\
                 - partitioning:\n    base: image0\n    label: {label}\n    align: {align}\n    \
                 partitions:\n{parts}"
            );
            let configuration = read(&yaml::parse(&text, "t").unwrap(), &usual()).unwrap();
            if let Ok(images) = configuration.lay_out(Bytes::new(size * 4096)) {
                let identity = Identity::new("t", Timestamp::default());
                let plan = layout::plan(images[1].disk.clone(), &identity, &foreign::registry());
                prop_assert!(plan.is_ok(), "{text}\n{}", plan.unwrap_err());
            }
        }
    }
}
