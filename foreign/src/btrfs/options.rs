//! What can be chosen of Btrfs, and which version of mkfs.btrfs that needs.

use disklayout::fs::options::{bytes, flag, number};
use disklayout::fs::{Choice, Request};
use disklayout::{Error, Result};

use super::subvolumes::Subvolume;
use super::{SECTOR, check};
use crate::run::version::{Need, Version};

pub(super) const CHOICES: [Choice; 6] = [
    Choice::new("checksum", "ALGORITHM", "Checksums: crc32c or sha256"),
    Choice::new(
        "compress",
        "ALGORITHM[:LEVEL]",
        "Compression of files: zlib, lzo, zstd or no",
    ),
    Choice::new(
        "features",
        "LIST",
        "Features with commas between them; ^ switches one off",
    ),
    Choice::new("mixed", "yes|no", "Whether data and metadata share chunks"),
    Choice::new("node-size", "BYTES", "Bytes in a node of a tree"),
    Choice::new(
        "subvolumes",
        "[TYPE:]PATH,...",
        "Directories that become subvolumes; types rw, ro, default, default-ro",
    ),
];

/// Since when `mkfs.btrfs` has what is chosen by this option.
const COMPRESS_SINCE: Version = Version(6, 13);
const SUBVOLUMES_SINCE: Version = Version(6, 12);

/// Features by their names: since when each can be chosen, if not since long.
const FEATURES: [(&str, Option<Version>); 5] = [
    ("block-group-tree", Some(Version(6, 3))),
    ("extref", None),
    ("free-space-tree", None),
    ("no-holes", None),
    ("skinny-metadata", None),
];

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub checksum: &'static str,
    pub compress: Option<String>,
    pub features: Vec<Feature>,
    pub mixed: bool,
    pub node_size: u64,
    pub subvolumes: Vec<Subvolume>,
}

/// A feature, and whether there is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Feature {
    pub name: &'static str,
    pub is_on: bool,
}

impl Chosen {
    pub(super) fn new(request: &Request<'_>) -> Result<Self> {
        let Request { place, options, .. } = request;
        options.check(place, request.kind, &CHOICES)?;
        let mixed = options.parse(place, "mixed", flag)?.unwrap_or(false);
        let default = if mixed { SECTOR } else { 16_384 };
        let node_size = options.parse(place, "node-size", bytes)?.unwrap_or(default);
        check_node_size(node_size, mixed)
            .map_err(|message| Error::invalid(place.choice("node-size"), message))?;
        let checksum = options.parse(place, "checksum", checksum)?;
        let subvolumes = options.parse(place, "subvolumes", Subvolume::parse_all)?;
        Ok(Self {
            checksum: checksum.unwrap_or("crc32c"),
            compress: options.parse(place, "compress", compression)?.flatten(),
            features: options
                .parse(place, "features", features)?
                .unwrap_or_default(),
            mixed,
            node_size,
            subvolumes: subvolumes.unwrap_or_default(),
        })
    }

    pub(super) const fn min_size(&self) -> u64 {
        match self.mixed {
            true => check::MIN_SIZE_MIXED,
            false => check::MIN_SIZE,
        }
    }

    /// The options that not every version has, each with the first that does.
    pub(super) fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        if self.compress.is_some() {
            needs.push(("compress", COMPRESS_SINCE));
        }
        let known = |feature: &Feature| FEATURES.iter().find(|(name, _)| *name == feature.name);
        let since = self.features.iter().filter_map(|it| known(it)?.1).max();
        needs.extend(since.map(|since| ("features", since)));
        if !self.subvolumes.is_empty() {
            needs.push(("subvolumes", SUBVOLUMES_SINCE));
        }
        needs
    }
}

fn check_node_size(size: u64, mixed: bool) -> Result<(), String> {
    let is_power = size.is_power_of_two() && (SECTOR..=65_536).contains(&size);
    match mixed {
        true if size != SECTOR => Err(format!(
            "{size} isn't 4096, as it has to be with mixed chunks"
        )),
        false if !is_power => Err(format!("{size} is no power of two from 4096 to 65536")),
        _ => Ok(()),
    }
}

