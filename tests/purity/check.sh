#!/bin/bash
# What the design promises about sources and binaries, checked. Usage: check.sh [RULE...]
# Looks at the tree it lies in; makes what it needs in $BUILD/purity. Prints "purity: RULE: what",
# and exits 1 if anything breaks a rule. test_purity.sh shows that each rule can be broken.
# shellcheck disable=SC2001,SC2016,SC2038,SC2086,SC2317
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
BUILD=${BUILD:-build}
OUT=$BUILD/purity
CC=${CC:-cc}
HERE=tests/purity
RULES="includes banned network headers core-symbols core-data module-calls module-exports module-needed"

# No protector and no FORTIFY: the symbols are then those that the source asks for.
PLAIN_FLAGS=(-std=gnu17 -O2 -fPIC -Iinclude -iquote teamd -D_GNU_SOURCE '-DTEAM_RELEASE="0"' -w -fno-stack-protector
    -fcf-protection=none -U_FORTIFY_SOURCE)
[ "$(uname -m)" = x86_64 ] || PLAIN_FLAGS=("${PLAIN_FLAGS[@]/-fcf-protection=none/}")

sources()
{
    find include teamd pam_team teamctl -name '*.[ch]' | sort
}

# ---- the sources ----------------------------------------------------------------------------------

includes()
{
    sources | xargs awk -f $HERE/includes.awk
}

# calls REGEX FOLDER...: where the code calls a function of that name.
calls()
{
    find "${@:2}" -name '*.[ch]' | xargs awk -f $HERE/strip.awk |
        grep -E ": .*\b($1)[[:space:]]*\(" | sed 's/$/  (banned)/'
}

# Functions that overflow, hide errors, start a shell, or keep state behind one's back.
banned()
{
    calls 'strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|tmpnam|mktemp' include teamd pam_team teamctl tests
    calls 'atoi|atol|popen|system' include teamd pam_team teamctl
}

# Only the courier speaks to the network, and teamd never holds a credential: it does not know what
# they are called.
network()
{
    find include teamd pam_team teamctl -path teamd/courier -prune -o -name '*.[ch]' -print |
        xargs awk -f $HERE/strip.awk |
        grep -E '\b[AP]F_(INET6?|PACKET|VSOCK|UNSPEC)\b|\b(getaddrinfo|inet_pton)[[:space:]]*\(' |
        sed 's/^/it may not reach the network: /'
    grep -rnE '"AWS_' teamd --include='*.[ch]' --exclude-dir=courier | sed 's/^/it may not see credentials: /'
}

headers()
{
    mkdir -p "$OUT/headers"
    find include teamd pam_team teamctl -name '*.h' -print0 | sort -z |
        CC=$CC xargs -0 -P "$(nproc)" -I{} $HERE/header.sh {} "${PLAIN_FLAGS[@]}"
}

# ---- the objects of the pure ones -----------------------------------------------------------------

