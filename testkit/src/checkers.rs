//! Programs that judge images, read-only. Each is recorded for every image that it accepts.

use std::collections::BTreeMap;
use std::path::Path;

use crate::log::accepted;
use crate::program::{Verdict, approved_text, arguments, run};

/// Names and values that a program shows.
pub type Fields = BTreeMap<String, String>;

/// How the checker of one kind of filesystem is run, and what it says of a sound one.
struct Checker {
    program: &'static str,
    options: &'static [&'static str],
    /// Some end with status 0 whatever they find.
    is_content: fn(&str) -> bool,
}

impl Checker {
    const fn new(
        program: &'static str,
        options: &'static [&'static str],
        is_content: fn(&str) -> bool,
    ) -> Self {
        Self {
            program,
            options,
            is_content,
        }
    }
}

/// The checker of what blkid, or a plan, calls `kind`.
fn checker(kind: &str) -> Option<Checker> {
    Some(match kind {
        "ext2" | "ext3" | "ext4" => Checker::new("e2fsck", &["-fn"], |_| true),
        // Two lines are all that it says of a sound one.
        "vfat" | "fat12" | "fat16" | "fat32" => {
            Checker::new("fsck.fat", &["-n"], |said| said.lines().count() == 2)
        }
        "exfat" => Checker::new("fsck.exfat", &["-n"], is_clean_exfat),
        "xfs" => Checker::new("xfs_repair", &["-n", "-f"], would_do_nothing),
        "btrfs" => Checker::new(
            "btrfs",
            &["check", "--readonly", "--check-data-csum"],
            |_| true,
        ),
        "f2fs" => Checker::new("fsck.f2fs", &["--dry-run"], |said| !said.contains("[Fail]")),
        "erofs" => Checker::new("fsck.erofs", &[], |said| !said.contains("<E>")),
        "squashfs" => Checker::new("unsquashfs", &["-lls"], |_| true),
        "swap" => Checker::new("swaplabel", &[], |_| true),
        "ntfs" => Checker::new("ntfsfix", &["-n"], |said| {
            said.contains("processed successfully")
        }),
        _ => return None,
    })
}

fn is_clean_exfat(said: &str) -> bool {
    let is_verdict = |line: &str| line.contains(": clean. directories");
    let mut others = said.lines().filter(|line| !is_verdict(line));
    said.lines().any(is_verdict)
        && others.all(|line| line.is_empty() || line.starts_with("exfatprogs version"))
}

fn would_do_nothing(said: &str) -> bool {
    let would = |line: &str| line.contains("would ") && !line.contains("would be");
    !said.lines().any(would)
}

/// The program that [`fsck`] runs for `kind`.
pub fn program(kind: &str) -> Option<&'static str> {
    checker(kind).map(|checker| checker.program)
}

/// The full check of a filesystem of what blkid, or a plan, calls `kind`, without repairs.
pub fn fsck(kind: &str, image: &Path) -> Verdict<()> {
    let unknown = || format!("{}: no checker is known for '{kind}'", image.display());
    let Checker {
        program,
        options,
        is_content,
    } = checker(kind).ok_or_else(unknown)?;
    let said = run(program, &arguments(options, &[image]))?;
    if !is_content(&said) {
        return Err(format!("{program}: {said}"));
    }
    accepted(program, image);
    Ok(())
}

/// [`fsck`] of ext2, ext3 and ext4.
pub fn e2fsck(image: &Path) -> Verdict<()> {
    fsck("ext4", image)
}

/// The superblock and its derived numbers: `dumpe2fs -h` with further options.
pub fn dumpe2fs(options: &[&str], image: &Path) -> Verdict<Fields> {
    let text = approved_text("dumpe2fs", &[&["-h"], options].concat(), image)?;
    accepted("dumpe2fs", image);
    Ok(fields(&text))
}

/// Lines of `name: value`; others are headings.
pub fn fields(text: &str) -> Fields {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// All that blkid finds without its cache: TYPE, LABEL, BLOCK_SIZE and so on.
pub fn blkid(image: &Path) -> Verdict<Fields> {
    let text = approved_text("blkid", &["-p", "-o", "export"], image)?;
    accepted("blkid", image);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Ok(pairs
        .map(|(name, value)| (name.to_owned(), value.replace('\\', "")))
        .collect())
}

/// One value that blkid finds, empty where there is none.
pub fn blkid_value(image: &Path, name: &str) -> String {
    let options = ["-p", "-o", "value", "-s", name];
    let text = approved_text("blkid", &options, image).unwrap_or_default();
    if !text.is_empty() {
        accepted("blkid", image);
    }
    text.trim_end().to_owned()
}
