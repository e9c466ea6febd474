# Has the tree of an image of a cloud in an archive, which is kept, and unpacks it: NAME ARCHIVE URL FILE.
# `createhdds` is set in front of it.
set -eu
archive=$DIB_IMAGE_CACHE/$2
url=$3
image=$4

keep() {
    if [ -n "${DIB_OFFLINE:-}" ] && [ -f "$archive" ]; then
        echo "$archive is taken as it is"
        return
    fi
    if [ -z "${DIB_LOCAL_IMAGE:-}" ]; then
        status=0
        "$TMP_HOOKS_PATH/bin/cache-url" "$url" "$image" || status=$?
        # What isn't found on one mirror may be on the next.
        [ "$status" -ne 44 ] || { status=0 && "$TMP_HOOKS_PATH/bin/cache-url" "$url" "$image" || status=$?; }
        [ "$status" -eq 0 ] || exit 1
    fi
    if [ ! -f "$archive" ] || [ "$image" -nt "$archive" ]; then
        echo "The tree of $image becomes $archive"
        "$createhdds" extract-image "$image" "$archive"
    else
        echo "$archive is new enough"
    fi
}

exec 9> "$archive.lock"
flock -w 1200 9 || fail "another build keeps $archive.lock"
keep
# Labels of SELinux are made again at the end of a build.
sudo tar -C "$TARGET_ROOT" --numeric-owner --xattrs --xattrs-include='*' \
    --xattrs-exclude=security.selinux -xzf "$archive"