# objects FOLDER: compiles it the plain way into $OUT/FOLDER.
objects()
{
    mkdir -p "$OUT/$1"
    rm -f "$OUT/$1"/*.o
    find "$1" -maxdepth 1 -name '*.c' -print0 |
        xargs -0 -P "$(nproc)" -I{} sh -c 'out=$1/$(basename "$2" .c).o; shift; file=$1; shift
            "$0" "$@" -c -o "$out" "$file" 2>"$out.err" ||
                echo "$file does not compile: $(grep -m 1 error: "$out.err")"' \
            "$CC" "$OUT/$1" {} "${PLAIN_FLAGS[@]}"
}

# undefined FOLDER: "object symbol" for what its objects take from outside the folder.
undefined()
{
    nm -A -u "$OUT/$1"/*.o | awk -v out="$OUT/" '{ sub(out, "", $1); sub(/:$/, "", $1); print $1, $NF }' |
        sort -k2 >"$OUT/$1.undefined"
    nm --defined-only "$OUT/$1"/*.o | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort -u >"$OUT/$1.defined"
    awk 'NR == FNR { own[$1] = 1; next } !($2 in own)' "$OUT/$1.defined" "$OUT/$1.undefined"
}

core_symbols()
{
    objects teamd/core
    undefined teamd/core |
        awk '$2 !~ /^(memcpy|memset|memcmp|memmove|memchr|bcmp|strlen|strcmp|strncmp|strchr|_GLOBAL_OFFSET_TABLE_)$/ {
                 print $1 " calls " $2 "; the core may not" }'
}

# Sections that a program could write to: none. (.data.rel.ro is constant once it is loaded.)
core_data()
{
    local object

    objects teamd/core
    for object in "$OUT"/teamd/core/*.o; do
        size -A "$object" | awk -v object="${object#"$OUT"/}" \
            '/^\.(data|bss|tdata|tbss)/ && !/^\.data\.rel\.ro/ && $2 > 0 {
                 print object " has " $2 " bytes of " $1 "; the core has no variables" }'
    done
}

# pam-and-daemon: the module lives in somebody else's process. It ends nothing, allocates nothing,
# asks nobody (NSS may hang), opens no file, and leaves signals, environment and locale alone.
# container.c alone may open and write: cgroup.procs of the session's container, to move in; there is
# no other way to ask the kernel for that. And pam_team.c frees what a person has typed, which the host
# allocates and PAM leaves to the module.
module_calls()
{
    objects pam_team
    undefined pam_team | awk '
        BEGIN {
            n = split("exit _exit _Exit abort quick_exit __assert_fail err errx verr verrx error longjmp " \
                "malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf getline open_memstream " \
                "signal sigaction sigprocmask pthread_sigmask raise kill fork vfork clone posix_spawn system popen " \
                "execve execl execv execvp setenv putenv unsetenv clearenv getenv secure_getenv " \
                "openlog closelog setlogmask syslog vsyslog umask chdir fchdir chroot setlocale atexit on_exit " \
                "pthread_create pthread_key_create thrd_create setrlimit prctl dlopen dlsym " \
                "getpwnam getpwnam_r getpwuid getpwuid_r getgrnam getgrnam_r getgrgid getgrgid_r getgrouplist " \
                "initgroups getaddrinfo gethostbyname setuid setgid seteuid setegid setreuid setregid setresuid " \
                "fopen fopen64 fdopen freopen open open64 openat openat64 creat opendir write writev " \
                "strerror", names, " ")
            for (i = 1; i <= n; i++) denied[names[i]] = 1
        }
        { name = $2; sub(/^__/, "", name) }
        $1 == "pam_team/container.o" && (name == "open" || name == "write") { next }
        $1 == "pam_team/pam_team.o" && name == "free" { next }
        ($2 in denied) || (name in denied) { print $1 " calls " $2 "; the module may not" }'
}

# ---- the module as it is built --------------------------------------------------------------------

module()
{
    make --no-print-directory -s BUILD="$OUT/build" "$OUT/build/pam_team.so" 2>&1 >/dev/null
}

module_exports()
{
    local wanted="pam_sm_acct_mgmt pam_sm_close_session pam_sm_open_session" got

    module
    got=$(nm -D --defined-only "$OUT/build/pam_team.so" | awk '{ print $3 }' | sort | xargs)
    [ "$got" = "$wanted" ] || echo "pam_team.so exports \"$got\", not \"$wanted\""
}

module_needed()
{
    local wanted="libc.so.6 libpam.so.0" got

    module
    got=$(readelf -d "$OUT/build/pam_team.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | sort | xargs)
    [ "$got" = "$wanted" ] || echo "pam_team.so needs \"$got\", not \"$wanted\""
}

# ---------------------------------------------------------------------------------------------------

mkdir -p "$OUT"
[ $# -gt 0 ] || set -- $RULES
broken=0
for rule in "$@"; do
    found=$("${rule//-/_}" 2>&1)
    [ -z "$found" ] || {
        sed "s/^/purity: $rule: /" <<<"$found"
        broken=1
    }
done
exit $broken
