//! A configuration that has been read and validated.

use std::sync::Arc;

use disklayout::layout::DiskSize;
use disklayout::layout::spec::{Blob, LogicalVolume, Partition};
use disklayout::table::Kind;
use disklayout::{Bytes, Place, SectorSize};
use uuid::Uuid;

use super::names::Extension;
use super::releases::Release;
use crate::config::{ConfigError, Problem};
use crate::distribution::Distribution;
use crate::image::{Data, DiskFormat, FileFormat, Filling, Finish, Keys, Object};

/// Everything that an hdds.json says.
#[derive(Clone, Debug)]
pub struct Config {
    /// The groups of images that are written here, in the order of the file.
    pub layouts: Vec<LayoutGroup>,
    /// The groups of images with an installed system, in the order of the file.
    pub installs: Vec<InstallGroup>,
    /// The distribution that the second kind of groups installs.
    pub distribution: Arc<Distribution>,
    /// Images whose names have changed.
    pub renames: Vec<Rename>,
    /// What is doubtful but does no harm: unknown keys and the like.
    pub warnings: Vec<Problem>,
}

/// A group of either kind. Each has a subcommand of its own.
#[derive(Clone, Copy, Debug)]
pub enum Group<'a> {
    /// Images that are written here.
    Layout(&'a LayoutGroup),
    /// Images with an installed system.
    Install(&'a InstallGroup),
}

/// Images that are the same but for the partition table and the filesystem.
#[derive(Clone, Debug)]
pub struct LayoutGroup {
    /// `guestfs[2]`.
    pub place: Place,
    /// The name of the group and of its subcommand.
    pub name: String,
    /// The version that is in the file names.
    pub imgver: Option<String>,
    /// The size of each image.
    pub size: DiskSize,
    /// What the sectors of each image hold.
    pub sector_size: SectorSize,
    /// The disk signature in an MBR, if it is given.
    pub disk_id: Option<u32>,
    /// The disk GUID in a GPT, if it is given.
    pub disk_guid: Option<Uuid>,
    /// The numbers of the partitions that stand in the MBR in front of a GPT too.
    pub hybrid_mbr: Vec<i64>,
    /// The partition tables, one image each; never empty.
    pub labels: Vec<Label>,
    /// The filesystems of partitions that name none, one image each; never empty.
    pub filesystems: Vec<String>,
    /// The partitions in the order in which they are made.
    pub parts: Vec<Part>,
    /// The group of images that describes the volumes which lie on these too, if it is another one.
    pub volumes_of: Option<String>,
    /// The groups of images that volumes lie on together, if there are others.
    pub family: Option<Family>,
    /// The logical volumes, in the order in which they are given room in their groups.
    pub volumes: Vec<Volume>,
    /// What is said of groups of volumes.
    pub volume_groups: Vec<GroupOptions>,
    /// Files that go into partitions by their numbers, over what these hold.
    pub files: Vec<PartFile>,
    /// Bytes beside the partitions.
    pub blobs: Vec<(Blob, Data)>,
    /// The formats of the files, one image each; never empty.
    pub formats: Vec<FileFormat>,
}

/// The groups of images whose disks volumes lie on together, the one that describes the volumes first.
#[derive(Clone, Debug)]
pub struct Family {
    /// All of them.
    pub(super) disks: Arc<[LayoutGroup]>,
    /// Which of them this is.
    pub(super) own: usize,
}

/// A partition table, as a group asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The word for it, which is in file names.
    pub word: String,
    /// What it means.
    pub kind: Kind,
}

/// One partition of a layout group.
#[derive(Clone, Debug)]
pub struct Part {
    /// The partition. Where it holds a filesystem, its format is that of the variant, unless there
    /// is one of its own.
    pub partition: Partition,
    /// The word for its own filesystem, or for none.
    pub filesystem: Option<String>,
    /// What goes into it.
    pub filling: Filling,
    /// What opens it, where it is encrypted.
    pub keys: Vec<Keys>,
}

/// One logical volume of a layout group.
#[derive(Clone, Debug)]
pub struct Volume {
    /// The name of its group.
    pub group: String,
    /// The volume. Where it holds a filesystem, its format is that of the variant, unless there is one
    /// of its own.
    pub volume: LogicalVolume,
    /// The word for its own filesystem, or for none.
    pub filesystem: Option<String>,
    /// What goes into it.
    pub filling: Filling,
    /// What opens it, where it is encrypted.
    pub keys: Vec<Keys>,
}

/// What is said of a group of volumes beside what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOptions {
    /// Where it stands.
    pub place: Place,
    /// The name of the group.
    pub name: String,
    /// What an extent holds, if it is given.
    pub extent_size: Option<Bytes>,
}

/// A file that goes into a partition by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFile {
    /// The number, from 1.
    pub part: i64,
    /// The file.
    pub object: Object,
}

