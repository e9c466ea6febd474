//! The keys of an image in a file of `diskimage-builder`, in the order in which they become words.

/// A key, and what it is for.
#[derive(Debug)]
pub(super) struct Key {
    /// What it is called.
    pub(super) name: &'static str,
    /// What its value is.
    pub(super) kind: Kind,
    /// The option that it becomes; empty where it becomes none.
    pub(super) option: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any string.
    Text,
    /// One of some strings.
    Choice(&'static [&'static str]),
    /// True or false.
    Flag,
    /// How often an option is given, so many times at most.
    Times(u64),
    /// A whole number from 1 on.
    Number,
    /// Strings; some only, where there are any.
    List(&'static [&'static str]),
    /// Names, and a string for each.
    Map,
}

pub(super) const IMAGE_NAME: &str = "imagename";
pub(super) const RAMDISK: &str = "ramdisk";
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const ELEMENTS: &str = "elements";

const ARCHITECTURES: [&str; 10] = [
    "aarch64", "amd64", "arm64", "armhf", "powerpc", "ppc64", "ppc64el", "ppc64le", "s390x",
    "x86_64",
];

const TYPES: [&str; 8] = [
    "qcow2", "tar", "tgz", "squashfs", "vhd", "docker", "aci", "raw",
];

const fn key(name: &'static str, kind: Kind, option: &'static str) -> Key {
    Key { name, kind, option }
}

/// All of them.
pub(super) const ALL: [Key; 27] = [
    key(IMAGE_NAME, Kind::Text, "-o"),
    key("arch", Kind::Choice(&ARCHITECTURES), "-a"),
    key("types", Kind::List(&TYPES), "-t"),
    key(ENVIRONMENT, Kind::Map, ""),
    key(RAMDISK, Kind::Flag, ""),
    key("debug-trace", Kind::Times(2), "-x"),
    key("uncompressed", Kind::Flag, "-u"),
    key("clear", Kind::Flag, "-c"),
    key("logfile", Kind::Text, "--logfile"),
    key("checksum", Kind::Flag, "--checksum"),
    key("image-size", Kind::Number, "--image-size"),
    key("image-extra-size", Kind::Number, "--image-extra-size"),
    key("image-cache", Kind::Text, "--image-cache"),
    key("max-online-resize", Kind::Number, "--max-online-resize"),
    key("min-tmpfs", Kind::Number, "--min-tmpfs"),
    key("mkfs-journal-size", Kind::Number, "--mkfs-journal-size"),
    key("mkfs-options", Kind::Text, "--mkfs-options"),
    key("no-tmpfs", Kind::Flag, "--no-tmpfs"),
    key("offline", Kind::Flag, "--offline"),
    key("qemu-img-options", Kind::Map, "--qemu-img-options"),
    key("root-label", Kind::Text, "--root-label"),
    key("ramdisk-element", Kind::Text, "--ramdisk-element"),
    key(
        "install-type",
        Kind::Choice(&["source", "package"]),
        "--install-type",
    ),
    key("docker-target", Kind::Text, "--docker-target"),
    key("packages", Kind::List(&[]), "-p"),
    key("skip-base", Kind::Flag, "-n"),
    key(ELEMENTS, Kind::List(&[]), ""),
];
