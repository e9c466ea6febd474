//! One description for several tables: what only some of a group's labels have a place for is left
//! out of the images with the others. What none of them has a place for stays, to be refused.

use disklayout::layout::spec::{DiskTable, End, Kinds, Partition, Start};
use disklayout::table::types::PartitionType;
use disklayout::table::{Flag, Kind, Role};

use super::model::{Label, LayoutGroup};

/// The table of an image and those of its group.
#[derive(Clone, Copy)]
struct Tables<'a> {
    own: Kind,
    all: &'a [Label],
}

impl Tables<'_> {
    /// Whether only others are of this kind.
    fn elsewhere(self, kind: Kind) -> bool {
        self.own != kind && self.all.iter().any(|other| other.kind == kind)
    }
}

/// The table of this kind of an image of `group`.
pub(super) fn table(group: &LayoutGroup, kind: Kind) -> DiskTable {
    match kind {
        Kind::None => DiskTable::None,
        Kind::Mbr => DiskTable::Mbr {
            signature: group.disk_id,
        },
        Kind::Gpt => DiskTable::Gpt {
            guid: group.disk_guid,
            hybrid: group.hybrid_mbr.clone(),
        },
    }
}

/// Leaves out of the partitions of an image of `group` what its table has no place for and that of
/// another one has.
pub(super) fn adapt(partitions: &mut [Partition], group: &LayoutGroup, kind: Kind) {
    let tables = Tables {
        own: kind,
        all: &group.labels,
    };
    for (number, part) in (1..).zip(partitions) {
        let is_hybrid = kind == Kind::Gpt && group.hybrid_mbr.contains(&number);
        adapt_part(part, tables, is_hybrid);
    }
}

fn adapt_part(part: &mut Partition, tables: Tables<'_>, is_hybrid: bool) {
    let (mbr, gpt) = (tables.elsewhere(Kind::Mbr), tables.elsewhere(Kind::Gpt));
    if gpt {
        part.name = None;
        part.guid = None;
        part.flags.retain(|flag| *flag == Flag::Boot);
    }
    if mbr && !is_hybrid {
        part.flags.retain(|flag| *flag != Flag::Boot);
        if matches!(part.kind.mbr, Some(PartitionType::Byte(_))) {
            part.kind.mbr = None;
        }
    }
    if tables.own == Kind::None && (mbr || gpt) {
        part.role = Role::Primary;
        part.start = Start::Next;
        part.end = End::Auto;
        part.align = None;
        part.kind = Kinds::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::hdds::Config;
    use crate::describe::hdds::releases::NextRelease;
    use crate::image::Recipe;
    use disklayout::layout::spec::Disk;

    const IDS: &str = r#""disk_id": "0x1234abcd", "hybrid_mbr": [1],
        "disk_guid": "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de","#;

    /// The disks of a group with these labels and identifiers.
    fn disks(labels: &str, ids: &str) -> Vec<Disk> {
        let text = format!(
            r#"{{"virtinstall": [], "renames": [], "guestfs": [{{"name": "x", "size": "64M",
                "labels": {labels}, {ids}
                "parts": [
                {{"type": "p", "start": 2048, "size": "1M", "name": "a", "mbr_type": "0c",
                  "uuid": "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7df", "flags": ["boot", "growfs"]}},
                {{"type": "p", "mbr_type": 7, "flags": ["hidden"]}}]}}]}}"#
        );
        let config = Config::parse(&text, "t", &[]).unwrap();
        let mut next = NextRelease::new(None, || anyhow::bail!("asked"));
        let images = config.images(&mut next).unwrap().into_iter();
        let disks = images.map(|image| match image.recipe {
            Recipe::Layout(layout, _) => layout.disk.clone(),
            Recipe::Install(_) => panic!("a layout"),
        });
        disks.collect()
    }

    #[test]
    fn each_table_gets_what_it_has_a_place_for() {
        let disks = disks(r#"["mbr", "gpt", "none"]"#, IDS);
        let [mbr, gpt, none] = &disks[..] else {
            panic!("three")
        };
        let signature = Some(0x1234_abcd);
        assert_eq!(mbr.table, DiskTable::Mbr { signature });
        let guid = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de".parse().ok();
        let hybrid = vec![1];
        assert_eq!(gpt.table, DiskTable::Gpt { guid, hybrid });
        assert_eq!(none.table, DiskTable::None);
        let parts = |disk: &Disk| -> Vec<_> {
            let facts = disk.partitions.iter().map(|part| {
                let flags: Vec<_> = part.flags.iter().map(ToString::to_string).collect();
                let has_type = part.kind.mbr.is_some();
                (part.name.is_some(), has_type, flags.join(" "))
            });
            facts.collect()
        };
        let fact = |name, kind, flags: &str| (name, kind, flags.to_owned());
        assert_eq!(
            parts(mbr),
            [fact(false, true, "boot"), fact(false, true, "")]
        );
        // The first of them stands in the hybrid MBR.
        assert_eq!(
            parts(gpt),
            [
                fact(true, true, "boot growfs"),
                fact(false, false, "hidden")
            ]
        );
        assert_eq!(
            parts(none),
            [fact(false, false, ""), fact(false, false, "")]
        );
        assert_eq!(none.partitions[0].start, Start::Next);
        assert_eq!(none.partitions[0].end, End::Auto);
    }

    #[test]
    fn what_no_table_has_a_place_for_stays_to_be_refused() {
        let part = &disks(r#"["gpt"]"#, "")[0].partitions[0];
        assert!(part.name.is_some());
        assert_eq!(part.flags.len(), 2);
    }
}
