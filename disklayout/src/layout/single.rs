//! A disk with one filesystem: alone on it, or in a partition from 1 MiB on.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::fs::{Draft, Misfits, Options, Registry, Request};
use crate::identity::Identity;
use crate::layout::kinds::Wish;
use crate::layout::label::Label;
use crate::layout::plan::{DiskPlan, EntryPlan, PartitionPlan, Role, TablePlan};
use crate::layout::size::{self, ALIGNMENT, DiskSize};
use crate::layout::{esp, gpt_rules, mbr_rules};
use crate::place::Place;
use crate::table::types::{self, Type};
use crate::tree::FileTree;
use crate::units::{Bytes, Lba, LbaRange, SectorSize};

/// A disk with one filesystem.
#[derive(Clone, Copy, Debug)]
pub struct SingleSpec<'a> {
    /// What it is called in errors.
    pub place: &'a Place,
    /// The partition table, if there is one.
    pub table: Option<Table>,
    /// What the disk's sectors hold.
    pub sector_size: SectorSize,
    /// The partition's type: a name, a GUID for a GPT or a byte for an MBR. What suits the
    /// filesystem when there is none.
    pub part_type: Option<&'a str>,
    /// The size of the image, rounded up to whole sectors; with a table, one that follows from
    /// the content is rounded up to 1 MiB.
    pub size: DiskSize,
    /// The filesystem by its name.
    pub filesystem: &'a str,
    /// The filesystem's label.
    pub label: Option<&'a str>,
    /// The filesystem's UUID; derived from the identity when there is none.
    pub uuid: Option<Uuid>,
    /// What else can be chosen in this format.
    pub options: &'a Options,
    /// What becomes of files that the filesystem can't hold.
    pub misfits: Misfits,
}

/// A kind of partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// A master boot record.
    Mbr,
    /// A GUID partition table.
    Gpt,
}

/// Decides everything about the disk that `spec` describes, with `tree` as its content.
///
/// # Errors
/// `DoesNotFit` with the smallest size that would do, else what the format says.
pub fn plan(
    spec: &SingleSpec<'_>,
    mut tree: FileTree,
    identity: &Identity,
    registry: &Registry,
) -> Result<DiskPlan> {
    let notices = tree.take_notices();
    let plan = plan_disk(spec, tree, identity, registry)?;
    Ok(DiskPlan { notices, ..plan })
}

fn plan_disk(
    spec: &SingleSpec<'_>,
    tree: FileTree,
    identity: &Identity,
    registry: &Registry,
) -> Result<DiskPlan> {
    let disk = Disk::of(spec);
    let draft = registry.draft(disk.request(tree, identity))?;
    let suits = types::known_as(registry.partition_type(spec.filesystem));
    match spec.size {
        DiskSize::Fixed(size) => {
            let size = size::round_up(size, disk.sector().get());
            let room = disk.room(size).map_err(|error| draft.needing(error));
            let plan = room.and_then(|room| disk.finish((size, room), draft, suits, identity));
            plan.map_err(|error| disk.with_smallest(error))
        }
        DiskSize::Smallest(room) => {
            let needed = size::smallest(&*draft, room, disk.sector())?;
            disk.finish((disk.around(needed), needed), draft, suits, identity)
        }
    }
}

/// Where things are on the disk.
struct Disk<'a> {
    spec: &'a SingleSpec<'a>,
    label: Option<Label>,
}

impl<'a> Disk<'a> {
    fn of(spec: &'a SingleSpec<'a>) -> Self {
        let label = spec.table.map(|table| match table {
            Table::Mbr => Label::Mbr,
            Table::Gpt => Label::Gpt,
        });
        Self { spec, label }
    }

    fn sector(&self) -> SectorSize {
        self.spec.sector_size
    }

    /// The filesystem's first sector.
    fn start(&self) -> Lba {
        match self.label {
            None => Lba::new(0),
            Some(_) => Lba::new(ALIGNMENT / self.sector().get()),
        }
    }

    /// The size of a disk whose filesystem has `size` bytes.
    fn around(&self, size: Bytes) -> Bytes {
        let Some(label) = self.label else { return size };
        let after = label.sectors_after(self.sector()) * self.sector().get();
        let all = size.get().saturating_add(ALIGNMENT + after);
        size::round_up(Bytes::new(all), ALIGNMENT)
    }

