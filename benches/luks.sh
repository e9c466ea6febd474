#!/usr/bin/env bash
# A filesystem in LUKS: createhdds encrypting as it writes, against the same image in clear, against
# the limit of the cipher, and against encrypting the finished image with cryptsetup.
#
#   benches/luks.sh [RUNS] [ARCHIVE] [DIRECTORY]
#
# The programs take turns, RUNS times each (default 5), into DIRECTORY (default: target/luks): an ext4 of
# 4 GiB with what is in ARCHIVE (default: the Debian of scripts/rootfs), not synced. What is encrypted is
# counted in the image: blocks of 4 KiB behind the header that aren't holes. The limit is OpenSSL's AES-256-XTS
# in one process, in blocks of 4 KiB. Keys cost next to nothing, as deriving them takes what is asked for.
# Prints a Markdown table of the medians: CPU seconds in the program and in the kernel, elapsed seconds, and what
# the encryption alone makes of it: bytes for each second in the program more than in clear, and their part of
# the limit.
#
# createhdds is target/release/createhdds, or what CREATEHDDS names.
. "$(dirname "$0")/common.sh"

runs=${1:-5}
check_runs "$runs"
"$root/scripts/rootfs" >&2
archive=$(realpath "${2:-$("$root/scripts/cache-directory")/debian-root.tar}")
directory=$(realpath -m "${3:-$root/target/luks}")
mkdir -p "$directory"
cd "$directory"
printf secret > key

make_fs() { "$createhdds" --no-sync make-fs -t ext4 -s 4G "$@" "$archive" "$PWD/image"; }
cheap=(--luks-key-file key --luks-pbkdf pbkdf2 --luks-iterations 1000)
rows=(clear luks2-4096 luks2-512 luks1 cryptsetup)

make() {
    case $1 in
        clear) make_fs ;;
        luks2-*) make_fs "${cheap[@]}" --luks-sector-size "${1#luks2-}" ;;
        luks1) make_fs "${cheap[@]}" --luks-version 1 ;;
        # In place: it takes the room of its header from the end, behind a filesystem that is smaller.
        cryptsetup)
            make_fs
            truncate -s +32M image
            cryptsetup reencrypt --encrypt --batch-mode --type luks2 --reduce-device-size 32M \
                --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file key --sector-size 4096 image
            ;;
    esac
}

# Blocks of 4 KiB behind the header, of SIZE bytes, that aren't holes.
encrypted() {
    python3 - "$1" << 'END'
import os, sys
header, block, count = int(sys.argv[1]), 4096, 0
with open("image", "rb") as image:
    image.seek(header)
    zeroes = bytes(block)
    while data := image.read(1 << 20):
        count += sum(data[at:at + block] != zeroes for at in range(0, len(data), block))
print(count * block)
END
}

declare -A user system elapsed bytes
limits=
TIMEFORMAT='%U %S %R'
for ((run = 0; run < runs; run++)); do
    for row in "${rows[@]}"; do
        rm -f image
        { time make "$row" > said 2>&1 || { cat said >&2; exit 1; }; } 2> taken
        read -r in_program in_kernel real < taken
        user[$row]+="$in_program "
        system[$row]+="$in_kernel "
        elapsed[$row]+="$real "
        ((run > 0)) || case $row in
            clear) bytes[$row]=0 ;;
            luks1) bytes[$row]=$(encrypted $((2 << 20))) ;;
            *) bytes[$row]=$(encrypted $((16 << 20))) ;;
        esac
    done
    limits+="$(openssl speed -mr -elapsed -seconds 2 -bytes 4096 -evp aes-256-xts 2> /dev/null \
        | awk -F: '/^\+F/ { print $NF }') "
done
rm -f image

limit=$(median <<< "$limits")
clear=$(median <<< "${user[clear]}")

awk "BEGIN { printf \"The limit: %.2f GB/s on one core.\n\n\", $limit / 1e9 }"
echo "| | program, s | kernel, s | elapsed, s | encrypted, MiB | GB/s | of the limit |"
echo "|---|---:|---:|---:|---:|---:|---:|"
for row in "${rows[@]}"; do
    own=$(median <<< "${user[$row]}")
    awk -v row="$row" -v own="$own" -v kernel="$(median <<< "${system[$row]}")" \
        -v real="$(median <<< "${elapsed[$row]}")" -v clear="$clear" \
        -v bytes="${bytes[$row]}" -v limit="$limit" 'BEGIN {
            printf "| %s | %.2f | %.2f | %.2f | %d | ", row, own, kernel, real, bytes / 1048576
            if (bytes == 0) { print "- | - |"; exit }
            rate = bytes / (own - clear)
            printf "%.2f | %d %% |\n", rate / 1e9, 100 * rate / limit
        }'
done
