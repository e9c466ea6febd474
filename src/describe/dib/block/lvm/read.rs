//! The lists of `lvm`, read and checked.

use disklayout::Bytes;
use disklayout::volume::lvm::VolumeSize;

use super::options::{self, Program};
use super::{Group, Logical, Member, Volumes};
use crate::config::{Findings, Keys, Object, Place, Value};
use crate::describe::dib::block::entry::{Base, Entry, string};
use crate::describe::dib::block::nodes::{Kind, Nodes};
use crate::describe::dib::block::size;

const PVS: Keys = keys(&["name", "base", "options"]);
const VGS: Keys = keys(&["name", "base", "options"]);
const LVS: Keys = keys(&[
    "name",
    "base",
    "options",
    "size",
    "extents",
    "type",
    "thin-pool",
]);

/// What sizes of logical volumes are rounded down to, whatever an extent is.
const STEP: u64 = 4 * Bytes::MIB;

const fn keys(known: &'static [&'static str]) -> Keys {
    Keys {
        known,
        mistaken: &[],
    }
}

/// Reads an entry. What it stands on is looked up in `nodes`, where all names are known.
pub(in super::super) fn read(
    entry: &Entry<'_>,
    nodes: &Nodes,
    findings: &mut Findings,
) -> Option<Volumes> {
    let before = findings.errors.len();
    let pvs = list(entry, "pvs", &PVS, "physical volumes", findings);
    let vgs = list(entry, "vgs", &VGS, "groups of volumes", findings);
    let lvs = list(entry, "lvs", &LVS, "logical volumes", findings);
    let (pvs, vgs, lvs) = (pvs.as_deref(), vgs.as_deref(), lvs.as_deref());
    let members = pvs.and_then(|pvs| each(pvs, |pv| member(pv, nodes, findings)));
    // What stands on a list that isn't there is no further fault.
    let groups = vgs.zip(pvs);
    let groups = groups.and_then(|(vgs, pvs)| each(vgs, |vg| group(vg, pvs, findings)));
    let volumes = lvs.zip(vgs);
    let volumes = volumes.and_then(|(lvs, vgs)| each(lvs, |lv| logical(lv, vgs, findings)));
    let volumes = Volumes {
        name: entry.name.clone(),
        members: members?,
        groups: groups?,
        volumes: volumes?,
    };
    if findings.errors.len() == before {
        check_membership(&volumes, findings);
    }
    Some(volumes)
}

/// What `read` makes of all objects, if it makes something of each.
fn each<T>(objects: &[Object<'_>], read: impl FnMut(&Object<'_>) -> Option<T>) -> Option<Vec<T>> {
    let all: Vec<_> = objects.iter().map(read).collect();
    all.into_iter().collect()
}

/// The objects of one of the lists, which has to be there.
fn list<'a>(
    entry: &Entry<'a>,
    key: &str,
    keys: &Keys,
    what: &str,
    findings: &mut Findings,
) -> Option<Vec<Object<'a>>> {
    let list = entry.object.required(key, findings)?;
    list.each(what, findings, |value, findings| {
        let object = value.object(keys, findings)?;
        string(object.required("name", findings)?, findings)?;
        Some(object)
    })
}

fn name(object: &Object<'_>) -> Option<String> {
    string(object.optional("name")?, &mut Findings::default())
}

fn base(object: &Object<'_>, findings: &mut Findings) -> Option<Base> {
    based(object.required("base", findings)?, findings)
}

fn based(value: &Value<'_>, findings: &mut Findings) -> Option<Base> {
    Some(Base {
        name: string(value, findings)?,
        place: value.place().clone(),
    })
}

fn member(pv: &Object<'_>, nodes: &Nodes, findings: &mut Findings) -> Option<Member> {
    let chosen = options::read(Program::Pv, pv, findings);
    let base = base(pv, findings)?;
    let kinds = [Kind::Partition, Kind::Image];
    nodes.check_base(&base, "a physical volume", &kinds, findings);
    chosen?;
    Some(Member {
        name: name(pv)?,
        place: pv.place().clone(),
        base,
    })
}

fn group(vg: &Object<'_>, pvs: &[Object<'_>], findings: &mut Findings) -> Option<Group> {
    let chosen = options::read(Program::Vg, vg, findings);
    let list = vg.required("base", findings)?;
    let bases = list.each("physical volumes", findings, |value, findings| {
        let base = based(value, findings)?;
        check_one_of(&base, pvs, "physical volume", findings);
        Some(base)
    })?;
    if bases.is_empty() {
        let message = "a group needs a physical volume: name one of 'pvs'";
        return findings.refuse(list.place(), message);
    }
    let extent_size = chosen?.extent_size;
    Some(Group {
        name: name(vg)?,
        place: vg.place().clone(),
        bases,
        extent_size: extent_size.unwrap_or(Bytes::new(STEP)),
    })
}

fn logical(lv: &Object<'_>, vgs: &[Object<'_>], findings: &mut Findings) -> Option<Logical> {
    let chosen = options::read(Program::Lv, lv, findings);
    let base = base(lv, findings);
    if let Some(base) = &base {
        check_one_of(base, vgs, "group of volumes", findings);
    }
    check_type(lv, findings)?;
    let size = volume_size(lv, findings);
    let (chosen, base) = (chosen?, base?);
    Some(Logical {
        name: name(lv)?,
        place: lv.place().clone(),
        base,
        size: size?,
        stripes: chosen.stripes,
        tags: chosen.tags,
    })
}

