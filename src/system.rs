//! A system that is assembled: a disk, and the steps that make the tree of files on it.
//!
//! A front end ends in one of these; everything is decided in it: which sectors a partition has, the
//! UUID of each filesystem, the steps that are left out. Whoever runs it decides nothing.

use std::path::PathBuf;

use disklayout::Place;
use disklayout::layout::spec::{Disk, Holds};

use crate::image::Keys;

/// A system that is assembled.
#[derive(Clone, Debug)]
pub struct System {
    /// The disk. Each of its partitions has its sectors, and its filesystem a UUID; the filesystems
    /// are empty.
    pub disk: Disk,
    /// What is to be known of each partition and logical volume beside that, in the order of the disk's
    /// [slots](Disk::slots).
    pub volumes: Vec<Volume>,
    /// What opens what is encrypted on the disk, in the order of [`Disk::encrypted_mut`].
    pub keys: Vec<Keys>,
    /// What is done to make the tree, in this order.
    pub steps: Vec<Step>,
}

/// What is to be known of a partition or a logical volume beside its place on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// What the description calls it.
    pub tag: String,
    /// What it is.
    pub location: Location,
    /// Under which name what is encrypted in it is opened, where it is.
    pub opened: Option<Opened>,
    /// The UUID of its filesystem as fstab has it: `6987-937D` on FAT. Empty without a filesystem.
    pub uuid: String,
    /// Where the tree has its files: `/boot/efi`. `None` where it stays empty.
    pub mounted_at: Option<String>,
}

/// What a filesystem is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The partition of this number in the table; 0 where there is no table.
    Partition(u32),
    /// A logical volume.
    Logical {
        /// The name of its group.
        group: String,
        /// Its own.
        name: String,
    },
}

/// What is encrypted, as it is opened when the system starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The name that it has then, below `/dev/mapper`.
    pub name: String,
    /// The UUID of the container.
    pub uuid: String,
}

impl Location {
    /// The number of the partition, if it is one.
    pub const fn number(&self) -> Option<u32> {
        match self {
            Self::Partition(number) => Some(*number),
            Self::Logical { .. } => None,
        }
    }
}

impl Volume {
    /// What Linux calls it below `/dev/mapper` when the system runs, where that doesn't depend on the
    /// machine.
    pub fn mapper_name(&self) -> Option<String> {
        match (&self.opened, &self.location) {
            (Some(opened), _) => Some(opened.name.clone()),
            (None, Location::Logical { group, name }) => Some(logical_name(group, name)),
            (None, Location::Partition(_)) => None,
        }
    }
}

/// What Linux calls the logical volume `name` of `group` below `/dev/mapper`: hyphens are doubled, and a
/// single one is between them.
fn logical_name(group: &str, name: &str) -> String {
    let doubled = |name: &str| name.replace('-', "--");
    format!("{}-{}", doubled(group), doubled(name))
}

/// The path of the logical volume `name` of `group` when the system runs.
pub fn mapper_path(group: &str, name: &str) -> String {
    format!("/dev/mapper/{}", logical_name(group, name))
}

impl System {
    /// What is in the volume at `index`, below all that encrypts it; nothing where there is none.
    pub fn holds(&self, index: usize) -> &Holds {
        self.disk.slots().nth(index).unwrap_or(&Holds::Nothing)
    }

