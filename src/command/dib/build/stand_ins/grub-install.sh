# There is no device to install it onto: it goes onto the disk when its files are complete.
case " $* " in
    *' --help '* | *' -h '* | *' --version '* | *' -V '*) exec "$(real "${0##*/}")" "$@" ;;
esac
real "${0##*/}" > /dev/null
printf '%s\n' "$@" '' >> "$records/grub"
