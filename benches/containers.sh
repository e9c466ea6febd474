#!/usr/bin/env bash
# Image files of one disk: createhdds writing each format as it makes the disk, against a raw image
# that qemu-img converts afterwards, and against compressing the archive alone.
#
#   benches/containers.sh [RUNS] [ARCHIVE] [DIRECTORY]
#
# The programs take turns, RUNS times each (default 5), into DIRECTORY (default: target/containers):
# an ext4 of 25 GiB with what is in ARCHIVE (default: the Debian of scripts/rootfs), not synced. Prints
# a Markdown table: medians of CPU seconds (user and system) and of elapsed seconds, sizes, and the
# medians within a turn of the CPU's ratio to what the row is held against.
#
# createhdds is target/release/createhdds, or what CREATEHDDS names.
. "$(dirname "$0")/common.sh"

runs=${1:-5}
check_runs "$runs"
"$root/scripts/rootfs" >&2
archive=$(realpath "${2:-$("$root/scripts/cache-directory")/debian-root.tar}")
directory=$(realpath -m "${3:-$root/target/containers}")
mkdir -p "$directory"
cd "$directory"

make_fs() {
    "$createhdds" --no-sync make-fs -t ext4 -s 25G "$@"
}

# Of a raw image made anew, so that both steps are measured.
convert() {
    make_fs "$archive" "$PWD/step.img"
    qemu-img convert -f raw -m 8 -W "$@" step.img "$image"
    rm step.img
}

stream=(--format vmdk --format-option subformat=streamOptimized)

# NAME, what it is held against, and the command.
ours() { make_fs "$@" "$archive" "$PWD/$image"; }
declare -A command=(
    [raw]="ours --format raw"
    [qcow2]="ours --format qcow2"
    [qcow2-zlib]="ours --format qcow2 --format-option compression_type=zlib"
    [qcow2-zstd]="ours --format qcow2 --format-option compression_type=zstd"
    [vhd-fixed]="ours --format vhd --format-option subformat=fixed"
    [vhd]="ours --format vhd"
    [vhdx]="ours --format vhdx"
    [vdi]="ours --format vdi"
    [vmdk]="ours --format vmdk"
    [vmdk-stream]="ours ${stream[*]}"
    [ova]="ours --format ova"
    [raw+bmap]="with_map"
    [android]="ours --format android-sparse"
    [raw.zst]="ours --format raw.zst"
    [raw.gz]="ours --format raw.gz"
    [tar]="alone --format tar"
    [tar.zst]="alone --format tar.zst"
    [oci]="alone --format oci"
    [qemu-qcow2]="convert -O qcow2"
    [qemu-zlib]="convert -O qcow2 -c"
    [qemu-zstd]="convert -O qcow2 -c -o compression_type=zstd"
    [qemu-vhd]="convert -O vpc"
    [qemu-vhdx]="convert -O vhdx"
    [qemu-vdi]="convert -O vdi"
    [qemu-vmdk]="convert -O vmdk"
    [qemu-stream]="convert -O vmdk -o subformat=streamOptimized"
    [img2simg]="sparse"
    [zstd-tar]="zstd -q -f -T2 -3 $archive -o \$image"
    [gzip-tar]="gzip_tar"
)
sparse() {
    make_fs "$archive" "$PWD/step.img"
    img2simg step.img "$image"
    rm step.img
}
alone() { "$createhdds" --no-sync make-fs "$@" "$archive" "$PWD/$image"; }
with_map() { make_fs --format raw,bmap "$archive" "$PWD/step.img" && mv step.img "$image"; }
gzip_tar() { gzip -6 < "$archive" > "$image"; }
rows=(
    raw:- qcow2:raw qemu-qcow2:- qcow2-zlib:qemu-zlib qemu-zlib:- qcow2-zstd:qemu-zstd qemu-zstd:-
    vhd-fixed:raw vhd:qemu-vhd qemu-vhd:- vhdx:qemu-vhdx qemu-vhdx:- vdi:qemu-vdi qemu-vdi:-
    vmdk:qemu-vmdk qemu-vmdk:- vmdk-stream:qemu-stream qemu-stream:- ova:vmdk-stream raw+bmap:raw android:img2simg img2simg:-
    raw.zst:zstd-tar tar.zst:zstd-tar zstd-tar:- raw.gz:gzip-tar oci:gzip-tar gzip-tar:- tar:-
)

declare -A cpu elapsed size
measure() {
    image=$1.out
    rm -f "$image"
    local start=${EPOCHREALTIME/./} before after
    before=$(awk '{ print $16 + $17 }' /proc/$$/stat)
    eval "${command[$1]}" > said 2>&1 || {
        cat said >&2
        exit 1
    }
    after=$(awk '{ print $16 + $17 }' /proc/$$/stat)
    elapsed[$1]+="$(((${EPOCHREALTIME/./} - start) / 1000)) "
    # Hundredths of a second, of children that have ended.
    cpu[$1]+="$(((after - before) * 10)) "
    size[$1]=$(du -k "$image" | cut -f 1)
    rm -f "$image"
}

for ((run = 0; run < runs; run++)); do
    for row in "${rows[@]}"; do
        measure "${row%:*}"
    done
done

seconds() { awk '{ printf "%.2f", $1 / 1000 }' <<< "$1"; }

echo "| format | CPU s | elapsed s | MiB | CPU against |"
echo "|---|---:|---:|---:|---|"
for row in "${rows[@]}"; do
    name=${row%:*} other=${row#*:} against=
    if [[ $other != - ]]; then
        read -r -a own <<< "${cpu[$name]}"
        read -r -a others <<< "${cpu[$other]}"
        ratios=
        for ((run = 0; run < runs; run++)); do
            ratios+="$(awk "BEGIN { printf \"%.2f\", ${own[run]} / ${others[run]} }") "
        done
        against="$(median <<< "$ratios") of $other"
    fi
    printf '| %s | %s | %s | %d | %s |\n' "$name" "$(seconds "$(median <<< "${cpu[$name]}")")" \
        "$(seconds "$(median <<< "${elapsed[$name]}")")" "$((size[$name] / 1024))" "$against"
done
