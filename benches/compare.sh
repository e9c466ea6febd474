#!/usr/bin/env bash
# The nine shipped layout images by createhdds and by what people use today, in one run:
#
#   benches/compare.sh [RUNS] [DIRECTORY]
#
# The programs take turns, RUNS times each (default 5), each into an empty directory under
# DIRECTORY (default: target/compare), with what they wrote synced to the disk at the end. Then one
# run each counts system calls. Prints a Markdown table.
#
# createhdds is target/release/createhdds, or what CREATEHDDS names. libguestfs takes part where
# guestfish is installed, once because it takes minutes; without a working KVM it needs
# LIBGUESTFS_BACKEND_SETTINGS=force_tcg. Memory is that of the largest process of each program.
. "$(dirname "$0")/common.sh"

runs=${1:-5}
directory=$(realpath -m "${2:-$root/target/compare}")

check_runs "$runs"
"$root/scripts/setup" bench >&2
mkdir -p "$directory"
scratch=$(mktemp -d "$directory/run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

programs=(createhdds by_hand shifted)
declare -A title=(
    [createhdds]="createhdds"
    [by_hand]="shell script: sfdisk, mke2fs -d, mkntfs, dd"
    [shifted]="the same, NTFS shifted with fallocate instead of dd"
    [guestfish]="libguestfs: guestfish, one run"
)
if type -P guestfish > /dev/null; then
    programs+=(guestfish)
else
    echo "compare: guestfish is not installed, libguestfs is left out" >&2
fi

# An empty $scratch/out, and nothing of what was there left to be written.
clear_out() {
    rm -rf "$scratch/out"
    mkdir "$scratch/out"
    sync
}

# build PROGRAM [WRAPPER...]: one run into $scratch/out, in a process of its own.
build() {
    local program=$1
    shift
    case $program in
        createhdds)
            "$@" "$createhdds" --data-dir "$root" -C "$scratch/out" all --kind guestfs
            ;;
        by_hand) "$@" env SPLICE=dd "$root/benches/by_hand.sh" "$scratch/out" ;;
        shifted) "$@" env SPLICE=insert "$root/benches/by_hand.sh" "$scratch/out" ;;
        guestfish) "$@" "$root/benches/with_guestfish.sh" "$scratch/out" ;;
    esac > "$scratch/said" 2>&1 < /dev/null || {
        cat "$scratch/said" >&2
        echo "compare: $program failed" >&2
        exit 1
    }
    local images=("$scratch"/out/*.img)
    ((${#images[@]} == 9)) || {
        echo "compare: $program made ${#images[@]} images instead of 9" >&2
        exit 1
    }
}

# timed PROGRAM: one run with its time, peak of memory and allocated size noted.
timed() {
    local program=$1 from
    clear_out
    from=${EPOCHREALTIME/./}
    build "$program" /usr/bin/time -a -o "$scratch/$program.peaks" -f %M
    echo $((${EPOCHREALTIME/./} - from)) >> "$scratch/$program.times"
    du --summarize --block-size=1024 "$scratch/out" | cut -f 1 > "$scratch/$program.allocated"
}

for ((run = 0; run < runs; run++)); do
    for program in "${programs[@]}"; do
        if [[ $program != guestfish ]] || ((run == 0)); then
            timed "$program"
        fi
    done
done

reference=$(median < "$scratch/createhdds.times")
echo "| nine images, synced, median of $runs | seconds | times createhdds | allocated MiB | peak MiB | system calls |"
echo "|---|---:|---:|---:|---:|---:|"
for program in "${programs[@]}"; do
    calls=-
    # A virtual machine under strace takes minutes and says nothing about the program.
    if [[ $program != guestfish ]]; then
        clear_out
        build "$program" strace -f -c -o "$scratch/calls"
        # The column of errors before "total" is empty where there were none.
        calls=$(awk '$NF == "total" { print $4 }' "$scratch/calls")
    fi
    awk -v title="${title[$program]}" -v time="$(median < "$scratch/$program.times")" \
        -v reference="$reference" -v allocated="$(< "$scratch/$program.allocated")" \
        -v peak="$(median < "$scratch/$program.peaks")" -v calls="$calls" 'BEGIN {
            printf "| %s | %.3f | %.1f | %.1f | %.1f | %s |\n",
                title, time / 1e6, time / reference, allocated / 1024, peak / 1024, calls
        }'
done
