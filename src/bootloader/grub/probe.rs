//! What is asked while GRUB's configuration is made, and who answers.
//!
//! grub-mkconfig has grub-probe look at the devices that the tree is on. A tree that is assembled
//! is on none of its own, so that a script which knows the disk that is made answers instead.
//! Answers are those that grub-probe gives of an image on a loop device; hints of where firmware
//! will see the disk are left out then too. So does one answer for grub-mkrelpath, which tells
//! paths on the filesystems that the tree will be on. os-prober, which looks for systems on all
//! disks of the host, finds none.

use anyhow::Result;

use disklayout::layout::spec::{DiskTable, Holds};

use super::filesystems;
use super::layers::{self, Layers};
use super::plan::{partition, partition_map};
use crate::rooted::{StandIn, Tree};
use crate::shell::quoted;
use crate::system::{System, Volume as Known};

/// What answers for grub-probe, and for grub-mkrelpath, below the facts.
const PROBE: &str = include_str!("probe.sh");
const RELATIVE: &str = include_str!("relative.sh");

/// Where these programs are, and those that look for other systems on the disks of the host.
const PROBES: &[&str] = &["/usr/sbin/grub-probe", "/usr/bin/grub-probe"];
const RELATIVES: &[&str] = &["/usr/bin/grub-mkrelpath"];
const PROBERS: &[&str] = &["/usr/bin/os-prober", "/usr/bin/linux-boot-prober"];

/// What answers for the latter.
const NOTHING: &str = "#!/bin/sh\n# No other systems are on the disk that is made.\nexit 0\n";

/// What is known of a filesystem of the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Volume {
    /// Where it is mounted in the tree.
    pub(super) mounted_at: Option<String>,
    /// Its UUID.
    pub(super) uuid: String,
    /// What GRUB calls its format, where GRUB reads it.
    pub(super) filesystem: Option<&'static str>,
    /// Its label; empty without one.
    pub(super) label: String,
    /// The UUID of its partition as the kernel has it, where it is decided.
    pub(super) partuuid: Option<String>,
    /// What it is in, as GRUB calls it: `hd0,gpt2`, `lvmid/UUID/UUID`.
    pub(super) drive: String,
    /// Its path when the system runs where it is no partition: `/dev/mapper/vg-root`. It is known by this
    /// then, whatever machine the disk is put into, and GRUB by the name of its drive.
    pub(super) mapped: Option<String>,
    /// What lies between it and partitions.
    pub(super) layers: Layers,
}

/// All filesystems of a disk that have a UUID.
pub(super) fn volumes(system: &System) -> Vec<Volume> {
    let all = system.volumes.iter().enumerate();
    let known = all.filter(|(_, volume)| !volume.uuid.is_empty());
    known
        .map(|(index, volume)| of_volume(system, index, volume))
        .collect()
}

fn of_volume(system: &System, index: usize, volume: &Known) -> Volume {
    let filesystem = match system.holds(index) {
        Holds::Filesystem(filesystem) => Some(filesystem),
        _ => None,
    };
    let readable = filesystem.and_then(|it| filesystems::of_format(&it.format));
    let table = &system.disk.table;
    let mapped = volume.mapper_name();
    let number = volume.location.number().filter(|_| mapped.is_none());
    let partuuid = match (table, number) {
        (DiskTable::Mbr { signature }, Some(number)) => {
            signature.map(|signature| format!("{signature:08x}-{number:02x}"))
        }
        (DiskTable::Gpt { .. }, Some(_)) => {
            let guid = system.disk.partitions.get(index).and_then(|it| it.guid);
            guid.map(|guid| guid.hyphenated().to_string())
        }
        (DiskTable::None, _) | (_, None) => None,
    };
    Volume {
        mounted_at: volume.mounted_at.clone(),
        uuid: volume.uuid.clone(),
        filesystem: readable.map(|it| it.name),
        label: filesystem
            .and_then(|it| it.label.clone())
            .unwrap_or_default(),
        partuuid,
        drive: layers::drive(system, volume).unwrap_or_else(|| {
            let partition = partition(partition_map(table.kind()), &volume.location);
            format!("hd0,{partition}")
        }),
        mapped: mapped.map(|name| format!("/dev/mapper/{name}")),
        layers: Layers::around(system, index),
    }
}

