//! What is set for the root filesystem beside its configuration.

/// The name of the only filesystem that gets it.
pub(super) const ROOT: &str = "mkfs_root";

/// What the root filesystem gets where the configuration doesn't say it: what options of
/// disk-image-create and its environment set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its type: `FS_TYPE`.
    pub kind: String,
    /// Its label: `DIB_ROOT_LABEL` or `--root-label`; the usual one of its type where there is none.
    pub label: Option<String>,
    /// Options of the program that makes it: `--mkfs-options`.
    pub options: String,
    /// MiB of the journal of ext4: `DIB_JOURNAL_SIZE`.
    pub journal: u64,
    /// Blocks that ext4 can grow to while it is mounted: `MAX_ONLINE_RESIZE`.
    pub resize: Option<String>,
    /// Whether ext4 is to be without checksums, which systems before Linux 3.18 can't read.
    pub without_checksums: bool,
}

impl Default for Root {
    /// An ext4 with a journal of 64 MiB.
    fn default() -> Self {
        Self {
            kind: "ext4".to_owned(),
            label: None,
            options: String::new(),
            journal: 64,
            resize: None,
            without_checksums: false,
        }
    }
}

impl Root {
    /// Its label, where it is of the type `kind`: the usual one is too long for XFS.
    pub(super) fn label_for(&self, kind: &str) -> String {
        let usual = match kind {
            "xfs" => "img-rootfs",
            _ => "cloudimg-rootfs",
        };
        self.label.clone().unwrap_or_else(|| usual.to_owned())
    }

    /// The options of the program that makes it, where it is of the type `kind`: those that are chosen
    /// come last and win. Only ext4 has others: many inodes and a journal for a filesystem that grows.
    pub(super) fn options_for(&self, kind: &str) -> String {
        let mut words = Vec::new();
        if kind == "ext4" {
            words.extend(
                self.resize
                    .iter()
                    .map(|blocks| format!("-E resize={blocks}")),
            );
            if self.without_checksums {
                words.push("-O ^metadata_csum".to_owned());
            }
            words.push(format!("-i 4096 -J size={}", self.journal));
        }
        words.push(self.options.clone());
        words.join(" ").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_in_the_order_in_which_they_win() {
        let root = Root {
            resize: Some("1000".to_owned()),
            options: "-m 1".to_owned(),
            without_checksums: true,
            journal: 8,
            ..Root::default()
        };
        let expected = "-E resize=1000 -O ^metadata_csum -i 4096 -J size=8 -m 1";
        assert_eq!(root.options_for("ext4"), expected);
        assert_eq!(root.options_for("xfs"), "-m 1");
        assert_eq!(Root::default().options_for("ext4"), "-i 4096 -J size=64");
        assert_eq!(Root::default().label_for("xfs"), "img-rootfs");
        assert_eq!(Root::default().label_for("btrfs"), "cloudimg-rootfs");
    }
}
