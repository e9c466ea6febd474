//! GRUB in front of the partitions of a PC: boot.img in the first sector, which the BIOS starts,
//! and core.img where boot.img finds it.
//!
//! Of the first sector only the program is written: what a filesystem would have there (the BIOS
//! parameter block), the disk signature, the partitions and the boot signature stay. boot.img is
//! told the sector of core.img, and to make sure that the BIOS tells it a hard disk's number;
//! core.img is told the sector of the rest of itself. grub-bios-setup writes the same bytes when it
//! is asked for no Reed-Solomon codes, which have core.img survive a program that scribbles over
//! it. Tried with boot.img of GRUB 2.06, 2.12 and 2.14, which is the same.

use std::ops::Range;

use disklayout::disk::Disk;
use disklayout::{Error, Lba, Place, Result};

/// Bytes in a sector.
const SECTOR: usize = 512;

/// What is written of the first sector: a jump, and behind the BIOS parameter block the program.
const CODE: [Range<usize>; 2] = [0..3, 0x5A..0x1B8];

/// Where boot.img has the sector of core.img, 64 bits.
const CORE_LBA: Range<usize> = 0x5C..0x64;

/// Where boot.img jumps over what a hard disk needs, and the two bytes that let it go on instead.
const DRIVE_CHECK: Range<usize> = 0x66..0x68;
const NO_JUMP: [u8; 2] = [0x90, 0x90];

/// Where core.img has the sector of the rest of itself, 64 bits.
const REST_LBA: Range<usize> = 0x1F4..0x1FC;

/// Where core.img has how many sectors that is, 16 bits.
const REST_SECTORS: Range<usize> = 0x1FC..0x1FE;

/// What boot.img has where, as it comes with GRUB.
const BOOT_IMAGE: [(Range<usize>, &[u8], &str); 6] = [
    (0x000..0x002, &[0xEB, 0x63], "a jump to 0x65"),
    (0x05A..0x05C, &[0x00, 0x80], "the address 0x8000"),
    (CORE_LBA, &[1, 0, 0, 0, 0, 0, 0, 0], "the sector 1"),
    (0x064..0x065, &[0xFF], "the drive that it was started from"),
    (DRIVE_CHECK, &[0xEB, 0x05], "a jump over five bytes"),
    (0x1FE..0x200, &[0x55, 0xAA], "the boot signature"),
];

/// The same for core.img.
const CORE_IMAGE: [(Range<usize>, &[u8], &str); 2] = [
    (REST_LBA, &[2, 0, 0, 0, 0, 0, 0, 0], "the sector 2"),
    (0x1FE..0x200, &[0x20, 0x08], "the segment 0x820"),
];

/// Sectors that core.img may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// The first of them.
    pub(super) first: Lba,
    /// How many there are.
    pub(super) sectors: u64,
    /// What limits them: the start of the partition behind them, or the BIOS boot partition.
    pub(super) place: Place,
    /// Whether they are the gap behind an MBR.
    pub(super) is_gap: bool,
}

impl Room {
    /// Refuses a core.img of `sectors` that hasn't enough.
    ///
    /// # Errors
    /// `DoesNotFit` at what limits it.
    pub(super) fn check(&self, sectors: u64) -> Result<()> {
        if sectors <= self.sectors {
            return Ok(());
        }
        let has = self.sectors;
        let message = match self.is_gap {
            true => format!(
                "GRUB's core.img needs {sectors} sectors, the gap before the first partition has \
                 {has}; start the first partition at 1 MiB"
            ),
            false => format!(
                "GRUB's core.img needs {sectors} sectors, the BIOS boot partition has {has}; \
                 make it 1 MiB"
            ),
        };
        Err(Error::does_not_fit(&self.place, message))
    }
}

/// What is written to a disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Embedded {
    /// What the first sector gets, by the offset of its first byte.
    pub(super) boot_code: Vec<(usize, Vec<u8>)>,
    /// Whole sectors.
    pub(super) core: Vec<u8>,
    /// Their first one.
    pub(super) lba: Lba,
}

