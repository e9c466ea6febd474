#!/usr/bin/env bash
# The nine shipped layout images through libguestfs, one appliance an image as the original has it.
#
#   with_guestfish.sh DIRECTORY [UPLOADS]
#
# LIBGUESTFS_BACKEND_SETTINGS=force_tcg is for machines without KVM.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
uploads=$(realpath "${2:-$here/../kickstarts/uploads}")
mkdir -p "$1"
cd "$1"

# image NAME SIZE LABEL FIRST-LAST...; the rest of the session is standard input.
image() {
    local name=$1 size=$2 label=$3 range
    shift 3
    {
        echo "sparse $name $size"
        echo run
        echo "part-init /dev/sda $label"
        for range in "$@"; do
            echo "part-add /dev/sda p ${range%%:*} ${range##*:}"
        done
        cat
    } | guestfish
}

# session DEVICE[ OPTION] FILESYSTEM COMMAND...: formats a partition, then fills it.
session() {
    echo "mkfs $2 $1"
    shift 2
    printf '%s\n' "mount /dev/sda1 /" "$@" sync "umount /"
}

for label in mbr gpt; do
    image "disk_full_$label.img" 25G "$label" 4096:26214400 26214401:-4097 << 'END'
mkfs ext4 /dev/sda1
mkfs ext4 /dev/sda2
mount /dev/sda1 /
write /testfile "Hello, world!"
umount /
mount /dev/sda2 /
write /testfile "Oh, hi Mark"
umount /
END
    session /dev/sda1 ext4 'write /testfile "Hello, world!"' |
        image "disk_freespace_$label.img" 10G "$label" 4096:2101247
done
for release in 8 9; do
    session /dev/sda1 ext4 \
        "upload $uploads/root-user-crypted-net-$release.ks /root-user-crypted-net.ks" \
        "upload $uploads/freeipa.ks /freeipa.ks" \
        "upload $uploads/freeipaclient.ks /freeipaclient.ks" |
        image "disk_ks-$release.img" 100M mbr 4096:-1
done
session "/dev/sda1 label:UPDATES_IMG" ext4 "upload $uploads/updates.img /updates.img" |
    image disk_updates_img.img 100M mbr 4096:-1
for filesystem in ext4 ntfs; do
    session /dev/sda1 "$filesystem" 'write /testfile "Hello, world!"' |
        image "disk_shrink_$filesystem.img" 10G mbr 4096:-4097
done
sync disk_*.img .
