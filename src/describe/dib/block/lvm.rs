//! `lvm`: physical volumes, groups of them, and the logical volumes in those. They are checked, but
//! aren't written yet.

use super::entry::{Base, Entry, string};
use super::nodes::{Kind, Nodes};
use super::size;
use crate::config::{Findings, Keys, Object, Place, Value};

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

/// The lists, with the keys of what is in them and what it is called.
const LISTS: [(&str, &Keys, &str); 3] = [
    ("pvs", &PVS, "physical volumes"),
    ("vgs", &VGS, "groups of volumes"),
    ("lvs", &LVS, "logical volumes"),
];

/// What a number of extents may be a part of.
const PARTS: [&str; 3] = ["%VG", "%FREE", "%PVS"];

const fn keys(known: &'static [&'static str]) -> Keys {
    Keys {
        known,
        mistaken: &[],
    }
}

/// The names of all volumes and groups, so far as there are any.
pub(super) fn names(entry: &Entry<'_>) -> Vec<(String, Place)> {
    // What is wrong with them is said when they are checked.
    let mut unheard = Findings::default();
    let lists = LISTS
        .iter()
        .filter_map(|(key, _, _)| entry.object.optional(key));
    let values = lists.filter_map(|list| list.list("volumes", &mut Findings::default()));
    let named = values.flatten().filter_map(|value| {
        let name = value.as_object()?.optional("name").cloned()?;
        Some((string(&name, &mut unheard)?, name.place().clone()))
    });
    named.collect()
}

/// Checks everything that is said of volumes, and refuses them.
pub(super) fn check(entry: &Entry<'_>, nodes: &Nodes, findings: &mut Findings) {
    let before = findings.errors.len();
    let [pvs, vgs, lvs] = LISTS.map(|(key, keys, what)| list(entry, key, keys, what, findings));
    for pv in pvs.iter().flatten() {
        check_pv(pv, nodes, findings);
    }
    // What stands on a list that isn't there is no further fault.
    if let Some((vgs, pvs)) = vgs.as_ref().zip(pvs) {
        for vg in vgs {
            check_vg(vg, &pvs, findings);
        }
    }
    if let Some((lvs, vgs)) = lvs.zip(vgs) {
        for lv in &lvs {
            check_lv(lv, &vgs, findings);
        }
    }
    if findings.errors.len() == before {
        let message = format!(
            "'{}' makes volumes, and volumes of LVM aren't written yet: have partitions for its \
             filesystems",
            entry.name
        );
        findings.refuse::<()>(entry.place(), message);
    }
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

fn check_pv(pv: &Object<'_>, nodes: &Nodes, findings: &mut Findings) -> Option<()> {
    let base = base(pv, findings)?;
    let kinds = [Kind::Partition, Kind::Image];
    nodes.check_base(&base, "a physical volume", &kinds, findings);
    check_options(pv, findings)
}

fn base(object: &Object<'_>, findings: &mut Findings) -> Option<Base> {
    let value = object.required("base", findings)?;
    Some(Base {
        name: string(value, findings)?,
        place: value.place().clone(),
    })
}

/// The options of the program, which have to be strings.
fn check_options(object: &Object<'_>, findings: &mut Findings) -> Option<()> {
    let options = object.optional("options")?;
    options.each("options", findings, string).map(drop)
}

fn check_vg(vg: &Object<'_>, pvs: &[Object<'_>], findings: &mut Findings) -> Option<()> {
    let bases = vg.required("base", findings)?;
    for value in bases.list("physical volumes", findings)? {
        let name = string(&value, findings)?;
        check_member(&name, value.place(), pvs, "physical volume", findings);
    }
    check_options(vg, findings)
}

/// Refuses what is none of the names of these objects.
fn check_member(
    name: &str,
    place: &Place,
    objects: &[Object<'_>],
    what: &str,
    findings: &mut Findings,
) {
    let names = objects.iter().filter_map(|object| object.optional("name"));
    let names: Vec<_> = names
        .filter_map(|value| value.string(&mut Findings::default()))
        .collect();
    if !names.contains(&name) {
        let message = format!("'{name}' is no {what}; there are {}", names.join(", "));
        findings.refuse::<()>(place, message);
    }
}

fn check_lv(lv: &Object<'_>, vgs: &[Object<'_>], findings: &mut Findings) -> Option<()> {
    let base = base(lv, findings)?;
    check_member(&base.name, &base.place, vgs, "group of volumes", findings);
    check_options(lv, findings);
    if let Some(kind) = lv.optional("type") {
        let word = string(kind, findings)?;
        if !matches!(word.as_str(), "thin" | "thin-pool") {
            let message =
                format!("'{word}' is no type of volumes: give thin or thin-pool, or none");
            return findings.refuse(kind.place(), message);
        }
    }
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
            findings.check(value.place(), size::bytes(&text)).map(drop)
        }
        (None, Some(value)) => check_extents(value, findings),
    }
}

/// Extents are a number of them, or a part of what there is: `23%VG`.
fn check_extents(value: &Value<'_>, findings: &mut Findings) -> Option<()> {
    let text = value.text(findings)?;
    let parts = PARTS.iter().find_map(|part| text.strip_suffix(part));
    let digits = parts.unwrap_or(&text);
    match digits.parse::<u32>() {
        Ok(1..) => Some(()),
        _ => {
            let message = format!(
                "'{text}' is no number of extents: give one, or a part like 23%VG, 50%FREE or 50%PVS"
            );
            findings.refuse(value.place(), message)
        }
    }
}
