//! What users of mke2fs choose.

use uuid::Uuid;

use crate::error::Result;
use crate::fs::options::{self, bytes, number, owner};
use crate::fs::{Choice, Options as Named, Request};
use crate::units::Bytes;

#[rustfmt::skip]
pub(super) const CHOICES: [Choice; 12] = [
    Choice::new("block-size", "BYTES", "Bytes in a block"),
    Choice::new("inode-size", "BYTES", "Bytes in an inode"),
    Choice::new("bytes-per-inode", "BYTES", "One inode for so many bytes"),
    Choice::new("inodes", "N", "At least so many inodes"),
    Choice::new("reserved", "PERCENT", "What only root may use, from 0 to 50, like 2.5"),
    Choice::new("journal", "SIZE|none", "The journal's size"),
    Choice::new(
        "resize",
        "BLOCKS",
        "So many blocks it can grow to while it is mounted",
    ),
    Choice::new("features", "LIST", "Features by their names, ^NAME to leave one out"),
    Choice::new("root-owner", "UID:GID", "Who owns the root directory"),
    Choice::new("lost-found", "yes|no", "Whether a lost+found is added"),
    Choice::new("hash-seed", "UUID", "What hashes of names start from"),
    Choice::new("last-mounted", "PATH", "Where it says that it was last mounted"),
];

/// The largest share that can be reserved, in hundredths of a percent.
const RESERVED_MAX: u32 = 5000;

/// What can be chosen for an ext2, ext3 or ext4 filesystem; what isn't is what mke2fs would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Bytes in a block: 1024, 2048 or 4096 (`-b`).
    pub block_size: Option<u32>,
    /// Bytes in an inode: a power of two from 128 to the block size (`-I`).
    pub inode_size: Option<u32>,
    /// How many inodes there are (`-N`, `-i`).
    pub inodes: Inodes,
    /// Hundredths of a percent of the blocks that only root may use, 0 to 5000 (`-m`).
    pub reserved: Option<u32>,
    /// The journal (`-J size`, `-O ^has_journal`).
    pub journal: Journal,
    /// How many blocks it can grow to while it is mounted; 1024 times as many as it has, or as far as the
    /// resize inode reaches, when there is none (`-E resize`).
    pub resize: Option<u64>,
    /// Features by mke2fs' names, with a `^` in front those to leave out (`-O`).
    pub features: Vec<String>,
    /// Owner and group of the root directory (`-E root_owner`).
    pub root_owner: Option<(u32, u32)>,
    /// Whether a lost+found is added where the content has none; yes when missing.
    pub lost_found: Option<bool>,
    /// What the hashes of names start from (`-E hash_seed`); derived from the identity when there
    /// is none.
    pub hash_seed: Option<Uuid>,
    /// Where it was last mounted, 64 bytes at most (`-M`).
    pub last_mounted: Option<String>,
}

/// How many inodes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inodes {
    /// As many as mke2fs makes for the size; for a size that is found automatically as many more
    /// as the content needs.
    #[default]
    Default,
    /// One for so many bytes of the filesystem (`-i`).
    BytesPerInode(u64),
    /// At least so many (`-N`).
    Count(u64),
}

/// The journal's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Journal {
    /// What mke2fs makes for the size: none in ext2.
    #[default]
    Default,
    /// No journal.
    None,
    /// A journal of this size: 1024 to 10,240,000 blocks, at most half of what the
    /// filesystem's tables leave free.
    Size(Bytes),
}

impl Options {
    /// What a request chooses.
    ///
    /// # Errors
    /// `InvalidSpec` for what there isn't and for values that aren't any.
    pub(super) fn read(request: &Request<'_>) -> Result<Self> {
        let (place, given) = (&request.place, &request.options);
        given.check(place, request.kind, &CHOICES)?;
        let bytes_per_inode = given.parse(place, "bytes-per-inode", bytes)?;
        let inodes = given.parse(place, "inodes", number)?;
        let inodes = match (bytes_per_inode, inodes) {
            (Some(_), Some(_)) => {
                let message = "the number of inodes is given already; leave one of both out";
                let place = place.choice("bytes-per-inode");
                return Err(crate::error::Error::invalid(place, message));
            }
            (Some(bytes), None) => Inodes::BytesPerInode(bytes),
            (None, Some(count)) => Inodes::Count(count),
            (None, None) => Inodes::Default,
        };
        Ok(Self {
            block_size: given.parse(place, "block-size", number)?,
            inode_size: given.parse(place, "inode-size", number)?,
            inodes,
            reserved: given.parse(place, "reserved", percent)?,
            journal: given.parse(place, "journal", journal)?.unwrap_or_default(),
            resize: given.parse(place, "resize", number)?,
            features: given
                .parse(place, "features", features)?
                .unwrap_or_default(),
            root_owner: given.parse(place, "root-owner", owner)?,
            lost_found: given.parse(place, "lost-found", options::flag)?,
            hash_seed: given.parse(place, "hash-seed", options::uuid)?,
            last_mounted: given.get("last-mounted").map(str::to_owned),
        })
    }
}

