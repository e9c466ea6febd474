#!/usr/bin/env bash
# What comes behind the scripts of a build of diskimage-builder, by `createhdds dib` and by
# disk-image-create itself, in one run:
#
#   benches/dib.sh TREE.tar [RUNS] [DIRECTORY]
#
# TREE.tar is the root filesystem of a system, such as `createhdds dib -t tar debian-minimal` makes. An
# element unpacks it and does nothing else; the programs take turns, RUNS times each (default 3), not
# synced, under DIRECTORY (default: target/dib), and make a compressed qcow2 and a raw image of it, on an
# MBR, with sums of both kinds; createhdds also with zstd in the qcow2. Scripts write down when the phases post-root.d and cleanup.d have ended and when
# pre-finalise.d begins, so that of each build this is counted:
#
#   size      measuring the tree, the disk with its table and its filesystem, and, by
#             disk-image-create, copying the tree onto it
#   files     the images, and their sums
#
# disk-image-create needs root, loop devices and kpartx, and is what DIB names (default:
# disk-image-create, left out where that isn't installed). Prints medians of seconds, and of ratios
# within a turn. createhdds is target/release/createhdds, or what CREATEHDDS names.
. "$(dirname "$0")/common.sh"

tree=${1:?TREE.tar [RUNS] [DIRECTORY]}
runs=${2:-3}
directory=$(realpath -m "${3:-$root/target/dib}")
read -r -a original <<< "${DIB:-disk-image-create}"

check_runs "$runs"
[[ -f $tree ]] || fail "there is no archive '$tree'"
BENCH_TREE=$(realpath "$tree")
export BENCH_TREE
mkdir -p "$directory"
scratch=$(mktemp -d "$directory/run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export BENCH_STAMPS=$scratch/stamps ELEMENTS_PATH=$scratch/elements

script() {
    local path=$scratch/elements/bench/$1
    mkdir -p "${path%/*}"
    printf '#!/bin/bash\nset -eu\n%s\n' "$2" > "$path"
    chmod +x "$path"
}
script root.d/10-tree 'sudo tar -C "$TARGET_ROOT" --numeric-owner --xattrs --xattrs-include="*" -xf "$BENCH_TREE"
sudo mkdir -p "$TARGET_ROOT"/{dev,proc,sys}'
script post-root.d/99-stamp 'date +%s%N > "$BENCH_STAMPS.1"'
script pre-finalise.d/00-stamp 'date +%s%N > "$BENCH_STAMPS.2"'
script cleanup.d/99-stamp 'date +%s%N > "$BENCH_STAMPS.3"'
echo operating-system > "$scratch/elements/bench/element-provides"
cat > "$scratch/elements/bench/block-device-default.yaml" << 'END'
- local_loop:
    name: image0
- partitioning:
    base: image0
    label: mbr
    partitions:
      - name: root
        flags: [boot, primary]
        size: 100%
        mkfs:
          name: mkfs_root
          mount: {mount_point: /, fstab: {options: defaults, fsck-passno: 1}}
END

programs=(createhdds 'createhdds, zstd')
if [[ -n $(command -v "${original[0]}") ]]; then
    programs+=(disk-image-create)
else
    echo "dib: ${original[0]} isn't installed, and is left out" >&2
fi

# build PROGRAM: prints the seconds of both parts
build() {
    local arguments=(-n -o "$scratch/image" -t qcow2,raw --checksum bench)
    case $1 in
        createhdds) "$createhdds" --no-sync dib "${arguments[@]}" ;;
        *zstd) "$createhdds" --no-sync dib --qemu-img-options compression_type=zstd "${arguments[@]}" ;;
        *) "${original[@]}" --no-tmpfs "${arguments[@]}" ;;
    esac > "$scratch/said" 2>&1 < /dev/null || fail "$1: $(tail -n 20 "$scratch/said")"
    local end
    end=$(date +%s%N)
    for file in qcow2 raw qcow2.md5 raw.sha256; do
        [[ -s $scratch/image.$file ]] || fail "$1 has made no image.$file"
    done
    rm -f "$scratch"/image*
    awk -v a="$(< "$BENCH_STAMPS.1")" -v b="$(< "$BENCH_STAMPS.2")" -v c="$(< "$BENCH_STAMPS.3")" \
        -v d="$end" 'BEGIN { printf "%.3f %.3f\n", (b - a) / 1e9, (d - c) / 1e9 }'
}

for ((run = 1; run <= runs; run++)); do
    for program in "${programs[@]}"; do
        build "$program" > "$scratch/times"
        read -r size files < "$scratch/times"
        echo "$size" >> "$scratch/$program.size"
        echo "$files" >> "$scratch/$program.files"
        awk -v a="$size" -v b="$files" 'BEGIN { print a + b }' >> "$scratch/$program.both"
    done
done
printf '%-20s %8s %8s %8s\n' '' size files both
for program in "${programs[@]}"; do
    printf '%-20s %8.2f %8.2f %8.2f\n' "$program" "$(median < "$scratch/$program.size")" \
        "$(median < "$scratch/$program.files")" "$(median < "$scratch/$program.both")"
done
if [[ -f $scratch/disk-image-create.both ]]; then
    for program in createhdds 'createhdds, zstd'; do
        paste "$scratch/disk-image-create.both" "$scratch/$program.both" | awk '{ print $1 / $2 }' | median |
            xargs printf 'disk-image-create / %s: %s\n' "$program"
    done
fi
