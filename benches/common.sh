# What the benchmarks have in common, who source it: where createhdds is, how they fail, medians.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
createhdds=$(realpath -m "${CREATEHDDS:-$root/target/release/createhdds}")
export CREATEHDDS=$createhdds

fail() {
    printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
    exit 1
}

# check_runs RUNS: a number of runs is one.
check_runs() {
    [[ $1 =~ ^[1-9][0-9]*$ ]] || fail "RUNS is a number from 1, not \"$1\""
}

# The median of the numbers on standard input; the lower one of two in the middle.
median() {
    tr ' ' '\n' | sort --general-numeric-sort |
        awk 'NF { all[++count] = $1 } END { print all[int((count + 1) / 2)] }'
}

[[ -x $createhdds ]] || fail "$createhdds is not there: cargo build --release"