impl From<&Options> for Named {
    /// The same by name.
    fn from(options: &Options) -> Self {
        let mut named = Self::default();
        let mut set = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                named.set(name, value);
            }
        };
        set(
            "block-size",
            options.block_size.map(|size| size.to_string()),
        );
        set(
            "inode-size",
            options.inode_size.map(|size| size.to_string()),
        );
        match options.inodes {
            Inodes::Default => {}
            Inodes::BytesPerInode(bytes) => set("bytes-per-inode", Some(bytes.to_string())),
            Inodes::Count(count) => set("inodes", Some(count.to_string())),
        }
        let reserved = options.reserved;
        set(
            "reserved",
            reserved.map(|part| format!("{}.{:02}", part / 100, part % 100)),
        );
        match options.journal {
            Journal::Default => {}
            Journal::None => set("journal", Some("none".to_owned())),
            Journal::Size(size) => set("journal", Some(size.get().to_string())),
        }
        set("resize", options.resize.map(|blocks| blocks.to_string()));
        let features = &options.features;
        set(
            "features",
            (!features.is_empty()).then(|| features.join(",")),
        );
        let owner = options.root_owner;
        set("root-owner", owner.map(|(uid, gid)| format!("{uid}:{gid}")));
        let lost_found = options.lost_found;
        set(
            "lost-found",
            lost_found.map(|is_wanted| if is_wanted { "yes" } else { "no" }.to_owned()),
        );
        set("hash-seed", options.hash_seed.map(|seed| seed.to_string()));
        set("last-mounted", options.last_mounted.clone());
        named
    }
}

/// A percentage from 0 to 50 with at most two decimals, in hundredths of a percent.
fn percent(text: &str) -> std::result::Result<u32, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = digits(whole) && digits(fraction) && fraction.len() <= 2;
    let hundredths = format!("{whole}{fraction:0<2}").parse().ok();
    hundredths
        .filter(|hundredths| is_number && *hundredths <= RESERVED_MAX)
        .ok_or_else(|| "give a percentage from 0 to 50 with two decimals at most".to_owned())
}

/// A journal's size, or `none`.
fn journal(text: &str) -> std::result::Result<Journal, String> {
    match text {
        "none" => Ok(Journal::None),
        _ => Bytes::parse(text)
            .map(Journal::Size)
            .map_err(|error| format!("{error}; 'none' for no journal")),
    }
}

/// Names of features, perhaps with a `^`. Which there are is for the format to say.
fn features(text: &str) -> std::result::Result<Vec<String>, String> {
    text.split(',').map(feature).collect()
}

/// The name of a feature, perhaps with a `^`. Which there are is for the format to say.
fn feature(text: &str) -> std::result::Result<String, String> {
    let name = text.strip_prefix('^').unwrap_or(text);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err("give names like metadata_csum, with a ^ in front to leave one out".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    #[test]
    fn percentages_have_two_decimals_at_most() {
        for (text, expected) in [
            ("0", Some(0)),
            ("5", Some(500)),
            ("2.5", Some(250)),
            ("0.01", Some(1)),
            ("50.00", Some(5000)),
            ("50.01", None),
            ("-1", None),
            ("1.001", None),
            ("1.", None),
            (".5", None),
            ("1,5", None),
            ("99999999999", None),
        ] {
            assert_eq!(percent(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_given_by_name_is_what_was_chosen() {
        let all = Options {
            block_size: Some(2048),
            inode_size: Some(128),
            inodes: Inodes::Count(99),
            reserved: Some(205),
            journal: Journal::None,
            resize: Some(1 << 33),
            features: ["^64bit", "quota"].map(Into::into).into(),
            root_owner: Some((1, 2)),
            lost_found: Some(false),
            hash_seed: Some(Uuid::from_u128(0x4000_8000_0000_0000_0001)),
            last_mounted: Some("/x".into()),
        };
        let others = Options {
            inodes: Inodes::BytesPerInode(4096),
            journal: Journal::Size(Bytes::new(8 << 20)),
            ..Options::default()
        };
        for options in [Options::default(), all, others] {
            let identity = Identity::new("t", crate::Timestamp::default());
            let mut request = Request::new("p", "ext4", identity);
            request.options = Named::from(&options);
            assert_eq!(Options::read(&request).unwrap(), options);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_its_place() {
        for (name, value) in [
            ("reserved", "51"),
            ("inodes", "-1"),
            ("journal", "all"),
            ("features", ",,"),
            ("block-size", "1K"),
            ("hash-seed", "random"),
            ("root-owner", "root"),
            ("lost-found", "never"),
            ("size", "1"),
        ] {
            let identity = Identity::new("t", crate::Timestamp::default());
            let mut request = Request::new("p", "ext4", identity);
            request.options.set(name, value);
            let error = Options::read(&request).unwrap_err().to_string();
            assert!(error.starts_with(&format!("p.{name}: ")), "{error}");
        }
    }
}
