#!/usr/bin/env bash
# exFAT volumes by `createhdds make-fs` and by what people use today, in one run:
#
#   benches/exfat.sh [RUNS] [DIRECTORY]
#
# Empty volumes of SIZES (default "64M 4G 64G 1T") against mkfs.exfat on a sparse file; as root also
# a volume filled with a tree of FILES files (default 5000, 16 KiB each) against mkfs.exfat, the
# driver for FUSE on a loop device, and cp. The programs take turns, RUNS times each (default 5), with
# the image synced to the disk at the end, under DIRECTORY (default: target/exfat), and fsck.exfat
# looks at each image of the first turn. Prints medians of seconds and of KiB allocated.
#
# createhdds is target/release/createhdds, or what CREATEHDDS names.
. "$(dirname "$0")/common.sh"

runs=${1:-5}
directory=$(realpath -m "${2:-$root/target/exfat}")
read -r -a sizes <<< "${SIZES:-64M 4G 64G 1T}"
files=${FILES:-5000}

check_runs "$runs"
mkdir -p "$directory"
scratch=$(mktemp -d "$directory/run.XXXXXX")
mkdir "$scratch/empty" "$scratch/tree" "$scratch/mounted"
device=

clean_up() {
    ! mountpoint --quiet "$scratch/mounted" || umount "$scratch/mounted"
    [[ -z $device ]] || losetup --detach "$device"
    rm -rf "$scratch"
}
trap clean_up EXIT

# make PROGRAM SIZE TREE IMAGE
make() {
    local program=$1 size=$2 tree=$3 image=$4
    case $program in
        createhdds)
            "$createhdds" make-fs -t exfat -s "$size" --no-sync "$tree" "$image" \
                > "$scratch/said" 2>&1 || fail "$(< "$scratch/said")"
            ;;
        mkfs.exfat)
            truncate --size="$size" "$image"
            mkfs.exfat "$image" > /dev/null
            ;;
        fuse)
            truncate --size="$size" "$image"
            mkfs.exfat "$image" > /dev/null
            device=$(losetup --find --show "$image")
            mount.exfat-fuse "$device" "$scratch/mounted" > /dev/null
            cp --recursive "$tree/." "$scratch/mounted"
            umount "$scratch/mounted"
            losetup --detach "$device"
            device=
            ;;
    esac
    sync "$image"
}

# compare TITLE SIZE TREE PROGRAM...
compare() {
    local title=$1 size=$2 tree=$3 program turn from image=$scratch/image
    shift 3
    for ((turn = 1; turn <= runs; turn++)); do
        for program in "$@"; do
            rm -f "$image"
            from=${EPOCHREALTIME/./}
            make "$program" "$size" "$tree" "$image"
            echo "$((${EPOCHREALTIME/./} - from))" >> "$scratch/$program.us"
            du --block-size=1K "$image" | cut -f 1 >> "$scratch/$program.kib"
            ((turn > 1)) || fsck.exfat -n "$image" > /dev/null || fail "$program: fsck.exfat"
        done
    done
    for program in "$@"; do
        printf '| %s | %s | %.3f | %d |\n' "$title" "$program" \
            "$(median < "$scratch/$program.us" | awk '{ print $1 / 1e6 }')" \
            "$(median < "$scratch/$program.kib")"
        rm "$scratch/$program.us" "$scratch/$program.kib"
    done
}

printf '| volume | program | seconds | KiB allocated |\n|---|---|---|---|\n'
for size in "${sizes[@]}"; do
    compare "empty, $size" "$size" "$scratch/empty" createhdds mkfs.exfat
done

if ((EUID != 0)); then
    echo "exfat: filled volumes are left out: mounting needs root" >&2
    exit
fi
for ((number = 0; number < files; number++)); do
    mkdir -p "$scratch/tree/$((number / 500))"
    head --bytes=16K /dev/urandom > "$scratch/tree/$((number / 500))/file $number"
done
compare "$files files of 16 KiB, 4G" 4G "$scratch/tree" createhdds fuse
