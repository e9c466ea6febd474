# Nobody may make devices here. A file without content stands for one, and becomes it in the image.
mode='' value=''
for word; do
    shift
    case $value in
        mode) mode=$word value='' && continue ;;
    esac
    case $word in
        -m | --mode) value=mode ;;
        -m?*) mode=${word#-m} ;;
        --mode=*) mode=${word#*=} ;;
        -Z | --context*) ;;
        *) set -- "$@" "$word" ;;
    esac
done
case $#,$2 in
    2,p)
        mkfifo ${mode:+-m "$mode"} "$1"
        exit
        ;;
    4,[bcu]) ;;
    *) fail 'a name is needed, a type (b, c, u or p), and two numbers' ;;
esac
[ ! -e "$1" ] && [ ! -L "$1" ] || fail "'$1' exists"
: > "$1" || exit
[ -z "$mode" ] || chmod "$mode" "$1" || exit
case $1 in
    */*) directory=${1%/*}/ ;;
    *) directory=. ;;
esac
printf '%s %s %s %s\n' "${2#u}" "$3" "$4" "$(cd "$directory" && pwd -P)/${1##*/}" >> "$records/devices"
case $1:$3:$4 in
    */dev/null:1:3 | */dev/zero:1:5 | */dev/full:1:7 | */dev/random:1:8 | */dev/urandom:1:9 | */dev/tty:5:0)
        name=${1##*/}
        ;;
    # What somebody tries whether it can be made is removed again.
    *) exit 0 ;;
esac
# Whoever writes to it mustn't fill the file.
mount=$(real mount 2> /dev/null) && "$mount" -n --bind "/dev/$name" "$1" 2> /dev/null
exit 0
