//! What a filesystem says of itself.

use crate::identity::Timestamp;

/// What a filesystem says of itself. What its format doesn't record is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The format as blkid calls it: `ext4`, `vfat`, `swap`.
    pub kind: &'static str,
    /// Which one of several variants of the format: `FAT32`, `1.00`.
    pub variant: Option<String>,
    /// The volume label.
    pub label: Option<String>,
    /// What identifies the volume, in the spelling of blkid.
    pub uuid: Option<String>,
    /// How many bytes the filesystem takes; the partition may be larger.
    pub size: Option<u64>,
    /// Bytes of a block (cluster).
    pub block_size: Option<u64>,
    /// How many blocks (clusters) there are.
    pub blocks: Option<u64>,
    /// How many blocks (clusters) aren't in use, as counted where the format has a bitmap or table
    /// that tells.
    pub free_blocks: Option<u64>,
    /// How many inodes there are.
    pub inodes: Option<u64>,
    /// How many inodes aren't in use.
    pub free_inodes: Option<u64>,
    /// Bytes of the journal.
    pub journal: Option<u64>,
    /// Whether it was left in order.
    pub state: Option<State>,
    /// Optional parts of the format that it uses.
    pub features: Vec<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last mounted.
    pub mounted: Option<Timestamp>,
    /// When it was last written to.
    pub written: Option<Timestamp>,
    /// Where it was last mounted.
    pub last_mounted: Option<String>,
    /// What is not as it should be, but doesn't keep anybody from reading.
    pub warnings: Vec<String>,
}

/// Whether a filesystem was left in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It was unmounted, or never mounted.
    Clean,
    /// It is mounted or was not unmounted.
    Dirty,
    /// Its journal has to be replayed before what is in the filesystem counts.
    NeedsRecovery,
    /// Errors were found in it.
    Errors,
}

impl State {
    /// One word, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Dirty => "dirty",
            Self::NeedsRecovery => "needs recovery",
            Self::Errors => "has errors",
        }
    }
}

impl Facts {
    pub(super) fn new(kind: &'static str) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// Bytes of the blocks that aren't in use.
    pub fn free(&self) -> Option<u64> {
        self.free_blocks?.checked_mul(self.block_size?)
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }
}

/// The text before the first zero byte; `None` when there is none.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0);
    let bytes = &bytes[..end.unwrap_or(bytes.len())];
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// The UUID, unless all of it is zero.
pub(super) fn uuid(bytes: [u8; 16]) -> Option<String> {
    let uuid = uuid::Uuid::from_bytes(bytes);
    (!uuid.is_nil()).then(|| uuid.to_string())
}

/// The serial number of a FAT or exFAT volume as blkid shows it.
pub(super) fn serial(number: u32) -> String {
    format!("{:04X}-{:04X}", number >> 16, number & 0xFFFF)
}

/// The time, unless it is the start of the epoch.
pub(super) fn time(seconds: i64) -> Option<Timestamp> {
    (seconds != 0).then_some(Timestamp::from_seconds(seconds))
}
