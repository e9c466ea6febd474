//! What a volume says of itself, and what is counted in it.

use crate::error::Result;
use crate::fs::fat::format::{
    EXTENDED_BOOT_SIGNATURE, FAT32_MIN_CLUSTERS, FSI_LEAD_SIG, FSI_STRUC_SIG, FsInfo,
};
use crate::inspect::fs::facts::{Facts, State, serial};
use crate::inspect::fs::fat::volume::Width;
use crate::inspect::fs::fat::{Fat, directory, names};

const FREE_UNKNOWN: u32 = u32::MAX;

impl Fat<'_> {
    pub(super) fn facts(&self) -> Facts {
        let volume = &self.volume;
        let tail = &volume.tail;
        let variant = match volume.width {
            Width::Fat12 => "FAT12",
            Width::Fat16 => "FAT16",
            Width::Fat32 => "FAT32",
        };
        let has_serial = matches!(tail.BS_BootSig, EXTENDED_BOOT_SIGNATURE | 0x28);
        let mut facts = Facts {
            variant: Some(variant.to_owned()),
            uuid: has_serial.then(|| serial(tail.BS_VolID.get())),
            size: Some(volume.size),
            block_size: Some(volume.clusters.size),
            blocks: Some(volume.told.into()),
            ..Facts::new("vfat")
        };
        match self
            .is_dirty()
            .and_then(|is_dirty| self.free(&mut facts).map(|()| is_dirty))
        {
            Ok(true) => facts.state = Some(State::Dirty),
            Ok(false) => facts.state = Some(State::Clean),
            Err(error) => facts.warn(error.to_string()),
        }
        facts.label = match directory::label(self) {
            Ok(Some(label)) => Some(label),
            Ok(None) => Some(names::label(&tail.BS_VolLab)).filter(|label| label != "NO NAME"),
            Err(error) => {
                facts.warn(error.to_string());
                None
            }
        };
        facts.label = facts.label.filter(|label| !label.is_empty());
        if volume.width == Width::Fat32 && volume.told < FAT32_MIN_CLUSTERS {
            facts.warn(format!(
                "{} clusters are too few for FAT32; firmware may take it for FAT16",
                volume.told
            ));
        }
        facts
    }

    /// Counted in the FAT; what the FSInfo sector says is held against it.
    fn free(&self, facts: &mut Facts) -> Result<()> {
        let free = self.count_free()?;
        facts.free_blocks = Some(free.into());
        let Some(at) = self.volume.fs_info else {
            return Ok(());
        };
        let info: FsInfo = self.area.structure("FSInfo sector", at)?;
        let (lead, structure) = (info.FSI_LeadSig.get(), info.FSI_StrucSig.get());
        let told = info.FSI_Free_Count.get();
        if (lead, structure) != (FSI_LEAD_SIG, FSI_STRUC_SIG) {
            facts.warn("the FSInfo sector is none");
        } else if told != FREE_UNKNOWN && told != free {
            facts.warn(format!(
                "the FSInfo sector tells of {told} clusters free, the FAT of {free}"
            ));
        }
        Ok(())
    }
}