impl Embedded {
    /// What becomes of GRUB's `boot` image and of the `core` image that grub-mkimage has made.
    ///
    /// # Errors
    /// `Corrupt` where one of them isn't what is known of them; `DoesNotFit` where core.img takes
    /// more than the room has.
    pub(super) fn new(boot: &[u8], core: &[u8], room: &Room) -> Result<Self> {
        if boot.len() != SECTOR {
            let message = format!(
                "GRUB's boot.img has {SECTOR} bytes, this one {}",
                boot.len()
            );
            return Err(Error::corrupt("boot.img", message));
        }
        check_known("boot.img", boot, &BOOT_IMAGE)?;
        let mut core = core.to_vec();
        core.resize(core.len().next_multiple_of(SECTOR), 0);
        check_core(&core)?;
        room.check((core.len() / SECTOR) as u64)?;
        let mut boot = boot.to_vec();
        boot[CORE_LBA].copy_from_slice(&room.first.get().to_le_bytes());
        boot[DRIVE_CHECK].copy_from_slice(&NO_JUMP);
        core[REST_LBA].copy_from_slice(&(room.first.get() + 1).to_le_bytes());
        let boot_code = CODE.map(|range| (range.start, boot[range].to_vec()));
        Ok(Self {
            boot_code: boot_code.into(),
            core,
            lba: room.first,
        })
    }