/// Images that are the same but for the release and the architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallGroup {
    /// `virtinstall[0]`.
    pub place: Place,
    /// The name of the group and of its subcommand.
    pub name: String,
    /// The version that is in the file names.
    pub imgver: Option<String>,
    /// What is installed.
    pub distribution: Arc<Distribution>,
    /// Which of several trees of a release is used, where it is given.
    pub variant: Option<String>,
    /// The releases in the order of the file, each with its architectures.
    pub releases: Vec<(Release, Vec<String>)>,
    /// The size of the disk in GiB; 0 when none is given, as in the original.
    pub size_gib: u64,
    /// An image is outdated when it is older than this many days; never when 0.
    pub maxage_days: u64,
    /// Boot options for virt-install's `--boot`.
    pub bootopts: Option<String>,
    /// The format of the disks.
    pub format: DiskFormat,
    /// What the file names end in; never `.qcow2` of a raw disk.
    pub extension: Extension,
    /// The memory of the virtual machine in MiB, if it is given.
    pub memory_mib: Option<u64>,
    /// The processors of the virtual machine, if they are given.
    pub cpus: Option<u64>,
    /// What is done when the system is installed.
    pub finish: Finish,
}

/// A file whose name has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The old name.
    pub from: String,
    /// The new name.
    pub to: String,
}

impl Config {
    /// The same configuration, unless there is anything doubtful in it.
    ///
    /// # Errors
    /// The warnings.
    pub fn strict(self) -> Result<Self, ConfigError> {
        if self.warnings.is_empty() {
            return Ok(self);
        }
        Err(ConfigError::new(self.warnings))
    }

    /// All groups, layouts first, in the order of the file.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let layouts = self.layouts.iter().map(Group::Layout);
        layouts.chain(self.installs.iter().map(Group::Install))
    }

    /// The group called `name`.
    pub fn group(&self, name: &str) -> Option<Group<'_>> {
        self.groups().find(|group| group.name() == name)
    }
}

impl<'a> Group<'a> {
    /// The name of the group and of its subcommand.
    pub fn name(self) -> &'a str {
        match self {
            Self::Layout(group) => &group.name,
            Self::Install(group) => &group.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    const RESERVED: [&str; 2] = ["all", "check"];

    #[test]
    fn the_smallest_configurations() {
        let config = Config::parse("{}", "t", &RESERVED).unwrap();
        assert_eq!(config.groups().count(), 0);
        let warnings: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
        let missing = |key| format!("t: the key '{key}' is missing; it is taken for an empty list");
        assert_eq!(warnings, ["guestfs", "virtinstall", "renames"].map(missing));
        let error = config.strict().unwrap_err();
        assert_eq!(error.problems().len(), 3);

        let text = r#"{"guestfs": [], "virtinstall": [], "renames": []}"#;
        let config = Config::parse(text, "t", &RESERVED).unwrap();
        assert_eq!(config.strict().unwrap().warnings, []);
    }

    #[test]
    fn everything_wrong_is_reported_in_the_order_of_the_file() {
        let text = r#"{"guestfs": [{"name": "all", "size": "1.5G", "parts": 7}, 8],
                       "virtinstall": {}, "renames": [["a"]]}"#;
        let error = Config::parse(text, "t", &RESERVED).unwrap_err();
        let places: Vec<_> = error
            .problems()
            .iter()
            .map(|p| p.place.path.as_str())
            .collect();
        let expected = [
            "guestfs[0].name",
            "guestfs[0].size",
            "guestfs[0].parts",
            "guestfs[1]",
            "virtinstall",
            "renames[0]",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn groups_are_found_by_their_names() {
        let text = r#"{"guestfs": [{"name": "a", "size": 512, "parts": []}],
            "virtinstall": [{"name": "b", "releases": {}, "size": 1}], "renames": []}"#;
        let config = Config::parse(text, "t", &RESERVED).unwrap();
        assert_eq!(config.group("a").unwrap().name(), "a");
        assert_eq!(config.group("b").unwrap().name(), "b");
        assert!(config.group("c").is_none());
    }

    /// The JSON pointers of `value` and everything in it.
    fn pointers(value: &Json, pointer: String) -> Vec<String> {
        let inner: Vec<_> = match value {
            Json::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, v)| (i.to_string(), v))
                .collect(),
            Json::Object(map) => map.iter().map(|(key, v)| (key.clone(), v)).collect(),
            _ => vec![],
        };
        let below = inner
            .into_iter()
            .flat_map(|(key, v)| pointers(v, format!("{pointer}/{key}")));
        std::iter::once(pointer.clone()).chain(below).collect()
    }

    #[test]
    fn any_value_of_any_kind_anywhere_is_taken_or_refused_at_its_place() {
        let sound: Json = serde_json::from_str(crate::describe::hdds::shipped::CONFIG).unwrap();
        let mut refused = 0;
        for pointer in pointers(&sound, String::new()) {
            for odd in ["null", "true", "-7", "1e99", "\"/\"", "[]", "[[]]", "{}"] {
                let mut document = sound.clone();
                *document.pointer_mut(&pointer).unwrap() = serde_json::from_str(odd).unwrap();
                let result = Config::parse(&document.to_string(), "t", &RESERVED);
                for problem in result.err().iter().flat_map(ConfigError::problems) {
                    let list = pointer.split('/').nth(1).unwrap_or_default();
                    assert!(
                        problem.place.path.starts_with(list),
                        "{pointer} {odd}: {problem}"
                    );
                    refused += 1;
                }
            }
        }
        assert!(refused > 1000, "only {refused}");
    }
}
