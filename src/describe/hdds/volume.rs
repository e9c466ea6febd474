//! Logical volumes and their groups: `guestfs[].volumes[]` and `guestfs[].volume_groups[]`.

use disklayout::layout::DiskSize;
use disklayout::layout::spec::{LogicalVolume, VolumeSize};
use disklayout::volume::lvm::{self, Stripes};

use super::holding::{self, Held};
use super::model::{GroupOptions, Volume};
use super::{keys, size};
use crate::config::{Findings, Object, Value};

/// So many hundredths of something.
type Part = fn(u32) -> lvm::VolumeSize;

/// What a size may be a part of.
const PARTS: [(&str, Part); 3] = [
    ("%VG", lvm::VolumeSize::PercentOfGroup),
    ("%FREE", lvm::VolumeSize::PercentOfFree),
    ("%PVS", lvm::VolumeSize::PercentOfMembers),
];

/// Reads a volume of a disk of this size; `None` when anything is wrong with it.
pub(super) fn read(value: &Value<'_>, disk: Option<DiskSize>, f: &mut Findings) -> Option<Volume> {
    let object = value.object(&keys::VOLUME, f)?;
    let group = object.required("group", f).and_then(|it| it.string(f));
    let name = object.required("name", f).and_then(|it| it.string(f));
    let size = volume_size(&object, disk, f);
    let stripes = stripes(&object, f);
    let tags = object.optionally("tags", f, |value, f| {
        value.each("tags", f, |value, f| value.string(f).map(str::to_owned))
    });
    let Held {
        word,
        holds,
        filling,
        keys,
    } = holding::read(value, &object, "volume", f)?;
    Some(Volume {
        group: group?.to_owned(),
        volume: LogicalVolume {
            place: f.named(value.place()),
            name: name?.to_owned(),
            uuid: None,
            size: size?,
            stripes: stripes?,
            tags: tags?.unwrap_or_default(),
            holds,
        },
        filesystem: word,
        filling,
        keys,
    })
}

/// How large a volume is. Without a word it takes what is left, or is as small as its content allows
/// where the disk is.
fn volume_size(
    object: &Object<'_>,
    disk: Option<DiskSize>,
    f: &mut Findings,
) -> Option<VolumeSize> {
    let given = match (object.optional("size"), object.optional("extents")) {
        (Some(_), Some(extents)) => {
            let message = "the volume has a 'size' too; one of them is enough";
            return f.refuse(extents.place(), message);
        }
        (None, Some(value)) => lvm::VolumeSize::Extents(value.unsigned(f)?),
        (Some(value), None) if value.is_text("auto") => return Some(VolumeSize::Content),
        (Some(value), None) => {
            let text = value.text(f)?;
            f.check(value.place(), parse_size(&text))?
        }
        (None, None) => match disk? {
            DiskSize::Smallest(_) => return Some(VolumeSize::Content),
            DiskSize::Fixed(_) => lvm::VolumeSize::PercentOfFree(100),
        },
    };
    Some(VolumeSize::Given(given))
}

fn parse_size(text: &str) -> Result<lvm::VolumeSize, String> {
    let text = text.trim();
    for (suffix, part) in PARTS {
        if let Some(number) = text.strip_suffix(suffix) {
            let number = number.trim_end().parse().ok().filter(|it| *it > 0);
            let message = || format!("'{text}' is no part of a group; give one like 40{suffix}");
            return number.map(part).ok_or_else(message);
        }
    }
    let parsed = size::parse_size(text).map(lvm::VolumeSize::Bytes);
    parsed.map_err(|message| {
        format!("{message}; a part of the group is spelt 40%VG, 100%FREE or 50%PVS")
    })
}

fn stripes(object: &Object<'_>, f: &mut Findings) -> Option<Option<Stripes>> {
    let count = object.optionally("stripes", f, |value, f| {
        let count = value.unsigned(f)?;
        let message = |_| format!("{count} stripes are too many");
        f.check(value.place(), u32::try_from(count).map_err(message))
    });
    let size = object.optionally("stripe_size", f, |value, f| {
        let text = value.text(f)?;
        f.check(value.place(), size::parse_size(&text))
    });
    match (count?, size?) {
        (None, None) => Some(None),
        (None, Some(_)) => {
            let message = "there are no 'stripes' that this could be the size of";
            f.refuse(&object.place_of("stripe_size"), message)
        }
        (Some(count), size) => {
            let usual = Stripes::new(count);
            let size = size.unwrap_or(usual.size);
            Some(Some(Stripes { count, size }))
        }
    }
}

/// What is said of a group.
pub(super) fn group(value: &Value<'_>, f: &mut Findings) -> Option<GroupOptions> {
    let object = value.object(&keys::VOLUME_GROUP, f)?;
    let name = object.required("name", f).and_then(|it| it.string(f));
    let extent_size = object.optionally("extent_size", f, |value, f| {
        let text = value.text(f)?;
        f.check(value.place(), size::parse_size(&text))
    });
    Some(GroupOptions {
        place: f.named(value.place()),
        name: name?.to_owned(),
        extent_size: extent_size?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Bytes;

    #[test]
    fn sizes_are_spelt_as_lvcreate_spells_them() {
        use lvm::VolumeSize::{Bytes as Size, PercentOfFree, PercentOfGroup, PercentOfMembers};
        for (text, size) in [
            ("40%VG", PercentOfGroup(40)),
            ("100 %FREE", PercentOfFree(100)),
            ("7%PVS", PercentOfMembers(7)),
            ("10M", Size(Bytes::new(10 << 20))),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for text in ["0%VG", "-1%VG", "%FREE", "4%ORIGIN", "40%", "x", ""] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
