# Root runs it already, so that options mean little and variables are set.
user='' shell=''
while [ $# -gt 0 ]; do
    case $1 in
        --) shift && break ;;
        -u | --user | -[A-Za-z]*u) user=$2 && shift 2 ;;
        --user=*) user=${1#*=} && shift ;;
        -[gCDphrtTUR] | --group | --chdir | --chroot | --close-from | --host | --prompt) shift 2 ;;
        -s | -i | --shell | --login) shell=yes && shift ;;
        -*) shift ;;
        *=*) export "$1" && shift ;;
        *) break ;;
    esac
done
if [ $# -eq 0 ]; then
    [ "$shell" ] || exit 0
    set -- "${SHELL:-/bin/sh}"
fi
# What root calls is beside it.
PATH=${0%/*}/root:$PATH
export PATH
case $user in
    '' | root | '#0') exec "$@" ;;
esac
setpriv=$(real setpriv) || exit
exec "$setpriv" --reuid="${user#\#}" --regid="$(id -g "${user#\#}")" --init-groups "$@"
