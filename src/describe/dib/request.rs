//! What a user asks of a build, whichever of the commands asked it: what is `None`, or empty, the
//! environment says, or else what is usual.

use std::path::PathBuf;

use disklayout::Bytes;

/// A build as it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The elements, of which one has to provide an operating system.
    pub elements: Vec<String>,
    /// Whether a ramdisk is made, and no image.
    pub is_ramdisk: bool,
    /// The element that ramdisks are made by.
    pub ramdisk_element: Option<String>,
    /// Whether the element `base` is left out.
    pub skips_base: bool,
    /// Elements that are left out, whoever needs them.
    pub excluded_elements: Vec<String>,
    /// Scripts that are left out, in every phase.
    pub excluded_scripts: Vec<String>,
    /// Directories of elements, before those of `ELEMENTS_PATH`.
    pub element_path: Vec<PathBuf>,
    /// The installed diskimage-builder, if it isn't searched for.
    pub dib: Option<PathBuf>,
    /// The Python that it is run by.
    pub python: Option<String>,
    /// The architecture by Debian's name.
    pub arch: Option<String>,
    /// The name of the image, without an extension: `image` when there is none.
    pub image_name: Option<String>,
    /// What comes out: `qcow2`, `raw`, `tar`; qcow2 when there are none.
    pub types: Vec<String>,
    /// Whether a qcow2 isn't compressed.
    pub is_uncompressed: bool,
    /// Options of image files, as qemu-img has them: `compat=0.10,cluster_size=65536`.
    pub qemu_img_options: Vec<(String, String)>,
    /// Whether sums are put beside what comes out, of all kinds.
    pub has_checksums: bool,
    /// The repository and the tag of an image of a container.
    pub docker_target: Option<String>,
    /// The size of the disk, to which that of an EFI system partition is added.
    pub image_size: Option<Bytes>,
    /// The size of the disk, with all that is on it; in place of the other one.
    pub exact_size: Option<Bytes>,
    /// What is added to the size of the files, in place of two thirds of it.
    pub image_extra_size: Option<Bytes>,
    /// The type of the root filesystem.
    pub fs_type: Option<String>,
    /// The label of the root filesystem.
    pub root_label: Option<String>,
    /// Options of the program that makes the root filesystem.
    pub mkfs_options: Option<String>,
    /// MiB of the journal of the root filesystem.
    pub journal_size: Option<u64>,
    /// Blocks that the root filesystem can grow to while it is mounted.
    pub max_online_resize: Option<String>,
    /// Packages that are installed behind the phase `install.d`.
    pub packages: Vec<String>,
    /// How elements install what they are for: `source` or `package`.
    pub install_type: Option<String>,
    /// Where elements keep what they download.
    pub image_cache: Option<PathBuf>,
    /// Whether what is kept there isn't made new.
    pub is_offline: bool,
    /// Whether scripts have no network at all.
    pub has_no_network: bool,
    /// How much scripts tell of what they do, from 0 on.
    pub trace: u32,
    /// Whether nothing of the user's environment counts.
    pub clears_environment: bool,
    /// Variables that count besides: their values, or those of the user's environment.
    pub variables: Vec<(String, Option<String>)>,
    /// GiB of memory below which the tree isn't kept in memory.
    pub min_tmpfs: Option<u64>,
    /// Whether the tree isn't kept in memory.
    pub has_no_tmpfs: bool,
}