    /// How much a filesystem may have on a disk of `size`.
    fn room(&self, size: Bytes) -> Result<Bytes> {
        self.sectors_on(size)
            .map(|range| range.size(self.sector()))
            .ok_or_else(|| {
                let message = format!("{size} leave no room for a filesystem beside the table");
                Error::does_not_fit(self.spec.place, message)
            })
    }

    fn sectors_on(&self, size: Bytes) -> Option<LbaRange> {
        let total = size.whole_sectors(self.sector());
        let first = self.start().get();
        let last = match self.label {
            None => total.checked_sub(1)?,
            Some(label) => label.usable(total, self.sector())?.last().get(),
        };
        LbaRange::new(Lba::new(first), Lba::new(last))
    }

    fn request(&self, tree: FileTree, identity: &Identity) -> Request<'a> {
        let spec = self.spec;
        let options = match (spec.size, self.label) {
            (DiskSize::Smallest(_), Some(label)) => {
                let wish = Wish::of_text(spec.place, spec.part_type);
                esp::options(spec.filesystem, spec.options, &wish, label)
            }
            _ => spec.options.clone(),
        };
        Request {
            place: spec.place.clone(),
            kind: spec.filesystem,
            start: self.start(),
            sector_size: self.sector(),
            label: spec.label,
            uuid: spec.uuid,
            options,
            tree,
            misfits: spec.misfits,
            identity: identity.child("filesystem"),
        }
    }

    /// The plan of a disk of `size` bytes whose filesystem has `room`, and a type that `suits`.
    fn finish(
        &self,
        (size, room): (Bytes, Bytes),
        draft: Box<dyn Draft + '_>,
        suits: &Type,
        identity: &Identity,
    ) -> Result<DiskPlan> {
        let sectors = room.whole_sectors(self.sector());
        let first = self.start().get();
        let last = first.saturating_add(sectors).saturating_sub(1);
        let range = LbaRange::new(Lba::new(first), Lba::new(last)).ok_or_else(|| {
            let message = format!("a filesystem of {sectors} sectors can't be had");
            Error::does_not_fit(self.spec.place, message)
        })?;
        let entry = self.entry(range, suits, identity);
        let (table, number, entry) = entry.map_err(|error| draft.needing(error))?;
        let filesystem = draft.at(room)?;
        let partition = PartitionPlan {
            number,
            role: Role::Primary,
            range,
            entry,
            filesystem: Some(filesystem),
        };
        Ok(DiskPlan {
            size,
            sector_size: self.sector(),
            table,
            partitions: vec![partition],
            notices: Vec::new(),
        })
    }

    /// The table, the partition's number and its entry.
    fn entry(
        &self,
        range: LbaRange,
        suits: &Type,
        identity: &Identity,
    ) -> Result<(TablePlan, u32, EntryPlan)> {
        let Some(label) = self.label else {
            if self.spec.part_type.is_some() {
                let message = "only a partition has a type; ask for a partition table too";
                return Err(Error::invalid(self.spec.place, message));
            }
            return Ok((TablePlan::None, 0, EntryPlan::None));
        };
        let place = self.spec.place;
        let wish = Wish::of_text(place, self.spec.part_type);
        let entry = match label {
            Label::Mbr if range.sectors() > mbr_rules::FIELD_MAX => {
                let message = format!(
                    "a partition of {} sectors is more than the {} ({}) that an MBR can \
                     record; a GPT goes further",
                    range.sectors(),
                    mbr_rules::FIELD_MAX,
                    mbr_rules::reach(self.sector())
                );
                return Err(Error::does_not_fit(place, message));
            }
            Label::Mbr => EntryPlan::Mbr {
                kind: wish.byte(suits.byte.unwrap_or(types::MBR_LINUX))?,
                active: false,
            },
            Label::Gpt => {
                wish.refuse_byte()?;
                let kind = wish.guid(suits.guid)?;
                gpt_rules::plain_entry(kind, &identity.child("partition 1"))
            }
            Label::None => EntryPlan::None,
        };
        Ok((label.table(None, None, identity), 1, entry))
    }

    /// The same error, with the size of the whole image that would do if it is only the size that
    /// is wrong. Without a table the image is the filesystem, and the format has told it.
    fn with_smallest(&self, error: Error) -> Error {
        let (Some(_), Some(smallest)) = (self.label, error.needed()) else {
            return error;
        };
        let needed = self.around(size::round_up(smallest, self.sector().get()));
        let message = format!(
            "{}; the smallest image with its partition table has {} bytes ({needed})",
            error.message(),
            needed.get()
        );
        Error::does_not_fit(error.place(), message).needing(smallest)
    }
}
