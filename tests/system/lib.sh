# A bastion of one's own: private namespaces in which the real sudo runs against this tree's teamd,
# teamctl and pam_team. Source it first; it starts the calling script again inside.
#
#   . "$(dirname "$0")/lib.sh"
#   config <<'CONF'
#   ...
#   CONF
#   start_teamd
#   ok "alice may use sudo" as alice sudo -n true
#   finish
#
# What is private: mounts, processes, network, host name (bastion-1), System V IPC, /etc (a copy),
# /dev (so that /dev/log and the terminals are ours), /run, /tmp, /var/{lib,log,tmp}, /home, /root,
# /mnt and /usr/local/{bin,sbin}. Kernel, clock and the rest of the disk are the machine's. All of
# it ends with the script, however it ends. Needs root; without, the script is one skipped test.
#
# Here are: alice bob carol dave erin (uids 2001 to 2005, password "$PASSWORD"), groups sre (alice,
# dave), sre-leads (bob, erin), security (carol), team-admins (dave), the users team and
# team-courier. sudo asks dave alone for a password. SRC is the tree, BUILD where it was built. A
# script that sets WANTS_MOTO=1 first finds $MOTO/bin/moto_server and aws there, unless MOTO is "".
# shellcheck shell=bash
# shellcheck disable=SC2015,SC2016,SC2034,SC2119,SC2120  # `a && b || die`; names that scripts use

set -u

if [ -z "${BASTION_INSIDE:-}" ]; then
    SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P) || exit 1
    BUILD=$(cd "$SRC" && cd "${BUILD:-build}" && pwd -P) || exit 1
    export SRC BUILD BASTION_INSIDE=1
    if [ "$(id -u)" -ne 0 ] || ! unshare -m -p -n -u -i -f --mount-proc true 2>/dev/null; then
        echo "ok 1 - $(basename "$0") # SKIP needs root and namespaces"
        echo "1..1"
        exit 0
    fi
    exec unshare -m -p -n -u -i -f --mount-proc --kill-child -- bash "$0" "$@"
fi

# "open sesame"; SHA-512 with few rounds, so that a test of passwords is a test and not a wait.
PASSWORD='open sesame'
PASSWORD_HASH='$6$rounds=1000$bastion$pOrWICRmNtlP8dRBatVQeOiXArgl.7DHoYTfyBC6a2T4yYaAvPDTOrLo6eFiXLpGs2bJpzXAKwEPLpZz3NYJ//'
TEAM_LOG=/var/log/teamd.log
SYSLOG=/var/log/syslog
UNSET_LOGINUID=4294967295

die()
{
    echo "Bail out! $*"
    exit 1
}

# ---- the bastion --------------------------------------------------------------------------------

# Hides the machine's $1 behind an empty folder. Folders that hold the tree are shown again later.
_hide()
{
    [ -d "$1" ] || return 0
    mount -t tmpfs -o "mode=${2:-755}" bastion "$1" || die "cannot hide $1"
}

# Binds the folder behind descriptor $1, wherever it is hidden by now, to path $2.
_show()
{
    mkdir -p "$2" && mount -c --bind "/proc/self/fd/$1" "$2" || die "cannot show $2"
}

_make_dev()
{
    local node

    mkdir -p /mnt/dev/pts /mnt/dev/shm
    for node in null zero full random urandom tty; do
        : >"/mnt/dev/$node" && mount --bind "/dev/$node" "/mnt/dev/$node" || die "no /dev/$node"
    done
    mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 bastion /mnt/dev/pts || die "no devpts"
    mount -t tmpfs -o mode=1777 bastion /mnt/dev/shm || die "no /dev/shm"
    ln -s pts/ptmx /mnt/dev/ptmx
    ln -s /proc/self/fd /mnt/dev/fd
    ln -s fd/0 /mnt/dev/stdin && ln -s fd/1 /mnt/dev/stdout && ln -s fd/2 /mnt/dev/stderr
    mount --rbind /mnt/dev /dev || die "no private /dev"
}

