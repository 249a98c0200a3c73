#!/bin/bash
# Both compilers build everything without a warning; the one that built what is tested need not again.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
case $("${CC:-cc}" --version) in
*clang*) other=gcc ;;
*) other=clang ;;
esac

log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
if make --no-print-directory -j"$(nproc)" CC=$other BUILD="$BUILD/$other" tests >"$log" 2>&1; then
    echo "ok 1 - $other builds everything, too"
else
    echo "not ok 1 - $other builds everything, too"
    grep -E 'error|Error|undefined' "$log" | head -n 40 | sed 's/^/#   /'
fi

export LC_ALL=C
odd=$(readelf -hW "$BUILD/teamd" "$BUILD/teamctl" | grep -c 'Type:.*DYN (Position-Independent Executable')
[ "$odd" -eq 2 ] || echo -n "not "
echo "ok 2 - the programs are position-independent"
now=$(for f in teamd teamctl pam_team.so; do readelf -dW "$BUILD/$f" | grep -c 'BIND_NOW\|FLAGS.*NOW' | grep -v '^0'; done | wc -l)
relro=$(for f in teamd teamctl pam_team.so; do readelf -lW "$BUILD/$f" | grep -q GNU_RELRO && echo yes; done | wc -l)
[ "$now/$relro" = 3/3 ] || echo -n "not "
echo "ok 3 - relocations are read-only once the programs run"
exec_stack=$(for f in teamd teamctl pam_team.so; do readelf -lW "$BUILD/$f" | grep GNU_STACK | grep E; done)
[ -z "$exec_stack" ] || echo -n "not "
echo "ok 4 - no stack is executable"
guard=$(for f in teamd teamctl pam_team.so; do readelf -sW "$BUILD/$f" | grep -q __stack_chk_fail && echo yes; done | wc -l)
[ "$guard" -eq 3 ] || echo -n "not "
echo "ok 5 - the stack is guarded"
echo 1..5
