//! The metadata of a group as LVM writes it to disks: without indentation, one commit old.

use std::fmt::Write as _;

use crate::calendar::DateTime;
use crate::error::{Error, Result};
use crate::identity::{Identity, Timestamp};
use crate::place::Place;
use crate::volume::lvm::format::SECTOR;
use crate::volume::lvm::plan::{MemberPlan, Plan, Segment, Volume};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Refuses text that wouldn't stand on one line.
pub(super) fn check_line(place: &Place, text: &str) -> Result<()> {
    if text.chars().any(char::is_control) {
        let message = format!("'{}' has control characters", text.escape_default());
        return Err(Error::invalid(place.clone(), message));
    }
    Ok(())
}

/// Refuses names of machines with what LVM doesn't escape when it writes them again.
pub(super) fn check_host(place: &Place, host: &str) -> Result<()> {
    if host.contains(['"', '\\']) {
        let message =
            format!("'{host}' has a quotation mark or a backslash, which no machine's name has");
        return Err(Error::invalid(place.clone(), message));
    }
    check_line(place, host)
}

/// The metadata of `plan`, with the NUL at its end.
pub(super) fn text(plan: &Plan, host: &str, identity: &Identity) -> Vec<u8> {
    // LVM reads no times before 1970.
    let seconds = identity.time().seconds.max(0);
    let writer = Writer {
        plan,
        host,
        seconds,
    };
    let mut out = String::new();
    let written = writer.write(&mut out);
    debug_assert!(written.is_ok(), "strings take what is written to them");
    out.push('\0');
    out.into_bytes()
}

struct Writer<'a> {
    plan: &'a Plan,
    host: &'a str,
    seconds: i64,
}

impl Writer<'_> {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        let plan = self.plan;
        writeln!(
            out,
            "{} {{\nid = \"{}\"\nseqno = 1\nformat = \"lvm2\"",
            plan.name, plan.uuid
        )?;
        out.push_str("status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []\n");
        writeln!(out, "extent_size = {}", plan.geometry.extent_size / SECTOR)?;
        out.push_str("max_lv = 0\nmax_pv = 0\nmetadata_copies = 0\n\nphysical_volumes {\n");
        for (number, member) in plan.members.iter().enumerate() {
            self.member(out, number, member)?;
        }
        out.push_str("}\n\n");
        if !plan.volumes.is_empty() {
            out.push_str("logical_volumes {\n");
            for volume in &plan.volumes {
                self.volume(out, volume)?;
            }
            out.push_str("}\n\n");
        } else {
            out.push('\n');
        }
        out.push_str("}\n");
        self.origin(out)
    }

    fn member(&self, out: &mut String, number: usize, member: &MemberPlan) -> std::fmt::Result {
        writeln!(out, "\npv{number} {{\nid = \"{}\"", member.uuid)?;
        writeln!(out, "device = \"{}\"\n", escaped(&member.device_hint))?;
        out.push_str("status = [\"ALLOCATABLE\"]\nflags = []\n");
        writeln!(out, "dev_size = {}", member.size.get() / SECTOR)?;
        writeln!(out, "pe_start = {}", member.pe_start.get() / SECTOR)?;
        writeln!(out, "pe_count = {}\n}}", member.extents)
    }

    fn volume(&self, out: &mut String, volume: &Volume) -> std::fmt::Result {
        writeln!(out, "\n{} {{\nid = \"{}\"", volume.name, volume.uuid)?;
        out.push_str("status = [\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = []\n");
        if !volume.tags.is_empty() {
            let tags: Vec<_> = volume.tags.iter().map(|tag| format!("\"{tag}\"")).collect();
            writeln!(out, "tags = [{}]", tags.join(", "))?;
        }
        // LVM takes 0 for "not known".
        if self.seconds > 0 {
            writeln!(out, "creation_time = {}", self.seconds)?;
            writeln!(out, "creation_host = \"{}\"", self.host)?;
        }
        writeln!(out, "segment_count = {}", volume.segments.len())?;
        for (number, segment) in (1..).zip(&volume.segments) {
            self.segment(out, number, segment)?;
        }
        out.push_str("}\n");
        Ok(())
    }

    fn segment(&self, out: &mut String, number: u64, segment: &Segment) -> std::fmt::Result {
        let geometry = &self.plan.geometry;
        let extents = |bytes: u64| bytes / geometry.extent_size;
        // One begins right behind the other.
        let before = if number == 1 { "\n" } else { "" };
        writeln!(out, "{before}segment{number} {{")?;
        writeln!(out, "start_extent = {}", extents(segment.start.get()))?;
        writeln!(out, "extent_count = {}\n", extents(segment.size.get()))?;
        writeln!(
            out,
            "type = \"striped\"\nstripe_count = {}",
            segment.areas.len()
        )?;
        if let Some(size) = segment.stripe_size {
            writeln!(out, "stripe_size = {}", size.get() / SECTOR)?;
        }
        out.push_str("\nstripes = [\n");
        for (number, area) in segment.areas.iter().enumerate() {
            let comma = if number + 1 < segment.areas.len() {
                ","
            } else {
                ""
            };
            let first = extents(area.offset.get() - geometry.pe_start);
            writeln!(out, "\"pv{}\", {first}{comma}", area.member)?;
        }
        out.push_str("]\n}\n");
        Ok(())
    }

    fn origin(&self, out: &mut String) -> std::fmt::Result {
        let time = shown(self.seconds);
        writeln!(out, "# Generated by disklayout: {time}\n")?;
        out.push_str("contents = \"Text Format Volume Group\"\nversion = 1\n\n");
        out.push_str("description = \"Written by disklayout.\"\n\n");
        writeln!(out, "creation_host = \"{}\"", self.host)?;
        writeln!(out, "creation_time = {}\t# {time}\n", self.seconds)
    }
}

/// A time as ctime shows it.
fn shown(seconds: i64) -> String {
    let time = DateTime::from(Timestamp::from_seconds(seconds));
    let day = DAYS[(seconds.div_euclid(86_400)).rem_euclid(7) as usize];
    let month = MONTHS[(time.month - 1) as usize];
    format!(
        "{day} {month} {:2} {:02}:{:02}:{:02} {}",
        time.day, time.hour, time.minute, time.second, time.year
    )
}

/// A text as it stands between quotation marks.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_form_of_ctime() {
        for (seconds, expected) in [
            (0, "Thu Jan  1 00:00:00 1970"),
            (951_782_400, "Tue Feb 29 00:00:00 2000"),
            (1_795_853_283, "Sat Nov 28 08:08:03 2026"),
        ] {
            assert_eq!(shown(seconds), expected);
        }
    }

    #[test]
    fn quotation_marks_are_escaped_and_lines_refused() {
        assert_eq!(escaped(r#"a"\b"#), r#"a\"\\b"#);
        check_line(&Place::from("x"), "/dev/sda").unwrap();
        check_line(&Place::from("x"), "a\nb").unwrap_err();
    }
}
