#!/usr/bin/env bash
# The nine shipped layout images as an administrator makes them from a shell: sfdisk for the table,
# mke2fs straight into the partition with its files, mkntfs and ntfscp on a copy that dd puts into
# its place. Nothing needs root.
#
#   by_hand.sh DIRECTORY [UPLOADS]
#
# With STAGES=1 it prints the seconds of each stage on standard error. SPLICE=insert shifts the NTFS
# partition to its place instead of copying it with dd.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
directory=$1
uploads=$(realpath "${2:-$here/../kickstarts/uploads}")
mkdir -p "$directory"
cd "$directory"

scratch=$(mktemp -d ./by_hand.XXXXXX)
trap 'rm -rf "$scratch"' EXIT

declare -A spent=([table]=0 [ext4]=0 [ntfs]=0 [splice]=0 [sync]=0)

# stage NAME COMMAND...
stage() {
    local name=$1 from=${EPOCHREALTIME/./}
    shift
    "$@"
    spent[$name]=$((${spent[$name]} + ${EPOCHREALTIME/./} - from))
}

# table IMAGE SIZE LABEL [START SECTORS]...
table() {
    local image=$1 size=$2 label=$3 type=83 name=
    shift 3
    rm -f "$image"
    truncate -s "$size" "$image"
    if [[ $label == gpt ]]; then
        type=L name=', name=primary'
    fi
    {
        echo "label: $label"
        [[ $label == dos ]] || echo "first-lba: 34"
        while (($#)); do
            echo "start=$1, size=$2, type=$type$name"
            shift 2
        done
    } | sfdisk --quiet --no-reread --no-tell-kernel "$image"
}

# ext4 IMAGE START SECTORS DIRECTORY [OPTION]...
ext4() {
    local image=$1 start=$2 sectors=$3 root=$4
    shift 4
    mke2fs -q -F -t ext4 "$@" -d "$root" -E "offset=$((start * 512)),root_owner=0:0" \
        "$image" $((sectors / 2))k
}

# ntfs PART START SECTORS FILE
ntfs() {
    truncate -s $(($3 * 512)) "$1"
    # mkntfs says on standard error that a file is no block device.
    mkntfs --quiet --quick --force --partition-start "$2" --heads 255 --sectors-per-track 63 \
        --sector-size 512 "$1" 2> "$scratch/mkntfs.log" || { cat "$scratch/mkntfs.log" >&2; exit 1; }
    ntfscp --quiet --force "$1" "$4" /testfile
}

# splice PART IMAGE START: puts the partition into its image, which has its table already. dd reads
# every hole of the partition; shifting the extents reads nothing, where the filesystem can do it.
splice() {
    case ${SPLICE:-dd} in
        dd) dd status=none if="$1" of="$2" bs=1M seek=$(($3 / 2048)) conv=notrunc,sparse ;;
        insert)
            fallocate --insert-range --offset 0 --length $(($3 * 512)) "$1"
            dd status=none if="$2" of="$1" bs=1M count=$(($3 / 2048)) conv=notrunc,sparse
            truncate -s "$(stat -c %s "$2")" "$1"
            mv "$1" "$2"
            ;;
        *) echo "SPLICE is dd or insert, not $SPLICE" >&2; exit 1 ;;
    esac
}

# root NAME: an empty directory that becomes the root of a filesystem
root() {
    mkdir "$scratch/$1"
    chmod 755 "$scratch/$1"
}

root hello && printf %s 'Hello, world!' > "$scratch/hello/testfile"
root mark && printf %s 'Oh, hi Mark' > "$scratch/mark/testfile"
root updates && install -m 644 "$uploads/updates.img" "$scratch/updates/updates.img"
for release in 8 9; do
    root "ks-$release"
    install -m 644 "$uploads/root-user-crypted-net-$release.ks" \
        "$scratch/ks-$release/root-user-crypted-net.ks"
    install -m 644 "$uploads/freeipa.ks" "$uploads/freeipaclient.ks" "$scratch/ks-$release"
done

for label in mbr gpt; do
    kind=${label/mbr/dos}
    image=disk_full_$label.img
    stage table table "$image" 25G "$kind" 4096 26210305 26214401 26210303
    stage ext4 ext4 "$image" 4096 26210305 "$scratch/hello"
    stage ext4 ext4 "$image" 26214401 26210303 "$scratch/mark"
    image=disk_freespace_$label.img
    stage table table "$image" 10G "$kind" 4096 2097152
    stage ext4 ext4 "$image" 4096 2097152 "$scratch/hello"
done
for release in 8 9; do
    stage table table "disk_ks-$release.img" 100M dos 4096 200704
    stage ext4 ext4 "disk_ks-$release.img" 4096 200704 "$scratch/ks-$release"
done
stage table table disk_updates_img.img 100M dos 4096 200704
stage ext4 ext4 disk_updates_img.img 4096 200704 "$scratch/updates" -L UPDATES_IMG
stage table table disk_shrink_ext4.img 10G dos 4096 20963328
stage ext4 ext4 disk_shrink_ext4.img 4096 20963328 "$scratch/hello"
stage table table disk_shrink_ntfs.img 10G dos 4096 20963328
stage ntfs ntfs "$scratch/part" 4096 20963328 "$scratch/hello/testfile"
stage splice splice "$scratch/part" disk_shrink_ntfs.img 4096
stage sync sync disk_*.img .

if [[ ${STAGES:-} ]]; then
    for name in table ext4 ntfs splice sync; do
        printf '%-7s %8.3f s\n' "$name" "$((spent[$name] / 1000))e-3" >&2
    done
fi
