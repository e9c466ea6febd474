#!/usr/bin/env bash
# Trees packed into FAT32 images by `createhdds make-fs` and by what people use today:
#
#   benches/fat.sh [RUNS] [DIRECTORY]
#
# Two loads: 20,000 files of 20 KiB in 200 directories, and 10,000 small files in one directory, of
# which mcopy gets the first 200, 400 and 800 only, since its time grows with their square. The
# programs take turns, RUNS times each (default 3), in DIRECTORY (default: target/fat), with the image
# synced at the end; what came out is checked by fsck.fat. `cp -r` of the same tree is the
# yardstick. Prints a Markdown table. createhdds is target/release/createhdds, or what CREATEHDDS
# names. genimage is left out where it isn't installed.
. "$(dirname "$0")/common.sh"
export LC_ALL=C.UTF-8

runs=${1:-3}
directory=$(realpath -m "${2:-$root/target/fat}")

check_runs "$runs"
for program in mkfs.fat mcopy fsck.fat; do
    type -P "$program" > /dev/null || fail "$program is not installed: scripts/setup test"
done
mkdir -p "$directory"
scratch=$(mktemp -d "$directory/run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
image=$scratch/out/image

many() {
    local number parent
    for ((number = 0; number < 20000; number++)); do
        if ((number % 100 == 0)); then
            parent=$1/directory-$((number / 100))
            mkdir "$parent"
        fi
        { printf '%06d' "$number" && printf 'No file is like its neighbour. %.0s' {1..660}; } \
            > "$parent/file number $number.text"
    done
}

# flat DIRECTORY COUNT
flat() {
    local number
    mkdir "$1/one"
    for ((number = 0; number < $2; number++)); do
        echo "$number" > "$1/one/a long name, number $number.text"
    done
}

# build PROGRAM TREE: one run into $image.
build() {
    case $1 in
        createhdds) "$createhdds" make-fs --type fat32 --size 600M "$2" "$image" ;;
        mcopy)
            mkfs.fat -C -F 32 "$image" $((600 * 1024))
            mcopy -s -m -Q -i "$image" "$2"/* ::/
            ;;
        genimage)
            mkdir "$scratch/out/input"
            printf 'image image { vfat { extraargs = "-F 32" }\n size = 600M }\n' \
                > "$scratch/out/config"
            genimage --config "$scratch/out/config" --rootpath "$2" --outputpath "$scratch/out" \
                --tmppath "$scratch/out/temporary" --inputpath "$scratch/out/input"
            ;;
        cp)
            cp -r "$2" "$scratch/out/copy"
            ;;
    esac > "$scratch/said" 2>&1 < /dev/null || {
        cat "$scratch/said" >&2
        fail "$1 failed"
    }
}

# timed PROGRAM TREE: seconds of one run, the disk included.
timed() {
    local from
    rm -rf "$scratch/out"
    mkdir "$scratch/out"
    sync
    from=${EPOCHREALTIME/./}
    build "$1" "$2"
    if [[ $1 == cp ]]; then sync -f "$scratch/out"; else sync "$image"; fi
    echo $((${EPOCHREALTIME/./} - from))
}

# compare NAME TREE PROGRAM...: a row for each program.
compare() {
    local name=$1 tree=$2 program run
    shift 2
    for ((run = 0; run < runs; run++)); do
        for program in "$@"; do
            timed "$program" "$tree" >> "$scratch/$name.$program"
            if ((run == 0)) && [[ $program != cp && $name != flat* ]]; then
                fsck.fat -n "$image" > "$scratch/said" || {
                    cat "$scratch/said" >&2
                    fail "fsck.fat finds errors in what $program made"
                }
            fi
        done
    done
    for program in "$@"; do
        sort -n "$scratch/$name.$program" | awk -v name="$name" -v program="$program" '
            { value[NR] = $1 }
            END { printf "| %s | %s | %.3f |\n", name, program, value[int((NR + 1) / 2)] / 1e6 }'
    done
}

others=(mcopy)
if type -P genimage > /dev/null; then
    others+=(genimage)
else
    echo "fat: genimage is not installed and left out" >&2
fi

echo "| tree | program | seconds, median of $runs |"
echo '|---|---|---:|'
mkdir "$scratch/many"
many "$scratch/many"
compare many "$scratch/many" createhdds cp "${others[@]}"
for count in 200 400 800; do
    mkdir "$scratch/tree-$count"
    flat "$scratch/tree-$count" "$count"
    compare "flat-$count" "$scratch/tree-$count" createhdds mcopy
done
for count in 2500 5000 10000; do
    mkdir "$scratch/tree-$count"
    flat "$scratch/tree-$count" "$count"
    compare "flat-$count" "$scratch/tree-$count" createhdds cp
done
