# What is asked for, and of what.
fail() {
    printf 'grub-probe: %s\n' "$*" >&2
    exit 1
}

target=fs ending='\n' is_device='' value='' count=$#
while [ "$count" -gt 0 ]; do
    word=$1 count=$((count - 1))
    shift
    case $value in
        target) target=$word value='' && continue ;;
        map) value='' && continue ;;
    esac
    case $word in
        -t | --target) value=target ;;
        --target=*) target=${word#*=} ;;
        -t?*) target=${word#-t} ;;
        -m | --device-map) value=map ;;
        -m?* | --device-map=* | -v | --verbose) ;;
        -d | --device) is_device=yes ;;
        -0) ending='\0' ;;
        -?*) fail "this stand-in for grub-probe has no option '$word'" ;;
        *) set -- "$@" "$word" ;;
    esac
done
[ -z "$value" ] || fail "'$word' needs a value"
[ $# -gt 0 ] || fail 'which path or device?'

say() {
    # shellcheck disable=SC2059
    printf "%s$ending" "$1"
}

answer() {
    case $target in
        device) say "$device" ;;
        disk) say "${mapped:-/dev/disk0}" ;;
        drive) say "($drive)" ;;
        fs)
            [ "$fs" ] || fail 'unknown filesystem'
            say "$fs"
            ;;
        fs_uuid) say "$uuid" ;;
        fs_label) say "$label" ;;
        partuuid)
            [ "$partuuid$mapped" ] || fail "what the table has for $uuid isn't known"
            say "$partuuid"
            ;;
        # That of each partition that it is on.
        partmap) for _ in $partitions; do say "$map"; done ;;
        # Of what is a partition nothing is said, not even an empty line.
        abstraction) for layer in $layers; do say "$layer"; done ;;
        cryptodisk_uuid) for container in $containers; do say "$container"; done ;;
        # What would be said of its disk depends on the machine that it is put into.
        compatibility_hint) [ -z "$mapped" ] || say "$drive" ;;
        hints_string) say "${mapped:+--hint='$drive' }" ;;
        bios_hints | efi_hints | baremetal_hints | ieee1275_hints | arc_hints) say "${mapped:+$drive }" ;;
        zero_check) say false ;;
        *) fail "'$target' isn't known of a disk that is still to be made" ;;
    esac
}

for asked; do
    if [ "$is_device" ]; then
        of_device "$asked" || fail "'$asked' is no filesystem of the disk that is made"
    else
        path=$(readlink -f -- "$asked") && [ -e "$path" ] || fail "there is no '$asked'"
        of_path "$path" || fail "'$asked' is on no filesystem of the disk that is made"
    fi
    answer
done
