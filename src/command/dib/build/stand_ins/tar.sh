# Nobody may make devices here. Files stand for those that an archive has, as far as their names tell
# what they are.
tar=$(real tar) || exit
extracts='' directory=. value='' first=yes
for word; do
    case $value in
        directory) directory=$word value='' && continue ;;
    esac
    case $word in
        --extract | --get) extracts=yes ;;
        --directory=*) directory=${word#*=} ;;
        -C | --directory) value=directory ;;
        --*) ;;
        -C?*) directory=${word#-C} ;;
        -*x*) extracts=yes ;;
        *x*) [ -z "$first" ] || extracts=yes ;;
    esac
    first=''
done
[ "$extracts" ] || exec "$tar" "$@"
said=$(mktemp) || exit
trap 'rm -f "$said"' EXIT
"$tar" "$@" 2> "$said"
status=$?
refused=': Cannot mknod: Operation not permitted$'
if [ "$status" -ne 2 ] || grep -v -q -e "$refused" -e 'Exiting with failure status' "$said"; then
    cat "$said" >&2
    exit "$status"
fi
status=0
sed -n "s/^[^:]*: \(.*\)$refused/\1/p" "$said" > "$said.names"
while read -r name; do
    case ${name##*/} in
        null) numbers='1 3' ;;
        zero) numbers='1 5' ;;
        full) numbers='1 7' ;;
        random) numbers='1 8' ;;
        urandom) numbers='1 9' ;;
        kmsg) numbers='1 11' ;;
        tty) numbers='5 0' ;;
        console) numbers='5 1' ;;
        ptmx) numbers='5 2' ;;
        tty[0-9] | tty[1-5][0-9] | tty6[0-3]) numbers="4 ${name##*tty}" ;;
        *)
            printf "%s: '%s' is a device that isn't known by its name\n" "${0##*/}" "$name" >&2
            status=2
            continue
            ;;
    esac
    # shellcheck disable=SC2086
    "${0%/*}/mknod" -m 666 "$directory/$name" c $numbers || status=2
done < "$said.names"
rm -f "$said.names"
exit "$status"
