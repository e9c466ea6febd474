//! A system from steps, each of which knows what those before it have done.

use std::sync::Arc;

use disklayout::layout::DiskSize;
use disklayout::layout::spec::{Disk, DiskTable, End, Filesystem, Holds, Kinds, Partition, Start};
use disklayout::table::types::PartitionType;
use disklayout::table::{Flag, Kind as Table, Role};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Identity, Naming, Place, SectorSize, Timestamp};

use super::keys::{self, Name};
use super::names::Names;
use super::step::Step;
use super::{Settings, keys::Kind};
use crate::config::{Document, Findings, Value};
use crate::describe::identifiers;
use crate::system::{Action, Location, Step as Done, System, Volume};

/// The only condition that a step sets.
const UNPACKED: &str = "rootfs_unpacked";

/// So many characters of a title are shown.
const TITLE: usize = 70;

/// What steps have said so far.
pub(super) struct Builder<'s> {
    pub(super) settings: &'s Settings,
    pub(super) identity: Identity,
    /// The size of the image, in bytes.
    pub(super) size: Option<u64>,
    pub(super) table: Option<Table>,
    pub(super) parts: Vec<Part>,
    /// Whether the archive of the root filesystem is unpacked.
    pub(super) is_unpacked: bool,
    /// Whether a step may have made files of the host before.
    pub(super) makes_host_files: bool,
    /// Whether the tree keeps its resolv.conf.
    pub(super) keeps_resolv_conf: bool,
    pub(super) format: Option<String>,
    steps: Vec<Done>,
    /// What is said at the end, the last first.
    farewells: Vec<Done>,
    /// The step that is read, as it is shown.
    place: Option<Place>,
    /// The path of the step that makes the image.
    pub(super) image_path: String,
    /// The path of the step that makes the partition table.
    pub(super) table_path: Option<String>,
}

/// A partition.
pub(super) struct Part {
    pub(super) tag: String,
    /// The path of the step that makes it.
    pub(super) path: String,
    pub(super) number: u32,
    pub(super) role: Role,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) name: Option<String>,
    pub(super) kind: PartitionType,
    /// The type that it had before a flag gave it another one.
    pub(super) first_kind: PartitionType,
    pub(super) flags: Vec<Flag>,
    pub(super) filesystem: Option<Made>,
    pub(super) mounted_at: Option<String>,
    /// What the first form of specifications calls its filesystem.
    pub(super) second_tag: Option<String>,
}

/// A filesystem.
pub(super) struct Made {
    /// Its type, as fstab has it.
    pub(super) word: String,
    pub(super) spec: Filesystem,
    /// Its UUID, as fstab has it.
    pub(super) uuid: String,
    /// The path of the step that makes it.
    pub(super) path: String,
}

impl<'s> Builder<'s> {
    pub(super) fn new(settings: &'s Settings) -> Self {
        Self {
            settings,
            identity: Identity::new(&settings.image_name, settings.time),
            size: None,
            table: None,
            parts: Vec::new(),
            is_unpacked: false,
            makes_host_files: false,
            keeps_resolv_conf: false,
            format: None,
            steps: Vec::new(),
            farewells: Vec::new(),
            place: None,
            image_path: String::new(),
            table_path: None,
        }
    }

    /// Reads all steps; `None` when anything is wrong, of which `findings` are told.
    pub(super) fn build(
        mut self,
        document: &Arc<Document>,
        findings: &mut Findings,
    ) -> Option<(System, Option<String>)> {
        let root = document.root();
        let Some(top) = root
            .as_object()
            .filter(|top| top.optional("steps").is_some())
        else {
            let message = "expected an object with the key 'steps', a list of steps";
            return findings.refuse(root.place(), message);
        };
        let steps = top.optional("steps")?.list("steps", findings)?;
        for step in &steps {
            // What is wrong with one step doesn't keep the others from being read.
            let _ = self.step(step, findings);
        }
        if self.size.is_none() && findings.errors.is_empty() {
            let message = "no step makes the image: there is no 'mkimg'";
            return findings.refuse(root.place(), message);
        }
        if !findings.errors.is_empty() {
            return None;
        }
        self.finish(Arc::clone(document))
    }

