//! The descriptor of a machine: DSP0243, "OVF Descriptor".
//!
//! Resources are those of CIM's allocation settings, with the words for them that VMware writes and
//! VirtualBox reads too.

use super::options::Chosen;

/// What the format of the disk is called.
const FORMAT: &str = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";

/// Linux of 64 bits, and others ("CIM_OperatingSystem.OsType").
const LINUX_64: u32 = 101;
const OTHER: u32 = 1;

/// The descriptor of a machine with a disk of `size` bytes, which takes `len` in the archive.
pub(super) fn descriptor(chosen: &Chosen, size: u64, len: u64) -> String {
    let (name, disk) = (escaped(&chosen.name), escaped(&chosen.disk_file()));
    let (os, network) = (escaped(&chosen.os), escaped(&chosen.network));
    let os_id = if chosen.os.contains("Linux64") {
        LINUX_64
    } else {
        OTHER
    };
    let networks = match chosen.nic {
        None => String::new(),
        Some(_) => format!(
            r#"
  <NetworkSection>
    <Info>The networks of the machine</Info>
    <Network ovf:name="{network}">
      <Description>The network of its first adapter</Description>
    </Network>
  </NetworkSection>"#
        ),
    };
    let firmware = match chosen.is_efi {
        false => "",
        true => {
            r#"
      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>"#
        }
    };
    let resources = resources(chosen, &network);
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>
    <File ovf:href="{disk}" ovf:id="file1" ovf:size="{len}"/>
  </References>
  <DiskSection>
    <Info>The disks of the machine</Info>
    <Disk ovf:capacity="{size}" ovf:capacityAllocationUnits="byte" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="{FORMAT}"/>
  </DiskSection>{networks}
  <VirtualSystem ovf:id="{name}">
    <Info>A virtual machine</Info>
    <Name>{name}</Name>
    <OperatingSystemSection ovf:id="{os_id}" vmw:osType="{os}">
      <Info>The system in it</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>The hardware that it needs</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>{name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-{hardware:02}</vssd:VirtualSystemType>
      </System>{resources}{firmware}
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
"#,
        hardware = chosen.hardware,
    )
}

fn resources(chosen: &Chosen, network: &str) -> String {
    let controller = chosen.controller;
    let (kind, subtype) = (controller.kind.to_string(), controller.subtype);
    let (cpus, memory) = (chosen.cpus.to_string(), chosen.memory_mib.to_string());
    let mut all = vec![
        item(&[
            ("AllocationUnits", "hertz * 10^6"),
            ("ElementName", "processors"),
            ("InstanceID", "1"),
            ("ResourceType", "3"),
            ("VirtualQuantity", &cpus),
        ]),
        item(&[
            ("AllocationUnits", "byte * 2^20"),
            ("ElementName", "memory"),
            ("InstanceID", "2"),
            ("ResourceType", "4"),
            ("VirtualQuantity", &memory),
        ]),
        item(&[
            ("Address", "0"),
            ("ElementName", "disk controller"),
            ("InstanceID", "3"),
            ("ResourceSubType", subtype),
            ("ResourceType", &kind),
        ]),
        item(&[
            ("AddressOnParent", "0"),
            ("ElementName", "disk"),
            ("HostResource", "ovf:/disk/vmdisk1"),
            ("InstanceID", "4"),
            ("Parent", "3"),
            ("ResourceType", "17"),
        ]),
    ];
    all.extend(chosen.nic.map(|nic| {
        item(&[
            ("AddressOnParent", "7"),
            ("AutomaticAllocation", "true"),
            ("Connection", network),
            ("ElementName", "network adapter"),
            ("InstanceID", "5"),
            ("ResourceSubType", nic),
            ("ResourceType", "10"),
        ])
    }));
    all.concat()
}

/// A resource. Its elements come in the order of the alphabet.
fn item(elements: &[(&str, &str)]) -> String {
    let elements = elements
        .iter()
        .map(|(name, value)| format!("\n        <rasd:{name}>{value}</rasd:{name}>"));
    let elements: String = elements.collect();
    format!("\n      <Item>{elements}\n      </Item>")
}

fn escaped(text: &str) -> String {
    let escape = |c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        other => String::from(other),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_xml_is_escaped() {
        assert_eq!(escaped(r#"a<&>"b"#), "a&lt;&amp;&gt;&quot;b");
    }
}
