#!/usr/bin/env bash
# Trees packed into ext4 images by `createhdds make-fs` and by what people use today, in one run:
#
#   benches/fill.sh [RUNS] [DIRECTORY]
#
# Each load (LOADS="debian small big", explained in fill_loads.sh) is read once, so that all find it
# in the page cache. Then the programs take turns, RUNS times each (default 5), each into an empty
# directory under DIRECTORY (default: target/fill), with the image synced to the disk at the end.
# What came out is checked after the first turn: e2fsck, number of inodes. Then one run each counts system calls. Prints a
# Markdown table for each load. DIRECTORY needs 25 GiB, most of it for the loads, which stay there.
#
# createhdds is target/release/createhdds, or what CREATEHDDS names. Programs that aren't installed
# are left out with a line that says so; virt-make-fs runs once because it takes minutes, and without
# a working KVM it needs LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg.
#
# The ratios are medians of the ratios within a turn. "written" is what reached the block device of
# DIRECTORY, from whichever program: nothing else should write meanwhile. "peak" is the memory of
# the largest process of each program.
. "$(dirname "$0")/common.sh"

runs=${1:-5}
directory=$(realpath -m "${2:-$root/target/fill}")
read -r -a loads <<< "${LOADS:-debian small big}"
declare -A mebibytes=([debian]=2048 [small]=4096 [big]=6144)

check_runs "$runs"
"$root/scripts/setup" bench >&2
mkdir -p "$directory"
"$root/benches/fill_loads.sh" "$directory" "${loads[@]}"
device=/sys/dev/block/$(findmnt --noheadings --output MAJ:MIN --target "$directory" | tr -d ' ')
scratch=$(mktemp -d "$directory/run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

declare -A title=(
    [createhdds_tar]="createhdds make-fs, from the archive"
    [createhdds_directory]="createhdds make-fs, from the directory"
    [mke2fs]="mke2fs -d, from the directory"
    [loop]="mkfs.ext4, loop mount, tar, umount (root)"
    [genimage]="genimage, from the directory"
    [repart]="systemd-repart, from the directory (root)"
    [tar2ext4]="tar2ext4, from the archive: own size, no journal"
    [virt]="virt-make-fs, from the directory, one run"
    [dd]="dd of the archive: the floor"
)
programs=(createhdds_tar createhdds_directory)

# contender PROGRAM EXECUTABLE [root]: takes part where it can.
contender() {
    if ! type -P "$2" > /dev/null; then
        echo "fill: $2 is not installed and left out" >&2
    elif [[ ${3:-} == root ]] && ((EUID != 0)); then
        echo "fill: $2 needs root here and is left out" >&2
    else
        programs+=("$1")
    fi
}
contender mke2fs mke2fs
contender loop losetup root
contender genimage genimage
contender repart systemd-repart root
contender tar2ext4 tar2ext4
contender virt virt-make-fs
contender dd dd

sectors_written() {
    if [[ -e $device/stat ]]; then
        awk '{ print $7 }' "$device/stat"
    else
        echo 0
    fi
}

# build PROGRAM [WRAPPER...]: one run into $scratch/out, in a process of its own.
build() {
    local program=$1
    shift
    "$@" "$root/benches/fill_with.sh" "$program" "${mebibytes[$load]}" "$directory/$load.tar" \
        "$(realpath "$directory/$load")" "$image" > "$scratch/said" 2>&1 < /dev/null || {
        cat "$scratch/said" >&2
        fail "$program failed with load \"$load\""
    }
}

# An empty $scratch/out, and nothing of what was there left to be written.
clear_out() {
    rm -rf "$scratch/out"
    mkdir "$scratch/out"
    sync
}

# timed PROGRAM: one run with its time, memory and bytes noted in $scratch/notes.
timed() {
    local program=$1 note=$scratch/notes/$1 from sectors
    clear_out
    sectors=$(sectors_written)
    from=${EPOCHREALTIME/./}
    build "$program" /usr/bin/time -a -o "$note.peaks" -f %M
    sync "$image"
    echo $((${EPOCHREALTIME/./} - from)) >> "$note.times"
    echo $((($(sectors_written) - sectors) / 2)) >> "$note.written"
    du --block-size=1024 "$image" | cut -f 1 > "$note.allocated"
}

# flaw PROGRAM TEXT: what is wrong with an image fails the run if it is ours, else the row says it.
flaw() {
    [[ $1 != createhdds_* ]] || fail "load \"$load\" by $1: $2"
    flaws[$1]=" (**$2**)"
}

# check PROGRAM: e2fsck accepts the last image, which holds as many files as everyone else's.
check() {
    local device=$image inodes
    case $1 in
        dd) return ;;
        repart) device="$image?offset=$((1 << 20))" ;;
    esac
    e2fsck -fn "$device" > "$scratch/said" 2>&1 || {
        cat "$scratch/said" >&2
        flaw "$1" "e2fsck finds errors"
    }
    inodes=$(dumpe2fs -h "$device" 2> /dev/null |
        awk '/^Inode count:/ { all = $3 } /^Free inodes:/ { print all - $3 }')
    if ((inodes != ${expected:=$inodes})); then
        flaw "$1" "$inodes inodes instead of $expected"
    fi
}

# times_of PROGRAM REFERENCE: how many times longer it took, turn by turn.
times_of() {
    paste "$scratch/notes/$1.times" "$scratch/notes/$2.times" | awk 'NF == 2 { print $1 / $2 }' |
        median
}

row() {
    local program=$1 note=$scratch/notes/$1 calls=-
    # A virtual machine under strace takes minutes and says nothing about the program.
    if [[ $program != virt ]]; then
        clear_out
        build "$program" strace -f -c -o "$scratch/calls"
        # The column of errors before "total" is empty where there were none.
        calls=$(awk '$NF == "total" { print $4 }' "$scratch/calls")
    fi
    awk -v title="${title[$program]}${flaws[$program]:-}" -v time="$(median < "$note.times")" \
        -v ours="$(times_of "$program" createhdds_tar)" -v floor="$(times_of "$program" dd)" \
        -v written="$(median < "$note.written")" -v allocated="$(< "$note.allocated")" \
        -v peak="$(median < "$note.peaks")" -v calls="$calls" 'BEGIN {
            printf "| %s | %.3f | %.2f | %.2f | %.0f | %.0f | %.1f | %s |\n", title, time / 1e6,
                ours, floor, written / 1024, allocated / 1024, peak / 1024, calls
        }'
}

for load in "${loads[@]}"; do
    [[ ${mebibytes[$load]:-} ]] || fail "LOADS is of debian, small and big, not \"$load\""
    image=$scratch/out/image expected=
    declare -A flaws=()
    mkdir "$scratch/notes"
    tar --create --file=- --directory="$directory/$load" . | cat - "$directory/$load.tar" > /dev/null
    for ((run = 0; run < runs; run++)); do
        for program in "${programs[@]}"; do
            if ((run == 0)); then
                timed "$program"
                check "$program"
            elif [[ $program != virt ]]; then
                timed "$program"
            fi
        done
    done
    printf '\n| %s (%d files), %d MiB of ext4, synced, median of %d | seconds | times ours | times dd ' \
        "$load" "$(find "$directory/$load/" | wc -l)" "${mebibytes[$load]}" "$runs"
    printf '| written MiB | allocated MiB | peak MiB | system calls |\n'
    echo '|---|---:|---:|---:|---:|---:|---:|---:|'
    for program in "${programs[@]}"; do
        row "$program"
    done
    rm -r "$scratch/notes"
done
