#!/usr/bin/env bash
# One ext4 image filled with a tree, by one of the programs that benches/fill.sh compares:
#
#   fill_with.sh PROGRAM MEBIBYTES ARCHIVE DIRECTORY IMAGE
#
# ARCHIVE and DIRECTORY hold the same tree; each program takes the one that it can read. IMAGE is
# new, in a directory that has room for whatever else is written on the way. All use the mkfs
# defaults of this machine where they let them be chosen. CREATEHDDS names createhdds.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C
program=$1 mebibytes=$2 archive=$3 directory=$4 image=$5
scratch=$(dirname "$image")

# tar, not cp: it reads one file instead of a tree, and the tree is written all the same.
onto_loop() {
    truncate --size="${mebibytes}M" "$image"
    mkfs.ext4 -q -F "$image"
    mkdir "$scratch/mounted"
    mount -o loop "$image" "$scratch/mounted"
    trap 'umount "$scratch/mounted"' EXIT
    tar --extract --file="$archive" --directory="$scratch/mounted" --preserve-permissions \
        --numeric-owner --xattrs --xattrs-include='*'
}

# It copies the tree first, gives the copy to mke2fs -d, and runs e2fsck on what came out.
genimage() {
    mkdir "$scratch/config" "$scratch/input"
    cat > "$scratch/config/genimage.cfg" << END
image $(basename "$image") {
    ext4 { use-mke2fs = true }
    size = ${mebibytes}M
}
END
    exec genimage --config "$scratch/config/genimage.cfg" --rootpath "$directory" \
        --tmppath "$scratch/temporary" --inputpath "$scratch/input" --outputpath "$scratch"
}

# A disk with a GPT and one partition at 1 MiB. Version 252 mounts it through a loop device.
repart() {
    mkdir "$scratch/definitions"
    cat > "$scratch/definitions/root.conf" << END
[Partition]
Type=linux-generic
Format=ext4
CopyFiles=$directory:/
SizeMinBytes=${mebibytes}M
SizeMaxBytes=${mebibytes}M
END
    exec systemd-repart --empty=create --size="$((mebibytes + 2))M" --dry-run=no --pretty=no \
        --seed=5a3e6b1c-7c0d-4e57-9a65-0b7f2d3c4e5f --definitions="$scratch/definitions" "$image"
}

case $program in
    createhdds_tar)
        exec "$CREATEHDDS" make-fs --type ext4 --size "${mebibytes}M" "$archive" "$image"
        ;;
    createhdds_directory)
        exec "$CREATEHDDS" make-fs --type ext4 --size "${mebibytes}M" "$directory" "$image"
        ;;
    mke2fs) exec mke2fs -q -F -t ext4 -d "$directory" "$image" "${mebibytes}M" ;;
    loop) onto_loop ;;
    genimage) genimage ;;
    repart) repart ;;
    tar2ext4) exec tar2ext4 -i "$archive" -o "$image" ;;
    virt) exec virt-make-fs --type=ext4 --format=raw --size="${mebibytes}M" "$directory" "$image" ;;
    dd) exec dd status=none if="$archive" of="$image" bs=1M conv=fsync ;;
    *)
        echo "fill_with: no program \"$program\"" >&2
        exit 1
        ;;
esac