    /// Writes it onto `disk`, whose sectors have 512 bytes.
    ///
    /// # Errors
    /// `Io` when storage fails or is too short.
    pub(super) fn write(&self, disk: &dyn Disk) -> Result<()> {
        let write = || {
            disk.write_at(&self.core, self.lba.get() * SECTOR as u64)?;
            let mut sector = [0; SECTOR];
            disk.read_at(&mut sector, 0)?;
            for (offset, bytes) in &self.boot_code {
                sector[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            disk.write_at(&sector, 0)
        };
        write().map_err(|error| Error::io("GRUB's boot code", "it can't be written", error))
    }
}

/// Refuses a core.img, filled up to whole sectors, that isn't what is known.
fn check_core(core: &[u8]) -> Result<()> {
    if core.len() < 2 * SECTOR {
        let message = format!(
            "it has {} sectors, and two are the least",
            core.len() / SECTOR
        );
        return Err(Error::corrupt("core.img", message));
    }
    check_known("core.img", core, &CORE_IMAGE)?;
    let told = usize::from(u16::from_le_bytes([
        core[REST_SECTORS.start],
        core[REST_SECTORS.start + 1],
    ]));
    let rest = core.len() / SECTOR - 1;
    if told != rest {
        let message = format!("it tells of {told} sectors behind its first one, and has {rest}");
        return Err(Error::corrupt("core.img", message));
    }
    Ok(())
}

fn check_known(name: &str, image: &[u8], known: &[(Range<usize>, &[u8], &str)]) -> Result<()> {
    for (range, expected, meaning) in known {
        let found = &image[range.clone()];
        if found != *expected {
            let message = format!(
                "this isn't GRUB's, or of a GRUB that isn't known: at {:#05x} {expected:02x?} \
                 ({meaning}) was expected, and there is {found:02x?}",
                range.start
            );
            return Err(Error::corrupt(name, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use disklayout::disk::MemDisk;

    use super::*;

    fn boot() -> Vec<u8> {
        let mut boot: Vec<u8> = (0..SECTOR).map(|at| at as u8 | 1).collect();
        for (range, bytes, _) in BOOT_IMAGE {
            boot[range].copy_from_slice(bytes);
        }
        boot
    }

    fn core(len: usize) -> Vec<u8> {
        let mut core = vec![0xC0; len];
        for (range, bytes, _) in CORE_IMAGE {
            core[range].copy_from_slice(bytes);
        }
        let rest = (len.div_ceil(SECTOR) - 1) as u16;
        core[REST_SECTORS].copy_from_slice(&rest.to_le_bytes());
        core
    }

    fn room(first: u64, sectors: u64) -> Room {
        Room {
            first: Lba::new(first),
            sectors,
            place: "p".into(),
            is_gap: first == 1,
        }
    }

    #[test]
    fn code_is_written_around_what_belongs_to_others() {
        for lba in [1, 2048, 1 << 33] {
            let (boot, core) = (boot(), core(1200));
            let embedded = Embedded::new(&boot, &core, &room(lba, 3)).unwrap();
            let disk = MemDisk::new((lba + 3) * 512);
            disk.write_at(&[0xEE; SECTOR], 0).unwrap();
            embedded.write(&disk).unwrap();
            let mut first = [0; SECTOR];
            disk.read_at(&mut first, 0).unwrap();
            for (at, byte) in first.into_iter().enumerate() {
                let expected = match at {
                    0x5C..0x64 => lba.to_le_bytes()[at - 0x5C],
                    0x66..0x68 => 0x90,
                    0..3 | 0x5A..0x1B8 => boot[at],
                    _ => 0xEE,
                };
                assert_eq!(byte, expected, "{lba}: byte {at:#x}");
            }
            let mut written = [0; 3 * SECTOR];
            disk.read_at(&mut written, lba * 512).unwrap();
            for (at, byte) in written.into_iter().enumerate() {
                let expected = match at {
                    0x1F4..0x1FC => (lba + 1).to_le_bytes()[at - 0x1F4],
                    1200.. => 0,
                    _ => core[at],
                };
                assert_eq!(byte, expected, "{lba}: byte {at:#x} of core.img");
            }
        }
    }

    #[test]
    fn core_has_room_or_is_refused() {
        for (len, first, sectors, said) in [
            (1536, 1, 3, None),
            (1537, 1, 4, None),
            (1536, 2048, 3, None),
            (
                1537,
                1,
                3,
                Some(
                    "p: GRUB's core.img needs 4 sectors, the gap before the first partition has 3; \
                     start the first partition at 1 MiB",
                ),
            ),
            (1536, 1, 0, Some("the gap before the first partition has 0")),
            (
                1537,
                2048,
                3,
                Some("needs 4 sectors, the BIOS boot partition has 3; make it 1 MiB"),
            ),
        ] {
            let made = Embedded::new(&boot(), &core(len), &room(first, sectors));
            match said {
                None => assert_eq!(made.unwrap().core.len(), len.next_multiple_of(SECTOR)),
                Some(said) => {
                    let error = made.unwrap_err().to_string();
                    assert!(error.contains(said), "{error}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let room = room(1, 100);
        let mut cases = Vec::new();
        for (range, _, meaning) in BOOT_IMAGE {
            let mut boot = boot();
            boot[range.start] ^= 0xFF;
            cases.push((boot, core(1200), "boot.img", meaning));
        }
        for (range, _, meaning) in CORE_IMAGE {
            let mut core = core(1200);
            core[range.start] ^= 0xFF;
            cases.push((boot(), core, "core.img", meaning));
        }
        let cut = |len| boot()[..len].to_vec();
        cases.push((cut(511), core(1200), "boot.img", "this one 511"));
        cases.push((cut(0), core(1200), "boot.img", "this one 0"));
        cases.push((boot(), Vec::new(), "core.img", "it has 0 sectors"));
        cases.push((boot(), core(512), "core.img", "it has 1 sectors"));
        let long = [core(1200), vec![0; 512]].concat();
        cases.push((
            boot(),
            long,
            "core.img",
            "tells of 2 sectors behind its first one, and has 3",
        ));
        for (boot, core, name, said) in cases {
            let error = Embedded::new(&boot, &core, &room).unwrap_err();
            assert!(
                error.place() == name && error.message().contains(said),
                "{error}"
            );
        }
    }

    #[test]
    fn a_disk_that_is_too_short_is_an_error() {
        let embedded = Embedded::new(&boot(), &core(1200), &room(1, 3)).unwrap();
        embedded.write(&MemDisk::new(4 * 512)).unwrap();
        let error = embedded.write(&MemDisk::new(4 * 512 - 1)).unwrap_err();
        assert!(error.to_string().contains("can't be written"), "{error}");
    }
}
