#!/usr/bin/env bash
# What benches/fill.sh and benches/memory.sh pack, made where it is missing; each as NAME.tar and as
# directory NAME:
#
#   fill_loads.sh DIRECTORY NAME...
#
#   debian  what scripts/rootfs makes: links to it
#   small   100,000 files of 1 to 4 KiB in 500 directories
#   big     one file of 4 GiB without a zero
#   many    1,000,000 files of a few bytes in 1000 directories
#
# Names, data and times are the same everywhere. The first three need 10 GiB, the last one 5 GiB; a
# finished archive gets its name last, so that what has been interrupted is made anew.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
cd "$1"
shift

debian() {
    local cache
    cache=$("$root/scripts/cache-directory")
    "$root/scripts/rootfs" >&2
    ln -sfn "$cache/debian-root" debian
    ln -sfn "$cache/debian-root.tar" debian.tar
}

# Names as long as those of real trees; lengths jump about, so that no file is like its neighbours.
small() {
    local text number length parent
    printf -v text 'The quick brown fox jumps over the lazy dog, number %d.\n' {1..80}
    for ((number = 0; number < 100000; number++)); do
        if ((number % 200 == 0)); then
            printf -v parent 'directory-%03d' $((number / 200))
            mkdir "$1/$parent"
        fi
        length=$((1024 + number * 7919 % 3073))
        printf '%06d %s' "$number" "${text:0:length-7}" > "$1/$parent/file-$number.txt"
    done
}

big() {
    # yes is ended by the pipe when head has enough.
    { yes 'No block of this file is a hole and none is zero.' || true; } | head -c 4G > "$1/disk.raw"
}

many() {
    local number parent
    for ((number = 0; number < 1000000; number++)); do
        if ((number % 1000 == 0)); then
            printf -v parent 'directory-%03d' $((number / 1000))
            mkdir "$1/$parent"
        fi
        printf '%d\n' "$number" > "$1/$parent/file-$number.txt"
    done
}

# pack NAME: its directory and its archive.
pack() {
    rm -rf "$1" "$1.tar" "$1.unfinished"
    mkdir "$1.unfinished"
    "$1" "$1.unfinished"
    find "$1.unfinished" -exec touch --no-dereference --date=@1704067200 {} +
    mv "$1.unfinished" "$1"
    tar --create --file="$1.unfinished" --directory="$1" --sort=name --numeric-owner .
    mv "$1.unfinished" "$1.tar"
}

for load in "$@"; do
    if [[ $load == debian ]]; then
        debian
    elif [[ ! -e $load.tar || ! -d $load ]]; then
        echo "fill: making the load \"$load\", once" >&2
        pack "$load"
    fi
done