fn checksum(text: &str) -> Result<&'static str, String> {
    match text {
        "crc32c" => Ok("crc32c"),
        "sha256" => Ok("sha256"),
        _ => Err(format!("'{text}' is neither crc32c nor sha256")),
    }
}

/// How files are compressed, as mkfs.btrfs takes it; `None` if they aren't.
fn compression(text: &str) -> Result<Option<String>, String> {
    let (algorithm, level) = match text.split_once(':') {
        Some((algorithm, level)) => (algorithm, Some(level)),
        None => (text, None),
    };
    let most = match algorithm {
        "no" if level.is_none() => return Ok(None),
        "zlib" => 9,
        "lzo" => 0,
        "zstd" => 15,
        _ => {
            return Err(format!(
                "'{text}' is none of zlib, lzo, zstd and no; zlib and zstd may have a level, as in \
                 zstd:3"
            ));
        }
    };
    if let Some(level) = level {
        let number: u32 = number(level)?;
        if !(1..=most).contains(&number) {
            return Err(match most {
                0 => "lzo has no levels".to_owned(),
                _ => format!("level {number} isn't one from 1 to {most}"),
            });
        }
    }
    Ok(Some(text.to_owned()))
}

fn features(text: &str) -> Result<Vec<Feature>, String> {
    let mut chosen: Vec<Feature> = Vec::new();
    for word in text.split(',') {
        let bare = word.strip_prefix('^').unwrap_or(word);
        let known = FEATURES.iter().find(|(name, _)| *name == bare);
        let Some((name, _)) = known else {
            let names = FEATURES.map(|(name, _)| name).join(", ");
            return Err(format!("'{bare}' is none of the features {names}"));
        };
        if chosen.iter().any(|feature| feature.name == *name) {
            return Err(format!("'{name}' is there twice"));
        }
        let is_on = bare == word;
        chosen.push(Feature { name, is_on });
    }
    let is = |name, is_on| chosen.contains(&Feature { name, is_on });
    for needed in ["free-space-tree", "no-holes"] {
        if is("block-group-tree", true) && is(needed, false) {
            return Err(format!("'block-group-tree' needs '{needed}'"));
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::fs::Options;
    use disklayout::{ErrorKind, Identity, Timestamp};

    fn chosen(options: &[(&str, &str)]) -> Result<Chosen> {
        let identity = Identity::new("t", Timestamp::default());
        let mut request = Request::new("p", "btrfs", identity);
        let set = |all: Options, (name, value): &(&str, &str)| all.with(name, value);
        request.options = options.iter().fold(Options::default(), set);
        Chosen::new(&request)
    }

    #[test]
    fn what_cannot_be_chosen_is_refused_at_its_place() {
        for (name, value, message) in [
            ("checksum", "md5", "neither crc32c nor sha256"),
            ("compress", "gzip", "none of zlib, lzo, zstd and no"),
            ("compress", "no:1", "none of zlib"),
            ("compress", "zlib:10", "level 10 isn't one from 1 to 9"),
            ("compress", "zstd:0", "level 0 isn't one from 1 to 15"),
            ("compress", "zstd:", "no whole number"),
            ("compress", "lzo:1", "lzo has no levels"),
            ("features", "", "none of the features block-group-tree, "),
            ("features", "raid56", "'raid56' is none of the features"),
            ("features", "extref,^extref", "'extref' is there twice"),
            ("features", "block-group-tree,^no-holes", "needs 'no-holes'"),
            ("node-size", "2048", "no power of two from 4096"),
            ("subvolumes", "rx:a", "no type of subvolumes"),
        ] {
            let error = chosen(&[(name, value)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSpec);
            let said = error.to_string();
            assert!(said.starts_with(&format!("p.{name}: ")), "{said}");
            assert!(said.contains(message), "{said}");
        }
    }

    #[test]
    fn each_option_needs_the_version_that_has_it() {
        for (name, value, since) in [
            ("compress", "no", None),
            ("compress", "zstd:15", Some(Version(6, 13))),
            ("subvolumes", "a", Some(Version(6, 12))),
            ("features", "^no-holes", None),
            ("features", "extref,block-group-tree", Some(Version(6, 3))),
        ] {
            let chosen = chosen(&[(name, value)]).unwrap();
            let since = since.map(|since| (name, since));
            assert_eq!(chosen.needs(), Vec::from_iter(since));
        }
    }
}