    fn step(&mut self, value: &Value<'_>, findings: &mut Findings) -> Option<()> {
        let Some(object) = value.as_object() else {
            let message = format!("expected a step, an object, found {}", value.shown());
            return findings.refuse(value.place(), message);
        };
        let names = object.keys();
        let kind = findings.check(value.place(), keys::find(&names))?;
        self.place = Some(value.place().to_string().into());
        let mut step = Step::new(object, findings);
        for key in names.iter().filter(|key| !kind.knows(key)) {
            step.warn(
                key,
                format!("'{key}' means nothing in the step '{}'", kind.required[0]),
            );
        }
        let is_skipped = self.is_skipped(&mut step)?;
        let skipped = is_skipped.then(|| format!("as {UNPACKED}"));
        self.dispatch(kind, &mut step, skipped)
    }

    /// Whether the conditions that leave a step out all hold.
    fn is_skipped(&self, step: &mut Step<'_, '_>) -> Option<bool> {
        if !step.has(keys::UNLESS) {
            return Some(false);
        }
        let conditions = match step.is_list(keys::UNLESS) {
            true => step.list(keys::UNLESS, &[])?,
            false => vec![step.text(keys::UNLESS)?],
        };
        for condition in conditions.iter().filter(|it| *it != UNPACKED) {
            let message = format!("'{condition}' never holds; the only condition is '{UNPACKED}'");
            step.warn(keys::UNLESS, message);
        }
        Some(
            conditions
                .iter()
                .all(|it| it == UNPACKED && self.is_unpacked),
        )
    }

    fn dispatch(
        &mut self,
        kind: &Kind,
        step: &mut Step<'_, '_>,
        skipped: Option<String>,
    ) -> Option<()> {
        let name = kind.required[0];
        if skipped.is_some() && kind.step.is_planned() {
            self.add(name.to_owned(), skipped, Action::Planned);
            return Some(());
        }
        match kind.step {
            Name::Mkimg => self.mkimg(step),
            Name::Mklabel => self.mklabel(step),
            Name::Mkpart => self.mkpart(step),
            Name::SetPartFlag => self.set_part_flag(step),
            Name::Kpartx => self.kpartx(step),
            Name::Mkfs => self.mkfs(step),
            Name::Mount => self.mount(step),
            Name::UnpackRootfs => self.unpack_rootfs(step, skipped),
            Name::CacheRootfs => self.cache_rootfs(step, skipped),
            Name::Debootstrap => self.debootstrap(name, step, skipped),
            Name::Apt => self.apt(step, skipped),
            Name::Chroot => self.chroot(step, skipped),
            Name::Shell => self.shell(step, skipped),
            Name::Ansible => self.ansible(step, skipped),
            Name::Grub => self.grub(step, skipped),
            Name::Fstab => self.fstab(step, skipped),
            Name::CopyFile => self.copy_file(step, skipped),
            Name::CopyDir => self.copy_dir(step, skipped),
            Name::CreateFile => self.create_file(step, skipped),
            Name::CreateDir => self.create_dir(step, skipped),
            Name::VirtualFilesystems => self.virtual_filesystems(step, skipped),
            Name::ResizeRootfs => self.resize_rootfs(step, skipped),
            Name::Echo => self.echo(step, skipped),
            Name::Error => self.error(step, skipped),
            Name::Volumes => step.refuse(
                name,
                format!("the step '{name}' makes volumes (LUKS, LVM), which can't be made yet"),
            ),
        }
    }

    /// Adds something that is done, or left out for a reason.
    pub(super) fn add(&mut self, title: String, skipped: Option<String>, action: Action) {
        let step = self.done(title, skipped, action);
        self.steps.push(step);
    }

    /// Adds something that is done at the end, before what was added before.
    pub(super) fn add_farewell(&mut self, title: String, action: Action) {
        let step = self.done(title, None, action);
        self.farewells.push(step);
    }

    fn done(&self, title: String, skipped: Option<String>, action: Action) -> Done {
        Done {
            place: self.place.clone().unwrap_or_else(|| "steps".into()),
            title: shortened(&title),
            skipped,
            action,
        }
    }

    /// The partition called what `key` of the step says.
    pub(super) fn tagged(&self, step: &mut Step<'_, '_>, key: &str) -> Option<usize> {
        let tag = step.text(key)?;
        self.find(step, key, &tag)
    }

    /// The partition called `tag`, as `key` of the step says.
    pub(super) fn find(&self, step: &mut Step<'_, '_>, key: &str, tag: &str) -> Option<usize> {
        let is_meant = |part: &Part| part.tag == tag || part.second_tag.as_deref() == Some(tag);
        match self.parts.iter().position(is_meant) {
            Some(index) => Some(index),
            None => {
                let tags: Vec<_> = self.parts.iter().map(|part| part.tag.as_str()).collect();
                let known = match tags.is_empty() {
                    true => "there is none yet".to_owned(),
                    false => format!("there are {}", tags.join(", ")),
                };
                step.refuse(key, format!("there is no tag '{tag}'; {known}"))
            }
        }
    }

