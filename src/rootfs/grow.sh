#!/bin/sh
# Grows the root partition to the end of its disk, and the filesystem with it. Once, at the first start.
set -eu

root=$(findmnt --noheadings --output SOURCE --evaluate /)
name=$(basename "$(readlink -f "$root")")
partition=$(cat "/sys/class/block/$name/partition")
disk=/dev/$(basename "$(dirname "$(readlink -f "/sys/class/block/$name")")")

# A GPT ends where the disk did: parted asks whether it may go on to the new end.
printf 'Fix\n' | parted ---pretend-input-tty "$disk" print >/dev/null 2>&1 || true
printf 'Yes\n100%%\n' | parted ---pretend-input-tty "$disk" resizepart "$partition" 100% >/dev/null 2>&1 ||
	parted --script "$disk" resizepart "$partition" 100%
resize2fs "$root"
systemctl disable grow-root-filesystem.service
