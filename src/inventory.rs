//! Expected images against the files that are there: what is missing, outdated or unknown.
//!
//! Everything here is pure: files come in as a listing, and what should be done about them goes
//! out as names.

use std::collections::{HashMap, HashSet};

use crate::describe::hdds::{Rename, arch};
use crate::image::{Image, Recipe};

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// What the name of an unfinished image ends in.
const UNFINISHED: &str = ".tmp";

/// An entry of the directory that the images are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name. Names that aren't UTF-8 can't be ours and needn't be listed.
    pub name: String,
    /// Whether it is a regular file, or a link to one.
    pub is_file: bool,
    /// When it was modified last: whole seconds since the epoch, rounded down.
    pub modified: i64,
}

/// How the images that this host builds are.
///
/// Images of other architectures are in none of the lists: whoever builds them keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report<'a> {
    /// There, and not too old; in the order of the configuration.
    pub current: Vec<&'a Image>,
    /// Not there; in the order of the configuration.
    pub missing: Vec<&'a Image>,
    /// There, but too old; in the order of the configuration.
    pub outdated: Vec<&'a Image>,
    /// Files that look like images and are expected by no group; sorted.
    pub unknown: Vec<String>,
    /// Files that count as the image they are to be renamed to, in the order of the
    /// configuration. The images are among the current or the outdated ones.
    pub adopt: Vec<Rename>,
}

impl<'a> Report<'a> {
    /// Compares `expected` with `entries`, at `now` in seconds since the epoch, on a machine of
    /// the architecture `host`.
    pub fn new(expected: &'a [Image], entries: &[Entry], now: i64, host: &str) -> Self {
        let files = entries.iter().filter(|entry| entry.is_file);
        let files: HashMap<_, _> = files.map(|entry| (entry.name.as_str(), entry)).collect();
        let mut report = Self::default();
        for image in expected.iter().filter(|image| arch::builds_on(image, host)) {
            let former = former_name(image, expected);
            report.place(image, former.as_deref(), &files, now);
        }
        let known = known_names(expected, &report.adopt, host);
        report.unknown = image_files(entries)
            .filter(|name| !known.contains(*name))
            .map(str::to_string)
            .collect();
        report.unknown.sort();
        report
    }

    fn place(
        &mut self,
        image: &'a Image,
        former: Option<&str>,
        files: &HashMap<&str, &Entry>,
        now: i64,
    ) {
        let found = files.get(image.file_name.as_str()).or_else(|| {
            let found = files.get(former?)?;
            self.adopt.push(Rename {
                from: found.name.clone(),
                to: image.file_name.clone(),
            });
            Some(found)
        });
        let list = match found {
            None => &mut self.missing,
            Some(file) if is_outdated(image, file, now) => &mut self.outdated,
            Some(_) => &mut self.current,
        };
        list.push(image);
    }

    /// What has to be built: first what is missing, then what is outdated.
    pub fn to_build(&self) -> impl Iterator<Item = &'a Image> {
        self.missing.iter().chain(&self.outdated).copied()
    }

    /// The lines that `check` prints, up to three.
    pub fn lines(&self) -> Vec<String> {
        let names = |images: &[&Image]| -> Vec<String> {
            images.iter().map(|image| image.file_name.clone()).collect()
        };
        let lists = [
            ("Missing", names(&self.missing)),
            ("Outdated", names(&self.outdated)),
            ("Unknown", self.unknown.clone()),
        ];
        let filled = lists.into_iter().filter(|(_, names)| !names.is_empty());
        filled
            .map(|(what, names)| format!("{what} images: {}", names.join(", ")))
            .collect()
    }

    /// The exit status of `check`: 2 when anything is missing, else 1 when anything is outdated.
    pub fn exit_status(&self) -> u8 {
        match (self.missing.is_empty(), self.outdated.is_empty()) {
            (false, _) => 2,
            (true, false) => 1,
            (true, true) => 0,
        }
    }
}

/// The files that a killed run may have left, sorted: they are called as the unfinished file of one
/// of the `expected` images, but aren't among those that are `known` as such. Former versions didn't
/// mark their files.
pub fn doubtful(expected: &[Image], entries: &[Entry], known: &[String]) -> Vec<String> {
    let unfinished = |image: &Image| format!("{}{UNFINISHED}", image.file_name);
    let names: HashSet<_> = expected.iter().map(unfinished).collect();
    let mut found: Vec<_> = entries
        .iter()
        .map(|entry| entry.name.clone())
        .filter(|name| names.contains(name) && !known.contains(name))
        .collect();
    found.sort();
    found
}