    /// Where the volume at `index` is described.
    pub fn place(&self, index: usize) -> &Place {
        self.disk
            .slot_places()
            .nth(index)
            .unwrap_or(&self.disk.place)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stands: `debian.vmdb:17:5 steps[6]`.
    pub place: Place,
    /// What it is, on one line: `apt: linux-image-amd64`.
    pub title: String,
    /// Why it is left out, where it is: `rootfs_unpacked`.
    pub skipped: Option<String>,
    /// What is done.
    pub action: Action,
}

/// What a step does. Paths of the tree are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing that is left to do: the plan has it already.
    Planned,
    /// Finds the keys of the container at this index of [`System::keys`].
    FindKey(usize),
    /// Says this.
    Say(String),
    /// Fails, saying this.
    Fail(String),
    /// Makes the directory that a filesystem is mounted at, and those above it.
    MountPoint(String),
    /// Puts what is in an archive into the tree, owners by their numbers.
    Unpack(PathBuf),
    /// Mounts /dev, /proc, /sys and /run in the tree, for programs outside of it.
    VirtualFilesystems,
    /// Makes an archive of the tree, compressed as its name says.
    Pack(PathBuf),
    /// Installs a base system.
    Bootstrap(Bootstrap),
    /// Reads the lists of packages again.
    AptUpdate,
    /// Installs packages.
    Apt(Apt),
    /// Runs a script of `sh -ec` with the tree as its root.
    Chroot(String),
    /// Runs a script of `sh -ec` outside of the tree, which is `$ROOT`.
    Shell(String),
    /// Runs a playbook on the tree.
    Ansible(Playbook),
    /// Installs GRUB.
    Grub(Grub),
    /// Makes sure that GRUB's configuration starts a kernel.
    FindKernel,
    /// Makes a file, in a directory that is there.
    CreateFile(NewFile),
    /// Makes a directory that isn't there yet, and those above it.
    CreateDirectory {
        /// Its path.
        path: String,
        /// Its permissions and its owner.
        access: Access,
    },
    /// Copies a file of the host, and makes the directories above it.
    CopyFile {
        /// The file of the host.
        from: PathBuf,
        /// Its path in the tree.
        path: String,
        /// Its permissions and its owner.
        access: Access,
    },
    /// Copies what is in a directory of the host. Links to files are copied as what they lead to.
    CopyDirectory {
        /// The directory of the host.
        from: PathBuf,
        /// Its path in the tree.
        path: String,
        /// The permissions of directories that are made above it, and the owner of everything.
        access: Access,
        /// What permissions of the host lose.
        umask: u32,
        /// Names of the tree's own user and group, which are looked up when it is done.
        names: (Option<String>, Option<String>),
    },
    /// Writes these lines of fstab, unless the tree's own has any.
    Fstab(String),
    /// Has the system grow the root filesystem when it first starts.
    GrowAtFirstBoot,
    /// Removes a file, if it is there.
    Remove(String),
}

/// Permissions and an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The lowest twelve bits of the mode.
    pub permissions: u32,
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// A file and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its path.
    pub path: String,
    /// What is in it.
    pub contents: String,
    /// Its permissions and its owner.
    pub access: Access,
}

/// A base system of Debian or of what derives from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The release: `bookworm`.
    pub suite: String,
    /// Where packages come from.
    pub mirror: String,
    /// The architecture by Debian's name; that of the host where there is none.
    pub arch: Option<String>,
    /// `-`, `minbase` or `buildd`.
    pub variant: String,
    /// `main`, `contrib`.
    pub components: Vec<String>,
    /// Packages beside the usual ones.
    pub include: Vec<String>,
    /// Packages that are left out.
    pub exclude: Vec<String>,
    /// The file of the host with the keys that the release is signed by.
    pub keyring: Option<PathBuf>,
    /// Whether these keys are put into the tree as well.
    pub install_keyring: bool,
    /// Certificates of the host's that the mirror is trusted by, which the tree gets as well.
    pub ca_certificates: Vec<PathBuf>,
    /// Whether the tree has to be empty; a `lost+found` doesn't matter.
    pub require_empty: bool,
}

impl Bootstrap {
    /// The usual packages of a release, with nothing chosen.
    pub fn new(suite: impl Into<String>, mirror: impl Into<String>) -> Self {
        Self {
            suite: suite.into(),
            mirror: mirror.into(),
            arch: None,
            variant: "-".to_owned(),
            components: vec!["main".to_owned()],
            include: Vec::new(),
            exclude: Vec::new(),
            keyring: None,
            install_keyring: false,
            ca_certificates: Vec::new(),
            require_empty: true,
        }
    }
}

/// Packages that are installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apt {
    /// Their names.
    pub packages: Vec<String>,
    /// Whether those that they recommend come too.
    pub recommends: bool,
    /// Whether the downloaded files are removed.
    pub clean: bool,
}

/// A playbook of Ansible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playbook {
    /// The file of the host.
    pub path: PathBuf,
    /// The group of hosts that the tree is in.
    pub group: String,
    /// What of the playbook is done.
    pub tags: String,
    /// Ansible's configuration.
    pub config_file: Option<PathBuf>,
    /// Variables, as JSON.
    pub extra_variables: String,
}

/// How GRUB is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grub {
    /// What starts it.
    pub firmware: Firmware,
    /// Which of the volumes has its files.
    pub root: usize,
    /// Which of the volumes is the EFI system partition.
    pub esp: Option<usize>,
    /// Whether it uses the serial console, and the kernel too.
    pub serial: bool,
    /// Whether the kernel says little.
    pub quiet: bool,
    /// The seconds that the menu waits; as the tree has it where it isn't said.
    pub timeout: Option<i64>,
    /// What is passed to the kernel; as the tree has it where it isn't said.
    pub kernel_parameters: Option<Vec<String>>,
    /// Whether its packages are installed first.
    pub installs_packages: bool,
}

/// What starts a boot loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// The BIOS of a PC.
    Bios,
    /// UEFI.
    Uefi,
}
