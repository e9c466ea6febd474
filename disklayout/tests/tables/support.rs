//! Descriptions in short, and a filesystem that is none.

use std::collections::BTreeMap;

use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::{
    Draft, Format, FsPlan, Misfits, Options, Progress, Registry, Request, Summary, Unwatched,
};
use disklayout::layout::guestfs::{DiskSpec, End, FileSpec, PartitionSpec, Start, plan};
use disklayout::layout::{DiskPlan, DiskSize, TablePlan};
use disklayout::tree::{Content, FileTree};
use disklayout::{
    Bytes, Error, Identity, Place, Result, SECTOR_SIZE, SectorSize, Timestamp, build,
};

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
    place: Place,
    label: Option<String>,
    tree: FileTree,
    identity: Identity,
}

impl Format for MarkerFormat {
    fn names(&self) -> &'static [&'static str] {
        &["ext2", "ext3", "ext4", "ntfs"]
    }

    fn partition_type(&self, kind: &str) -> &'static str {
        match kind {
            "ntfs" => "basic-data",
            _ => "linux",
        }
    }

    fn draft<'a>(&self, request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        Ok(Box::new(Marker {
            place: request.place,
            label: request.label.map(str::to_owned),
            tree: request.tree,
            identity: request.identity,
        }))
    }
}

impl Draft for Marker {
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        let files = self.tree.files();
        let data: u64 = files.iter().map(|(_, content)| content.len()).sum();
        Ok(Bytes::new(MARKER_EMPTY + data + free.get()))
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        if size < self.smallest(Bytes::new(0))? {
            let error = Error::does_not_fit(&self.place, format!("{size} is too small"));
            return Err(self.needing(error));
        }
        Ok(self)
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

/// A partition as (type, start, end).
pub(crate) type Part<'a> = (&'a str, i64, i64);

/// A disk at `guestfs[2]` of this many sectors.
pub(crate) fn disk(sectors: u64, label: &str, parts: &[Part<'_>]) -> DiskSpec {
    let parts = parts.iter().enumerate();
    let partitions = parts.map(|(index, (prlogex, start, end))| PartitionSpec {
        place: format!("guestfs[2].parts[{index}]"),
        prlogex: (*prlogex).to_owned(),
        start: Start::Sector(*start),
        end: End::Sector(*end),
        align: None,
        name: None,
        uuid: None,
        gpt_type: None,
        mbr_type: None,
        flags: Vec::new(),
        filesystem: "ext4".to_owned(),
        label: None,
        options: Options::default(),
        misfits: Misfits::Refuse,
    });
    DiskSpec {
        place: "guestfs[2]".to_owned(),
        size: DiskSize::Fixed(Bytes::new(sectors * SECTOR_SIZE)),
        sector_size: SectorSize::B512,
        label: label.to_owned(),
        disk_id: None,
        disk_guid: None,
        hybrid_mbr: Vec::new(),
        partitions: partitions.collect(),
        files: Vec::new(),
    }
}

/// The same with sectors of 4096 bytes, as many of them.
pub(crate) fn disk_4096(sectors: u64, label: &str, parts: &[Part<'_>]) -> DiskSpec {
    DiskSpec {
        size: DiskSize::Fixed(Bytes::new(sectors * 4096)),
        sector_size: SectorSize::B4096,
        ..disk(0, label, parts)
    }
}

/// An empty file at `guestfs[2].writes[0]`.
pub(crate) fn file(part: i64, path: &str) -> FileSpec {
    FileSpec {
        place: "guestfs[2].writes[0]".to_owned(),
        part,
        path: path.to_owned(),
        content: Content::inline(b"content"),
    }
}

pub(crate) fn plan_of(spec: &DiskSpec) -> Result<DiskPlan> {
    let identity = Identity::new("disk_test.img", Timestamp::from_seconds(1_700_000_000));
    let registry = Registry::default().with(MarkerFormat);
    plan(spec, BTreeMap::new(), &identity, &registry)
}

/// Builds a plan in memory.
pub(crate) fn built(plan: &DiskPlan) -> MemDisk {
    let disk = MemDisk::new(plan.size.get());
    build(plan, &disk, &Unwatched).unwrap();
    disk
}

/// Whether the table left every filesystem as it was written.
pub(crate) fn marks_are_whole(plan: &DiskPlan, disk: &dyn Disk) -> bool {
    let filled = plan
        .partitions
        .iter()
        .filter(|one| one.filesystem.is_some());
    let mut marks = filled.flat_map(|one| {
        let offset = one.range.offset(plan.sector_size).get();
        let size = one.range.size(plan.sector_size).get();
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
        TablePlan::Mbr { .. } => disklayout::inspect::table_of(disk, plan.sector_size),
        TablePlan::Gpt { .. } | TablePlan::None => disklayout::inspect::table(disk),
    };
    let table = table.unwrap();
    assert_eq!(table.label, plan.table);
    assert_eq!(table.sector_size, plan.sector_size);
    assert_eq!(table.partitions.len(), plan.partitions.len());
    for (read, planned) in table.partitions.iter().zip(&plan.partitions) {
        assert_eq!(read.number, planned.number);
        assert_eq!(read.role, planned.role, "partition {}", read.number);
        assert_eq!(read.range, planned.range, "partition {}", read.number);
        assert_eq!(read.entry, planned.entry, "partition {}", read.number);
    }
    assert!(marks_are_whole(plan, disk));
}
