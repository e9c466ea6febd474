//! A system from steps, each of which knows what those before it have done.

use std::sync::Arc;

use disklayout::table::{Kind as Table, Role};
use disklayout::{Identity, Place};

use super::Settings;
use super::device::{Device, Group, Held, Part};
use super::keys::{self, Kind, Name};
use super::step::Step;
use crate::config::{Document, Findings, Value};
use crate::system::{Action, Step as Done, System};

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
    /// What tags stand for, in the order in which steps make it.
    pub(super) devices: Vec<Device>,
    /// The groups of logical volumes.
    pub(super) groups: Vec<Group>,
    /// Whether the archive of the root filesystem is unpacked.
    pub(super) is_unpacked: bool,
    /// Whether a step may have made files of the host before.
    pub(super) makes_host_files: bool,
    /// Whether the tree keeps its resolv.conf.
    pub(super) keeps_resolv_conf: bool,
    pub(super) format: Option<String>,
    pub(super) steps: Vec<Done>,
    /// What is said at the end, the last first.
    farewells: Vec<Done>,
    /// The step that is read, as it is shown.
    place: Option<Place>,
    /// The path of the step that makes the image.
    pub(super) image_path: String,
    /// The path of the step that makes the partition table.
    pub(super) table_path: Option<String>,
}

impl<'s> Builder<'s> {
    pub(super) fn new(settings: &'s Settings) -> Self {
        Self {
            settings,
            identity: Identity::new(&settings.image_name, settings.time),
            size: None,
            table: None,
            devices: Vec::new(),
            groups: Vec::new(),
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
            Name::Cryptsetup => self.cryptsetup(name, step),
            Name::Vgcreate => self.vgcreate(step),
            Name::Lvcreate => self.lvcreate(step),
            Name::Lvscan => self.lvscan(step),
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

    /// The device called what `key` of the step says.
    pub(super) fn tagged(&self, step: &mut Step<'_, '_>, key: &str) -> Option<usize> {
        let tag = step.text(key)?;
        self.find(step, key, &tag)
    }

    /// The device called `tag`, as `key` of the step says.
    pub(super) fn find(&self, step: &mut Step<'_, '_>, key: &str, tag: &str) -> Option<usize> {
        let is_meant = |it: &Device| it.tag == tag || it.second_tag.as_deref() == Some(tag);
        match self.devices.iter().position(is_meant) {
            Some(index) => Some(index),
            None => {
                let tags: Vec<_> = self.devices.iter().map(|it| it.tag.as_str()).collect();
                let known = match tags.is_empty() {
                    true => "there is none yet".to_owned(),
                    false => format!("there are {}", tags.join(", ")),
                };
                step.refuse(key, format!("there is no tag '{tag}'; {known}"))
            }
        }
    }

    /// Makes sure that nothing has the tag yet that `key` of the step gives.
    pub(super) fn check_new(&self, step: &mut Step<'_, '_>, key: &str, tag: &str) -> Option<()> {
        match self.devices.iter().find(|it| it.tag == tag) {
            Some(other) => {
                let noun = other.noun();
                step.refuse(key, format!("another {noun} has the tag '{tag}' already"))
            }
            None => Some(()),
        }
    }

    /// Makes sure that the device holds nothing yet that `key` of the step gives.
    pub(super) fn check_free(
        &self,
        step: &mut Step<'_, '_>,
        key: &str,
        index: usize,
    ) -> Option<()> {
        let device = &self.devices[index];
        let is_extended = |it: &Part| it.role == Role::Extended;
        let message = match &device.holds {
            Held::Nothing if device.partition().is_some_and(is_extended) => {
                "an extended partition holds logical ones alone".to_owned()
            }
            Held::Nothing => return Some(()),
            Held::Filesystem(_) => "it has a filesystem already".to_owned(),
            Held::Member(member) => {
                format!("it is a part of the group '{}' already", member.group)
            }
            Held::Container(container) => format!(
                "it is encrypted: give '{}', which is what is in it",
                self.devices[container.opened].tag
            ),
        };
        step.refuse(key, message)
    }

    /// Makes sure that `key` says the filesystem that is the root of the tree.
    pub(super) fn root(&self, step: &mut Step<'_, '_>, key: &str) -> Option<usize> {
        let index = self.tagged(step, key)?;
        let Device {
            tag, mounted_at, ..
        } = &self.devices[index];
        match mounted_at.as_deref() {
            Some("/") => Some(index),
            Some(path) => step.refuse(
                key,
                format!("'{tag}' is mounted at '{path}': give the tag of the root"),
            ),
            None => step.refuse(
                key,
                format!("'{tag}' isn't mounted: have a step 'mount' before"),
            ),
        }
    }

    /// Makes sure that there is a root.
    pub(super) fn check_root(&self, step: &mut Step<'_, '_>, key: &str) -> Option<()> {
        let is_root = |it: &Device| it.mounted_at.as_deref() == Some("/");
        match self.devices.iter().any(is_root) {
            true => Some(()),
            false => step.refuse(
                key,
                "nothing is mounted as the root: have a step 'mount' before",
            ),
        }
    }

    /// Adds what is said at the end.
    pub(super) fn add_farewells(&mut self) {
        let farewells = std::mem::take(&mut self.farewells);
        self.steps.extend(farewells.into_iter().rev());
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