/// What takes the place of files of the tree and of devices while GRUB's configuration is made.
///
/// # Errors
/// Where the tree can't be read.
pub(super) fn stand_ins(tree: &Tree, map: &str, volumes: &[Volume]) -> Result<Vec<StandIn>> {
    let mut found = Vec::new();
    for program in programs(map, volumes) {
        if tree.has_file(&program.path)? {
            found.push(program);
        }
    }
    found.extend(devices(volumes));
    Ok(found)
}

/// What answers for programs, with each path that they have somewhere.
pub(super) fn programs(map: &str, volumes: &[Volume]) -> Vec<StandIn> {
    let mut programs = Vec::new();
    for (paths, contents) in [
        (PROBES, facts(map, volumes) + PROBE),
        (RELATIVES, facts(map, volumes) + RELATIVE),
        (PROBERS, NOTHING.to_owned()),
    ] {
        let stand_ins = paths.iter().map(|path| stand_in(path, &contents, 0o755));
        programs.extend(stand_ins);
    }
    programs
}

/// Devices: scripts look whether they are there before they name them.
pub(super) fn devices(volumes: &[Volume]) -> Vec<StandIn> {
    let devices = volumes.iter().flat_map(Volume::devices);
    devices.map(|path| stand_in(&path, "", 0o644)).collect()
}

fn stand_in(path: &str, contents: &str, permissions: u32) -> StandIn {
    StandIn {
        path: path.to_owned(),
        contents: contents.into(),
        permissions,
    }
}

impl Volume {
    /// The paths by which it is known as a device. The first one is what it is called.
    fn devices(&self) -> impl Iterator<Item = String> {
        let by = |what, id: &str| format!("/dev/disk/by-{what}/{id}");
        let partition = self.partuuid.iter().map(move |id| by("partuuid", id));
        let mapped = self.mapped.iter().cloned();
        mapped.chain([by("uuid", &self.uuid)]).chain(partition)
    }
}

/// What a script begins with that knows a disk: the kind of its table, and functions that set what
/// is known of the filesystem that has a path, or that is a device.
fn facts(map: &str, volumes: &[Volume]) -> String {
    let mut mounted: Vec<_> = volumes
        .iter()
        .filter(|it| it.mounted_at.is_some())
        .collect();
    // The first that is around a path is the one that has it.
    mounted.sort_by_key(|it| std::cmp::Reverse(it.mounted_at.as_ref().map(String::len)));
    let paths = mounted.iter().map(|volume| {
        let at = volume.mounted_at.as_deref().unwrap_or_default();
        let at = at.trim_end_matches('/');
        match at {
            "" => case("/*", volume),
            at => case(&format!("{0} | {0}/*", quoted(at)), volume),
        }
    });
    let devices = volumes.iter().map(|volume| {
        let devices: Vec<_> = volume.devices().map(|path| quoted(&path)).collect();
        case(&devices.join(" | "), volume)
    });
    let function = |name: &str, cases: String| {
        format!("{name}() {{\n    case $1 in\n{cases}        *) return 1 ;;\n    esac\n}}\n\n")
    };
    [
        "#!/bin/sh\n# Answers by what is known of the disk that is made.\n\n".to_owned(),
        format!("map={}\n\n", quoted(map)),
        function("of_path", paths.collect()),
        function("of_device", devices.collect()),
    ]
    .concat()
}

