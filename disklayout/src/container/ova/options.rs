//! What can be chosen of a machine.

use crate::error::{Error, Result};
use crate::fs::options::{bytes, within};
use crate::fs::{Choice, Options};
use crate::place::Place;
use crate::units::Bytes;

pub(super) const CHOICES: &[Choice] = &[
    Choice::new(NAME, "TEXT", "What the machine is called, and its files"),
    Choice::new(MEMORY, "BYTES", "Its memory, 2G if nothing is said"),
    Choice::new(CPUS, "N", "Its processors, 2 if nothing is said"),
    Choice::new(FIRMWARE, "bios|efi", "What starts it"),
    Choice::new(
        CONTROLLER,
        "TYPE",
        "The disk's controller: lsilogic, lsisas, buslogic, pvscsi, ide, sata",
    ),
    Choice::new(
        NIC,
        "TYPE",
        "Its network adapter: e1000, e1000e, vmxnet3, none",
    ),
    Choice::new(NETWORK, "TEXT", "The network that it is in: VM Network"),
    Choice::new(OS, "ID", "VMware's word for its system: otherLinux64Guest"),
    Choice::new(HARDWARE, "N", "The version of the virtual hardware: 13"),
    Choice::new(LEVEL, "1-9", "How hard the disk is compressed"),
];

const NAME: &str = "name";
const MEMORY: &str = "memory";
const CPUS: &str = "cpus";
const FIRMWARE: &str = "firmware";
const CONTROLLER: &str = "controller";
const NIC: &str = "network_adapter";
const NETWORK: &str = "network";
const OS: &str = "os_type";
const HARDWARE: &str = "hwversion";
const LEVEL: &str = "compression_level";

/// The longest name of a machine, so that those of its files fit into their headers.
const NAME_MAX: usize = 80;

/// The longest of other texts.
const TEXT_MAX: usize = 200;

const USUAL_LEVEL: i32 = 1;

/// A controller of disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Controller {
    name: &'static str,
    /// The type and the subtype of the resource ("CIM_ResourceAllocationSettingData").
    pub kind: u32,
    pub subtype: &'static str,
    /// What the disk itself says.
    pub adapter: &'static str,
}

const fn controller(
    name: &'static str,
    kind: u32,
    subtype: &'static str,
    adapter: &'static str,
) -> Controller {
    Controller {
        name,
        kind,
        subtype,
        adapter,
    }
}

const CONTROLLERS: [Controller; 6] = [
    controller("lsilogic", 6, "lsilogic", "lsilogic"),
    controller("lsisas", 6, "lsilogicsas", "lsilogic"),
    controller("buslogic", 6, "buslogic", "buslogic"),
    controller("pvscsi", 6, "VirtualSCSI", "lsilogic"),
    controller("ide", 5, "PIIX4", "ide"),
    controller("sata", 20, "vmware.sata.ahci", "ide"),
];

/// The network adapters, as descriptors have them.
const NICS: [(&str, Option<&str>); 4] = [
    ("e1000", Some("E1000")),
    ("e1000e", Some("E1000e")),
    ("vmxnet3", Some("VmxNet3")),
    ("none", None),
];

/// All that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub name: String,
    pub memory_mib: u64,
    pub cpus: u32,
    pub is_efi: bool,
    pub controller: Controller,
    /// The subtype of the network adapter, if there is one.
    pub nic: Option<&'static str>,
    pub network: String,
    pub os: String,
    pub hardware: u32,
    pub level: i32,
}

impl Chosen {
    /// # Errors
    /// `InvalidSpec` at the option's place.
    pub(super) fn of(place: &Place, options: &Options) -> Result<Self> {
        options.check(place, "ova", CHOICES)?;
        let text = |name, usual: &str| {
            let text = options.parse(place, name, text)?;
            Ok::<_, Error>(text.unwrap_or_else(|| usual.to_owned()))
        };
        Ok(Self {
            name: options
                .parse(place, NAME, name)?
                .unwrap_or_else(|| "disk".to_owned()),
            memory_mib: options.parse(place, MEMORY, mebibytes)?.unwrap_or(2048),
            cpus: options.parse(place, CPUS, within(1..=128))?.unwrap_or(2),
            is_efi: options.parse(place, FIRMWARE, is_efi)?.unwrap_or(false),
            controller: options
                .parse(place, CONTROLLER, controller_named)?
                .unwrap_or(CONTROLLERS[0]),
            nic: options.parse(place, NIC, nic)?.unwrap_or(NICS[0].1),
            network: text(NETWORK, "VM Network")?,
            os: text(OS, "otherLinux64Guest")?,
            hardware: options
                .parse(place, HARDWARE, within(7..=99))?
                .unwrap_or(13),
            level: options
                .parse(place, LEVEL, within(1..=9))?
                .unwrap_or(USUAL_LEVEL),
        })
    }

