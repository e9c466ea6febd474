//! Descriptions in short, and a filesystem that is none.

use disklayout::disk::MemDisk;
use disklayout::fs::{
    Data, Draft, Format, FsPlan, Progress, Registry, Request, Summary, Unwatched,
};
use disklayout::layout::spec::{Disk, DiskTable, End, Filesystem, Holds, Partition, Start};
use disklayout::layout::{DiskPlan, DiskSize, plan};
use disklayout::table::types::PartitionType;
use disklayout::table::{Role, TableId};
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{
    Bytes, Error, Identity, Place, Result, SECTOR_SIZE, SectorSize, Timestamp, Zeroes, build,
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

    fn write(&self, disk: &dyn disklayout::disk::Disk, _: &dyn Progress) -> Result<Data<'_>> {
        let mark = [MARK; SECTOR_SIZE as usize];
        for offset in [0, disk.len() - SECTOR_SIZE] {
            disk.write_at(&mark, offset)
                .map_err(|error| Error::io("marker", "can't write it", error))?;
        }
        Ok(Data::none(&self.place))
    }
}

/// A partition as (type, start, end).
pub(crate) type Part<'a> = (&'a str, i64, i64);

/// A disk at `guestfs[2]` of this many sectors.
pub(crate) fn disk(sectors: u64, label: &str, parts: &[Part<'_>]) -> Disk {
    let parts = parts.iter().enumerate();
    let partitions = parts.map(|(index, (word, start, end))| {
        let tree = FileTree::new(Timestamp::default());
        let holds = Filesystem::new("ext4", tree);
        Partition {
            role: role(word),
            start: Start::Sector(*start),
            end: End::Sector(*end),
            ..Partition::new(format!("guestfs[2].parts[{index}]"), holds)
        }
    });
    Disk {
        place: "guestfs[2]".into(),
        size: DiskSize::Fixed(Bytes::new(sectors * SECTOR_SIZE)),
        multiple: Bytes::new(1),
        sector_size: SectorSize::B512,
        table: table(label),
        partitions: partitions.collect(),
        blobs: Vec::new(),
        groups: Vec::new(),
        others: Vec::new(),
        kept_table: Vec::new(),
    }
}

/// The table by its name.
pub(crate) fn table(label: &str) -> DiskTable {
    match label {
        "mbr" | "msdos" => DiskTable::Mbr { signature: None },
        "gpt" | "efi" => DiskTable::Gpt {
            guid: None,
            hybrid: Vec::new(),
        },
        _ => DiskTable::None,
    }
}

/// The role as libguestfs spells it.
fn role(word: &str) -> Role {
    match word {
        "e" | "extended" => Role::Extended,
        "l" | "logical" => Role::Logical,
        _ => Role::Primary,
    }
}

/// The same with sectors of 4096 bytes, as many of them.
pub(crate) fn disk_4096(sectors: u64, label: &str, parts: &[Part<'_>]) -> Disk {
    Disk {
        size: DiskSize::Fixed(Bytes::new(sectors * 4096)),
        multiple: Bytes::new(1),
        sector_size: SectorSize::B4096,
        ..disk(0, label, parts)
    }
}

/// The type that `text` spells.
pub(crate) fn kind(text: &str) -> Option<PartitionType> {
    Some(PartitionType::parse(text).unwrap())
}

/// The filesystem of a partition.
pub(crate) fn held(part: &mut Partition) -> &mut Filesystem {
    match &mut part.holds {
        Holds::Filesystem(filesystem) => filesystem,
        other => panic!("{other:?}"),
    }
}

/// Puts a file into a partition.
pub(crate) fn put(part: &mut Partition, path: &str) {
    let attributes = Attributes::file(Timestamp::default());
    let content = Content::inline(b"content");
    let tree = &mut held(part).tree;
    tree.put_file("t", path.as_bytes(), content, attributes)
        .unwrap();
}

pub(crate) fn plan_of(spec: &Disk) -> Result<DiskPlan> {
    let identity = Identity::new("disk_test.img", Timestamp::from_seconds(1_700_000_000));
    let registry = Registry::default().with(MarkerFormat);
    plan(spec.clone(), &identity, &registry)
}

/// Builds a plan in memory.
pub(crate) fn built(plan: &DiskPlan) -> MemDisk {
    let disk = MemDisk::new(plan.size.get());
    build(plan, Zeroes::default(), &disk, &Unwatched).unwrap();
    disk
}

/// Whether the table left every filesystem as it was written.
pub(crate) fn marks_are_whole(plan: &DiskPlan, disk: &dyn disklayout::disk::Disk) -> bool {
    let filled = plan
        .partitions
        .iter()
        .filter(|one| one.filesystem().is_some());
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
pub(crate) fn assert_reads_back(plan: &DiskPlan, disk: &dyn disklayout::disk::Disk) {
    let table = match plan.table {
        TableId::Mbr { .. } => disklayout::inspect::table_of(disk, plan.sector_size),
        TableId::Gpt { .. } | TableId::None => disklayout::inspect::table(disk),
    };
    assert_eq!(table.unwrap(), plan.table());
    assert!(marks_are_whole(plan, disk));
}
