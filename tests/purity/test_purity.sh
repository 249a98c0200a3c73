#!/bin/bash
# The tree is pure, and each rule is a rule: broken in a copy of the tree, check.sh says so by name.
set -u
cd "$(dirname "$0")/../.." || exit 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
tests=0 failed=0

says()
{
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then echo "ok $tests - $2"; return; fi
    failed=$((failed + 1))
    echo "not ok $tests - $2"
    sed 's/^/#   /' "$scratch/out"
}

# breaks RULE SENTENCE: standard input is the shell code that does what SENTENCE says to a copy.
breaks()
{
    local rule=$1 sentence=$2

    rm -rf "$scratch/tree"
    mkdir "$scratch/tree"
    cp -r Makefile include teamd pam_team teamctl tests "$scratch/tree/"
    (cd "$scratch/tree" && bash -eu) || { says 1 "the copy can be changed: $sentence"; return; }
    (cd "$scratch/tree" && BUILD="$scratch/tree/build" tests/purity/check.sh "$rule") >"$scratch/out" 2>&1
    # Not because it no longer compiles: because of what the rule is about.
    [ $? -eq 1 ] && grep -qE "^purity: $rule: .*(may not|banned|alone|bytes of|exports \"|needs \")" "$scratch/out"
    says $? "$rule: $sentence"
}

BUILD=$scratch/build tests/purity/check.sh >"$scratch/out" 2>&1
says $? "the tree keeps all rules"

# bans_include FILE LINE SENTENCE
bans_include()
{
    breaks includes "$3" <<<"mkdir -p $(dirname "$1"); echo '$2' >>$1"
}

bans_include teamd/core/zz.c '#include <stdio.h>' "the core may not do I/O"
bans_include teamd/core/zz.c '#include <errno.h>' "the core may not know errno"
bans_include teamd/core/zz.c '#include "store/store.h"' "the core may not know a shell"
bans_include teamd/core/zz.c '#include <team/wire.h>' "the core may not know the wire"
bans_include teamd/core/zz.c '#include "value.h"' "a header of the core is named with its folder"
bans_include teamd/ipc/zz.c '#include "store/store.h"' "ipc may not know the store"
bans_include teamd/store/zz.c '#include "host/host.h"' "the store may not know the host"
bans_include teamd/host/zz.c '#include "conf/config.h"' "the host may not know the configuration"
bans_include teamd/conf/zz.c '  #  include  "ipc/ipc.h"' "conf may not know ipc, however it is written"
bans_include teamd/zz.c '#include <lmdb.h>' "only the store may know LMDB"
bans_include teamctl/zz.c '#include <libconfig.h>' "only conf may know libconfig"
bans_include teamd/host/zz.c '#include <jansson.h>' "only teamctl and the courier may know jansson"
bans_include teamd/zz.c '#include <curl/curl.h>' "only the courier may know curl"
bans_include teamctl/zz.c '#include <netinet/in.h>' "only the courier may know the internet"
bans_include teamd/store/zz.c '#include <openssl/evp.h>' "only the courier may know OpenSSL"
bans_include teamd/courier/zz.c '#include "store/store.h"' "the courier may not know the store"
bans_include teamd/ipc/zz.c '#include "courier/aws.h"' "ipc may not know the courier"
bans_include teamd/store/zz.c '#include <systemd/sd-event.h>' "the store may not know the loop"
bans_include pam_team/client.c '#include <security/pam_modules.h>' "only pam_team.c may know PAM"
bans_include teamctl/ask.c '#include <security/pam_appl.h>' "only who tries a stack may know PAM in teamctl"
bans_include pam_team/zz.c '#include "core/value.h"' "the module may not know the core"
bans_include teamctl/zz.c '#include "../teamd/core/value.h"' "teamctl may not climb into teamd"
bans_include include/team/zz.h '#include <stdio.h>' "the contract needs nothing but the language"