/// Which of `renames` are to be done, one after the other: those whose old name is a file and
/// whose new name isn't taken by then.
pub fn planned_renames(renames: &[Rename], entries: &[Entry]) -> Vec<Rename> {
    let mut names: HashMap<&str, bool> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.is_file))
        .collect();
    let mut planned = Vec::new();
    for rename in renames {
        let is_file = names.get(rename.from.as_str()) == Some(&true);
        if is_file && !names.contains_key(rename.to.as_str()) {
            names.remove(rename.from.as_str());
            names.insert(&rename.to, true);
            planned.push(rename.clone());
        }
    }
    planned
}

/// The files that `-d` removes, sorted: everything that looks like an image, but for images of
/// architectures that this host couldn't build again.
pub fn to_delete(expected: &[Image], entries: &[Entry], host: &str) -> Vec<String> {
    let foreign = foreign_names(expected, host);
    let mut names: Vec<_> = image_files(entries)
        .filter(|name| !foreign.contains(*name))
        .map(str::to_string)
        .collect();
    names.sort();
    names
}

/// The files that look like images. A file that is being built ends in `.tmp` and doesn't.
fn image_files(entries: &[Entry]) -> impl Iterator<Item = &str> {
    let looks_like_one =
        |name: &str| name.starts_with("disk") && (name.ends_with("img") || name.ends_with("qcow2"));
    entries
        .iter()
        .filter(move |entry| entry.is_file && looks_like_one(&entry.name))
        .map(|entry| entry.name.as_str())
}

/// The name that an image with an installed system had in older versions of the original, unless
/// it is that of another expected image now.
fn former_name(image: &Image, expected: &[Image]) -> Option<String> {
    let stem = image.file_name.strip_suffix(".qcow2")?;
    let former = format!("{stem}.img");
    let is_taken = expected.iter().any(|other| other.file_name == former);
    (!is_taken).then_some(former)
}

/// Only installed systems grow old. Whole seconds are compared, as in the original: an image of
/// exactly the age isn't outdated.
fn is_outdated(image: &Image, file: &Entry, now: i64) -> bool {
    let Recipe::Install(recipe) = &image.recipe else {
        return false;
    };
    let days = i64::try_from(recipe.maxage_days).unwrap_or(i64::MAX);
    let age = now.saturating_sub(file.modified);
    days > 0 && age > days.saturating_mul(SECONDS_PER_DAY)
}

/// The files that aren't unknown: expected images, former names that stand for one of them, and
/// both names of what this host can't build.
fn known_names(expected: &[Image], adopt: &[Rename], host: &str) -> HashSet<String> {
    let expected_names = expected.iter().map(|image| image.file_name.clone());
    let adopted = adopt.iter().map(|rename| rename.from.clone());
    let foreign = foreign_names(expected, host);
    expected_names.chain(adopted).chain(foreign).collect()
}

/// The names of the images that this host can't build, former ones included.
fn foreign_names(expected: &[Image], host: &str) -> HashSet<String> {
    expected
        .iter()
        .filter(|image| !arch::builds_on(image, host))
        .flat_map(|image| names_of(image, expected))
        .collect()
}

