#!/usr/bin/env bash
# Systems of a specification by `createhdds vmdb2` and by vmdb2 itself, in one run:
#
#   benches/vmdb2.sh [RUNS] [DIRECTORY]
#
# The specification is tests/data/vmdb2/bios.vmdb, a Debian with a kernel that a BIOS starts; packages
# come from MIRROR (default: where this machine's apt has them from). It is built once, which makes the
# archive of the root filesystem; from this one the programs take turns, RUNS times each (default 3),
# not synced, under DIRECTORY (default: target/vmdb2). ARCHIVE is its name (default: root.tar; one of
# root.tar.gz, root.tar.xz and root.tar.zst is compressed):
#
#   createhdds            from the archive
#   createhdds, packages  the same, with downloaded packages kept
#   createhdds, root      the same, with the unpacked root and what was installed in it kept too
#   vmdb2                 from the archive; it needs root, loop devices and kpartx, and is what VMDB2
#                         names (default: vmdb2, left out where that isn't installed)
#
# Prints medians of seconds and of ratios within a turn. createhdds is target/release/createhdds, or
# what CREATEHDDS names.
. "$(dirname "$0")/common.sh"

runs=${1:-3}
directory=$(realpath -m "${2:-$root/target/vmdb2}")
read -r -a original <<< "${VMDB2:-vmdb2}"
spec=$root/tests/data/vmdb2/bios.vmdb

check_runs "$runs"
own_mirror() {
    apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' 2> /dev/null |
        awk '$1 ~ /^http/ && $1 !~ /security/ && $2 == "main" { print $1; exit }'
}
mirror=${MIRROR:-$(own_mirror)}
mirror=${mirror:-http://deb.debian.org/debian}
mkdir -p "$directory"
scratch=$(mktemp -d "$directory/run.XXXXXX")

clean_up() {
    # What is kept belongs to users that only a sandbox has.
    if ((EUID != 0)) && [[ -d $scratch/kept ]]; then
        unshare --map-auto --map-root-user rm -rf "$scratch/kept"
    fi
    rm -rf "$scratch"
}
trap clean_up EXIT

programs=(createhdds 'createhdds, packages' 'createhdds, root')
if [[ -n $(command -v "${original[0]}") ]]; then
    programs+=(vmdb2)
else
    echo "vmdb2: ${original[0]} isn't installed, and is left out" >&2
fi

# build PROGRAM
build() {
    local arguments=(--output "$scratch/image.img" --rootfs-tarball "$scratch/${ARCHIVE:-root.tar}")
    arguments+=(--variable "mirror=$mirror" "$spec")
    case $1 in
        vmdb2) "${original[@]}" --log "$scratch/log" "${arguments[@]}" ;;
        *root) "$createhdds" --no-sync vmdb2 --package-cache "$scratch/packages" \
            --root-cache "$scratch/kept" "${arguments[@]}" ;;
        *packages) "$createhdds" --no-sync vmdb2 --package-cache "$scratch/packages" \
            "${arguments[@]}" ;;
        *) "$createhdds" --no-sync vmdb2 "${arguments[@]}" ;;
    esac > "$scratch/said" 2>&1 < /dev/null || fail "$1: $(tail -n 20 "$scratch/said")"
}

from=${EPOCHREALTIME/./}
build createhdds
nothing=$((${EPOCHREALTIME/./} - from))
# What is kept is there.
build 'createhdds, packages'
build 'createhdds, root'
for ((turn = 1; turn <= runs; turn++)); do
    for program in "${programs[@]}"; do
        rm -f "$scratch/image.img"
        from=${EPOCHREALTIME/./}
        build "$program"
        took=$((${EPOCHREALTIME/./} - from))
        [[ $program != createhdds ]] || own=$took
        echo "$took" >> "$scratch/$program.us"
        awk -v a="$took" -v b="$own" 'BEGIN { print a / b }' >> "$scratch/$program.ratio"
    done
done
printf '| program | seconds | times createhdds |\n|---|---:|---:|\n'
printf '| createhdds, from nothing, once | %.1f | |\n' "$((nothing / 1000))e-3"
for program in "${programs[@]}"; do
    printf '| %s | %.2f | %.2f |\n' "$program" "$(median < "$scratch/$program.us")e-6" \
        "$(median < "$scratch/$program.ratio")"
done