/// A case of a shell's: what is known of a filesystem where `patterns` match.
fn case(patterns: &str, volume: &Volume) -> String {
    let at = volume.mounted_at.as_deref().unwrap_or_default();
    let device = volume.devices().next().unwrap_or_default();
    let facts = [
        ("at", at.trim_end_matches('/')),
        ("device", &device),
        ("mapped", volume.mapped.as_deref().unwrap_or_default()),
        ("uuid", volume.uuid.as_str()),
        ("fs", volume.filesystem.unwrap_or_default()),
        ("label", &volume.label),
        ("partuuid", volume.partuuid.as_deref().unwrap_or_default()),
        ("drive", &volume.drive),
        ("partitions", &"x ".repeat(volume.layers.partitions)),
        ("layers", &volume.layers.modules.join(" ")),
        ("containers", &volume.layers.containers.join(" ")),
    ];
    let facts = facts.map(|(name, value)| format!("{name}={}", quoted(value)));
    format!("        {patterns}) {} ;;\n", facts.join(" "))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    const NEWLINE: &str = "\n";

    /// A root filesystem, one at the awkward path `boot`, an EFI system partition, one that GRUB
    /// can't read and that is mounted nowhere.
    fn disk(boot: &str) -> Vec<Volume> {
        let volume = |at: Option<&str>, uuid: &str, filesystem, number| Volume {
            mounted_at: at.map(str::to_owned),
            uuid: uuid.to_owned(),
            filesystem,
            label: String::new(),
            partuuid: None,
            drive: format!("hd0,gpt{number}"),
            layers: Layers {
                partitions: 1,
                ..Layers::default()
            },
            mapped: None,
        };
        vec![
            Volume {
                label: "it's $(id) \\n \"x\"".to_owned(),
                partuuid: Some("1b4e28ba-2fa1-11d2-883f-0016d3cca427".to_owned()),
                ..volume(Some("/"), "9bee886e-e761", Some("ext2"), 3)
            },
            volume(Some(boot), "b007", Some("xfs"), 2),
            volume(Some(&format!("{boot}/efi/")), "6987-937D", Some("fat"), 1),
            volume(None, "5a5a", None, 4),
        ]
    }

    fn script(map: &str, volumes: &[Volume]) -> String {
        facts(map, volumes) + PROBE
    }

    /// What the script says to the words of `question`.
    fn ask(script: &str, question: &[&str]) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("grub-probe");
        fs::write(&path, script).unwrap();
        let output = Command::new("sh")
            .arg(path)
            .args(question)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        match output.status.success() {
            true => {
                assert!(output.stderr.is_empty(), "{question:?}: {output:?}");
                Ok(text(output.stdout))
            }
            false => {
                assert!(output.stdout.is_empty(), "{question:?}: {output:?}");
                Err(text(output.stderr))
            }
        }
    }

    #[test]
    fn every_target_has_an_answer() {
        let script = script("gpt", &disk("/boot"));
        for (target, root, boot) in [
            (
                "device",
                "/dev/disk/by-uuid/9bee886e-e761\n",
                "/dev/disk/by-uuid/b007\n",
            ),
            ("disk", "/dev/disk0\n", "/dev/disk0\n"),
            ("drive", "(hd0,gpt3)\n", "(hd0,gpt2)\n"),
            ("fs", "ext2\n", "xfs\n"),
            ("fs_uuid", "9bee886e-e761\n", "b007\n"),
            ("fs_label", "it's $(id) \\n \"x\"\n", NEWLINE),
            ("partmap", "gpt\n", "gpt\n"),
            ("abstraction", "", ""),
            ("compatibility_hint", "", ""),
            ("cryptodisk_uuid", "", ""),
            ("hints_string", NEWLINE, NEWLINE),
            ("bios_hints", NEWLINE, NEWLINE),
            ("efi_hints", NEWLINE, NEWLINE),
            ("baremetal_hints", NEWLINE, NEWLINE),
            ("ieee1275_hints", NEWLINE, NEWLINE),
            ("arc_hints", NEWLINE, NEWLINE),
            ("zero_check", "false\n", "false\n"),
        ] {
            for (device, answer) in [("9bee886e-e761", root), ("b007", boot)] {
                let device = format!("/dev/disk/by-uuid/{device}");
                let long = format!("--target={target}");
                for question in [
                    &["--device", &device, &long][..],
                    &[&long, "--device", &device],
                    &["-d", "-t", target, &device],
                    &["--target", target, &device, "-d"],
                    &["-d", &format!("-t{target}"), "-v", "-m", "map", &device],
                ] {
                    assert_eq!(
                        ask(&script, question).as_deref(),
                        Ok(answer),
                        "{question:?}"
                    );
                }
            }
            let question = ["-t", target, "/usr"];
            assert_eq!(ask(&script, &question).as_deref(), Ok(root), "{question:?}");
        }
        let partition = "/dev/disk/by-partuuid/1b4e28ba-2fa1-11d2-883f-0016d3cca427";
        let question = ["-d", "-t", "partuuid", partition];
        let answer = ask(&script, &question).unwrap();
        assert_eq!(answer, "1b4e28ba-2fa1-11d2-883f-0016d3cca427\n");
        let both = ["-d", "/dev/disk/by-uuid/b007", partition];
        assert_eq!(ask(&script, &both).as_deref(), Ok("xfs\next2\n"));
        let separated = [&["-0"], &both[..]].concat();
        assert_eq!(ask(&script, &separated).as_deref(), Ok("xfs\0ext2\0"));
    }

    /// As grub-probe 2.06 says it of a volume that LVM has on two partitions, and of one in LUKS2. Of the
    /// latter it names the modules of the cipher too.
    #[test]
    fn what_is_mapped_has_an_answer_too() {
        let lvmid =
            "lvmid/SwWcwl-jhDU-XiaA-lF73-Cdo7-CU4y-eHV5B3/oYac9s-U09i-Qig9-hL6t-YI97-2bWG-wCWCmX";
        let uuid = "be62a114f28445cb80399329532bc9eb";
        let cryptouuid = format!("cryptouuid/{uuid}");
        let volume = |name: &str, drive: &str, at: &str, layers| Volume {
            mounted_at: Some(at.to_owned()),
            uuid: format!("u-{name}"),
            filesystem: Some("ext2"),
            drive: drive.to_owned(),
            mapped: Some(format!("/dev/mapper/{name}")),
            layers,
            ..Volume::default()
        };
        let on_lvm = Layers {
            modules: vec!["lvm"],
            containers: Vec::new(),
            partitions: 2,
        };
        let in_luks = Layers {
            modules: vec!["cryptodisk", "luks2"],
            containers: vec![uuid.to_owned()],
            partitions: 1,
        };
        let script = script(
            "gpt",
            &[
                volume("v--g-one", lvmid, "/", on_lvm),
                volume("crypt", &cryptouuid, "/usr", in_luks),
            ],
        );
        for (target, lvm, luks) in [
            ("device", "/dev/mapper/v--g-one\n", "/dev/mapper/crypt\n"),
            ("disk", "/dev/mapper/v--g-one\n", "/dev/mapper/crypt\n"),
            ("drive", "(LVMID)\n", "(CRYPTOUUID)\n"),
            ("fs", "ext2\n", "ext2\n"),
            ("fs_uuid", "u-v--g-one\n", "u-crypt\n"),
            ("partuuid", NEWLINE, NEWLINE),
            ("partmap", "gpt\ngpt\n", "gpt\n"),
            ("abstraction", "lvm\n", "cryptodisk\nluks2\n"),
            ("cryptodisk_uuid", "", "UUID\n"),
            ("compatibility_hint", "LVMID\n", "CRYPTOUUID\n"),
            (
                "hints_string",
                "--hint='LVMID' \n",
                "--hint='CRYPTOUUID' \n",
            ),
            ("bios_hints", "LVMID \n", "CRYPTOUUID \n"),
            ("efi_hints", "LVMID \n", "CRYPTOUUID \n"),
            ("baremetal_hints", "LVMID \n", "CRYPTOUUID \n"),
            ("ieee1275_hints", "LVMID \n", "CRYPTOUUID \n"),
            ("arc_hints", "LVMID \n", "CRYPTOUUID \n"),
            ("zero_check", "false\n", "false\n"),
        ] {
            let lvm = lvm.replace("LVMID", lvmid);
            let luks = luks
                .replace("CRYPTOUUID", &cryptouuid)
                .replace("UUID", uuid);
            for (question, answer) in [
                (["-t", target, "-d", "/dev/mapper/v--g-one"], &lvm),
                (["-t", target, "-d", "/dev/disk/by-uuid/u-crypt"], &luks),
                (["-t", target, "-v", "/usr"], &luks),
                (["-t", target, "-v", "/etc"], &lvm),
            ] {
                assert_eq!(ask(&script, &question).as_ref(), Ok(answer), "{question:?}");
            }
        }
    }

    #[test]
    fn the_longest_mount_point_has_a_path() {
        for name in [
            "boot", "it's", "a b", "a*", "$(id)", "x;exit", "\"q\"", "\\n",
        ] {
            let directory = tempfile::tempdir().unwrap();
            let boot = directory.path().canonicalize().unwrap().join(name);
            fs::create_dir_all(boot.join("efi/EFI")).unwrap();
            fs::create_dir_all(boot.join("grub/deep")).unwrap();
            let shown = |path: &str| boot.join(path).to_str().unwrap().to_owned();
            let beside = format!("{}2", boot.display());
            fs::create_dir(&beside).unwrap();
            std::os::unix::fs::symlink(&boot, format!("{beside}/link")).unwrap();
            let facts = facts("gpt", &disk(boot.to_str().unwrap()));
            let [probe, relative] = [PROBE, RELATIVE].map(|script| format!("{facts}{script}"));
            for (path, filesystem, on_it) in [
                ("/".to_owned(), "ext2", ""),
                (shown(""), "xfs", ""),
                (shown("grub/deep"), "xfs", "/grub/deep"),
                (shown("grub/../efi/.."), "xfs", ""),
                (shown("efi"), "fat", ""),
                (shown("efi/EFI"), "fat", "/EFI"),
                (beside.clone(), "ext2", &beside),
                (format!("{beside}/link/efi/EFI/"), "fat", "/EFI"),
            ] {
                let answer = ask(&probe, &[&path]).unwrap();
                assert_eq!(answer, format!("{filesystem}\n"), "{path}");
                let answer = ask(&relative, &[&path]).unwrap();
                assert_eq!(answer, format!("{on_it}\n"), "{path}");
            }
            for (question, said) in [
                (&["/none"][..], "grub-mkrelpath: there is no '/none'"),
                (&[], "takes one path"),
                (&["/", "/"], "takes one path"),
            ] {
                let error = ask(&relative, question).unwrap_err();
                assert!(error.contains(said), "{error}");
            }
        }
    }

    #[test]
    fn what_is_not_known_fails_and_says_so() {
        let script = script("msdos", &disk("/boot"));
        let unknown = "/dev/disk/by-uuid/5a5a";
        for (question, said) in [
            (
                &["-t", "gpt_parttype", "/"][..],
                "'gpt_parttype' isn't known of a disk",
            ),
            (&["--target=", "/"], "'' isn't known of a disk"),
            (
                &["-d", "/dev/vda1"],
                "'/dev/vda1' is no filesystem of the disk",
            ),
            (
                &["-d", "/dev/disk/by-uuid/5a5"],
                "is no filesystem of the disk",
            ),
            (&["-d", "-t", "fs", unknown], "unknown filesystem"),
            (
                &["-d", "-t", "partuuid", unknown],
                "what the table has for 5a5a isn't known",
            ),
            (&["/none/of/it"], "there is no '/none/of/it'"),
            (&[], "which path or device?"),
            (&["-t"], "'-t' needs a value"),
            (&["/", "-m"], "'-m' needs a value"),
            (&["--fast", "/"], "has no option '--fast'"),
        ] {
            let error = ask(&script, question).unwrap_err();
            assert!(error.starts_with("grub-probe: "), "{error}");
            assert!(error.contains(said), "{question:?}: {error}");
        }
        let unread = ask(&script, &["-d", "-t", "fs_uuid", unknown]);
        assert_eq!(unread.as_deref(), Ok("5a5a\n"));
        let alone = facts("", &[]) + PROBE;
        let error = ask(&alone, &["/"]).unwrap_err();
        assert!(
            error.contains("'/' is on no filesystem of the disk"),
            "{error}"
        );
    }

    #[test]
    fn what_is_there_is_stood_in_for() {
        let directory = tempfile::tempdir().unwrap();
        for path in [
            "usr/sbin/grub-probe",
            "usr/bin/grub-mkrelpath",
            "usr/bin/os-prober",
        ] {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let tree = Tree::open(directory.path()).unwrap();
        let stand_ins = stand_ins(&tree, "gpt", &disk("/boot")).unwrap();
        let found: Vec<_> = stand_ins
            .iter()
            .map(|it| (it.path.as_str(), it.permissions, it.contents.is_empty()))
            .collect();
        let expected = [
            ("/usr/sbin/grub-probe", 0o755, false),
            ("/usr/bin/grub-mkrelpath", 0o755, false),
            ("/usr/bin/os-prober", 0o755, false),
            ("/dev/disk/by-uuid/9bee886e-e761", 0o644, true),
            (
                "/dev/disk/by-partuuid/1b4e28ba-2fa1-11d2-883f-0016d3cca427",
                0o644,
                true,
            ),
            ("/dev/disk/by-uuid/b007", 0o644, true),
            ("/dev/disk/by-uuid/6987-937D", 0o644, true),
            ("/dev/disk/by-uuid/5a5a", 0o644, true),
        ];
        assert_eq!(found, expected);
        assert_eq!(
            stand_ins[0].contents,
            script("gpt", &disk("/boot")).into_bytes()
        );
    }
}