    /// Makes sure that `key` says the filesystem that is the root of the tree.
    pub(super) fn root(&self, step: &mut Step<'_, '_>, key: &str) -> Option<usize> {
        let index = self.tagged(step, key)?;
        match self.parts[index].mounted_at.as_deref() {
            Some("/") => Some(index),
            Some(path) => step.refuse(
                key,
                format!(
                    "'{}' is mounted at '{path}': give the tag of the root",
                    self.parts[index].tag
                ),
            ),
            None => step.refuse(
                key,
                format!(
                    "'{}' isn't mounted: have a step 'mount' before",
                    self.parts[index].tag
                ),
            ),
        }
    }

    /// Makes sure that there is a root.
    pub(super) fn check_root(&self, step: &mut Step<'_, '_>, key: &str) -> Option<()> {
        let is_root = |part: &Part| part.mounted_at.as_deref() == Some("/");
        match self.parts.iter().any(is_root) {
            true => Some(()),
            false => step.refuse(
                key,
                "nothing is mounted as the root: have a step 'mount' before",
            ),
        }
    }

    /// What the library's objects are called.
    fn names(&self, document: Arc<Document>) -> Arc<dyn Naming> {
        let made = self.parts.iter().filter_map(|part| {
            let made = part.filesystem.as_ref()?;
            Some((part.path.clone(), made.path.clone()))
        });
        Arc::new(Names {
            document,
            table: self.table_path.clone(),
            filesystems: made.collect(),
        })
    }

    fn finish(mut self, document: Arc<Document>) -> Option<(System, Option<String>)> {
        let names = self.names(document);
        if !self.keeps_resolv_conf && self.parts.iter().any(|part| part.mounted_at.is_some()) {
            let action = Action::Remove("/etc/resolv.conf".to_owned());
            self.add("remove /etc/resolv.conf".to_owned(), None, action);
        }
        let farewells = std::mem::take(&mut self.farewells);
        self.steps.extend(farewells.into_iter().rev());
        let time = self.settings.time;
        let volumes = self.parts.iter().map(|part| Volume {
            tag: part.tag.clone(),
            location: Location::Partition(part.number),
            opened: None,
            uuid: part
                .filesystem
                .as_ref()
                .map_or_else(String::new, |it| it.uuid.clone()),
            mounted_at: part.mounted_at.clone(),
        });
        let volumes = volumes.collect();
        let partitions = self.parts.into_iter().map(|part| part.spec(time, &names));
        let partitions: Vec<_> = partitions.collect();
        let mut disk = Disk {
            place: Place::new(&self.image_path, Arc::clone(&names)),
            size: DiskSize::Fixed(Bytes::new(self.size?)),
            multiple: Bytes::new(1),
            sector_size: SectorSize::B512,
            table: match self.table {
                Some(Table::Gpt) => DiskTable::GPT,
                Some(_) => DiskTable::MBR,
                None => DiskTable::None,
            },
            partitions,
            blobs: Vec::new(),
            groups: Vec::new(),
            kept_table: Vec::new(),
        };
        identifiers::identify_partitions(&mut disk, &self.identity);
        let system = System {
            disk,
            volumes,
            keys: Vec::new(),
            steps: self.steps,
        };
        Some((system, self.format))
    }
}

impl Part {
    /// The partition that is described.
    fn spec(self, time: Timestamp, names: &Arc<dyn Naming>) -> Partition {
        let place = Place::new(&self.path, Arc::clone(names));
        let holds = match self.filesystem {
            Some(made) => Holds::from(Filesystem {
                tree: FileTree::new(time),
                ..made.spec
            }),
            None => Holds::Nothing,
        };
        // That of an extended one isn't for anybody to choose.
        let kind = match self.role {
            Role::Extended => Kinds::default(),
            _ => Kinds::from(self.kind),
        };
        Partition {
            role: self.role,
            start: Start::Sector(self.first.cast_signed()),
            end: End::Sector(self.last.cast_signed()),
            kind,
            name: self.name,
            flags: self.flags,
            ..Partition::new(place, holds)
        }
    }
}

/// One line of a title, with its start alone where it is long.
fn shortened(title: &str) -> String {
    let line = title
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let is_whole = title.trim() == line && line.chars().count() <= TITLE;
    match is_whole {
        true => line.to_owned(),
        false => line.chars().take(TITLE).chain("...".chars()).collect(),
    }
}