/// Refuses what is none of the names of these objects.
fn check_one_of(base: &Base, objects: &[Object<'_>], what: &str, findings: &mut Findings) {
    let names: Vec<_> = objects.iter().filter_map(name).collect();
    if !names.contains(&base.name) {
        let message = format!(
            "'{}' is no {what}; there are {}",
            base.name,
            names.join(", ")
        );
        findings.refuse::<()>(&base.place, message);
    }
}

/// Refuses volumes that aren't plain ones.
fn check_type(lv: &Object<'_>, findings: &mut Findings) -> Option<()> {
    const THIN: &str = "thin volumes aren't written here: leave 'type' and 'thin-pool' out, so that it is a \
                        plain one";
    let (kind, pool) = (lv.optional("type"), lv.optional("thin-pool"));
    let Some(value) = kind.or(pool) else {
        return Some(());
    };
    let message = match string(value, findings)?.as_str() {
        "thin-pool" if kind.is_some() => {
            "thin pools aren't written here: leave the pool out, and have plain volumes".to_owned()
        }
        word if kind.is_some() && word != "thin" => {
            format!("'{word}' is no type of volumes: leave 'type' out, so that it is a plain one")
        }
        _ => THIN.to_owned(),
    };
    findings.refuse(value.place(), message)
}

fn volume_size(lv: &Object<'_>, findings: &mut Findings) -> Option<VolumeSize> {
    match (lv.optional("size"), lv.optional("extents")) {
        (None, None) => {
            let message = "a logical volume needs 'size' or 'extents': give one of them";
            findings.refuse(lv.place(), message)
        }
        (Some(value), extents) => {
            if let Some(extents) = extents {
                findings.warn(extents.place(), "'extents' means nothing beside 'size'");
            }
            let text = value.text(findings)?;
            let bytes = findings.check(value.place(), size::bytes(&text))?;
            whole_steps(bytes, value.place(), findings)
        }
        (None, Some(value)) => {
            let text = value.text(findings)?;
            findings.check(value.place(), extents(&text))
        }
    }
}

/// A size as diskimage-builder asks lvcreate for it.
fn whole_steps(bytes: u64, place: &Place, findings: &mut Findings) -> Option<VolumeSize> {
    match bytes / STEP * STEP {
        0 => {
            let message = format!(
                "{bytes} bytes are rounded down to whole 4 MiB, which leaves none: give 4MiB at least"
            );
            findings.refuse(place, message)
        }
        bytes => Some(VolumeSize::Bytes(Bytes::new(bytes))),
    }
}

/// Extents are a number of them, or a part of what there is: `23%VG`.
fn extents(text: &str) -> Result<VolumeSize, String> {
    let size = match text.split_once('%') {
        None => text.parse().ok().map(VolumeSize::Extents),
        Some((digits, of)) => {
            let percent = digits.parse().ok();
            percent.and_then(|percent| match of {
                "VG" => Some(VolumeSize::PercentOfGroup(percent)),
                "FREE" => Some(VolumeSize::PercentOfFree(percent)),
                "PVS" => Some(VolumeSize::PercentOfMembers(percent)),
                _ => None,
            })
        }
    };
    let is_digit = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    match size.filter(|_| is_digit(text)) {
        Some(
            VolumeSize::Extents(0)
            | VolumeSize::PercentOfGroup(0)
            | VolumeSize::PercentOfFree(0)
            | VolumeSize::PercentOfMembers(0),
        )
        | None => Err(format!(
            "'{text}' is no number of extents: give one, or a part like 23%VG, 50%FREE or 50%PVS"
        )),
        Some(size) => Ok(size),
    }
}

/// Refuses physical volumes that aren't in one group.
fn check_membership(volumes: &Volumes, findings: &mut Findings) {
    for member in &volumes.members {
        let bases = volumes.groups.iter().flat_map(|group| &group.bases);
        let named: Vec<_> = bases.filter(|base| base.name == member.name).collect();
        let name = &member.name;
        let (place, message) = match named.as_slice() {
            [_] => continue,
            [] => {
                let message =
                    format!("'{name}' is in no group: name it in one of 'vgs', or leave it out");
                (&member.place, message)
            }
            [first, second, ..] => {
                let message = format!("'{name}' is in a group already, at {}", first.place);
                (&second.place, message)
            }
        };
        findings.refuse::<()>(place, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_a_number_or_a_part() {
        for (text, expected) in [
            ("1", Some(VolumeSize::Extents(1))),
            ("9536", Some(VolumeSize::Extents(9536))),
            ("23%VG", Some(VolumeSize::PercentOfGroup(23))),
            ("200%VG", Some(VolumeSize::PercentOfGroup(200))),
            ("50%FREE", Some(VolumeSize::PercentOfFree(50))),
            ("100%PVS", Some(VolumeSize::PercentOfMembers(100))),
            ("0", None),
            ("0%FREE", None),
            ("+5", None),
            ("+5%VG", None),
            ("5%", None),
            ("5%vg", None),
            ("5 %VG", None),
            ("%VG", None),
            ("-1", None),
            ("", None),
            ("5%ORIGIN", None),
            ("4294967296%VG", None),
        ] {
            assert_eq!(extents(text).ok(), expected, "{text}");
        }
    }
}
