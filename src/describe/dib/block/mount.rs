//! `mount` and `fstab`: where filesystems are in the tree, and what is written of them.

use super::entry::{Base, Entry};
use crate::config::{Findings, Place};

/// A filesystem's place in the tree.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    pub(super) name: String,
    /// The filesystem.
    pub(super) base: Base,
    pub(super) place: Place,
    /// Where it is mounted: `/boot`. That of swap is any word, which only has its place in the order.
    pub(super) point: String,
    pub(super) point_place: Place,
}

/// A line of fstab.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// The mount that it is of.
    pub(super) base: Base,
    pub(super) place: Place,
    pub(super) options: String,
    pub(super) dump: u64,
    pub(super) pass: u64,
}

/// Reads a mount.
pub(super) fn read(entry: &Entry<'_>, findings: &mut Findings) -> Option<Mount> {
    let base = entry.base("the mount", findings);
    let point = entry.text("mount_point", findings)?;
    Some(Mount {
        name: entry.name.clone(),
        base: base?,
        place: entry.place().clone(),
        point,
        point_place: entry.object.place_of("mount_point"),
    })
}

/// Reads a line of fstab.
pub(super) fn read_line(entry: &Entry<'_>, findings: &mut Findings) -> Option<Line> {
    let base = entry.base("the line of fstab", findings);
    let options = entry.optional_text("options", findings);
    let dump = entry.number("dump-freq", 0, findings);
    let pass = entry.number("fsck-passno", 2, findings);
    let options = options?.unwrap_or_else(|| "defaults".to_owned());
    if options.contains(char::is_whitespace) {
        let place = entry.object.place_of("options");
        let message = format!("'{options}' has spaces in it: put commas between options");
        return findings.refuse(&place, message);
    }
    Some(Line {
        name: entry.name.clone(),
        base: base?,
        place: entry.place().clone(),
        options,
        dump: dump?,
        pass: pass?,
    })
}

impl Mount {
    /// Refuses a place that isn't one of the tree, or that is written in another way than usual: no two
    /// spellings mean the same.
    pub(super) fn check_point(&self, findings: &mut Findings) -> Option<()> {
        let parts = self.point.split('/').skip(1);
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        let is_right =
            self.point == "/" || self.point.starts_with('/') && parts.clone().all(is_plain);
        match is_right {
            true => Some(()),
            false => {
                let message = format!(
                    "'{}' is no place in the tree: give an absolute path without '..', and without a \
                     '/' at its end",
                    self.point
                );
                findings.refuse(&self.point_place, message)
            }
        }
    }
}

/// The line of fstab for the filesystem with this label and type, mounted at `point`.
pub(super) fn written(label: &str, point: &str, kind: &str, line: &Line) -> String {
    let (label, point) = (escaped(label), escaped(point));
    let Line {
        options,
        dump,
        pass,
        ..
    } = line;
    format!("LABEL={label} {point} {kind} {options} {dump} {pass}")
}

/// The line of fstab for the swap with this label: nothing of it can be chosen.
pub(super) fn written_swap(label: &str) -> String {
    format!("LABEL={} none swap sw 0 0", escaped(label))
}

/// What fstab(5) has for spaces, and for what escapes them: without it they end a field.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |text, c| match c {
        ' ' | '\t' | '\n' | '\\' | '#' => format!("{text}\\{:03o}", u32::from(c)),
        c => text + c.encode_utf8(&mut [0; 4]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_do_not_end_a_field() {
        assert_eq!(escaped("Root Part"), "Root\\040Part");
        assert_eq!(escaped("a\\b"), "a\\134b");
        assert_eq!(written_swap("s"), "LABEL=s none swap sw 0 0");
    }
}
