//! Disks that GRUB can be installed on, and all others.

use disklayout::layout::DiskSize;
use disklayout::layout::spec::{
    Blob, Disk, DiskTable, Encrypted, End, Filesystem, Holds, LogicalVolume, Member, Partition,
    Start, VolumeGroup, VolumeSize,
};
use disklayout::table::types::PartitionType;
use disklayout::tree::{Content, FileTree};
use disklayout::volume::luks;
use disklayout::volume::lvm::Id;
use disklayout::{Bytes, Lba, SectorSize, Timestamp};
use uuid::Uuid;

use super::layers::Layers;
use super::plan::{Plan, Starter};
use super::platform::Platform;
use super::{check, probe};
use crate::system::{Action, Bootstrap, Firmware, Grub, Location, Opened, Step, System, Volume};

const MBR: DiskTable = DiskTable::Mbr {
    signature: Some(0x0C0F_FEE1),
};

fn gpt() -> DiskTable {
    DiskTable::Gpt {
        guid: None,
        hybrid: Vec::new(),
    }
}

/// A disk with nothing on it.
fn disk(table: DiskTable) -> System {
    System {
        disk: Disk {
            groups: Vec::new(),
            others: Vec::new(),
            kept_table: Vec::new(),
            place: "disk".into(),
            size: DiskSize::Fixed(Bytes::new(1 << 30)),
            multiple: Bytes::new(1),
            sector_size: SectorSize::B512,
            table,
            partitions: Vec::new(),
            blobs: Vec::new(),
        },
        volumes: Vec::new(),
        keys: Vec::new(),
        steps: Vec::new(),
    }
}

/// One more partition from sector `first` on, of 1000 sectors; `format` may be empty.
fn with(mut system: System, first: i64, kind: &str, format: &str, at: &str) -> System {
    let number = system.volumes.len() as u32 + 1;
    let holds = match format {
        "" => Holds::Nothing,
        format => Filesystem::new(format, FileTree::new(Timestamp::from_seconds(1))).into(),
    };
    let mut partition = Partition::new(format!("p{number}"), holds);
    (partition.start, partition.end) = (Start::Sector(first), End::Sector(first + 999));
    partition.kind = PartitionType::parse(kind).unwrap().into();
    system.disk.partitions.push(partition);
    let uuid = match format {
        "" => String::new(),
        _ => format!("{number}{number}"),
    };
    system.volumes.push(Volume {
        tag: format!("tag{number}"),
        location: Location::Partition(number),
        opened: None,
        uuid,
        mounted_at: (!at.is_empty()).then(|| at.to_owned()),
    });
    system
}

/// The same with what the volume at `index` holds encrypted, and opened by the name `crypt`.
fn encrypted(system: System, index: usize) -> System {
    but(system, |it| {
        it.volumes[index].opened = Some(Opened {
            name: "crypt".to_owned(),
            uuid: "0000-11".to_owned(),
        });
        let holds = match index.checked_sub(it.disk.partitions.len()) {
            None => &mut it.disk.partitions[index].holds,
            Some(volume) => &mut it.disk.groups[0].volumes[volume].holds,
        };
        let inner = std::mem::replace(holds, Holds::Nothing);
        *holds = Holds::Encrypted(Box::new(Encrypted {
            luks: container(),
            sector_size: None,
            encrypts_zeroes: false,
            holds: inner,
        }));
    })
}

fn container() -> luks::Request {
    luks::Request::new("luks", luks::Version::Luks2, luks::Secrets::new([0; 32]))
}

