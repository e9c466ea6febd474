//! The keys of every kind of object in hdds.json, and what is said of a key that isn't among them.

/// The keys of one kind of object.
#[derive(Debug)]
pub(super) struct Keys {
    known: &'static [&'static str],
    /// Keys that are often put here by mistake, with what is to be said of them.
    mistaken: &'static [(&'static str, &'static str)],
}

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
        "blobs",
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
    ],
    mistaken: &[(
        "content",
        "what goes into a partition is its 'contents', a list",
    )],
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

impl Keys {
    /// Why `key` isn't one of these; `None` when it is.
    pub(super) fn objection(&self, key: &str) -> Option<String> {
        if self.known.contains(&key) {
            return None;
        }
        let advice = match self.mistaken.iter().find(|(name, _)| *name == key) {
            Some((_, advice)) => (*advice).to_string(),
            None => self.advice(key),
        };
        Some(format!("unknown key '{key}': {advice}"))
    }

    fn advice(&self, key: &str) -> String {
        match nearest(key, self.known) {
            Some(name) => format!("did you mean '{name}'?"),
            None => format!("known here are {}", self.known.join(", ")),
        }
    }
}

/// The one of `known` that `word` is most likely a misspelling of.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.trim().to_lowercase().replace('-', "_");
    let word = plain(word);
    let tolerated = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&word, &plain(name)), *name))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_told_with_the_nearest_known_one() {
        for (keys, key, expected) in [
            (&PART, "gpt-type", None),
            (
                &PART,
                "Start",
                Some("unknown key 'Start': did you mean 'start'?"),
            ),
            (
                &PART,
                "filesytsem",
                Some("unknown key 'filesytsem': did you mean 'filesystem'?"),
            ),
            (
                &LAYOUT_GROUP,
                "filesystem",
                Some("unknown key 'filesystem': did you mean 'filesystems'?"),
            ),
            (
                &WRITE,
                "mode",
                Some("unknown key 'mode': known here are part, path, content"),
            ),
            (
                &TOP,
                "rename",
                Some("unknown key 'rename': did you mean 'renames'?"),
            ),
            (
                &LAYOUT_GROUP,
                "gpt-type",
                Some(
                    "unknown key 'gpt-type': it has no effect here and belongs into the partition",
                ),
            ),
        ] {
            assert_eq!(keys.objection(key).as_deref(), expected, "{key}");
        }
    }
}