    /// The name of a file of the machine.
    pub(super) fn file(&self, extension: &str) -> String {
        format!("{}.{extension}", self.name)
    }

    /// The name of its disk's file.
    pub(super) fn disk_file(&self) -> String {
        format!("{}-disk1.vmdk", self.name)
    }
}

fn name(text: &str) -> Result<String, String> {
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match starts && text.len() <= NAME_MAX && text.chars().all(is_known) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "'{}' can't name files everywhere: give up to {NAME_MAX} letters, digits, spaces and any \
             of . _ - that begin with a letter or a digit",
            text.escape_debug()
        )),
    }
}

fn text(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.len() <= TEXT_MAX && !text.contains(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "'{}' is no text of 1 to {TEXT_MAX} bytes in a line",
            text.escape_debug()
        )),
    }
}

fn mebibytes(text: &str) -> Result<u64, String> {
    let count = bytes(text)?;
    let mebibytes = count / Bytes::MIB;
    let fits = count.is_multiple_of(Bytes::MIB) && (4..=16 << 20).contains(&mebibytes);
    fits.then_some(mebibytes)
        .ok_or_else(|| format!("'{text}' isn't a whole number of MiB from 4M to 16T"))
}

fn is_efi(text: &str) -> Result<bool, String> {
    match text {
        "bios" => Ok(false),
        "efi" => Ok(true),
        _ => Err(format!("'{text}' is neither bios nor efi")),
    }
}

fn controller_named(text: &str) -> Result<Controller, String> {
    let found = CONTROLLERS.into_iter().find(|it| it.name == text);
    found.ok_or_else(|| {
        let known = CONTROLLERS.map(|it| it.name).join(", ");
        format!("'{text}' isn't one of {known}")
    })
}

fn nic(text: &str) -> Result<Option<&'static str>, String> {
    let found = NICS.into_iter().find(|(name, _)| *name == text);
    found.map(|(_, subtype)| subtype).ok_or_else(|| {
        let known = NICS.map(|(name, _)| name).join(", ");
        format!("'{text}' isn't one of {known}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(options: &[(&str, &str)]) -> Result<Chosen> {
        let options = options.iter();
        let options = options.fold(Options::default(), |all, (name, value)| {
            all.with(name, value)
        });
        Chosen::of(&"t".into(), &options)
    }

    #[test]
    fn a_machine_is_as_it_is_described() {
        let usual = chosen(&[]).unwrap();
        assert_eq!((usual.memory_mib, usual.cpus, usual.level), (2048, 2, 1));
        assert_eq!(usual.disk_file(), "disk-disk1.vmdk");
        let own = chosen(&[
            (NAME, "a b"),
            (MEMORY, "4G"),
            (FIRMWARE, "efi"),
            (CONTROLLER, "sata"),
            (NIC, "none"),
        ]);
        let own = own.unwrap();
        assert_eq!(
            (own.file("ovf"), own.memory_mib),
            ("a b.ovf".to_owned(), 4096)
        );
        assert!(own.is_efi && own.nic.is_none() && own.controller.adapter == "ide");
    }

    #[test]
    fn what_cannot_be_is_refused_at_its_option() {
        let long = "a".repeat(NAME_MAX + 1);
        for (name, value) in [
            (NAME, ""),
            (NAME, "../a"),
            (NAME, ".a"),
            (NAME, &long),
            (MEMORY, "1025K"),
            (MEMORY, "1M"),
            (CPUS, "0"),
            (FIRMWARE, "uefi"),
            (CONTROLLER, "nvme"),
            (NIC, "rtl8139"),
            (NETWORK, "a\nb"),
            (OS, ""),
            (HARDWARE, "4"),
            (LEVEL, "0"),
            ("vendor", "x"),
        ] {
            let error = chosen(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("t.{name}: ")), "{error}");
        }
    }
}
