#!/usr/bin/env bash
# How much memory `createhdds make-fs` takes for each file of a large tree:
#
#   benches/memory.sh [DIRECTORY]
#
# Packs 1,000,000 files (the load "many" of fill_loads.sh) from an archive and from a directory into
# ext4 of automatic size, in DIRECTORY (default: target/fill). What one file takes as a tree of its
# own is subtracted from the peak. Prints a Markdown table; more than MOST bytes a file (default
# 300) are a failure. DIRECTORY needs 10 GiB, half of it for the load, which stays there.
#
# createhdds is target/release/createhdds, or what CREATEHDDS names.
. "$(dirname "$0")/common.sh"

directory=$(realpath -m "${1:-$root/target/fill}")
most=${MOST:-300}
files=1000000

"$root/benches/fill_loads.sh" "$directory" many
scratch=$(mktemp -d "$directory/run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/one"
echo 0 > "$scratch/one/file"
tar --create --file="$scratch/one.tar" --directory="$scratch/one" .

# measure INPUT: the peak in KiB and the seconds of one run.
measure() {
    /usr/bin/time -o "$scratch/note" -f '%M %e' "$createhdds" make-fs --type ext4 --no-sync \
        --force "$1" "$scratch/image.raw" > "$scratch/said" 2>&1 || {
        cat "$scratch/said" >&2
        fail "createhdds failed with $1"
    }
    cat "$scratch/note"
}

echo "| $files files into ext4 | bytes a file | peak MiB | seconds |"
echo '|---|---:|---:|---:|'
for kind in archive directory; do
    suffix=
    [[ $kind == directory ]] || suffix=.tar
    one=$(measure "$scratch/one$suffix")
    many=$(measure "$directory/many$suffix")
    read -r peak seconds <<< "$many"
    bytes=$(((peak - ${one% *}) * 1024 / files))
    echo "| from the $kind | $bytes | $((peak / 1024)) | $seconds |"
    ((bytes <= most)) || fail "$bytes bytes for each file of the $kind are more than $most"
done
