# What was shown with all that is mounted in it goes as a whole. Each for itself: a name that isn't
# mounted any more may be that of something else.
umount=$(real umount) || exit
options='' targets='' value='' status=0
for word; do
    case $value,$word in
        yes,*) options="$options $word" value='' ;;
        ,-t | ,--types | ,-O | ,--test-opts | ,-N | ,--namespace) options="$options $word" value=yes ;;
        ,-*) options="$options $word" ;;
        *) targets=yes ;;
    esac
done
[ "$targets" ] || exec "$umount" "$@"
for word; do
    case $value,$word in
        yes,*) value='' ;;
        ,-t | ,--types | ,-O | ,--test-opts | ,-N | ,--namespace) value=yes ;;
        ,-*) ;;
        *)
            # shellcheck disable=SC2086
            "$umount" $options "$word" 2> /dev/null || "$umount" -l "$word" || status=$?
            ;;
    esac
done
exit "$status"