/// One more partition from sector `first` on, which is a part of the group `v-g` with these volumes: their
/// names, their formats, and where they are mounted.
fn with_group(system: System, first: i64, volumes: &[(&str, &str, &str)]) -> System {
    let mut system = with(system, first, "lvm", "", "");
    let member = system.disk.partitions.last_mut().unwrap();
    member.holds = Member::of("v-g").into();
    let mut logical = Vec::new();
    for (name, format, at) in volumes {
        let filesystem = Filesystem::new(*format, FileTree::new(Timestamp::from_seconds(1)));
        logical.push(LogicalVolume {
            place: format!("v-g/{name}").into(),
            name: (*name).to_owned(),
            uuid: Some(id(name)),
            size: VolumeSize::Content,
            stripes: None,
            tags: Vec::new(),
            holds: filesystem.into(),
        });
        system.volumes.push(Volume {
            tag: format!("tag {name}"),
            location: Location::Logical {
                group: "v-g".to_owned(),
                name: (*name).to_owned(),
            },
            opened: None,
            uuid: format!("uuid-{name}"),
            mounted_at: (!at.is_empty()).then(|| (*at).to_owned()),
        });
    }
    system.disk.groups.push(VolumeGroup {
        uuid: Some(id("v")),
        volumes: logical,
        ..VolumeGroup::new("v-g", "v-g")
    });
    system
}

/// A UUID of LVM's, of the letters of a name.
fn id(name: &str) -> Id {
    let letters = name.replace('-', "");
    letters.repeat(Id::LEN)[..Id::LEN].parse().unwrap()
}

fn grub(firmware: Firmware, root: usize, esp: Option<usize>) -> Grub {
    Grub {
        firmware,
        root,
        esp,
        serial: false,
        quiet: false,
        timeout: Some(0),
        kernel_parameters: Some(vec!["rw".to_owned()]),
        installs_packages: false,
    }
}

fn bios(root: usize) -> Grub {
    grub(Firmware::Bios, root, None)
}

fn uefi(esp: usize, root: usize) -> Grub {
    grub(Firmware::Uefi, root, Some(esp))
}

fn simple(first: i64, format: &str) -> System {
    with(disk(MBR), first, "linux", format, "/")
}

fn with_esp(table: DiskTable) -> System {
    let system = with(disk(table), 2048, "esp", "vfat", "/boot/efi");
    with(system, 4096, "linux", "ext4", "/")
}

#[test]
fn where_grub_goes_is_decided() {
    let own_boot = with(simple(4096, "btrfs"), 2048, "linux", "ext2", "/boot");
    let own_grub = with(simple(4096, "erofs"), 2048, "linux", "fat32", "/boot/grub/");
    let data = with(simple(2048, "ext4"), 4096, "linux", "erofs", "/boot/gru");
    let boot = with(disk(gpt()), 34, "bios-boot", "", "");
    let boot = with(boot, 2048, "linux", "f2fs", "/");
    let extended = with(simple(2048, "xfs"), 8000, "esp", "msdos", "/efi");
    for (system, grub, partition, module, path, start) in [
        (
            simple(2048, "ext3"),
            bios(0),
            "msdos1",
            "ext2",
            "/boot/grub",
            Some((1, 2047)),
        ),
        (
            simple(55, "ext4"),
            bios(0),
            "msdos1",
            "ext2",
            "/boot/grub",
            Some((1, 54)),
        ),
        (
            own_boot.clone(),
            bios(0),
            "msdos2",
            "ext2",
            "/grub",
            Some((1, 2047)),
        ),
        (
            own_boot,
            bios(1),
            "msdos2",
            "ext2",
            "/grub",
            Some((1, 2047)),
        ),
        (own_grub, bios(1), "msdos2", "fat", "", Some((1, 2047))),
        (
            data,
            bios(0),
            "msdos1",
            "ext2",
            "/boot/grub",
            Some((1, 2047)),
        ),
        (
            boot,
            bios(1),
            "gpt2",
            "f2fs",
            "/boot/grub",
            Some((34, 1000)),
        ),
        (
            with_esp(gpt()),
            uefi(0, 1),
            "gpt2",
            "ext2",
            "/boot/grub",
            None,
        ),
        (
            with_esp(MBR),
            uefi(0, 1),
            "msdos2",
            "ext2",
            "/boot/grub",
            None,
        ),
        (extended, uefi(1, 0), "msdos1", "xfs", "/boot/grub", None),
    ] {
        let plan = Plan::new(&grub, &system).unwrap();
        assert_eq!(plan.home.drive, format!(",{partition}"));
        assert_eq!(plan.home.layers.modules, [""; 0]);
        assert_eq!(
            (plan.home.filesystem.name, &*plan.home.path),
            (module, path)
        );
        match (plan.start, start) {
            (Starter::Bios(room), Some(expected)) => {
                assert_eq!(
                    (room.first, room.sectors),
                    (Lba::new(expected.0), expected.1)
                );
            }
            (Starter::Uefi(at), None) => assert!(["/boot/efi", "/efi"].contains(&&*at)),
            (found, _) => panic!("{partition}: {found:?}"),
        }
    }
}