/// The names that a file may have to count as `image`, one of the `expected` ones: its own, and a
/// former one.
pub fn names_of(image: &Image, expected: &[Image]) -> impl Iterator<Item = String> {
    [Some(image.file_name.clone()), former_name(image, expected)]
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;
    use crate::describe::hdds::Config;
    use crate::describe::hdds::releases::NextRelease;

    const CONFIG: &str = r#"{"guestfs": [{"name": "a", "size": 1, "labels": ["mbr", "gpt"], "parts": []}],
        "virtinstall": [
            {"name": "m", "size": 1, "maxage": 2, "releases": {"9": ["x86_64", "aarch64"]}},
            {"name": "keep", "size": 1, "maxage": 0, "releases": {"9": ["x86_64"]}}],
        "renames": []}"#;

    const NOW: i64 = 1_700_000_000;
    const MBR: &str = "disk_a_mbr.img";
    const GPT: &str = "disk_a_gpt.img";
    const M: &str = "disk_rocky9_m_x86_64.qcow2";
    const M_FORMER: &str = "disk_rocky9_m_x86_64.img";
    const M_ARM: &str = "disk_rocky9_m_aarch64.qcow2";
    const M_ARM_FORMER: &str = "disk_rocky9_m_aarch64.img";
    const KEEP: &str = "disk_rocky9_keep_x86_64.qcow2";

    fn expected() -> Vec<Image> {
        let config = Config::parse(CONFIG, "t", &[]).unwrap();
        config
            .images(&mut NextRelease::new(None, || bail!("asked")))
            .unwrap()
    }

    /// Files of an age in seconds.
    fn listing(files: &[(&str, i64)]) -> Vec<Entry> {
        let entry = |(name, age): &(&str, i64)| Entry {
            name: (*name).to_string(),
            is_file: true,
            modified: NOW - age,
        };
        files.iter().map(entry).collect()
    }

    fn rename(from: &str, to: &str) -> Rename {
        Rename {
            from: from.to_string(),
            to: to.to_string(),
        }
    }

    /// Missing, outdated and unknown on an x86_64 host.
    fn lines(files: &[(&str, i64)]) -> (String, u8) {
        let expected = expected();
        let entries = listing(files);
        let report = Report::new(&expected, &entries, NOW, "x86_64");
        (report.lines().join("\n"), report.exit_status())
    }

    #[test]
    fn everything_is_missing_in_the_order_of_the_configuration() {
        let line = format!("Missing images: {MBR}, {GPT}, {M}, {KEEP}");
        assert_eq!(lines(&[]), (line, 2));
    }

    #[test]
    fn nothing_is_said_of_a_complete_set() {
        let files = [(MBR, 0), (GPT, 0), (M, 0), (KEEP, 0)];
        assert_eq!(lines(&files), (String::new(), 0));
    }

    #[test]
    fn only_installations_with_a_maximal_age_grow_too_old() {
        let limit = 2 * SECONDS_PER_DAY;
        let old = 10_000 * SECONDS_PER_DAY;
        let all = |age| [(MBR, old), (GPT, old), (KEEP, old), (M, age)];
        assert_eq!(lines(&all(limit)), (String::new(), 0));
        let line = format!("Outdated images: {M}");
        assert_eq!(lines(&all(limit + 1)), (line, 1));
        // A clock that was wrong once makes no image outdated.
        assert_eq!(lines(&all(-old)), (String::new(), 0));
    }

    #[test]
    fn unknown_files_are_sorted_and_never_change_the_status() {
        let files = [
            ("disk_z.qcow2", 0),
            ("diskimg", 0),
            ("disk_b.img", 0),
            (MBR, 0),
            (GPT, 0),
            (M, 0),
            (KEEP, 0),
            ("disk_a_mbr.img.tmp", 0),
            ("disk.raw", 0),
            ("other.img", 0),
            ("disk_b.IMG", 0),
        ];
        let line = "Unknown images: disk_b.img, disk_z.qcow2, diskimg".to_string();
        assert_eq!(lines(&files), (line, 0));
    }

    #[test]
    fn unfinished_images_are_leftovers_or_doubtful() {
        let expected = expected();
        let [mbr, gpt] = [MBR, GPT].map(|name| format!("{name}.tmp"));
        let entries = listing(&[(&mbr, 0), (&gpt, 0), ("disk_b.img.tmp", 0), (M, 0)]);
        let found = doubtful(&expected, &entries, std::slice::from_ref(&mbr));
        assert_eq!(found, [gpt.as_str()]);
        assert_eq!(doubtful(&expected, &entries, &[]), [gpt, mbr]);
    }

    #[test]
    fn a_directory_is_neither_an_image_nor_an_unknown_file() {
        let expected = expected();
        let mut entries = listing(&[(MBR, 0), ("disk_b.img", 0)]);
        for entry in &mut entries {
            entry.is_file = false;
        }
        let report = Report::new(&expected, &entries, NOW, "x86_64");
        assert_eq!(report.missing.len(), 4);
        assert_eq!(report.unknown, [""; 0]);
        assert_eq!(to_delete(&expected, &entries, "x86_64"), [""; 0]);
    }

    #[test]
    fn images_of_other_architectures_are_nowhere_in_the_report() {
        let old = 100 * SECONDS_PER_DAY;
        for host in ["x86_64", "i686"] {
            let expected = expected();
            let entries = listing(&[(M_ARM, old), (KEEP, 0), (MBR, 0), (GPT, 0), (M, 0)]);
            let report = Report::new(&expected, &entries, NOW, host);
            assert_eq!(report.exit_status(), 0);
            assert_eq!(report.lines(), [""; 0]);
            assert_eq!(report.current.len(), 4);
        }
    }

    #[test]
    fn layouts_belong_to_every_host() {
        for (host, missing) in [
            ("aarch64", &[MBR, GPT, M_ARM][..]),
            ("ppc64le", &[MBR, GPT]),
            ("riscv64", &[MBR, GPT]),
        ] {
            let expected = expected();
            let report = Report::new(&expected, &[], NOW, host);
            let names: Vec<_> = report.to_build().map(|image| &image.file_name).collect();
            assert_eq!(names, missing, "{host}");
        }
    }

    #[test]
    fn former_names_count_where_the_new_one_is_not_there() {
        let expected = expected();
        let old = 100 * SECONDS_PER_DAY;
        for (age, outdated) in [(0, 0), (old, 1)] {
            let entries = listing(&[(MBR, 0), (GPT, 0), (KEEP, 0), (M_FORMER, age)]);
            let report = Report::new(&expected, &entries, NOW, "x86_64");
            assert_eq!(report.adopt, [rename(M_FORMER, M)]);
            assert_eq!(report.outdated.len(), outdated);
            assert!(report.missing.is_empty() && report.unknown.is_empty());
        }
        let line = format!("Unknown images: {M_FORMER}");
        let files = [(MBR, 0), (GPT, 0), (KEEP, 0), (M, 0), (M_FORMER, 0)];
        assert_eq!(lines(&files), (line, 0));
    }

    #[test]
    fn former_names_of_other_architectures_are_left_to_their_hosts() {
        let complete = [(MBR, 0), (GPT, 0), (KEEP, 0), (M, 0), (M_ARM_FORMER, 0)];
        assert_eq!(lines(&complete), (String::new(), 0));
        let both = [&complete[..], &[(M_ARM, 0)]].concat();
        assert_eq!(lines(&both), (String::new(), 0));
        let expected = expected();
        let report_of = |files: &[(&str, i64)]| {
            Report::new(&expected, &listing(files), NOW, "x86_64")
                .adopt
                .len()
        };
        assert_eq!(report_of(&complete), 0);
    }

    #[test]
    fn the_name_of_an_expected_image_is_nobodys_former_one() {
        let config = r#"{"guestfs": [], "renames": [], "virtinstall": [
            {"name": "a", "imgver": "b", "size": 1, "releases": {"9": ["x86_64", "aarch64"]}},
            {"name": "a_b", "extension": "img", "size": 1, "releases": {"9": ["x86_64", "aarch64"]}}]}"#;
        let config = Config::parse(config, "t", &[]).unwrap();
        let expected = config.images(&mut NextRelease::new(None, || bail!("asked")));
        let expected = expected.unwrap();
        let names = ["disk_rocky9_a_b_x86_64.qcow2", "disk_rocky9_a_b_x86_64.img"];
        for (present, missing) in [(names[0], names[1]), (names[1], names[0])] {
            let entries = listing(&[(present, 0)]);
            let report = Report::new(&expected, &entries, NOW, "x86_64");
            assert_eq!(report.lines(), [format!("Missing images: {missing}")]);
            assert_eq!(report.adopt, []);
            assert_eq!(to_delete(&expected, &entries, "x86_64"), [present]);
        }
        // A host doesn't take the images of another one for its own.
        let entries = listing(&[("disk_rocky9_a_b_aarch64.img", 0)]);
        let report = Report::new(&expected, &entries, NOW, "x86_64");
        assert_eq!((report.missing.len(), report.unknown.len()), (2, 0));
        assert_eq!(to_delete(&expected, &entries, "x86_64"), [""; 0]);
    }

    #[test]
    fn checksums_are_no_images() {
        let names = [MBR, GPT, M, KEEP, "disk_old.img"].map(|name| format!("{name}.sha256"));
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), 0)).collect();
        let line = format!("Missing images: {MBR}, {GPT}, {M}, {KEEP}");
        assert_eq!(lines(&files), (line, 2));
        assert_eq!(to_delete(&expected(), &listing(&files), "x86_64"), [""; 0]);
    }

    #[test]
    fn missing_comes_before_outdated_when_building() {
        let expected = expected();
        let entries = listing(&[(M, 100 * SECONDS_PER_DAY), (MBR, 0), (GPT, 0)]);
        let report = Report::new(&expected, &entries, NOW, "x86_64");
        let names: Vec<_> = report.to_build().map(|image| &image.file_name).collect();
        assert_eq!(names, [KEEP, M]);
        let lines = [
            format!("Missing images: {KEEP}"),
            format!("Outdated images: {M}"),
        ];
        assert_eq!(report.lines(), lines);
        assert_eq!(report.exit_status(), 2);
    }

    #[test]
    fn deleting_takes_both_endings_and_spares_other_architectures() {
        let expected = expected();
        let entries = listing(&[
            (M, 0),
            (M_ARM, 0),
            (M_ARM_FORMER, 0),
            (MBR, 0),
            ("disk_unknown.qcow2", 0),
            ("disk_a_mbr.img.tmp", 0),
            ("notes.txt", 0),
        ]);
        let names = to_delete(&expected, &entries, "x86_64");
        assert_eq!(names, [MBR, M, "disk_unknown.qcow2"]);
    }

    #[test]
    fn renames_are_planned_one_after_the_other() {
        let mut entries = listing(&[("a", 0), ("d", 0), ("e", 0), ("dir", 0)]);
        entries[3].is_file = false;
        let renames = [
            rename("a", "b"),
            rename("b", "c"),
            rename("d", "e"),
            rename("missing", "x"),
            rename("dir", "y"),
            rename("e", "dir"),
            rename("e", "a"),
        ];
        let expected = [rename("a", "b"), rename("b", "c"), rename("e", "a")];
        assert_eq!(planned_renames(&renames, &entries), expected);
    }
}
