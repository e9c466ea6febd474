#!/usr/bin/env bash
# Read-only filesystems of one tree: createhdds against mksquashfs and mkfs.erofs, each from the
# unpacked directory.
#
#   benches/squashfs.sh [RUNS] [TREE] [DIRECTORY]
#
# The programs take turns, RUNS times each (default 3), into DIRECTORY (default: target/squashfs),
# with what they wrote synced to the disk. TREE is a directory (default: the Debian of
# scripts/rootfs). Prints a Markdown table of the medians. Needs root where the tree belongs to it.
#
# createhdds is target/release/createhdds, or what CREATEHDDS names.
. "$(dirname "$0")/common.sh"

runs=${1:-3}
check_runs "$runs"
"$root/scripts/rootfs" >&2
tree=$(realpath "${2:-$("$root/scripts/cache-directory")/debian-root}")
directory=$(realpath -m "${3:-$root/target/squashfs}")
mkdir -p "$directory"
cd "$directory"

programs=(createhdds_erofs mkfs_erofs createhdds_zstd mksquashfs_zstd createhdds_gzip mksquashfs_gzip)

# make PROGRAM: $PROGRAM.img
make() {
    local image=$1.img compression=${1#*_}
    rm -f "$image"
    case $1 in
        createhdds_erofs) "$createhdds" make-fs --lossy -t erofs "$tree" "$PWD/$image" ;;
        mkfs_erofs) mkfs.erofs -T 946684800 --preserve-mtime "$image" "$tree" ;;
        createhdds_*)
            "$createhdds" make-fs --lossy -t squashfs --compression "$compression" \
                "$tree" "$PWD/$image"
            ;;
        mksquashfs_*) mksquashfs "$tree" "$image" -comp "$compression" -quiet -no-progress ;;
    esac > said 2>&1 || {
        cat said >&2
        exit 1
    }
    sync "$image"
}

declare -A seconds
for ((run = 0; run < runs; run++)); do
    for program in "${programs[@]}"; do
        start=${EPOCHREALTIME/./}
        make "$program"
        seconds[$program]+="$((${EPOCHREALTIME/./} - start)) "
    done
done

echo "| program | median | size |"
echo "|---|---|---|"
for program in "${programs[@]}"; do
    middle=$(median <<< "${seconds[$program]}")
    printf '| %s | %d.%02d s | %s |\n' "${program/_/ }" $((middle / 1000000)) \
        $((middle / 10000 % 100)) "$(numfmt --to=iec "$(stat -c %s "$program.img")")"
done
