//! What can be chosen of XFS.

use disklayout::fs::options::{bytes, flag};
use disklayout::fs::{Choice, Request};
use disklayout::{Error, Result};

use super::geometry::Geometry;
use crate::run::version::{Need, Version};

pub(super) const CHOICES: [Choice; 5] = [
    Choice::new("block-size", "BYTES", "Bytes in a block"),
    Choice::new(
        "features",
        "LIST",
        "Features with commas between them; ^ switches one off",
    ),
    Choice::new("inode-size", "BYTES", "Bytes in an inode"),
    Choice::new("log-size", "SIZE", "The size of the log"),
    Choice::new("reflink", "yes|no", "Whether files may share blocks"),
];

/// Since when mkfs.xfs has the newest of these features.
const NREXT64_SINCE: Version = Version(5, 19);

/// Which option of mkfs.xfs a feature belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// `-m`
    Metadata,
    /// `-i`
    Inodes,
}

const FEATURES: [(&str, Section); 8] = [
    ("bigtime", Section::Metadata),
    ("crc", Section::Metadata),
    ("finobt", Section::Metadata),
    ("inobtcount", Section::Metadata),
    ("nrext64", Section::Inodes),
    ("reflink", Section::Metadata),
    ("rmapbt", Section::Metadata),
    ("sparse", Section::Inodes),
];

/// A feature, and whether there is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Feature {
    pub name: &'static str,
    pub section: Section,
    pub is_on: bool,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub geometry: Geometry,
    pub sector_size: u64,
    pub log_size: Option<u64>,
    /// Those that aren't as mkfs.xfs would have them, or are to be as it has them.
    pub features: Vec<Feature>,
}

impl Chosen {
    pub(super) fn new(request: &Request<'_>) -> Result<Self> {
        let Request { place, options, .. } = request;
        options.check(place, request.kind, &CHOICES)?;
        let power = |name: &str, default: u64, least: u64, most: u64| {
            let parsed = options.parse(place, name, bytes)?.unwrap_or(default);
            match parsed.is_power_of_two() && (least..=most).contains(&parsed) {
                true => Ok(parsed),
                false => {
                    let message = format!("{parsed} is no power of two from {least} to {most}");
                    Err(Error::invalid(place.choice(name), message))
                }
            }
        };
        let sector_size = request.sector_size.get();
        let block_size = power("block-size", 4096, sector_size.max(1024), 65_536)?;
        let inode_size = power("inode-size", 512, 512, 2048.min(block_size / 2))?;
        let named = options.parse(place, "features", features)?;
        let reflink = options.parse(place, "reflink", flag)?;
        let features = completed(named.unwrap_or_default(), reflink)
            .map_err(|message| Error::invalid(place.choice("features"), message))?;
        let is_off = |name| features.iter().any(|it| it.name == name && !it.is_on);
        Ok(Self {
            geometry: Geometry {
                block_size: block_size as u32,
                inode_size: inode_size as u32,
                bigtime: !is_off("bigtime"),
            },
            sector_size,
            log_size: options.parse(place, "log-size", bytes)?,
            features,
        })
    }

    /// The options that not every version has, each with the first that does.
    pub(super) fn needs(&self) -> Vec<Need> {
        let mut features = self.features.iter();
        let needs = features.find(|feature| feature.name == "nrext64");
        needs
            .map(|_| ("features", NREXT64_SINCE))
            .into_iter()
            .collect()
    }
}

fn features(text: &str) -> Result<Vec<Feature>, String> {
    let mut chosen: Vec<Feature> = Vec::new();
    for word in text.split(',') {
        let bare = word.strip_prefix('^').unwrap_or(word);
        let known = FEATURES.iter().find(|(name, _)| *name == bare);
        let Some(&(name, section)) = known else {
            let names = FEATURES.map(|(name, _)| name).join(", ");
            return Err(format!("'{bare}' is none of the features {names}"));
        };
        if chosen.iter().any(|feature| feature.name == name) {
            return Err(format!("'{name}' is there twice"));
        }
        let is_on = bare == word;
        match (name, is_on) {
            ("crc", false) => return Err("only XFS with 'crc', version 5, is made".to_owned()),
            ("rmapbt", true) => {
                return Err(
                    "'rmapbt' can't be: it would record places of data that change after mkfs.xfs"
                        .to_owned(),
                );
            }
            _ => chosen.push(Feature {
                name,
                section,
                is_on,
            }),
        }
    }
    let is = |name, on| chosen.iter().any(|it| it.name == name && it.is_on == on);
    match is("inobtcount", true) && is("finobt", false) {
        true => Err("'inobtcount' needs 'finobt'".to_owned()),
        false => Ok(chosen),
    }
}

/// All features that mkfs.xfs is told of: those that are named, and those that don't depend on its
/// version or configuration. In the order of their names.
fn completed(mut named: Vec<Feature>, reflink: Option<bool>) -> Result<Vec<Feature>, String> {
    let is_named = named.iter().any(|feature| feature.name == "reflink");
    if let (true, Some(_)) = (is_named, reflink) {
        return Err("'reflink' is chosen by an option of its own too".to_owned());
    }
    let fixed = [
        ("crc", true),
        ("bigtime", true),
        ("rmapbt", false),
        ("reflink", reflink.unwrap_or(true)),
    ];
    for (name, is_on) in fixed {
        if !named.iter().any(|feature| feature.name == name) {
            let section = Section::Metadata;
            named.push(Feature {
                name,
                section,
                is_on,
            });
        }
    }
    named.sort_by_key(|feature| feature.name);
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::fs::Options;
    use disklayout::{ErrorKind, Identity, Timestamp};

    fn chosen(options: &[(&str, &str)]) -> Result<Chosen> {
        let identity = Identity::new("t", Timestamp::default());
        let mut request = Request::new("p", "xfs", identity);
        let set = |all: Options, (name, value): &(&str, &str)| all.with(name, value);
        request.options = options.iter().fold(Options::default(), set);
        Chosen::new(&request)
    }

    #[test]
    fn what_cannot_be_chosen_is_refused_at_its_place() {
        for (options, message) in [
            (
                &[("features", "")][..],
                "'' is none of the features bigtime, ",
            ),
            (&[("features", "ftype")], "'ftype' is none of the features"),
            (&[("features", "sparse,^sparse")], "'sparse' is there twice"),
            (&[("features", "^crc")], "only XFS with 'crc'"),
            (&[("features", "rmapbt")], "'rmapbt' can't be"),
            (&[("features", "^finobt,inobtcount")], "needs 'finobt'"),
            (
                &[("features", "reflink"), ("reflink", "yes")],
                "an option of its own",
            ),
        ] {
            let error = chosen(options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSpec);
            let said = error.to_string();
            assert!(said.starts_with("p.features: "), "{said}");
            assert!(said.contains(message), "{said}");
        }
        for (name, value) in [("inode-size", "4096"), ("block-size", "3000")] {
            let said = chosen(&[(name, value)]).unwrap_err().to_string();
            assert!(said.starts_with(&format!("p.{name}: ")), "{said}");
        }
    }

    #[test]
    fn some_features_need_a_version_or_change_what_is_held() {
        let plain = chosen(&[]).unwrap();
        assert!(plain.needs().is_empty() && plain.geometry.bigtime);
        let other = chosen(&[("features", "^bigtime,nrext64")]).unwrap();
        assert_eq!(other.needs(), [("features", Version(5, 19))]);
        assert!(!other.geometry.bigtime);
    }
}
