//! The keys of every kind of object in hdds.json.

use crate::config::Keys;

pub(super) const TOP: Keys = Keys {
    known: &["guestfs", "virtinstall", "renames", "distribution"],
    mistaken: &[],
};

pub(super) const DISTRIBUTION: Keys = Keys {
    known: &["base", "prefix", "tree", "os_variant", "release_url"],
    mistaken: &[("name", "the distribution that it is like is its 'base'")],
};

/// The original's manual lists the partition type among the keys of the group, where it has
/// never had an effect.
const PARTITION_TYPE_MISPLACED: &str = "it has no effect here and belongs into the partition";

pub(super) const LAYOUT_GROUP: Keys = Keys {
    known: &[
        "name",
        "size",
        "imgver",
        "sector_size",
        "disk_id",
        "disk_guid",
        "hybrid_mbr",
        "labels",
        "filesystems",
        "parts",
        "writes",
        "uploads",
        "volumes",
        "volume_groups",
        "volumes_of",
        "blobs",
        "format",
        "formats",
        "format_options",
        "bmap",
        "checksum",
    ],
    mistaken: &[
        ("gpt_type", PARTITION_TYPE_MISPLACED),
        ("gpt-type", PARTITION_TYPE_MISPLACED),
    ],
};

pub(super) const PART: Keys = Keys {
    known: &[
        "type",
        "start",
        "end",
        "size",
        "align",
        "filesystem",
        "label",
        "name",
        "uuid",
        "gpt_type",
        "gpt-type",
        "mbr_type",
        "flags",
        "fs_uuid",
        "mkfs",
        "lossy",
        "contents",
        "source",
        "sha256",
        "holds",
        "luks",
        "verity",
    ],
    mistaken: &[
        (
            "content",
            "what goes into a partition is its 'contents', a list",
        ),
        (
            "group",
            "the group of volumes that a partition is a part of is what it 'holds'",
        ),
    ],
};

/// A logical volume.
pub(super) const VOLUME: Keys = Keys {
    known: &[
        "group",
        "name",
        "size",
        "extents",
        "stripes",
        "stripe_size",
        "tags",
        "filesystem",
        "label",
        "fs_uuid",
        "mkfs",
        "lossy",
        "contents",
        "source",
        "sha256",
        "holds",
        "luks",
    ],
    mistaken: &[
        ("vg", "the group that a volume is in is its 'group'"),
        (
            "content",
            "what goes into a volume is its 'contents', a list",
        ),
    ],
};

/// A group of logical volumes.
pub(super) const VOLUME_GROUP: Keys = Keys {
    known: &["name", "extent_size"],
    mistaken: &[("volumes", "volumes stand beside groups, and name theirs")],
};

/// What is encrypted.
pub(super) const LUKS: Keys = Keys {
    known: &[
        "version",
        "key_bits",
        "sector_size",
        "label",
        "subsystem",
        "uuid",
        "allow_discards",
        "data_offset",
        "zeroes",
        "keys",
        "seed",
    ],
    mistaken: &[
        ("password", "what opens it is one of its 'keys', a list"),
        ("key", "what opens it is one of its 'keys', a list"),
    ],
};

/// What opens something that is encrypted.
pub(super) const LUKS_KEY: Keys = Keys {
    known: &[
        "password",
        "source",
        "command",
        "pbkdf",
        "iterations",
        "memory",
        "lanes",
        "hash",
    ],
    mistaken: &[("file", "a key file below uploads/ is the 'source'")],
};

/// The hash tree of another partition.
pub(super) const VERITY: Keys = Keys {
    known: &["part", "block_size", "salt", "uuid"],
    mistaken: &[],
};

/// What is in a directory or in an archive.
pub(super) const LAYER: Keys = Keys {
    known: &[
        "directory",
        "archive",
        "target",
        "owner",
        "exclude",
        "whiteouts",
        "strict_paths",
        "long",
        "directory_links",
        "one_file_system",
    ],
    mistaken: &[("path", "where a layer goes is its 'target'")],
};

/// What is in an image of a container.
pub(super) const OCI: Keys = Keys {
    known: &["oci", "image", "platform", "target", "owner", "exclude"],
    mistaken: &[
        ("path", "where a layer goes is its 'target'"),
        (
            "whiteouts",
            "the layers of an image always remove what they say",
        ),
        ("tag", "the tag or the digest is the 'image'"),
    ],
};

pub(super) const ENTRY: Keys = Keys {
    known: &[
        "path", "type", "content", "source", "target", "major", "minor", "owner", "mode", "mtime",
    ],
    mistaken: &[],
};

/// Bytes beside the partitions.
pub(super) const BLOB: Keys = Keys {
    known: &["source", "start", "sha256"],
    mistaken: &[("offset", "where the bytes begin is their 'start'")],
};

pub(super) const WRITE: Keys = Keys {
    known: &["part", "path", "content"],
    mistaken: &[("target", "the path of a written file is called 'path'")],
};

pub(super) const UPLOAD: Keys = Keys {
    known: &["part", "target", "source", "sha256"],
    mistaken: &[("path", "the path of an uploaded file is called 'target'")],
};

pub(super) const INSTALL_GROUP: Keys = Keys {
    known: &[
        "name",
        "releases",
        "size",
        "imgver",
        "maxage",
        "bootopts",
        "format",
        "extension",
        "memory",
        "cpus",
        "sparsify",
        "compress",
        "checksum",
        "variant",
    ],
    mistaken: &[],
};
