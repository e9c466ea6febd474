//! Disks as their configurations describe them, and the same bytes whenever they are made.

use std::collections::BTreeMap;

use testkit::program::{arguments, run};

use super::ground::{Ground, member};
use crate::checkers::{self, Entry, Volume};
use crate::systems::assembled::digest;
use crate::systems::user::{self, User};

/// Four partitions with a filesystem, of which two are logical.
const MBR: &str = "\
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: mbr
    align: 2MiB
    partitions:
      - {name: boot, flags: [primary], size: 40MiB, type: '0x83'}
      - {name: root, flags: [boot, primary], size: 50%}
      - {name: log, size: 40MB}
      - {name: rest, size: 100%, type: '0x83'}
- mkfs: {base: boot, type: ext2, name: fs_boot, mount: {mount_point: /boot, fstab: {}}}
- mkfs: {base: root, name: mkfs_root, mount: {mount_point: /, fstab: {fsck-passno: 1}}}
- mkfs: {base: log, type: ext3, name: fs_log, label: log, mount: {mount_point: /var/log}}
- mkfs: {base: rest, type: ext4, name: fs_rest, opts: '-m 1 -O ^has_journal', mount: {mount_point: /srv, fstab: {options: ro}}}
";

/// A system partition, swap, and a filesystem below another.
const GPT: &str = "\
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - name: ESP
        type: 'EF00'
        size: 64MiB
        mkfs:
          type: vfat
          mount: {mount_point: /boot/efi, fstab: {options: umask=0077}}
      - name: var
        size: 96MiB
        mkfs:
          type: ext4
          label: data
          uuid: 11111111-2222-3333-4444-555555555555
          mount: {mount_point: /var, fstab: {options: noatime, dump-freq: 1}}
      - name: swap
        type: '8200'
        size: 16MiB
        mkfs:
          type: swap
          uuid: 22222222-2222-3333-4444-555555555555
          mount: {mount_point: swap, fstab: {options: pri=3}}
      - name: root
        size: 100%
        mkfs: {mount: {mount_point: /, fstab: {fsck-passno: 1}}}
";

/// Files in every filesystem, as scripts in the tree find them in finalise.d.
const FILES: &str = "\
for path in \"$@\"; do mountpoint -q $path || exit 3; echo $path > $path/file; done
cut -d' ' -f1,2 /etc/fstab > /mounts";

fn ground(points: &str) -> Ground {
    let ground = Ground::new(User::Ordinary);
    ground.script("finalise", &format!("set -- {points}\n{FILES}"));
    ground
}

/// Builds a disk of half a GiB, and gives its partitions, which every checker has accepted.
fn built(ground: &Ground, layout: &str) -> Vec<(Entry, Volume)> {
    let variables = [
        ("DIB_BLOCK_DEVICE_CONFIG", layout),
        ("DIB_IMAGE_SIZE", "0.5"),
    ];
    ground.build("-t raw,tar", &variables).expect(0);
    checkers::verify(&ground.path("image.raw")).unwrap()
}

/// Number, start, sectors and kind of all partitions, as diskimage-builder 3.43 has written them for
/// the same configuration and size.
fn assert_table(ground: &Ground, expected: &[(u32, u64, u64, &str)]) {
    let table = checkers::table(&ground.path("image.raw")).unwrap();
    let found: Vec<_> = table
        .entries
        .iter()
        .map(|it| (it.number, it.start, it.sectors, it.kind.as_str()))
        .collect();
    assert_eq!(found, expected);
}

fn text(volume: &Volume, path: &str) -> String {
    let said = checkers::debugfs(&format!("cat {path}"), volume).unwrap();
    String::from_utf8(said).unwrap()
}

fn labels(volumes: &[(Entry, Volume)]) -> Vec<BTreeMap<String, String>> {
    let all = volumes.iter();
    all.map(|(_, volume)| checkers::blkid(volume).unwrap().into_iter().collect())
        .collect()
}

