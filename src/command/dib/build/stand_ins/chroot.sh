# Programs of a tree need devices, which nobody may make here: they are mounted.
for word; do
    case $word in
        -*) ;;
        *)
            if [ -d "$word/dev" ] && [ ! -c "$word/dev/null" ]; then
                devices "$word/dev" || fail "can't mount '$word/dev'"
            fi
            break
            ;;
    esac
done
# The host's directory for temporary files isn't in the tree.
unset TMPDIR
chroot=$(real chroot) || exit
exec "$chroot" "$@"
