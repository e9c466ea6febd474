#!/usr/bin/env bash
# Tries what `createhdds make-fs` and what people use today keep of a tree (kept_tree.sh):
#
#   benches/kept.sh [DIRECTORY]
#
# Each program makes an image in a directory under DIRECTORY (default: target/kept), which is
# mounted and held against the tree, feature by feature. Prints a Markdown table of what was found:
# yes, no, or - where there is nothing to try. Needs root.
#
# createhdds is target/release/createhdds, or what CREATEHDDS names. tar2ext4 (Microsoft hcsshim)
# and virt-make-fs take part where they are installed; without a working KVM the latter needs
# LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg.
. "$(dirname "$0")/common.sh"

directory=$(realpath -m "${1:-$root/target/kept}")
# No whole number of MiB or block groups, and large enough for blocks of 4 KiB everywhere.
size=$((645 * 1024 * 1024 + 12288))

((EUID == 0)) || fail "devices, owners and mounting need root"
"$root/scripts/setup" bench >&2
mkdir -p "$directory"
scratch=$(mktemp -d "$directory/run.XXXXXX")
mounted=$scratch/mounted
trap 'umount --quiet "$mounted" || true; rm -rf "$scratch"' EXIT
mkdir "$mounted"

programs=(createhdds_directory createhdds_tar mke2fs)
declare -A title=(
    [createhdds_directory]="createhdds, directory"
    [createhdds_tar]="createhdds, archive"
    [mke2fs]="mke2fs -d"
    [mke2fs_fixed]="mke2fs -d with fixed values"
    [tar2ext4]="tar2ext4"
    [virt_directory]="virt-make-fs, directory"
    [virt_tar]="virt-make-fs, archive"
)
if type -P tar2ext4 > /dev/null; then
    programs+=(tar2ext4)
else
    echo "kept: tar2ext4 is not installed and left out" >&2
fi
if type -P virt-make-fs > /dev/null; then
    programs+=(virt_directory virt_tar)
else
    echo "kept: virt-make-fs is not installed and left out" >&2
fi

# build PROGRAM DIRECTORY ARCHIVE IMAGE
build() {
    local tree=$2 archive=$3 image=$4
    mkdir -p "$(dirname "$image")"
    case $1 in
        createhdds_directory)
            "$CREATEHDDS" make-fs --type ext4 --size "$size" "$tree" "$image"
            ;;
        createhdds_tar) "$CREATEHDDS" make-fs --type ext4 --size "$size" "$archive" "$image" ;;
        mke2fs) mke2fs -q -F -t ext4 -d "$tree" "$image" $((size / 1024))k ;;
        # All that makes two runs of it differ.
        mke2fs_fixed)
            E2FSPROGS_FAKE_TIME=1700000000 mke2fs -q -F -t ext4 -d "$tree" \
                -U 11111111-2222-3333-4444-555555555555 \
                -E hash_seed=11111111-2222-3333-4444-555555555555 "$image" $((size / 1024))k
            ;;
        tar2ext4) tar2ext4 -i "$archive" -o "$image" ;;
        virt_directory) virt-make-fs --type=ext4 --format=raw --size="$size" "$tree" "$image" ;;
        virt_tar) virt-make-fs --type=ext4 --format=raw --size="$size" "$archive" "$image" ;;
    esac > "$scratch/said" 2>&1 < /dev/null || {
        echo "kept: $1 fails:" >&2
        cat "$scratch/said" >&2
        return 1
    }
}

tree=$scratch/tree archive=$scratch/tree.tar
"$root/benches/kept_tree.sh" "$tree"
# Everything that GNU tar can keep. It says that it ignores the socket.
tar --create --file="$archive" --directory="$tree" --format=pax --sort=name --numeric-owner \
    --sparse --xattrs --xattrs-include='*' --acls . 2> "$scratch/said" || {
    cat "$scratch/said" >&2
    fail "tar doesn't pack the tree"
}

# Each feature is something that is printed in the tree and in the mounted image alike.
print_data() { cat file owned attributes && ls large; }
print_links() {
    stat --format=%h linked directory/also-linked
    [[ linked -ef directory/also-linked ]]
}
print_symlinks() { readlink symlink long-symlink; }
print_devices() { stat --format='%n %F %t %T' character block; }
print_fifo() { stat --format=%F fifo; }
print_socket() { stat --format=%F socket; }
print_sparse() {
    stat --format=%s sparse
    (($(stat --format=%b sparse) < 2048)) && sha256sum sparse
}
print_modes() { stat --format='%n %a' setuid setgid sticky; }
print_owners() { stat --format='%n %u:%g' owned owned-32-bit; }
print_seconds() { stat --format=%Y file symlink directory fifo block large; }
print_nanoseconds() { stat --format=%y file symlink directory; }
print_old_time() { stat --format=%Y linked; }
print_far_time() { stat --format=%Y owned; }
print_root() { stat --format='%a %u:%g %Y' .; }
print_attribute() { getfattr --absolute-names --encoding=hex --name="$1" "$2" 2> /dev/null; }
print_user() { print_attribute user.comment attributes && print_attribute user.empty attributes; }
print_large_user() { print_attribute user.large attributes; }
print_trusted() { print_attribute trusted.overlay.opaque directory; }
print_capability() { print_attribute security.capability capability; }
print_acl() { getfacl --numeric acl acl-directory; }
print_selinux() { print_attribute security.selinux file && print_attribute security.selinux both; }
print_odd_names() { ls -b . | grep -e latin -e break; }
print_long_name() { cat "$(printf 'n%.0s' {1..255})"; }