#[test]
fn an_mbr_has_logical_partitions() {
    let ground = ground("/ /boot /var/log /srv");
    let volumes = built(&ground, MBR);
    assert_table(
        &ground,
        &[
            (1, 4096, 81920, "83"),
            (2, 86016, 479_232, "83"),
            (3, 565_248, 483_328, "f"),
            (5, 569_344, 78125, "83"),
            (6, 655_360, 393_216, "83"),
        ],
    );
    let dumped = run(
        "sfdisk",
        &arguments(&["--dump"], &[&ground.path("image.raw")]),
    )
    .unwrap();
    let active: Vec<_> = dumped
        .lines()
        .filter(|it| it.contains("bootable"))
        .collect();
    assert!(
        active.len() == 1 && active[0].contains("start=       86016"),
        "{dumped}"
    );
    let labels = labels(&volumes);
    for (number, kind, label) in [
        (0, "ext2", "fs_boot"),
        (1, "ext4", "cloudimg-rootfs"),
        (2, "ext3", "log"),
        (3, "ext4", "fs_rest"),
    ] {
        let found = [&labels[number]["TYPE"], &labels[number]["LABEL"]];
        assert_eq!(found, [kind, label]);
    }
    for (number, path) in [(0, "/boot\n"), (1, "/\n"), (2, "/var/log\n"), (3, "/srv\n")] {
        // Logs have no content.
        let path = if number == 2 { "" } else { path };
        assert_eq!(text(&volumes[number].1, "/file"), path);
    }
    let fstab = "LABEL=cloudimg-rootfs / ext4 defaults 0 1\nLABEL=fs_boot /boot ext2 defaults 0 2\n\
                 LABEL=fs_rest /srv ext4 ro 0 2\n";
    assert_eq!(text(&volumes[1].1, "/etc/fstab"), fstab);
    // Of what goes elsewhere only the place is there.
    let listed = checkers::debugfs("ls -p /boot", &volumes[1].1).unwrap();
    assert_eq!(
        String::from_utf8(listed)
            .unwrap()
            .lines()
            .filter(|it| it.contains("/file/"))
            .count(),
        0
    );
    let numbers = checkers::dumpe2fs(&[], &volumes[3].1).unwrap();
    assert!(
        !numbers["Filesystem features"].contains("has_journal"),
        "{numbers:?}"
    );
    let numbers = checkers::dumpe2fs(&[], &volumes[1].1).unwrap();
    assert!(
        numbers["Total journal size"].starts_with("4096k"),
        "{numbers:?}"
    );
    // What an archive has is all of it.
    let archive = ground.path("image.tar");
    assert_eq!(member(&archive, "boot/file"), "/boot\n");
    assert_eq!(member(&archive, "etc/fstab"), fstab);
}

