//! Descriptions in short, and a filesystem that is none.

use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::{Formatter, FsPlan, Progress, Registry, Request, Summary, Unwatched};
use disklayout::layout::spec::{Disk as Spec, DiskTable, End, Filesystem, Holds, Partition, Start};
use disklayout::layout::{DiskPlan, DiskSize, PartitionPlan, plan};
use disklayout::table::{Role, TableId};
use disklayout::tree::FileTree;
use disklayout::{
    Bytes, Error, Identity, Place, Result, SECTOR_SIZE, SectorSize, Timestamp, build,
};

/// The time of everything.
pub(crate) const TIME: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// What a [`Marker`] fills the ends of its partition with.
pub(crate) const MARK: u8 = 0xA5;

/// How many bytes a [`Marker`] takes beside the data of its files.
pub(crate) const MARKER_EMPTY: u64 = SECTOR_SIZE;

/// A format that marks the first and the last sector of its partition, so that a table that
/// reaches into it shows.
#[derive(Debug)]
pub(crate) struct MarkerFormat;

#[derive(Debug)]
struct Marker {
    label: Option<String>,
    tree: FileTree,
    identity: Identity,
}

impl Formatter for MarkerFormat {
    fn names(&self) -> &'static [&'static str] {
        &["ext2", "ext3", "ext4", "ntfs"]
    }

    fn smallest(&self, request: &Request<'_>, free: Bytes) -> Result<Bytes> {
        let files = request.tree.files();
        let data: u64 = files.iter().map(|(_, content)| content.len()).sum();
        Ok(Bytes::new(MARKER_EMPTY + data + free.get()))
    }

    fn plan(&self, request: Request<'_>) -> Result<Box<dyn FsPlan>> {
        let least = self.smallest(&request, Bytes::new(0))?;
        if request.size < least {
            let message = format!("{} is too small", request.size);
            return Err(Error::does_not_fit(&request.place, message).needing(least));
        }
        Ok(Box::new(Marker {
            label: request.label.map(str::to_owned),
            tree: request.tree,
            identity: request.identity,
        }))
    }
}

impl FsPlan for Marker {
    fn cost(&self) -> Bytes {
        Bytes::new(0)
    }

    fn summary(&self) -> Summary {
        Summary {
            kind: "marker",
            label: self.label.clone(),
            uuid: Some(self.identity.uuid("id")),
            block_size: 512,
            blocks: 1,
            free_blocks: None,
            reserved_blocks: 0,
            inodes: None,
            free_inodes: None,
            journal: None,
        }
    }

    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<()> {
        let mark = [MARK; SECTOR_SIZE as usize];
        for offset in [0, disk.len() - SECTOR_SIZE] {
            disk.write_at(&mark, offset)
                .map_err(|error| Error::io("marker", "can't write it", error))?;
        }
        Ok(())
    }
}

/// A partition as (role, start, end), the role by its first letter.
pub(crate) type Part<'a> = (&'a str, i64, i64);

/// A disk at `guestfs[2]` of this many sectors.
pub(crate) fn disk(sectors: u64, table: &str, parts: &[Part<'_>]) -> Spec {
    let parts = parts.iter().enumerate();
    let partitions =
        parts.map(|(index, part)| partition(format!("guestfs[2].parts[{index}]"), *part));
    Spec {
        place: "guestfs[2]".into(),
        size: DiskSize::Fixed(Bytes::new(sectors * SECTOR_SIZE)),
        sector_size: SectorSize::B512,
        table: self::table(table),
        partitions: partitions.collect(),
        blobs: Vec::new(),
    }
}

/// The same with sectors of 4096 bytes, as many of them.
pub(crate) fn disk_4096(sectors: u64, table: &str, parts: &[Part<'_>]) -> Spec {
    Spec {
        size: DiskSize::Fixed(Bytes::new(sectors * 4096)),
        sector_size: SectorSize::B4096,
        ..disk(0, table, parts)
    }
}

/// A partition with an empty filesystem.
pub(crate) fn partition(place: impl Into<Place>, (role, start, end): Part<'_>) -> Partition {
    Partition {
        role: match role {
            "p" => Role::Primary,
            "e" => Role::Extended,
            "l" => Role::Logical,
            other => panic!("no role '{other}'"),
        },
        start: Start::Sector(start),
        end: End::Sector(end),
        ..Partition::new(place, holding("ext4", FileTree::new(TIME)))
    }
}

/// A filesystem with this content.
pub(crate) fn holding(format: &str, tree: FileTree) -> Holds {
    Holds::Filesystem(Filesystem::new(format, tree))
}

/// The filesystem in a partition.
pub(crate) fn filesystem(part: &mut Partition) -> &mut Filesystem {
    match &mut part.holds {
        Holds::Filesystem(filesystem) => filesystem,
        other => panic!("no filesystem, but {other:?}"),
    }
}

/// A table of which nothing is chosen.
pub(crate) fn table(kind: &str) -> DiskTable {
    match kind {
        "none" => DiskTable::None,
        "mbr" => DiskTable::Mbr { signature: None },
        "gpt" => DiskTable::Gpt {
            guid: None,
            hybrid: Vec::new(),
        },
        other => panic!("no table '{other}'"),
    }
}

pub(crate) fn plan_of(spec: &Spec) -> Result<DiskPlan> {
    let identity = Identity::new("disk_test.img", TIME);
    let registry = Registry::default().with(MarkerFormat);
    plan(spec.clone(), &identity, &registry)
}

/// Builds a plan in memory.
pub(crate) fn built(plan: &DiskPlan) -> MemDisk {
    let disk = MemDisk::new(plan.size.get());
    build(plan, &disk, &Unwatched).unwrap();
    disk
}

/// Whether the table left every filesystem as it was written.
pub(crate) fn marks_are_whole(plan: &DiskPlan, disk: &dyn Disk) -> bool {
    let is_filled = |one: &&PartitionPlan| one.filesystem().is_some();
    let filled = plan.partitions.iter().filter(is_filled);
    let mut marks = filled.flat_map(|one| {
        let offset = one.record.range.offset(plan.sector_size).get();
        let size = one.record.range.size(plan.sector_size).get();
        [offset, offset + size - SECTOR_SIZE]
    });
    marks.all(|offset| {
        let mut bytes = [0; SECTOR_SIZE as usize];
        disk.read_at(&mut bytes, offset).unwrap();
        bytes == [MARK; SECTOR_SIZE as usize]
    })
}

/// What was read back equals what was planned.
pub(crate) fn assert_reads_back(plan: &DiskPlan, disk: &dyn Disk) {
    let table = match plan.table {
        TableId::Mbr { .. } => disklayout::inspect::table_of(disk, plan.sector_size),
        TableId::Gpt { .. } | TableId::None => disklayout::inspect::table(disk),
    };
    assert_eq!(table.unwrap(), plan.table());
    assert!(marks_are_whole(plan, disk));
}