# What a row says, and how it is tried.
rows=(
    "e2fsck finds nothing:checked"
    "data and names:kept data"
    "hard links:kept links"
    "symbolic links, short and long:kept symlinks"
    "devices, large numbers too:kept devices"
    "FIFOs:kept fifo"
    "sockets:kept_socket"
    "holes of sparse files:kept sparse"
    "set-user-ID, set-group-ID, sticky:kept modes"
    "owners, 32-bit ones too:kept owners"
    "times in seconds:kept seconds"
    "times in nanoseconds:kept nanoseconds"
    "times before 1970:kept old_time"
    "times after 2038:kept far_time"
    "mode, owner and time of the root:kept root"
    "attributes user.\\*:kept user"
    "attribute of 3,000 bytes:kept large_user"
    "attributes trusted.\\*:kept trusted"
    "file capabilities:kept capability"
    "access control lists:kept acl"
    "SELinux labels:kept selinux"
    "names that aren't UTF-8:kept odd_names"
    "names of 255 bytes:kept long_name"
    "directory of 5,000 entries is indexed:indexed"
    "exactly the size asked for:exact"
    "a second run gives the same bytes:repeated"
    "so does a copy of the directory:copied"
)

# kept FEATURE: whether it is in the image that is mounted as it is in the tree.
kept() {
    local wanted found
    wanted=$(cd "$tree" && "print_$1" | base64) || fail "the tree has no $1 to keep"
    if found=$(cd "$mounted" && "print_$1" 2> /dev/null | base64) && [[ $found == "$wanted" ]]; then
        answer=yes
    fi
}

# A tar archive can't hold a socket.
kept_socket() {
    case $program in
        *_tar | tar2ext4) answer=- ;;
        *) kept socket ;;
    esac
}

checked() {
    if e2fsck -fn "$image" > /dev/null 2>&1; then
        answer=yes
    fi
}

indexed() {
    if [[ $(lsattr -d "$mounted/large") == *I*\ * ]]; then
        answer=yes
    fi
}

exact() {
    if [[ $program == tar2ext4 ]]; then
        answer=-
    elif (($(stat --format=%s "$image") == size)); then
        answer=yes
    fi
}

# same PROGRAM DIRECTORY: two runs, one from the tree and one from this one, are alike.
same() {
    local one=$scratch/one/$1.img two=$scratch/two/$1.img
    rm -f "$one" "$two"
    build "$1" "$tree" "$archive" "$one"
    # Whatever the clock puts into an image.
    sleep 1.1
    build "$1" "$2" "$archive" "$two"
    cmp --quiet "$one" "$two"
}

# The same, where mke2fs gets a second chance.
alike() {
    if same "$program" "$@"; then
        answer=yes
    elif [[ $program == mke2fs ]] && same mke2fs_fixed "$@"; then
        answer="with UUID, hash seed and time given"
    fi
}

repeated() { alike "$tree"; }
copied() {
    case $program in
        *_tar | tar2ext4) answer=- ;;
        *) alike "$copy" ;;
    esac
}

# try PROGRAM: a column of the table.
try() {
    local program=$1 image=$scratch/$1.img row answer
    echo "kept: $1" >&2
    if ! build "$program" "$tree" "$archive" "$image"; then
        [[ $program != createhdds_* ]] || fail "createhdds must pack this tree"
        echo "kept: $program is left out" >&2
        return
    fi
    header+=" ${title[$program]} |" line+="---|"
    mount -o ro,loop "$image" "$mounted"
    for row in "${rows[@]}"; do
        answer=no
        # A function and perhaps its argument.
        # shellcheck disable=SC2086
        ${row#*:}
        answers[$row]+=" $answer |"
    done
    umount "$mounted"
}

# With other inode numbers and times of change. It has been read as often as the tree.
copy=$scratch/copy
cp --archive "$tree" "$copy"
tar --create --file=- --directory="$copy" . 2> /dev/null | cat > /dev/null

declare -A answers=()
header="| kept |" line="|---|"
for program in "${programs[@]}"; do
    try "$program"
done
printf '%s\n%s\n' "$header" "$line"
for row in "${rows[@]}"; do
    printf '| %s |%s\n' "${row%%:*}" "${answers[$row]}"
done
