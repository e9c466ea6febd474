# The program itself, which asks others what is known of the disk that is made.
program=$(real "${0##*/}") || exit
mount=$(real mount) || exit
case " $* " in
    *' --help '* | *' -h '* | *' --version '* | *' -V '*) exec "$program" "$@" ;;
esac
answers=${0%/*}/answers
[ -d "$answers" ] || fail "the disk isn't known yet: this is for the phase finalise.d"
asked=''
for directory in /usr/sbin /usr/bin; do
    for answer in "$answers"/*; do
        other=$directory/${answer##*/}
        if [ -f "$other" ] && "$mount" -n --bind "$answer" "$other"; then
            asked="$asked $other"
        fi
    done
done
"$program" "$@"
status=$?
for other in $asked; do
    umount -n "$other"
done
exit "$status"