_make_people()
{
    local user uid=2001

    for user in alice bob carol dave erin; do
        echo "$user:x:$uid:$uid:$user:/home/$user:/bin/bash" >>/etc/passwd
        echo "$user:$PASSWORD_HASH:19000:0:99999:7:::" >>/etc/shadow
        echo "$user:x:$uid:" >>/etc/group
        install -d -o "$uid" -g "$uid" -m 0750 "/home/$user"
        uid=$((uid + 1))
    done
    # teamd's users as sysusers.d makes them; the machine may have them already.
    sed -i -E '/^(team|team-courier):/d' /etc/passwd /etc/shadow /etc/group
    echo 'team:x:2990:2990::/:/usr/sbin/nologin' >>/etc/passwd
    echo 'team-courier:x:2991:2991::/:/usr/sbin/nologin' >>/etc/passwd
    cat >>/etc/group <<GROUPS
team:x:2990:
team-courier:x:2991:
sre:x:3001:alice,dave
sre-leads:x:3002:bob,erin
security:x:3003:carol
team-admins:x:3004:dave
GROUPS
    sed -i -E 's/^(tty:.*:)$/\1team/; s/^(tty:.*[^:])$/\1,team/; s/,team,team$/,team/' /etc/group
}

_make_etc()
{
    mkdir /mnt/etc && cp -a /etc/. /mnt/etc/ && mount --bind /mnt/etc /etc || die "no private /etc"
    rm -rf /etc/team /etc/sudoers.d /etc/localtime /etc/nologin
    install -d -m 0750 /etc/sudoers.d
    echo bastion-1 >/etc/hostname
    echo bastion-1 >/proc/sys/kernel/hostname || die "cannot name the host"
    printf '127.0.0.1 localhost bastion-1\n::1 localhost\n' >/etc/hosts
    printf '%s: files\n' passwd group shadow gshadow hosts >/etc/nsswitch.conf
    _make_people
    sudoers_base
    pam_common
}

# /etc/sudoers as Debian 12 ships it, without mail and lecture, and with our people.
sudoers_base()
{
    rm -f /etc/sudoers
    install -m 0440 /dev/stdin /etc/sudoers <<'SUDOERS'
Defaults env_reset
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
Defaults use_pty
Defaults lecture=never, !mail_no_user, !mail_badpass
root ALL=(ALL:ALL) ALL
alice, bob, carol, erin ALL=(ALL:ALL) NOPASSWD: ALL
dave ALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
SUDOERS
}

# The common stacks of an untouched Debian 12.
pam_common()
{
    printf '%s\n' 'auth [success=1 default=ignore] pam_unix.so nullok' 'auth requisite pam_deny.so' \
        'auth required pam_permit.so' >/etc/pam.d/common-auth
    printf '%s\n' 'account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so' \
        'account requisite pam_deny.so' 'account required pam_permit.so' >/etc/pam.d/common-account
    printf '%s\n' 'session [default=1] pam_permit.so' 'session requisite pam_deny.so' \
        'session required pam_permit.so' 'session required pam_unix.so' |
        tee /etc/pam.d/common-session >/etc/pam.d/common-session-noninteractive
}

# Puts the gate into sudo and sudo-i, with these module arguments.
gate_sudo()
{
    local service

    for service in sudo sudo-i; do
        cat >/etc/pam.d/$service <<PAM
#%PAM-1.0
@include common-auth
account required $BUILD/pam_team.so $*
@include common-account
@include common-session-noninteractive
session required $BUILD/pam_team.so $*
PAM
    done
}

# sudo without the gate.
ungate_sudo()
{
    gate_sudo
    sed -i '/pam_team/d' /etc/pam.d/sudo /etc/pam.d/sudo-i
}

# More rules for sudo, from standard input; an earlier call's are replaced.
sudoers()
{
    rm -f /etc/sudoers.d/test
    install -m 0440 /dev/stdin /etc/sudoers.d/test
    visudo -cqf /etc/sudoers || die "bad sudoers"
}

_make_programs()
{
    _hide /usr/local/bin
    _hide /usr/local/sbin
    # The tree may lie where only root can go.
    _show 8 /mnt/build
    ln -s /mnt/build/teamctl /usr/local/bin/teamctl
    ln -s /mnt/build/teamd /usr/local/sbin/teamd
}

_start_syslog()
{
    [ -x "$BUILD/tests/system/logsink" ] || die "no $BUILD/tests/system/logsink; run make tests"
    : >"$SYSLOG"
    "$BUILD/tests/system/logsink" /dev/log "$SYSLOG" &
    until_true 5 test -S /dev/log || die "no /dev/log"
}