/// The same with something changed.
fn but(mut system: System, change: impl FnOnce(&mut System)) -> System {
    change(&mut system);
    system
}

#[test]
fn what_can_not_be_is_refused() {
    let blob = |system: &mut System| {
        system.disk.blobs.push(Blob {
            place: "blob".into(),
            offset: Bytes::new(20 * 512),
            content: Content::inline(b"x"),
        });
    };
    let features = |system: &mut System| {
        if let Holds::Filesystem(filesystem) = &mut system.disk.partitions[0].holds {
            filesystem.options.set("features", "^has_journal, ea_inode");
        }
    };
    let full = with(disk(gpt()), 34, "bios-boot", "ext4", "");
    let small = but(with(disk(gpt()), 34, "bios-boot", "", ""), |system| {
        system.disk.partitions[0].end = End::Sector(34 + 52);
    });
    let gpt_alone = with(disk(gpt()), 2048, "linux", "ext4", "/");
    let root = |system| with(system, 4096, "linux", "ext4", "/");
    let no_esp = |kind, format, at| root(with(disk(gpt()), 2048, kind, format, at));
    for (system, grub, said) in [
        (
            simple(54, "ext4"),
            bios(0),
            "p1.start: GRUB's core.img needs 54 sectors, the gap before the first partition has \
             53; start the first partition at 1 MiB",
        ),
        (
            simple(1, "ext4"),
            bios(0),
            "has 0; start the first partition at 1 MiB",
        ),
        (
            simple(63, "btrfs"),
            bios(0),
            "needs 141 sectors, the gap before the first partition has 62",
        ),
        (
            with(simple(4096, "ext4"), 40, "linux", "", ""),
            bios(0),
            "p2.start: GRUB's core.img needs 54 sectors, the gap",
        ),
        (
            but(simple(2048, "ext4"), blob),
            bios(0),
            "blob.start: GRUB's core.img needs 54",
        ),
        (
            gpt_alone.clone(),
            bios(0),
            "disk.table: GRUB for a BIOS needs a partition of the type bios-boot on a GPT, of 1 \
             MiB: add one, or give the disk an MBR",
        ),
        (
            root(full),
            bios(1),
            "p1.format: GRUB's core.img takes the place of what",
        ),
        (
            root(small),
            bios(1),
            "p1: GRUB's core.img needs 54 sectors, the BIOS boot partition has 53; make it 1 MiB",
        ),
        (
            with(disk(DiskTable::None), 0, "linux", "ext4", "/"),
            bios(0),
            "disk.table: GRUB can't be started from a disk without a partition table",
        ),
        (
            but(simple(2048, "ext4"), |it| {
                it.disk.sector_size = SectorSize::B4096
            }),
            bios(0),
            "disk.sector_size: GRUB is started by a BIOS from sectors of 512 bytes only, and these \
             have 4096",
        ),
        (
            simple(2048, "erofs"),
            bios(0),
            "p1.format: GRUB doesn't read erofs, which its own files are on; it reads ext2, ext3, \
             ext4, fat,",
        ),
        (
            but(simple(2048, "ext4"), |it| {
                it.disk.partitions[0].holds = Holds::Nothing
            }),
            bios(0),
            "p1.format: GRUB's files are on it, but it holds no filesystem",
        ),
        (
            but(simple(2048, "ext4"), features),
            bios(0),
            "p1.features: GRUB reads no filesystem with ea_inode",
        ),
        (
            but(simple(2048, "squashfs"), |it| it.volumes[0].uuid.clear()),
            bios(0),
            "p1.format: the root filesystem is on it, and it has no UUID",
        ),
        (
            but(
                with(simple(2048, "ext4"), 4096, "linux", "ext4", "/boot"),
                |it| it.volumes[1].uuid.clear(),
            ),
            bios(0),
            "p2.format: GRUB's files are on it, and it has no UUID",
        ),
        (
            with(disk(MBR), 2048, "linux", "ext4", "/boot"),
            bios(0),
            "disk: none of its filesystems is mounted at /,",
        ),
        (
            with(disk(MBR), 2048, "linux", "ext4", ""),
            bios(0),
            "disk: none of its filesystems is mounted at /,",
        ),
        (
            with(simple(2048, "ext4"), 4096, "linux", "ext4", "/home"),
            bios(1),
            "p1: GRUB's files are in 'tag1', so they can't be in 'tag2'",
        ),
        (
            but(simple(2048, "ext4"), |it| {
                it.disk.partitions[0].start = Start::Next
            }),
            bios(0),
            "p1: its sectors aren't decided",
        ),
        (
            gpt_alone,
            grub(Firmware::Uefi, 0, None),
            "disk: GRUB for UEFI needs an EFI system partition: a partition of the type esp",
        ),
        (
            no_esp("esp", "ext4", "/boot/efi"),
            uefi(0, 1),
            "p1.format: UEFI reads FAT alone, so that an EFI system partition can't hold ext4",
        ),
        (
            no_esp("esp", "", ""),
            uefi(0, 1),
            "can't hold nothing: make it vfat",
        ),
        (
            no_esp("linux", "vfat", "/boot/efi"),
            uefi(0, 1),
            "p1.type_guid: UEFI looks for partitions of the type esp: give it to this one",
        ),
        (
            no_esp("esp", "vfat", ""),
            uefi(0, 1),
            "p1: the EFI system partition isn't mounted",
        ),
        (
            simple(2048, "ext4"),
            Grub {
                kernel_parameters: Some(vec!["a".to_owned(), "b\nc".to_owned()]),
                installs_packages: false,
                ..bios(0)
            },
            "the parameters of the kernel: 'b\\nc' has a control character",
        ),
    ] {
        let error = check(&grub, &system).unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
}

/// What GRUB calls the logical volume of this name in `v-g`.
fn lvmid(name: &str) -> String {
    format!("lvmid/{}/{}", id("v"), id(name))
}

#[test]
fn logical_volumes_have_grub_too() {
    let boot = with(disk(gpt()), 34, "bios-boot", "", "");
    let esp = with(boot, 2048, "esp", "vfat", "/boot/efi");
    let root = with_group(esp.clone(), 8000, &[("r", "ext4", "/")]);
    let both = with_group(
        esp.clone(),
        8000,
        &[("r", "xfs", "/"), ("b", "ext2", "/boot")],
    );
    let apart = with(esp, 4096, "linux", "ext4", "/boot");
    let apart = with_group(apart, 8000, &[("r", "xfs", "/")]);
    for (system, root, drive, layers, path) in [
        (&root, 3, lvmid("r"), &["lvm"][..], "/boot/grub"),
        (&both, 3, lvmid("b"), &["lvm"], "/grub"),
        (&both, 4, lvmid("b"), &["lvm"], "/grub"),
        (&apart, 4, ",gpt3".to_owned(), &[], "/grub"),
        // Whatever is around the root doesn't matter where /boot is apart.
        (
            &encrypted(apart.clone(), 4),
            4,
            ",gpt3".to_owned(),
            &[],
            "/grub",
        ),
        (
            &encrypted(apart.clone(), 3),
            4,
            ",gpt3".to_owned(),
            &[],
            "/grub",
        ),
    ] {
        for grub in [bios(root), grub(Firmware::Uefi, root, Some(1))] {
            let home = Plan::new(&grub, system).unwrap().home;
            assert_eq!((home.drive, home.path.as_str()), (drive.clone(), path));
            assert_eq!(home.layers.modules, layers);
        }
    }
    let in_gap = |first| with_group(disk(MBR), first, &[("r", "ext4", "/")]);
    check(&bios(1), &in_gap(71)).unwrap();
    for (system, grub, said) in [
        (
            in_gap(70),
            bios(1),
            "p1.start: GRUB's core.img needs 70 sectors, the gap before the first partition has 69",
        ),
        (
            with_group(
                disk(gpt()),
                2048,
                &[("e", "vfat", "/boot/efi"), ("r", "ext4", "/")],
            ),
            uefi(1, 2),
            "v-g/e: firmware reads no logical volumes: have a partition of the type esp",
        ),
        (
            encrypted(root.clone(), 3),
            bios(3),
            "v-g/r: GRUB's files are on 'tag r', which is encrypted",
        ),
        (
            encrypted(root, 2),
            bios(3),
            "v-g/r: GRUB's files are on 'tag r', which is encrypted, and GRUB opens nothing here, as GRUB \
             2.06 derives no keys by Argon2id: have a filesystem of its own at /boot that isn't encrypted",
        ),
        (
            encrypted(simple(2048, "ext4"), 0),
            bios(0),
            "p1: GRUB's files are on 'tag1', which is encrypted",
        ),
        (
            encrypted(with_esp(gpt()), 0),
            uefi(0, 1),
            "p1.format: UEFI reads FAT alone, so that an EFI system partition can't hold what is encrypted",
        ),
    ] {
        let error = check(&grub, &system).unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn a_group_in_itself_is_looked_at_once() {
    let mut system = with_group(disk(gpt()), 2048, &[("r", "ext4", "/"), ("s", "ext4", "")]);
    system.disk.groups[0].volumes[1].holds = Member::of("v-g").into();
    assert_eq!(Layers::around(&system, 1).modules, ["lvm"]);
}

#[test]
fn what_lies_around_a_filesystem_is_known() {
    let system = with(disk(gpt()), 2048, "linux", "ext4", "/boot");
    let system = with_group(system, 8000, &[("r-t", "xfs", "/"), ("h", "ext4", "/home")]);
    let uuids = |it: &System| {
        let volumes = probe::volumes(it).into_iter();
        let known = volumes.map(|it| {
            let layers = it.layers;
            assert_eq!(layers.partitions, 1);
            (
                it.drive,
                it.mapped,
                layers.modules.join(" "),
                layers.containers.join(" "),
            )
        });
        known.collect::<Vec<_>>()
    };
    let mapped = |name: &str| Some(format!("/dev/mapper/{name}"));
    let logical = |name: &str, mapper: &str, layers: &str, container: &str| {
        (
            lvmid(name),
            mapped(mapper),
            layers.to_owned(),
            container.to_owned(),
        )
    };
    let boot = ("hd0,gpt1".to_owned(), None, String::new(), String::new());
    let expected = [
        boot.clone(),
        logical("r-t", "v--g-r--t", "lvm", ""),
        logical("h", "v--g-h", "lvm", ""),
    ];
    assert_eq!(uuids(&system), expected);
    let expected = [
        boot.clone(),
        logical("r-t", "v--g-r--t", "cryptodisk luks2 lvm", "000011"),
        logical("h", "v--g-h", "cryptodisk luks2 lvm", "000011"),
    ];
    assert_eq!(uuids(&encrypted(system.clone(), 1)), expected);
    let opened = |layers: &str| {
        let uuid = "000011".to_owned();
        (
            format!("cryptouuid/{uuid}"),
            mapped("crypt"),
            layers.to_owned(),
            uuid,
        )
    };
    let expected = [
        boot,
        logical("r-t", "v--g-r--t", "lvm", ""),
        opened("lvm cryptodisk luks2"),
    ];
    assert_eq!(uuids(&encrypted(system.clone(), 3)), expected);
    let expected = [opened("cryptodisk luks2")];
    assert_eq!(uuids(&encrypted(system, 0))[..1], expected);
    let nameless = but(with_group(disk(MBR), 99, &[("r", "xfs", "/")]), |it| {
        it.disk.groups[0].uuid = None;
    });
    assert_eq!(probe::volumes(&nameless)[0].drive, "lvm/v--g-r");
}

#[test]
fn filesystems_are_known_with_what_their_table_says() {
    let guid = Uuid::from_u128(0xABC);
    let system = but(with_esp(gpt()), |it| {
        it.disk.partitions[1].guid = Some(guid);
        if let Holds::Filesystem(filesystem) = &mut it.disk.partitions[1].holds {
            filesystem.label = Some("root".to_owned());
        }
    });
    let system = with(system, 6000, "bios-boot", "", "");
    let volumes = probe::volumes(&with(system, 8000, "linux", "erofs", ""));
    let facts: Vec<_> = volumes
        .iter()
        .map(|it| {
            (
                &*it.drive,
                it.filesystem,
                &*it.label,
                it.partuuid.as_deref(),
            )
        })
        .collect();
    let id = "00000000-0000-0000-0000-000000000abc";
    let expected = [
        ("hd0,gpt1", Some("fat"), "", None),
        ("hd0,gpt2", Some("ext2"), "root", Some(id)),
        ("hd0,gpt4", None, "", None),
    ];
    assert_eq!(facts, expected);
    let volumes = probe::volumes(&with_esp(MBR));
    let ids: Vec<_> = volumes.iter().map(|it| it.partuuid.as_deref()).collect();
    assert_eq!(ids, [Some("0c0ffee1-01"), Some("0c0ffee1-02")]);
}

#[test]
fn there_is_a_package_for_each_architecture() {
    for (firmware, architecture, expected) in [
        (Firmware::Bios, "amd64", "grub-pc"),
        (Firmware::Bios, "i386", "grub-pc"),
        (Firmware::Uefi, "amd64", "grub-efi-amd64"),
        (Firmware::Uefi, "arm64", "grub-efi-arm64"),
        (Firmware::Uefi, "i386", "grub-efi-ia32"),
    ] {
        let platform = Platform::of(firmware, architecture).unwrap();
        assert_eq!(platform.installed_by(), expected);
    }
    Platform::of(Firmware::Bios, "s390x").unwrap_err();
}

#[test]
fn an_architecture_that_it_is_not_known_for_is_refused_at_its_step() {
    let with_base = |arch: &str| {
        but(with_esp(gpt()), |it| {
            it.steps.push(Step {
                place: "steps[7]".into(),
                title: "debootstrap".into(),
                skipped: None,
                action: Action::Bootstrap(Bootstrap {
                    arch: Some(arch.into()),
                    ..Bootstrap::new("trixie", "http://host/debian")
                }),
            });
        })
    };
    check(&uefi(0, 1), &with_base("arm64")).unwrap();
    let error = check(&uefi(0, 1), &with_base("riscv64")).unwrap_err();
    let said = "steps[7]: the tree's architecture is riscv64; GRUB for UEFI is installed on amd64, \
                arm64, i386 only";
    assert_eq!(error.to_string(), said);
}
