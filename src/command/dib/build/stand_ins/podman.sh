# Keeps what it stores beside the tree, where nothing of it is left behind. There are no control groups
# for it, and no directory of the machine that it may write to: what a container file runs is in a plain
# chroot, and a container that is exported needn't run for that.
podman=$(real podman 2> /dev/null) || fail "it isn't installed, and elements on images of containers need it"
unshare=$(real unshare) && mount=$(real mount) || exit
state=${records%/*}/podman
for directory in cache lib; do
    mkdir -p "$state/$directory/containers" "$state/work/$directory" || exit
done
export BUILDAH_ISOLATION="${BUILDAH_ISOLATION:-chroot}"

# `run --detach` is `create`.
if [ "${1-}" = run ]; then
    detached=''
    for argument; do
        shift
        case $detached$argument in
            -d | --detach) detached=yes ;;
            *) set -- "$@" "$argument" ;;
        esac
    done
    [ -z "$detached" ] || { shift && set -- create "$@"; }
fi
set -- --root "$state/store" --runroot "$state/run" --tmpdir "$state/tmp" --volumepath "$state/volumes" \
    --cgroup-manager cgroupfs --events-backend none "$@"

# It has caches of names and of layers in these, wherever it stores the rest.
exec "$unshare" --mount sh -c '
    mount=$1 state=$2
    shift 2
    for directory in cache lib; do
        changes=upperdir=$state/$directory,workdir=$state/work/$directory
        "$mount" -n -t overlay -o "userxattr,lowerdir=/var/$directory,$changes" changes "/var/$directory"
    done
    exec "$@"' sh "$mount" "$state" "$podman" "$@"
