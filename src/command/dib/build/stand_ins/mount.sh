# Filesystems of the kernel that only the machine's root may mount are shown as they are mounted already.
mount=$(real mount) || exit
kind='' options='' bind='' source='' target='' value=''
for word; do
    case $value in
        kind) kind=$word value='' && continue ;;
        options) options=$options,$word value='' && continue ;;
        other) value='' && continue ;;
    esac
    case $word in
        -t | --types) value=kind ;;
        -t?*) kind=${word#-t} ;;
        --types=*) kind=${word#*=} ;;
        -o | --options) value=options ;;
        -o?*) options=$options,${word#-o} ;;
        --options=*) options=$options,${word#*=} ;;
        -B | --bind | -R | --rbind) bind=yes ;;
        -L | -U | -O | -N | -T) value=other ;;
        -*) ;;
        *)
            source=$target
            target=$word
            ;;
    esac
done
case $options, in
    *,loop,* | *,loop=*) fail "there are no loop devices here, which '$options' needs" ;;
    *,bind,* | *,rbind,*) bind=yes ;;
esac

# Shows `$1` at the target, with all that is mounted there.
show() {
    "$mount" --rbind "$1" "$target"
}

case $options, in
    *,remount,*)
        "$mount" "$@" && exit
        # It keeps somebody from writing by mistake, and nothing else.
        printf 'mount: %s stays as it is mounted\n' "$target" >&2
        exit 0
        ;;
esac
if [ "$bind" ]; then
    case $source in
        /dev | /dev/) devices "$target" ;;
        # Parts that are mounted there may not be uncovered.
        *) "$mount" "$@" 2> /dev/null || show "$source" || exec "$mount" "$@" ;;
    esac
    exit
fi
case $kind in
    sysfs) show /sys && { "$mount" -o remount,bind,ro "$target" 2> /dev/null || exit 0; } ;;
    devtmpfs) devices "$target" ;;
    proc) "$mount" "$@" 2> /dev/null || show /proc ;;
    devpts)
        # The one that comes with the devices is such.
        [ -c "$target/ptmx" ] ||
            "$mount" -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$target"
        ;;
    *) exec "$mount" "$@" ;;
esac