# MOTO: where the python is that has moto and the aws CLI (Debian does not), or "".
_find_moto()
{
    MOTO=$(PATH=$OUTER_PATH python3 -c 'import importlib.util, sys
print(sys.prefix if importlib.util.find_spec("moto") else "")' 2>/dev/null)
    [ -z "$MOTO" ] || exec 7<"$MOTO"
}

_make_bastion()
{
    local dir

    OUTER_PATH=$PATH
    unset TEAM_SOCKET TZ LANG LANGUAGE LC_ALL "${!LC_@}"
    export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    mount --make-rprivate / || die "mounts cannot be made private"
    exec 9<"$SRC" 8<"$BUILD"
    [ -z "${WANTS_MOTO:-}" ] || _find_moto
    for dir in /mnt /run /var/lib /var/log /home; do
        _hide $dir
    done
    _hide /root 700
    _hide /tmp 1777
    _hide /var/tmp 1777
    _show 9 "$SRC"
    _show 8 "$BUILD"
    [ -z "${MOTO:-}" ] || _show 7 "$MOTO"
    _make_dev
    _make_etc
    _make_programs
    exec 9<&- 8<&- 7<&-
    mkfifo /mnt/idle
    cd / && ip link set lo up || die "no loopback"
    umask 022
    _start_syslog
    gate_sudo
}

# ---- waiting ------------------------------------------------------------------------------------

# until_true SECONDS CMD...: asks 50 times a second until CMD says yes; if asking itself takes long, for
# three times as long at most.
until_true()
{
    local left=$(($1 * 50)) end=$((SECONDS + 3 * $1))
    shift

    until "$@" >/dev/null 2>&1; do
        [ $((left--)) -gt 0 ] && [ $SECONDS -le $end ] || return 1
        sleep 0.02
    done
}

# ---- people -------------------------------------------------------------------------------------

# as_from LOGINUID USER CMD...: USER with somebody's login uid: what `su` leaves behind.
as_from()
{
    local loginuid=$1 user=$2
    shift 2

    (
        echo "$loginuid" >/proc/self/loginuid || die "the login uid cannot be set"
        [ "$(</proc/self/loginuid)" = "$loginuid" ] || die "the login uid is not what was set"
        cd "$(_home "$user")" || exit 1
        exec setsid -w setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups --reset-env "$@"
    )
}

# as USER CMD...: what CMD does in a login of USER without a terminal. Standard input is the caller's.
as()
{
    as_from "$(id -u "$1")" "$@"
}

_home()
{
    getent passwd "$1" | cut -d: -f6
}

# as_tty USER CMD...: the same on a terminal of its own, at which nobody types. (script makes of the
# end of its input a ^D, on which sudo 1.9.13 can wait for ever; so the input never ends.)
as_tty()
{
    local user=$1
    shift

    as "$user" script -qec "$(printf '%q ' "$@")" /dev/null <>/mnt/idle | tr -d '\r'
    return "${PIPESTATUS[0]}"
}

# as_typing USER TEXT CMD...: the same, and TEXT is typed whenever a prompt for a password shows.
as_typing()
{
    local user=$1 text=$2 dir status
    shift 2

    dir=$(mktemp -d)
    mkfifo "$dir/keys"
    : >"$dir/screen"
    _type_at_prompts "$dir" "$text" &
    as "$user" script -qefc "$(printf '%q ' "$@")" /dev/null <"$dir/keys" >"$dir/screen"
    status=$?
    : >"$dir/over"
    wait $!
    tr -d '\r' <"$dir/screen"
    rm -rf "$dir"
    return $status
}

_type_at_prompts()
{
    local typed=0

    exec 7<>"$1/keys"
    until [ -e "$1/over" ]; do
        if [ "$(grep -c 'assword' "$1/screen")" -gt $typed ]; then
            printf '%s\n' "$2" >&7
            typed=$((typed + 1))
        fi
        sleep 0.05
    done
}

# ---- teamd --------------------------------------------------------------------------------------

TEAMD_PID=

# config <<EOF: what /etc/team/team.conf says from the next start or reload on.
config()
{
    mkdir -p /etc/team
    rm -f /etc/team/team.conf
    install -m 0644 /dev/stdin /etc/team/team.conf
}

# start_teamd [ARG...]: as root by hand; back when it answers. What it says is in $TEAM_LOG. $TEAMD is
# another build of it.
start_teamd()
{
    "${TEAMD:-$BUILD/teamd}" --config /etc/team/team.conf "$@" >>"$TEAM_LOG" 2>&1 </dev/null &
    TEAMD_PID=$!
    until_true 10 _teamd_speaks_or_is_gone
    if ! teamctl status >/dev/null 2>&1; then
        echo "# teamd does not answer; it said:"
        tail -n 30 "$TEAM_LOG" | sed 's/^/#   /'
        return 1
    fi
}

_teamd_speaks_or_is_gone()
{
    ! kill -0 "$TEAMD_PID" || teamctl status
}

# stop_teamd: SIGTERM; its exit status.
stop_teamd()
{
    local status pid=$TEAMD_PID

    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null
    TEAMD_PID=
    wait "$pid"
    status=$?
    return $status
}

# kill_teamd: as a crash would.
kill_teamd()
{
    kill -KILL "$TEAMD_PID" 2>/dev/null
    wait "$TEAMD_PID" 2>/dev/null
    TEAMD_PID=
}

# logged REGEX: has anybody told syslog so (within 2 s)? forget_log starts over.
logged()
{
    until_true 2 grep -Eq -e "$1" "$SYSLOG"
}

forget_log()
{
    : >"$SYSLOG"
}

# ---- tests (TAP) --------------------------------------------------------------------------------

_tests=0 _failed=0 _finished=
out='' status=0

# run CMD...: its output (both kinds) is in $out, its exit status in $status. What a function as CMD
# changes stays changed.
run()
{
    "$@" >/mnt/out 2>&1
    status=$?
    out=$(tr -d '\0' </mnt/out)
}

_passes()
{
    echo "ok $((++_tests)) - $1"
}

# _fails NAME [LINE...]
_fails()
{
    echo "not ok $((++_tests)) - $1"
    _failed=$((_failed + 1))
    shift
    printf '%s\n' "at ${BASH_SOURCE[2]##*/}:${BASH_LINENO[1]}" "$@" | sed 's/^/#   /'
}

# ok NAME CMD...: CMD exits 0.
ok()
{
    local name=$1
    shift
    run "$@"
    if [ "$status" -eq 0 ]; then _passes "$name"; else
        _fails "$name" "command: $*" "exit: $status" "output: $out"
    fi
}

# exits CODE NAME CMD...: CMD exits with CODE.
exits()
{
    local code=$1 name=$2
    shift 2
    run "$@"
    if [ "$status" -eq "$code" ]; then _passes "$name"; else
        _fails "$name" "command: $*" "exit: $status, not $code" "output: $out"
    fi
}

# refused NAME CMD...: CMD exits with anything but 0 (sudo says no with 1).
refused()
{
    local name=$1
    shift
    run "$@"
    if [ "$status" -ne 0 ]; then _passes "$name"; else
        _fails "$name" "command: $*" "exit: 0, but it had to be refused" "output: $out"
    fi
}

# is NAME GOT WANTED
is()
{
    if [ "$2" = "$3" ]; then _passes "$1"; else _fails "$1" "got:    $2" "wanted: $3"; fi
}

# like NAME TEXT REGEX; unlike NAME TEXT REGEX. (Extended regular expressions, as in bash.)
like()
{
    if [[ $2 =~ $3 ]]; then _passes "$1"; else _fails "$1" "got:  $2" "not like: $3"; fi
}

unlike()
{
    if [[ ! $2 =~ $3 ]]; then _passes "$1"; else _fails "$1" "got:  $2" "is like: $3"; fi
}

# finish: the last line of a test script.
finish()
{
    echo "1..$_tests"
    _finished=yes
    [ $_failed -eq 0 ]
    exit
}

# The name that teamd gives to the cgroup of its sessions: after its state directory.
_containers()
{
    printf 'team-sessions-%x-%x' $(stat -c '%d %i' /var/lib/team 2>/dev/null || echo 0 0)
}

_at_exit()
{
    local status=$?

    trap - EXIT # an unset variable in here would begin it again, for ever
    [ -z "$TEAMD_PID" ] || stop_teamd
    # Cgroups outlive namespaces: what teamd was started in by hand is empty by now.
    find /sys/fs/cgroup -depth -type d -path "*/$(_containers)*" -exec rmdir {} + 2>/dev/null
    if [ -z "$_finished" ] && [ "$_tests" -gt 0 ]; then
        echo "not ok $((_tests + 1)) - $(basename "$0") ended early, exit $status"
        exit 1
    fi
    exit "$status"
}

trap _at_exit EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
_make_bastion
