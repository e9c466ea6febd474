//! Physical volumes that belong together.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::inspect::lvm::member::Member;
use crate::inspect::lvm::metadata::{LogicalVolume, Metadata};
use crate::inspect::lvm::physical::{GroupMember, PhysicalVolume};
use crate::inspect::lvm::volume::VolumeDisk;
use crate::units::Bytes;
use crate::volume::lvm::format::Id;

/// A volume group, as the newest copy of its metadata has it.
#[derive(Debug)]
pub struct Group<'a> {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub id: Id,
    /// How often it was changed.
    pub seqno: u64,
    /// What an extent holds.
    pub extent_size: Bytes,
    /// Its physical volumes, in the order of the metadata.
    pub members: Vec<GroupMember<'a>>,
    /// Its logical volumes.
    pub volumes: Vec<LogicalVolume>,
    /// What is missing or damaged.
    pub warnings: Vec<String>,
}

/// Puts physical volumes together, by the groups' UUIDs. Groups are in the order in which the first of
/// each came; what belongs to none comes back beside them.
pub fn groups(members: Vec<Member<'_>>) -> (Vec<Group<'_>>, Vec<Member<'_>>) {
    let mut newest: Vec<Metadata> = Vec::new();
    let mut numbers = BTreeMap::new();
    for metadata in members.iter().filter_map(|member| member.metadata.as_ref()) {
        let number = *numbers.entry(metadata.id).or_insert(newest.len());
        match newest.get_mut(number) {
            None => newest.push(metadata.clone()),
            Some(known) if known.seqno < metadata.seqno => *known = metadata.clone(),
            Some(_) => {}
        }
    }
    let mut groups: Vec<Group<'_>> = newest.into_iter().map(Group::new).collect();
    let mut places = BTreeMap::new();
    for (group, found) in groups.iter().enumerate() {
        for (number, member) in found.members.iter().enumerate() {
            places.entry(member.volume.id).or_insert((group, number));
        }
    }
    let mut alone = Vec::new();
    for member in members {
        match places.get(&member.id) {
            Some((group, number)) => groups[*group].add(*number, member),
            None => alone.push(member),
        }
    }
    groups.iter_mut().for_each(Group::tell_missing);
    (groups, alone)
}

impl<'a> Group<'a> {
    fn new(metadata: Metadata) -> Self {
        let members = metadata.members.into_iter();
        Self {
            name: metadata.name,
            id: metadata.id,
            seqno: metadata.seqno,
            extent_size: metadata.extent_size,
            members: members
                .map(|volume| GroupMember { volume, disk: None })
                .collect(),
            volumes: metadata.volumes,
            warnings: metadata.warnings,
        }
    }

    fn add(&mut self, number: usize, found: Member<'a>) {
        let (seqno, id) = (self.seqno, self.id);
        let member = &mut self.members[number];
        let name = &member.volume.name;
        let told = found.warnings.into_iter();
        self.warnings
            .extend(told.map(|warning| format!("physical volume '{name}': {warning}")));
        if member.disk.is_some() {
            let message = format!("physical volume '{name}' is there twice; the first one is used");
            self.warnings.push(message);
            return;
        }
        if let Some(metadata) = &found.metadata
            && (metadata.seqno, metadata.id) != (seqno, id)
        {
            self.warnings.push(format!(
                "physical volume '{name}' has metadata of change {} of '{}' instead of change {seqno}",
                metadata.seqno, metadata.name
            ));
        }
        member.disk = Some(found.disk);
    }

    fn tell_missing(&mut self) {
        let missing = self.members.iter().filter(|member| member.disk.is_none());
        let told = missing.map(|member| {
            let PhysicalVolume { name, id, .. } = &member.volume;
            let hint = member.volume.device_hint.as_deref();
            let hint = hint.map_or_else(String::new, |hint| format!(", once {hint}"));
            format!("physical volume '{name}' is missing: {id}{hint}")
        });
        let told: Vec<_> = told.collect();
        self.warnings.extend(told);
    }

    /// The logical volume called `name`.
    pub fn volume(&self, name: &str) -> Option<&LogicalVolume> {
        self.volumes.iter().find(|volume| volume.name == name)
    }

    /// The bytes of a logical volume of this group.
    ///
    /// # Errors
    /// `Unsupported` when they are mapped in a way that isn't followed, `Corrupt` when a physical volume
    /// is missing or too short.
    pub fn open(&self, volume: &LogicalVolume) -> Result<VolumeDisk<'a>> {
        VolumeDisk::new(&self.members, volume).map_err(|(kind, message)| {
            Error::new(kind, format!("logical volume '{}'", volume.name), message)
        })
    }
}