#[test]
fn a_gpt_has_a_system_partition_and_swap() {
    let ground = ground("/ /boot/efi /var");
    let volumes = built(&ground, GPT);
    let linux = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
    assert_table(
        &ground,
        &[
            (1, 2048, 131_072, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
            (2, 133_120, 196_608, linux),
            (3, 329_728, 32768, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"),
            (4, 362_496, 684_032, linux),
        ],
    );
    let names: Vec<_> = volumes
        .iter()
        .map(|(entry, _)| entry.name.clone().unwrap())
        .collect();
    assert_eq!(names, ["ESP", "var", "swap", "root"]);
    let labels = labels(&volumes);
    for (number, kind, label, uuid) in [
        (0, "vfat", "MKFS_ESP", ""),
        (1, "ext4", "data", "11111111-2222-3333-4444-555555555555"),
        (
            2,
            "swap",
            "mkfs_swap",
            "22222222-2222-3333-4444-555555555555",
        ),
        (3, "ext4", "cloudimg-rootfs", ""),
    ] {
        let found = [&labels[number]["TYPE"], &labels[number]["LABEL"]];
        assert_eq!(found, [kind, label]);
        assert!(labels[number]["UUID"].ends_with(uuid), "{labels:?}");
    }
    let fstab = "LABEL=cloudimg-rootfs / ext4 defaults 0 1\nLABEL=MKFS_ESP /boot/efi vfat umask=0077 0 2\n\
                 LABEL=data /var ext4 noatime 1 2\nLABEL=mkfs_swap none swap sw 0 0\n";
    assert_eq!(text(&volumes[3].1, "/etc/fstab"), fstab);
    assert_eq!(text(&volumes[3].1, "/mounts").lines().count(), 4);
    assert_eq!(text(&volumes[1].1, "/file"), "/var\n");
    assert_eq!(text(&volumes[3].1, "/file"), "/\n");
    let said = run("mdir", &arguments(&["-/", "-b", "-i"], &[&volumes[0].1])).unwrap();
    assert!(said.contains("::/file"), "{said}");
}

/// Options of the command line, and what the size follows from where nobody says it.
#[test]
fn the_root_filesystem_is_as_it_is_asked_for() {
    let ground = ground("");
    let image = ground.path("image.raw");
    for (options, variables, expected) in [
        (
            "--root-label top --mkfs-options=-m_1",
            &[][..],
            ["top", "ext4", "4096k"],
        ),
        (
            "--mkfs-journal-size 8",
            &[("FS_TYPE", "ext4")],
            ["cloudimg-rootfs", "ext4", "8M"],
        ),
        (
            "--fs-type ext3",
            &[("ROOT_LABEL", "own")],
            ["own", "ext3", ""],
        ),
        (
            "--fs-type ext2 --size 100M",
            &[],
            ["cloudimg-rootfs", "ext2", ""],
        ),
    ] {
        let line = format!("dib -n -t raw {options} tiny probe");
        let mut command = ground.command("", variables);
        command.args(line.split(' ').map(|word| word.replace('_', " ")));
        crate::world::Run::of(&mut command).expect(0);
        checkers::e2fsck(&image).unwrap();
        let found = checkers::blkid(&image).unwrap();
        assert_eq!(
            [&found["LABEL"], &found["TYPE"]],
            expected[..2],
            "{options}"
        );
        let numbers = checkers::dumpe2fs(&[], &image).unwrap();
        if !expected[2].is_empty() {
            assert_eq!(numbers["Total journal size"], expected[2], "{options}");
            // A node for so many bytes.
            let [size, blocks, nodes] = ["Block size", "Block count", "Inode count"]
                .map(|it| numbers[it].parse::<u64>().unwrap());
            let ratio = size * blocks / nodes;
            assert!((4000..4400).contains(&ratio), "{ratio}");
        }
        let size = std::fs::metadata(&image).unwrap().len();
        assert!(
            size.is_multiple_of(64 << 10) && (size == 100 << 20) == options.contains("100M"),
            "{size}"
        );
        std::fs::remove_file(&image).unwrap();
    }
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let names = [
        "image.raw",
        "image.qcow2",
        "image.tar",
        "image.squash",
        "image.oci.tar",
    ];
    let mut all = Vec::new();
    for user in user::all() {
        let ground = Ground::new(user);
        ground.script("install", include_str!("../../data/dib/odd-tree"));
        ground.script("finalise", "echo text > /var/file");
        let variables = [("DIB_BLOCK_DEVICE_CONFIG", GPT)];
        for (before, behind) in [("-j 1", "--no-tmpfs"), ("-j 5", "--tree .")] {
            let types = "-t raw,qcow2,tar,squashfs,docker";
            ground
                .run(
                    &format!("{before} dib -n {types} {behind} tiny probe"),
                    &variables,
                )
                .expect(0);
            let digests = names.map(|name| digest(&ground.path(name)));
            all.push(digests);
            for name in names {
                std::fs::remove_file(ground.path(name)).unwrap();
            }
            assert!(ground.names().is_empty(), "{:?}", ground.names());
        }
    }
    for (number, name) in names.iter().enumerate() {
        let digests: Vec<_> = all.iter().map(|it| &it[number]).collect();
        assert!(
            digests.iter().all(|it| *it == digests[0]),
            "{name}: {digests:?}"
        );
    }
}

/// What programs write to the device beside partitions and filesystems is on the disk.
#[test]
fn scripts_may_write_to_the_disk() {
    let ground = Ground::new(User::Ordinary);
    ground.script(
        "pre-finalise",
        "printf loader | dd of=$IMAGE_BLOCK_DEVICE bs=512 seek=100 conv=notrunc",
    );
    let variables = [("DIB_BLOCK_DEVICE_CONFIG", MBR), ("DIB_IMAGE_SIZE", "0.5")];
    ground.build("-t raw", &variables).expect(0);
    let image = ground.path("image.raw");
    let bytes = std::fs::read(&image).unwrap();
    assert_eq!(&bytes[100 * 512..][..6], b"loader");
    checkers::verify(&image).unwrap();
}
