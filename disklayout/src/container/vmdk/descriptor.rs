//! The text that tells what a disk is: its type, size and adapter.

use std::fmt::Write;

use super::format::{DESCRIPTOR_LEN, SECTOR};
use crate::identity::Identity;

/// The largest geometry of an IDE disk.
const MOST_CYLINDERS: u64 = 16_383;

/// The descriptor of a disk of so many sectors, in all of its own. `kind` is the subformat, `adapter` and
/// `hardware` are those of the machine that it is for.
pub(in crate::container) fn descriptor(
    kind: &str,
    (adapter, hardware): (&str, u32),
    sectors: u64,
    identity: &Identity,
) -> Vec<u8> {
    let content = identity.uuid("vmdk content").simple().to_string();
    // The last digits of the long one, and not the number that stands for none.
    let short = identity.number32("vmdk content") & 0x7FFF_FFFF;
    let (heads, per_track) = match adapter {
        "ide" => (16, 63),
        _ => (255, 63),
    };
    let cylinders = (sectors / (heads * per_track)).min(MOST_CYLINDERS);
    let mut text = format!(
        "# Disk DescriptorFile\n\
         version=1\n\
         CID={short:08x}\n\
         parentCID=ffffffff\n\
         createType=\"{kind}\"\n\n\
         # Extent description\n\
         RW {sectors} SPARSE \"disk.vmdk\"\n\n\
         # The Disk Data Base\n\
         #DDB\n\n"
    );
    let entries = [
        ("adapterType", adapter.to_owned()),
        ("encoding", "UTF-8".to_owned()),
        ("geometry.cylinders", cylinders.to_string()),
        ("geometry.heads", heads.to_string()),
        ("geometry.sectors", per_track.to_string()),
        ("longContentID", format!("{}{short:08x}", &content[..24])),
        // Tools that the guest brings along by itself.
        ("toolsInstallType", "4".to_owned()),
        ("toolsVersion", "2147483647".to_owned()),
        ("uuid", uuid(identity)),
        ("virtualHWVersion", hardware.to_string()),
    ];
    for (name, value) in entries {
        // Writing to a string can't fail.
        let _ = writeln!(text, "ddb.{name} = \"{value}\"");
    }
    let mut bytes = text.into_bytes();
    bytes.resize((DESCRIPTOR_LEN * SECTOR) as usize, 0);
    bytes
}

/// Sixteen bytes as VMware writes them, of the range that it keeps for made-up ones.
fn uuid(identity: &Identity) -> String {
    let mut bytes = *identity.uuid("vmdk").as_bytes();
    bytes[..4].copy_from_slice(&[0x60, 0x00, 0xC2, 0x9A]);
    let half = |bytes: &[u8]| {
        let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(" ")
    };
    format!("{}-{}", half(&bytes[..8]), half(&bytes[8..]))
}
