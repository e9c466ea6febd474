//! Steps that encrypt, and those that make groups of logical volumes.

use disklayout::Bytes;
use disklayout::layout::spec::{Member, VolumeSize};
use disklayout::volume::luks::{Kdf, Passphrase};
use disklayout::volume::lvm;

use super::builder::Builder;
use super::device::{Container, Device, Group, Held, Logical, Origin};
use super::size;
use super::step::Step;
use crate::image::{Key, KeySource};
use crate::system::Action;

/// What lvcreate is told by a word of vmdb2's own: to take all that is left.
const FILL: &str = "fill";

/// Keys of a step, one of which says where a key comes from.
const KEYS: [&str; 3] = ["password", "key-file", "key-cmd"];

/// The most bytes that the kernel takes for the name of a device.
const LONGEST_NAME: usize = 127;

impl Builder<'_> {
    /// Encrypts what `step` names by `key`, the first of its own keys.
    pub(super) fn cryptsetup(&mut self, key: &str, step: &mut Step<'_, '_>) -> Option<()> {
        let outer = self.tagged(step, key)?;
        self.check_free(step, key, outer)?;
        // The first form of the step had the other one.
        let name_key = if step.has("name") { "name" } else { "tag" };
        let name = step.text(name_key)?;
        if let Err(message) = check_name(&name) {
            return step.refuse(name_key, message);
        }
        self.check_new(step, name_key, &name)?;
        let identity = self.identity.child(&format!("container {name}"));
        let container = Container {
            uuid: identity.uuid("uuid"),
            key: self.key(key, step)?,
            path: step.place().path.clone(),
            opened: self.devices.len(),
        };
        let opened = Device::new(&name, &container.path, Origin::Opened(outer));
        self.devices[outer].holds = Held::Container(container);
        self.devices.push(opened);
        let tag = &self.devices[outer].tag;
        let title = format!("{key}: {tag} as {name}");
        self.add(title, None, Action::FindKey(outer));
        Some(())
    }

    /// Where the key comes from that `step`, whose first key is `named`, gives. It isn't looked at.
    fn key(&self, named: &str, step: &mut Step<'_, '_>) -> Option<Key> {
        let mut given = Vec::new();
        for key in KEYS {
            if let Some(text) = step.optional_secret(key)? {
                given.push((key, text));
            }
        }
        let [(key, text)] = &given[..] else {
            let shown = KEYS.map(|key| format!("'{key}'")).join(", ");
            let message = match given.first() {
                None => format!("there is no key: give one of {shown}"),
                Some(_) => format!("there are several keys: give one of {shown} alone"),
            };
            let at = given.last().map_or(named, |(key, _)| *key);
            return step.refuse(at, message);
        };
        let source = match *key {
            "password" => KeySource::Text(Passphrase::new(text.as_bytes())),
            "key-cmd" => KeySource::Command(text.clone()),
            key => {
                let is_needed = self.is_host_fixed(&None);
                KeySource::File(self.given_file(step, key, text.clone(), is_needed)?)
            }
        };
        let place = step.place_of(key).to_string().into();
        Some(Key {
            place,
            source,
            kdf: Kdf::default(),
        })
    }

    pub(super) fn vgcreate(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        let name = step.text("vgcreate")?;
        if self.groups.iter().any(|group| group.name == name) {
            return step.refuse("vgcreate", format!("there is a group '{name}' already"));
        }
        self.groups.push(Group {
            name: name.clone(),
            path: step.place().path.clone(),
        });
        let tags = step.list("physical", &[])?;
        if tags.is_empty() {
            return step.refuse("physical", "the list is empty");
        }
        for (order, tag) in tags.iter().enumerate() {
            let index = self.find(step, "physical", tag)?;
            self.check_free(step, "physical", index)?;
            if matches!(self.devices[index].origin, Origin::Logical(_)) {
                let message = format!(
                    "'{tag}' is a logical volume, which LVM finds no parts of groups in: give a partition, \
                     or what is encrypted in one"
                );
                return step.refuse("physical", message);
            }
            let group = name.clone();
            self.devices[index].holds = Held::Member(Member { group, order });
        }
        let title = format!("vgcreate: {name} on {}", tags.join(", "));
        self.add(title, None, Action::Planned);
        Some(())
    }

    pub(super) fn lvcreate(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        let group = self.group(step, "lvcreate")?;
        let name = step.text("name")?;
        self.check_new(step, "name", &name)?;
        let text = step.text("size")?;
        let size = match text.eq_ignore_ascii_case(FILL) {
            true => lvm::VolumeSize::PercentOfFree(100),
            false => {
                let place = step.place_of("size");
                let size = step.findings.check(&place, size::of_volume(&text))?;
                lvm::VolumeSize::Bytes(Bytes::new(size))
            }
        };
        let size = VolumeSize::Given(size);
        let origin = Origin::Logical(Logical { group, size });
        let path = step.place().path.clone();
        self.devices.push(Device::new(&name, &path, origin));
        let title = format!("lvcreate: {name} in {}, {text}", self.groups[group].name);
        self.add(title, None, Action::Planned);
        Some(())
    }

    /// The volumes of a group have their tags already, since all of them are new.
    pub(super) fn lvscan(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        let group = self.group(step, "lvscan")?;
        let name = self.groups[group].name.clone();
        for tag in step.list("tags", &[])? {
            let is_meant = |device: &Device| match &device.origin {
                Origin::Logical(logical) => logical.group == group && device.tag == tag,
                Origin::Partition(_) | Origin::Opened(_) => false,
            };
            if !self.devices.iter().any(is_meant) {
                let message = format!(
                    "the group '{name}' has no volume '{tag}': have a step 'lvcreate' before"
                );
                return step.refuse("tags", message);
            }
        }
        self.add(format!("lvscan: {name}"), None, Action::Planned);
        Some(())
    }

    /// The group called what `key` of the step says.
    fn group(&self, step: &mut Step<'_, '_>, key: &str) -> Option<usize> {
        let name = step.text(key)?;
        let found = self.groups.iter().position(|group| group.name == name);
        if found.is_some() {
            return found;
        }
        let names: Vec<_> = self.groups.iter().map(|group| &*group.name).collect();
        let known = match names.is_empty() {
            true => "have a step 'vgcreate' before".to_owned(),
            false => format!("there are {}", names.join(", ")),
        };
        step.refuse(key, format!("there is no group '{name}'; {known}"))
    }
}

/// Refuses what can't be the name of an opened container: that of a device, and a word of crypttab.
fn check_name(name: &str) -> Result<(), String> {
    let is_bad = |c: char| c == '/' || c.is_whitespace() || c.is_control();
    if name.contains(is_bad) || matches!(name, "." | ".." | "control") || name.starts_with('#') {
        return Err(format!("'{name}' can't be the name of a device"));
    }
    match name.len() > LONGEST_NAME {
        true => Err(format!(
            "the name has {} bytes; {LONGEST_NAME} are the most",
            name.len()
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_devices() {
        for name in ["root", "cryptroot", "a-b_c.d", "luks-6987"] {
            assert_eq!(check_name(name), Ok(()));
        }
        let long = "x".repeat(128);
        for name in ["a/b", "a b", "a\tb", ".", "..", "control", "#x", &long] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
