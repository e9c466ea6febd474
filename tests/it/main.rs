//! The one integration binary: one module a subject. Checkers that others wrote judge the images;
//! one that is missing fails its tests.

/// What `scripts/setup` has made, for the other modules.
mod cache;
/// External checkers and what they have accepted, for the other modules.
mod checkers;
/// Images made by others' programs, for the tests of the comparers.
mod sample;
/// A web server on this machine, for the other modules.
mod server;
/// The binary in a directory and an environment of its own, for the other modules.
mod world;
mod yaml;

/// `all`: what it builds, renames and removes.
mod all;
/// Archives that aren't as they should be.
mod archives;
/// Licences, sources and doubled versions of dependencies.
mod audit;
mod block_maps;
mod bytes;
/// `check`: its lines, its JSON and its changes.
mod check;
/// Every checker refuses what is damaged.
mod checkers_refuse;
/// Images of containers as inputs.
mod containers;
/// What goes into the partitions of an hdds.json, and sizes that follow from it.
mod contents;
mod dib;
/// Sets of images of several distributions.
mod distributions;
/// `doctor`: what a host lacks, and that nothing is touched.
mod doctor;
/// Downloads, on the level of the library.
mod download;
/// Whole runs of the engine, on the level of the library.
mod emulated;
mod engine;
/// XFS, Btrfs and F2FS as the programs that make them, and the kernel, see them.
mod external;
/// `extract-image`: trees of systems as archives.
mod extract_image;
/// System calls that fail, one at a time.
mod faults;
/// The README's table of filesystems.
mod filesystems;
/// Image files in every format.
mod formats;
/// One subcommand for every image group.
mod groups;
/// GRUB in trees and on images.
mod grub;
/// `inspect`: text, JSON, files and refusals.
mod inspect;
/// `inspect` of image files in formats of their own.
mod inspect_containers;
/// `inspect` of LUKS, LVM2 and dm-verity.
mod inspect_layers;
/// Systems that are installed in virtual machines.
#[cfg(feature = "libvirt")]
mod installs;
/// Kickstart files of the shipped set, as ksvalidator sees them.
mod kickstarts;
/// Runs of the binary that are killed, interrupted or run into each other.
mod killed;
/// Every filesystem that libguestfs was asked for.
mod libguestfs;
/// Where the configuration and its files are found.
mod locate;
/// `make-fs`: images from directories and archives.
mod machine;
mod made_archives;
mod make_fs;
mod make_fs_digests;
/// Which module of the sources may use which.
mod modules;
/// NTFS volumes as the programs of ntfs-3g see them.
mod ntfs;
/// Options of every command.
mod options;
/// Images against recordings of the original.
mod oracle;
/// The comparison with recordings notices every difference.
mod oracle_differs;
/// Several inputs over each other, and inputs that change.
mod overlays;
/// `plan`: text and JSON.
mod plan;
/// Configurations that are refused.
mod reject;
/// The set of the original, built and held against its recordings.
mod rocky_set;
/// Whole root filesystems: a Debian, and one of everything that is awkward.
mod rootfs;
/// Safe output, on the level of the library.
mod safe_output;
/// The same input gives the same bytes.
mod same_bytes;
/// squashfs filesystems as squashfs-tools and the kernel see them.
mod squashfs;
/// Exit statuses.
mod status;
mod systems;
/// Files that come from the data directory or the network.
mod uploads;
/// Images copied by their data onto media that hold something else.
mod used_medium;
/// LUKS, LVM2 and dm-verity volumes, as a kernel opens them.
mod volumes;
/// The program without libvirt.
#[cfg(not(feature = "libvirt"))]
mod without_libvirt;
