#!/bin/bash
# The kept inputs of every fuzz target, under address and undefined-behaviour sanitizers: what was
# found once is found again. `make fuzz` looks for more.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1

if ! make --no-print-directory BUILD="$BUILD" fuzz-targets >"$log" 2>&1; then
    echo "not ok 1 - the fuzz targets can be built"
    tail -n 40 "$log" | sed 's/^/#   /'
    echo 1..1
    exit 1
fi
n=0
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    n=$((n + 1))
    kept=(tests/fuzz/corpus/"${name#fuzz_}"/*)
    if "$BUILD/fuzz/tests/fuzz/$name" -timeout=60 "${kept[@]}" >"$log" 2>&1; then
        echo "ok $n - $name: ${#kept[@]} kept inputs"
    else
        echo "not ok $n - $name: ${#kept[@]} kept inputs"
        tail -n 60 "$log" | sed 's/^/#   /'
    fi
done
echo "1..$n"
