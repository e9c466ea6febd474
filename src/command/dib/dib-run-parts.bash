#!/bin/bash
# Runs the scripts of a directory, by the numbers that their names begin with, in the environment that
# files in environment.d beside it make.
set -ue -o pipefail
_parts_name=${0##*/}

_parts_say() {
    printf '%s %s\n' "$_parts_name" "$*" >&2
}

# The names in $1 of files that match $2, in their order; with $3 those that can be executed.
_parts_of() {
    local path name
    for path in "$1"/*; do
        name=${path##*/}
        if [[ -f $path && $name =~ $2 && ( -z $3 || -x $path ) ]]; then
            printf '%s\n' "$name"
        fi
    done | LC_ALL=C sort -n
}

# Sets the time in microseconds.
_parts_now() {
    local now=${EPOCHREALTIME:-$SECONDS.000000}
    _parts_time=${now/[.,]/}
}

_parts_list=
if [[ ${1:-} == --list ]]; then
    _parts_list=yes
    shift
fi
if [[ $# -lt 1 || ! -d $1 ]]; then
    _parts_say "'${1:-}' is no directory of scripts: give one, or --list and one"
    exit 1
fi
_parts_directory=$1
_parts=$(_parts_of "$_parts_directory" "${RUN_PARTS_REGEX:-^[0-9A-Za-z_-]+$}" executable)
if [[ $_parts_list ]]; then
    for _part in $_parts; do
        printf '%s/%s\n' "$_parts_directory" "$_part"
    done
    exit 0
fi

# A file that fails says nothing of itself.
trap '[[ -z ${_parts_source:-} ]] || _parts_say "$_parts_source fails"' EXIT
if [[ -d $_parts_directory/../environment.d ]]; then
    for _part in $(_parts_of "$_parts_directory/../environment.d" '^[0-9A-Za-z_.-]+$' ''); do
        _part=$_parts_directory/../environment.d/$_part
        _parts_say "Sourcing environment file $_part"
        _parts_source=$_part
        set -x
        # shellcheck disable=SC1090
        source "$_part"
        { set +x; } 2> /dev/null
        _parts_source=''
    done
fi

_parts_times=()
for _part in $_parts; do
    _parts_say "Running $_parts_directory/$_part"
    _parts_now
    _parts_began=$_parts_time
    "$_parts_directory/$_part"
    _parts_now
    printf -v _parts_line '%s %09d' "$_part" "$((_parts_time - _parts_began))"
    _parts_times+=("$_parts_line")
    _parts_say "$_part completed"
done

_parts_say '----------------------- PROFILING -----------------------'
_parts_say
_parts_say "Target: ${_parts_directory##*/}"
_parts_say
printf '%s %-40s %9s\n' "$_parts_name" Script Seconds >&2
printf '%s %-40s %9s\n' "$_parts_name" --------------------------------------- ---------- >&2
_parts_say
for _part in ${_parts_times[@]+"${_parts_times[@]}"}; do
    _parts_time=${_part##* }
    _parts_time=${_parts_time%???}
    printf '%s %-40s %10s\n' "$_parts_name" "${_part% *}" \
        "$((10#${_parts_time%???})).${_parts_time: -3}" >&2
done
_parts_say
_parts_say '--------------------- END PROFILING ---------------------'
