//! Volumes of LVM as configurations describe them, opened by a kernel and by LVM's own programs.

use testkit::MIB;

use super::ground::Ground;
use crate::checkers;
use crate::systems::user::User;
use crate::volumes::machine::{self, Writes, activate_lvm};

/// A group on two partitions, with one volume on both of them side by side, and one that goes on in the
/// second.
const LAYOUT: &str = "\
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: boot, size: 40MiB, mkfs: {type: ext2, mount: {mount_point: /boot, fstab: {}}}}
      - {name: a, type: 8E00, size: 200MiB}
      - {name: b, type: 8E00, size: 100%}
- lvm:
    name: lvm
    pvs: [{name: pv_a, base: a, options: [--force]}, {name: pv_b, base: b}]
    vgs: [{name: v-g, base: [pv_a, pv_b], options: [-y]}]
    lvs:
      - {name: log-s, base: v-g, size: 40MB, options: [-i, '2', -I, 128k, --addtag=logs]}
      - {name: root, base: v-g, extents: 50%VG}
      - {name: swap, base: v-g, extents: 4}
      - {name: rest, base: v-g, extents: 100%FREE}
- mkfs: {name: mkfs_root, base: root, mount: {mount_point: /, fstab: {fsck-passno: 1}}}
- mkfs: {name: fs_log, base: log-s, type: ext4, label: data, mount: {mount_point: /data, fstab: {}}}
- mkfs: {name: fs_swap, base: swap, type: swap, mount: {mount_point: swap, fstab: {}}}
- mkfs: {name: fs_srv, base: rest, type: ext3, mount: {mount_point: /srv, fstab: {options: noatime}}}
";

/// A file in every filesystem, and what scripts are told of devices.
const FILES: &str = "\
for path in / /boot /data /srv; do mountpoint -q $path || exit 3; echo $path > $path/file; done
echo \"$IMAGE_BLOCK_DEVICES\" > /devices";

/// Asks LVM what it sees, and reads what is in the volumes.
const QUESTIONS: &str = "\
vgck v-g
lvs --noheadings --segments --separator , -o lv_name,seg_pe_ranges,stripe_size,lv_tags v-g | sed 's/^ *//'
for name in root log--s rest; do e2fsck -fn /dev/mapper/v--g-$name >&2; done
for name in root log--s rest; do mount -o ro /dev/mapper/v--g-$name /mnt; cat /mnt/file; umount /mnt; done
mount -o ro /dev/mapper/v--g-root /mnt; cat /mnt/etc/fstab /mnt/devices; umount /mnt
blkid -o value -s TYPE /dev/mapper/v--g-swap
";

#[test]
fn a_kernel_opens_the_volumes_of_a_configuration() {
    let ground = Ground::new(User::Ordinary);
    ground.script("finalise", FILES);
    let variables = [
        ("DIB_BLOCK_DEVICE_CONFIG", LAYOUT),
        ("DIB_IMAGE_SIZE", "0.5"),
    ];
    ground.build("-t raw", &variables).expect(0);
    let image = ground.path("image.raw");
    checkers::sgdisk_verify(&image).unwrap();
    let table = checkers::table(&image).unwrap();
    let kinds = table.entries.iter().map(|it| it.kind.to_uppercase());
    let kinds: Vec<_> = kinds.collect();
    let lvm = "E6D6D379-F507-44C2-A23C-238F2A3DF928";
    assert_eq!(kinds[1..], [lvm, lvm]);
    let said = machine::run(&[&image], Writes::Dropped, &activate_lvm("v-g", QUESTIONS));
    let said: Vec<_> = said
        .lines()
        .filter(|line| !line.ends_with("now active"))
        .collect();
    let expected = "\
log-s,/dev/vda2:0-4 /dev/vda3:0-4,128.00k,logs
rest,/dev/vda2:9-48,0 ,
rest,/dev/vda3:63-66,0 ,
root,/dev/vda3:5-62,0 ,
swap,/dev/vda2:5-8,0 ,
/
/data
/srv
LABEL=cloudimg-rootfs / ext4 defaults 0 1
LABEL=mkfs_boot /boot ext2 defaults 0 2
LABEL=data /data ext4 defaults 0 2
LABEL=fs_srv /srv ext3 noatime 0 2
LABEL=fs_swap none swap sw 0 0
 [image0]=/createhdds/image/image0  [boot]=/createhdds/image/image0p1  [a]=/createhdds/image/image0p2  \
[b]=/createhdds/image/image0p3  [log-s]=/dev/mapper/v--g-log--s  [root]=/dev/mapper/v--g-root  \
[swap]=/dev/mapper/v--g-swap  [rest]=/dev/mapper/v--g-rest 
swap";
    assert_eq!(said.join("\n"), expected);
}

/// A root that has a part of its group alone.
const SMALL_ROOT: &str = "\
- local_loop: {name: image0}
- partitioning: {base: image0, label: mbr, partitions: [{name: pv, flags: [primary], type: 8e, size: 100%}]}
- lvm:
    name: lvm
    pvs: [{name: member, base: pv}]
    vgs: [{name: vg, base: [member]}]
    lvs: [{name: root, base: vg, extents: 20%VG}]
- mkfs: {name: mkfs_root, base: root, mount: {mount_point: /}}
";

#[test]
fn a_disk_is_as_large_as_its_root_needs_on_a_volume() {
    let ground = Ground::new(User::Ordinary);
    ground.script("install", "dd if=/dev/zero of=/large bs=1M count=60");
    let variables = [("DIB_BLOCK_DEVICE_CONFIG", SMALL_ROOT)];
    ground.build("-t raw", &variables).expect(0);
    let image = ground.path("image.raw");
    let size = image.metadata().unwrap().len();
    // What the files take may be nine tenths of a fifth.
    let least = 60 * MIB * 5 / 9 * 10;
    assert!((least..2 * least).contains(&size), "{size}");
    let table = checkers::table(&image).unwrap();
    let mut entry = table.entries[0].clone();
    // Behind what LVM keeps for itself.
    entry.start += MIB / 512;
    entry.sectors -= MIB / 512;
    let root = checkers::Volume::of_partition(&image, &entry);
    let said = checkers::debugfs("stat /large", &root).unwrap();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains(&format!("Size: {}", 60 * MIB)), "{said}");
}
