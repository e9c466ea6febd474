//! One partition: `guestfs[].parts[]`.

use disklayout::layout::spec::{Kinds, Partition, Start};
use disklayout::table::Role;
use disklayout::table::types::PartitionType;

use super::holding::{self, Held};
use super::model::Part;
use super::{bounds, keys, table};
use crate::config::{Findings, Object, Value};

/// Reads a partition; `None` when anything is wrong with it.
pub(super) fn read(value: &Value<'_>, has_mbr: bool, f: &mut Findings) -> Option<Part> {
    let object = value.object(&keys::PART, f)?;
    // Only an MBR tells them apart.
    let role = match has_mbr {
        true => object
            .required("type", f)
            .and_then(|value| table::role(value, f))
            .map(Some),
        false => object.optionally("type", f, table::role),
    };
    let start = object.optionally("start", f, bounds::start);
    let end = bounds::end(&object, f);
    let align = object.optionally("align", f, bounds::align);
    let name = object.optionally("name", f, Value::string);
    let guid = object.optionally("uuid", f, table::guid);
    let mbr = object.optionally("mbr_type", f, table::mbr_type);
    let gpt = gpt_type(&object, f);
    let flags = object.optionally("flags", f, table::flags);
    let held = holding::read(value, &object, "partition", f);
    let Held {
        word,
        holds,
        filling,
        keys,
    } = held?;
    let partition = Partition {
        role: role?.unwrap_or(Role::Primary),
        start: start?.unwrap_or(Start::Next),
        end: end?,
        align: align?,
        name: name?.map(str::to_string),
        guid: guid?,
        kind: Kinds {
            mbr: mbr?,
            gpt: gpt?,
        },
        flags: flags?.unwrap_or_default(),
        ..Partition::new(f.named(value.place()), holds)
    };
    Some(Part {
        partition,
        filesystem: word,
        filling,
        keys,
    })
}

/// The partition type by either spelling: the original's code reads one and its manual names the
/// other.
fn gpt_type(object: &Object<'_>, f: &mut Findings) -> Option<Option<PartitionType>> {
    let underscore = object.optionally("gpt_type", f, table::gpt_type);
    let hyphen = object.optionally("gpt-type", f, table::gpt_type);
    match (underscore?, hyphen?) {
        (Some(one), Some(other)) if one != other => {
            let message = format!("'gpt_type' is {one}, but 'gpt-type' is {other}");
            f.refuse(object.place(), message)
        }
        (one, other) => Some(one.or(other)),
    }
}
