# Where GRUB has a file: its path on its filesystem, without what that is mounted at.
fail() {
    printf 'grub-mkrelpath: %s\n' "$*" >&2
    exit 1
}

[ $# -eq 1 ] || fail 'this stand-in for grub-mkrelpath takes one path'
path=$(readlink -f -- "$1") && [ -e "$path" ] || fail "there is no '$1'"
of_path "$path" || fail "'$1' is on no filesystem of the disk that is made"
[ "$path" != / ] || path=
printf '%s\n' "${path#"$at"}"
