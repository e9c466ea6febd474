# What stand-ins have in common. `records` is set in front of it.

[ -d /tmp/in_target.d/.records ] && records=/tmp/in_target.d/.records

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Whether a file is a copy of one of them.
stands_in() {
    second=''
    { read -r _ && read -r second; } < "$1" 2> /dev/null
    [ "$second" = '# createhdds has this stand in for a program' ]
}

# The program of this name itself.
real() {
    for directory in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
        if [ -x "$directory/$1" ] && ! stands_in "$directory/$1"; then
            printf '%s\n' "$directory/$1"
            return
        fi
    done
    fail "there is no $1"
}

# Mounts a /dev with what every machine has.
devices() {
    mount=$(real mount) || return
    "$mount" -n -t tmpfs -o mode=755 dev "$1" || return
    for name in null zero full random urandom tty; do
        : > "$1/$name" && "$mount" -n --bind "/dev/$name" "$1/$name" || return
    done
    mkdir "$1/pts" "$1/shm"
    "$mount" -n -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$1/pts" || return
    ln -s pts/ptmx "$1/ptmx"
    ln -s /proc/self/fd "$1/fd"
    ln -s fd/0 "$1/stdin"
    ln -s fd/1 "$1/stdout"
    ln -s fd/2 "$1/stderr"
}
