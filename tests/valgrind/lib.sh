# valgrind as the tests use it: memory errors, leaks and descriptors that are left open. Source it.
# shellcheck shell=bash
# shellcheck disable=SC2034

# under LOG: the words that put a program under valgrind; it exits with 99 if there is an error.
# What it forks is not looked at: it may end with anything open.
under()
{
    VALGRIND=(valgrind -q --vgdb=no --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
        --errors-for-leak-kinds=definite --track-fds=yes --child-silent-after-fork=yes
        --num-callers=20 --suppressions="$SRC/tests/valgrind/suppressions" --log-file="$1")
}

# complaints LOG: errors, and descriptors beside those it was started with.
complaints()
{
    awk '/noted but unhandled ioctl/ { getline; getline; next }
         /Open (file descriptor|AF_)/ { held = $0; getline; if ($0 !~ /inherited from parent/) { print held; print } next }
         /FILE DESCRIPTORS/ { next }
         /^==[0-9]+== *$/ { next }
         { print }' "$1"
}
