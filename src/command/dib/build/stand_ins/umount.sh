# What was shown with all that is mounted in it goes as a whole.
umount=$(real umount) || exit
"$umount" "$@" 2> /dev/null && exit
status=0
for word; do
    case $word in
        -*) ;;
        *) "$umount" -l "$word" || status=$? ;;
    esac
done
exit "$status"
