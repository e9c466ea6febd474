# There is no device to install it onto: it goes onto the disk when its files are complete.
program=$(real "${0##*/}") || exit
case " $* " in
    *' --help '* | *' -h '* | *' --version '* | *' -V '*) exec "$program" "$@" ;;
esac
printf '%s\n' "$@" '' >> "$records/grub"
