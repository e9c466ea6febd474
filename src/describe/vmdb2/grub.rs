//! The step that installs GRUB.

use disklayout::table::types::PartitionType;

use super::builder::Builder;
use super::device::{Device, Origin};
use super::step::Step;
use crate::system::{Action, Firmware, Grub};

/// What the kernel is told where a specification says nothing.
const KERNEL_PARAMETERS: [&str; 4] = ["biosdevname=0", "net.ifnames=0", "consoleblank=0", "rw"];

/// The longest that the menu waits, in seconds.
const LONGEST_TIMEOUT: i64 = 3600;

/// Where an EFI system partition is mounted that isn't yet.
const ESP_PATH: &str = "/boot/efi";

impl Builder<'_> {
    pub(super) fn grub(&mut self, step: &mut Step<'_, '_>, skipped: Option<String>) -> Option<()> {
        let word = step.text("grub")?;
        let firmware = match word.as_str() {
            "bios" => Firmware::Bios,
            "uefi" => Firmware::Uefi,
            "ieee1275" => {
                let message = "GRUB for Open Firmware (ieee1275) can't be installed here";
                return step.refuse("grub", message);
            }
            _ => return step.refuse("grub", format!("'{word}' is neither bios nor uefi")),
        };
        if step.optional_text("prep")?.is_some() {
            let message =
                "a PReP partition is for Open Firmware (ieee1275), which can't be had here";
            return step.refuse("prep", message);
        }
        let key = match step.has("tag") {
            true => "tag",
            false => "root-fs",
        };
        let root = self.root(step, key)?;
        for key in ["image-dev", "device"]
            .into_iter()
            .filter(|key| step.has(key))
            .collect::<Vec<_>>()
        {
            if step.text(key)? != self.settings.device {
                return step.refuse(
                    key,
                    "GRUB goes into the image that is made: give '{{ output }}'",
                );
            }
        }
        let serial = match step.optional_text("console")?.as_deref() {
            None => false,
            Some("serial") => true,
            Some(other) => {
                return step.refuse("console", format!("'{other}' is no console: give serial"));
            }
        };
        let grub = Grub {
            firmware,
            root,
            esp: self.esp(step, firmware, skipped.is_some())?,
            serial,
            quiet: step.flag("quiet", false)?,
            timeout: Some(step.number("timeout", 0, -1, LONGEST_TIMEOUT)?),
            kernel_parameters: Some(step.list("kernel-params", &KERNEL_PARAMETERS)?),
            installs_packages: true,
        };
        self.add(format!("grub: {word}"), skipped, Action::Grub(grub));
        Some(())
    }

    /// The EFI system partition, which becomes one, and is mounted where it is looked for, unless the
    /// step is left out.
    fn esp(
        &mut self,
        step: &mut Step<'_, '_>,
        firmware: Firmware,
        is_skipped: bool,
    ) -> Option<Option<usize>> {
        if firmware == Firmware::Bios {
            return Some(None);
        }
        let key = match step.has("efi") {
            true => "efi",
            false => "efi-part",
        };
        if !step.has(key) {
            return step.refuse(
                "grub",
                "GRUB for UEFI needs 'efi', the tag of the partition for it",
            );
        }
        let index = self.tagged(step, key)?;
        let device = &mut self.devices[index];
        if device.filesystem().is_none() {
            let message = format!(
                "'{}' has no filesystem: have a step 'mkfs' before",
                device.tag
            );
            return step.refuse(key, message);
        }
        let Origin::Partition(part) = &mut device.origin else {
            let message = format!("'{}' is no partition, which UEFI needs", device.tag);
            return step.refuse(key, message);
        };
        if is_skipped {
            return Some(Some(index));
        }
        let esp = PartitionType::parse("esp");
        let place = step.place_of(key);
        part.kind = step.findings.check(&place, esp)?;
        if device.mounted_at.is_none() {
            self.mount_esp(step, key, index)?;
        }
        Some(Some(index))
    }

    fn mount_esp(&mut self, step: &mut Step<'_, '_>, key: &str, index: usize) -> Option<()> {
        let is_there = |it: &&Device| it.mounted_at.as_deref() == Some(ESP_PATH);
        if let Some(other) = self.devices.iter().find(is_there) {
            let message = format!(
                "it would be mounted at '{ESP_PATH}', where '{}' is already",
                other.tag
            );
            return step.refuse(key, message);
        }
        self.devices[index].mounted_at = Some(ESP_PATH.to_owned());
        let action = Action::MountPoint(ESP_PATH.to_owned());
        self.add(format!("mount: {ESP_PATH}"), None, action);
        Some(())
    }
}
