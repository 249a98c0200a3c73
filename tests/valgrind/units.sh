#!/bin/bash
# Unit tests, and a few histories of the property tests, under valgrind. ONLY="test_wire ..." some.
# Tests of process handles are skipped: valgrind 3.19 does not know those. story.sh has a stand-in.
set -u
SRC=$(cd "$(dirname "$0")/../.." && pwd) && cd "$SRC" || exit 2
BUILD=${BUILD:-build}
. tests/valgrind/lib.sh
export N=5
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT

one()
{
    local name log=$out/$1.log
    name=$1
    under "$log"
    if "${VALGRIND[@]}" "$BUILD/tests/$2/$1" >"$out/$1.out" 2>&1 </dev/null && [ -z "$(complaints "$log")" ]; then
        echo "ok - $name"
    elif grep -q 'unhandled .* syscall' "$log"; then
        echo "ok - $name # SKIP this valgrind does not know the system calls that it tests"
    elif grep -q 'valgrind: You cannot run' "$log" "$out/$1.out"; then
        echo "ok - $name # SKIP it starts itself by /proc/self/exe, which is valgrind's"
    else
        echo "not ok - $name"
        { grep -A 3 'FAILED\|not ok' "$out/$1.out"; complaints "$log"; } | head -n 60 | sed 's/^/#   /'
    fi
}
export -f one under complaints
export out SRC BUILD

for program in tests/unit/test_*.c tests/prop/test_*.c; do
    name=$(basename "$program" .c)
    [[ " ${ONLY:-$name} " == *" $name "* ]] && echo "$name $(basename "$(dirname "$program")")"
done | xargs -P "$(nproc)" -L 1 bash -c 'one "$1" "$2"' _