breaks banned "strcpy is not called" <<'DO'
echo 'void zz(char *a, const char *b); void zz(char *a, const char *b) { strcpy(a, b); }' >>teamctl/zz.c
DO
breaks banned "system is not called, after a comment either" <<'DO'
echo '/* fine */ int zz(void) { return system ("/bin/true"); }' >>teamd/host/zz.c
DO
breaks network "teamd opens no socket of the internet" <<'DO'
echo '#include <sys/socket.h>
int zz(void); int zz(void) { return socket(AF_INET, SOCK_STREAM, 0); }' >>teamd/host/zz.c
DO
breaks network "teamctl asks no name server" <<'DO'
echo 'int getaddrinfo(int); int zz(void); int zz(void) { return getaddrinfo(7); }' >>teamctl/zz.c
DO
breaks network "teamd looks for no credentials" <<'DO'
echo '#include <stdlib.h>
char *zz(void); char *zz(void) { return getenv("AWS_SECRET_ACCESS_KEY"); }' >>teamd/zz.c
DO
breaks headers "a header that leans on another's includes is found" <<'DO'
echo 'uint32_t zz(size_t n);' >>teamd/core/zz.h
DO
breaks core-symbols "the core has no heap" <<'DO'
echo 'void *malloc(unsigned long); void *zz(void); void *zz(void) { return malloc(7); }' >>teamd/core/zz.c
DO
breaks core-symbols "the core has no clock" <<'DO'
echo 'long time(long *); long zz(void); long zz(void) { return time(0); }' >>teamd/core/zz.c
DO
breaks core-symbols "the core does not assert" <<'DO'
echo '#include <assert.h>
void zz(int i); void zz(int i) { assert(i > 0); }' >>teamd/core/zz.c
DO
breaks core-data "the core has no variable" <<'DO'
echo 'int zz(void); int zz(void) { static int n; return ++n; }' >>teamd/core/zz.c
DO
breaks core-data "the core has no variable with a value either" <<'DO'
echo 'int zz_n = 7;' >>teamd/core/zz.c
DO
breaks module-calls "the module has no heap" <<'DO'
echo '#include <stdlib.h>
void *zz(void); void *zz(void) { return malloc(7); }' >>pam_team/client.c
DO
breaks module-calls "the module does not end its host" <<'DO'
echo '#include <stdlib.h>
void zz(void); void zz(void) { exit(1); }' >>pam_team/pam_team.c
DO
breaks module-calls "the module does not assert" <<'DO'
echo '#include <assert.h>
void zz(int i); void zz(int i) { assert(i > 0); }' >>pam_team/verdict.c
DO
breaks module-calls "the module asks no name service" <<'DO'
echo '#include <pwd.h>
int zz(void); int zz(void) { return getpwnam("alice") != 0; }' >>pam_team/client.c
DO
breaks module-calls "the module leaves signals alone" <<'DO'
echo '#include <signal.h>
void zz(void); void zz(void) { signal(SIGPIPE, SIG_IGN); }' >>pam_team/client.c
DO
breaks module-calls "the module reads no environment" <<'DO'
echo '#include <stdlib.h>
char *zz(void); char *zz(void) { return getenv("TEAM_SOCKET"); }' >>pam_team/client.c
DO
breaks module-calls "the module opens no file" <<'DO'
echo '#include <fcntl.h>
int zz(void); int zz(void) { return open("/etc/team", O_RDONLY); }' >>pam_team/client.c
DO
breaks module-calls "the module opens no file but to enter a container" <<'DO'
echo '#include <stdio.h>
int zz(void); int zz(void) { return fopen("/sys/fs/cgroup/x", "w") != 0; }' >>pam_team/container.c
DO
breaks module-calls "the module writes nothing but to enter a container" <<'DO'
echo '#include <unistd.h>
long zz(int fd); long zz(int fd) { return write(fd, "0", 1); }' >>pam_team/pam_team.c
DO
breaks module-exports "a fourth symbol is seen" <<'DO'
echo '__attribute__((visibility("default"))) int pam_sm_zz(void);
int pam_sm_zz(void) { return 0; }' >>pam_team/client.c
sed -i 's/^local:/    pam_sm_zz;\nlocal:/' pam_team/pam_team.map
DO
breaks module-exports "a missing symbol is seen" <<'DO'
sed -i 's/^    pam_sm_close_session;//' pam_team/pam_team.map
DO
breaks module-needed "another library is seen" <<'DO'
sed -i '/pam_team\.map -lpam$/s/-lpam$/-lpam -Wl,--no-as-needed -lsodium/' Makefile
DO
breaks module-needed "a missing library is seen" <<'DO'
sed -i '/pam_team\.map -lpam$/s/-lpam$/-nodefaultlibs -Wl,-z,undefs -Wl,--no-as-needed -lpam/' Makefile
DO

echo "1..$tests"
[ $failed -eq 0 ]
