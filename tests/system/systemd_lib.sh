# A machine with a real systemd: an overlay over this machine's disk, namespaces and a cgroup tree of
# its own, the people and the PAM stacks of lib.sh. Source it instead of lib.sh: it starts the calling
# script again inside, and afterwards it looks whether anything is left.
#
#   . "$(dirname "$0")/systemd_lib.sh"
#   install_team
#   boot
#   ok "alice may use sudo" as alice sudo -n true
#   finish
#
# $ROOT is the disk of the machine, seen from the script. `inside CMD` runs something in the machine
# as root, `as PERSON CMD` as a person. Kernel, clock and memory are those of the real machine.
# shellcheck shell=bash
# shellcheck disable=SC2015,SC2016,SC2154  # `a && b || die`; status is lib.sh's

# ---- outside ------------------------------------------------------------------------------------

_skip()
{
    echo "ok 1 - $(basename "$0") # SKIP $1"
    echo "1..1"
    exit 0
}

_needs()
{
    local program

    [ "$(id -u)" -eq 0 ] || _skip "needs root"
    unshare -m -p -n -u -i -C -f --mount-proc true 2>/dev/null || _skip "needs namespaces"
    unshare -m mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || _skip "needs cgroup2"
    for program in /lib/systemd/systemd systemd-analyze dbus-daemon login pivot_root jq; do
        command -v "$program" >/dev/null || _skip "needs $program"
    done
}

# What a test could leave behind on the real machine.
_traces()
{
    cat /proc/self/mounts /proc/sys/kernel/hostname /etc/passwd /etc/group /etc/pam.d/sudo
    ls -d /etc/team /run/team /var/lib/team /usr/sbin/teamd /usr/bin/teamctl /home/alice /dev/log \
        /etc/systemd/system/*team* /lib/systemd/system/team* 2>&1
}

# Whoever is left in the cgroup tree is killed, and the tree removed: rmdir proves it empty.
_remove_cgroup()
{
    local left=100

    until find "$MACHINE_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null; do
        [ $((left--)) -gt 0 ] || return 1
        echo 1 >"$MACHINE_CGROUP/cgroup.kill"
        sleep 0.05
    done
}

# In a mount namespace in which /sys/fs/cgroup is the cgroup2 tree, whatever the machine has there.
_in_cgroup()
{
    local status

    export MACHINE_CGROUP=/sys/fs/cgroup/team-systemd-test.$$
    mount -t cgroup2 cgroup2 /sys/fs/cgroup && mkdir "$MACHINE_CGROUP" || exit 1
    trap 'kill -KILL $!; _remove_cgroup; exit 143' TERM INT
    MACHINE_STAGE=inside bash "$0" &
    wait $!
    status=$?
    if _remove_cgroup; then echo "ok - no process and no cgroup is left"; else
        echo "not ok - no process and no cgroup is left"
        status=1
    fi
    exit $status
}

_outside()
{
    local before after status

    _needs
    before=$(_traces)
    trap 'kill $!; wait $!; exit 143' TERM INT
    MACHINE_STAGE=cgroup unshare -m --propagation private bash "$0" &
    wait $!
    status=$?
    after=$(_traces)
    if [ "$before" = "$after" ]; then echo "ok - the real machine is as it was"; else
        echo "not ok - the real machine is as it was"
        diff <(echo "$before") <(echo "$after") | sed 's/^/#   /'
        status=1
    fi
    exit $status
}

case "${MACHINE_STAGE:-outside}" in
outside) _outside ;;
cgroup) _in_cgroup ;;
esac

# shellcheck disable=SC1091
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# ---- the disk -----------------------------------------------------------------------------------

ROOT=/mnt/machine

# What Debian starts and nobody needs here, and what would do something to the kernel that we share.
MASKED='cryptsetup.target integritysetup.target veritysetup.target swap.target getty.target
    dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount
    sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount
    sys-kernel-tracing.mount kmod-static-nodes.service modprobe@.service systemd-binfmt.service
    systemd-ask-password-console.path systemd-ask-password-wall.path systemd-firstboot.service
    systemd-hwdb-update.service systemd-initctl.socket systemd-journal-flush.service
    systemd-journald-audit.socket systemd-machine-id-commit.service systemd-modules-load.service
    systemd-pcrphase-sysinit.service systemd-pcrphase.service systemd-random-seed.service
    systemd-remount-fs.service systemd-repart.service systemd-sysctl.service
    systemd-timesyncd.service systemd-tmpfiles-clean.timer systemd-udev-trigger.service
    systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
    systemd-update-utmp-runlevel.service systemd-update-utmp.service networking.service'

_make_disk()
{
    local unit

    mkdir -p /mnt/upper /mnt/work $ROOT
    mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay $ROOT ||
        die "no overlay"
    (cd "${ROOT:?}" && rm -rf ./etc ./home ./root ./var/log ./var/lib/team) || die "no disk"
    mkdir -p $ROOT/etc $ROOT/home $ROOT/root $ROOT/var/log
    cp -a /etc/. $ROOT/etc/ && cp -a /home/. $ROOT/home/ || die "no /etc"
    rm -rf $ROOT/etc/systemd
    mkdir -p $ROOT/etc/systemd/system $ROOT/etc/systemd/journald.conf.d
    printf '[Journal]\nStorage=volatile\n' >$ROOT/etc/systemd/journald.conf.d/test.conf
    echo 7ea0000000004000800000000000d15c >$ROOT/etc/machine-id
    for unit in $MASKED; do
        ln -s /dev/null "$ROOT/etc/systemd/system/$unit"
    done
    cat >$ROOT/etc/systemd/system/bastion.target <<'UNIT'
[Unit]
Description=A bastion
Requires=basic.target
Wants=multi-user.target dbus.service systemd-logind.service
After=basic.target
AllowIsolate=yes
UNIT
    # systemd mounts a /proc of its own for teamd, on which the boot id is the real machine's.
    install -D -m 0644 /dev/stdin $ROOT/etc/systemd/system/teamd.service.d/boot_id.conf <<'UNIT'
[Service]
BindReadOnlyPaths=/boot_id:/proc/sys/kernel/random/boot_id
UNIT
    # As libpam-systemd has it. Debian's sudo includes common-session-noninteractive, which has not.
    echo 'session optional pam_systemd.so' >>$ROOT/etc/pam.d/common-session
    # systemd-sysusers makes them.
    sed -i -E '/^(team|team-courier):/d; s/,team$//; s/:team$/:/' \
        $ROOT/etc/passwd $ROOT/etc/shadow $ROOT/etc/group $ROOT/etc/gshadow
}

# What `make install` says is in /mnt/install.
install_team()
{
    make -C "$SRC" --no-print-directory BUILD="$BUILD" DESTDIR=$ROOT install >/mnt/install 2>&1
}

# config <<EOF: /etc/team/team.conf of the machine.
config()
{
    install -D -m 0644 /dev/stdin $ROOT/etc/team/team.conf
}

# make_login_keys USER...: a host key that people know, and keys of their own.
make_login_keys()
{
    local user home

    rm -f $ROOT/etc/ssh/ssh_host_*
    ssh-keygen -q -t ed25519 -N '' -f $ROOT/etc/ssh/ssh_host_ed25519_key
    echo "localhost $(cut -d' ' -f1,2 $ROOT/etc/ssh/ssh_host_ed25519_key.pub)" >$ROOT/etc/ssh/ssh_known_hosts
    for user; do
        home=$ROOT/home/$user
        install -d -m 700 "$home/.ssh"
        ssh-keygen -q -t ed25519 -N '' -f "$home/.ssh/id_ed25519"
        cp "$home/.ssh/id_ed25519.pub" "$home/.ssh/authorized_keys"
        chown -R "$user:" "$home/.ssh"
    done
}

# ---- power --------------------------------------------------------------------------------------

# The first process of the machine: its mounts, then systemd.
_init()
{
    local root=$1 node

    set -e
    mount -t proc proc "$root/proc"
    mount --bind "$root/proc/sys" "$root/proc/sys"
    mount -o remount,bind,ro "$root/proc/sys"
    mount --bind -o ro "$root/boot_id" "$root/proc/sys/kernel/random/boot_id"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 run "$root/run"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    mount -t tmpfs -o mode=755 dev "$root/dev"
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts "$root/dev/pts"
    for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
        IFS=: read -r name major minor <<<"$node"
        mknod -m 666 "$root/dev/$name" c "$major" "$minor"
    done
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    hostname bastion-1
    cd "$root"
    pivot_root . mnt
    umount -l /mnt
    exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --unit=bastion.target
}

INIT='' POWER=''

# boot: starts the machine, with a boot id of its own; back when everything has been started.
boot()
{
    cat /proc/sys/kernel/random/uuid >$ROOT/boot_id
    export -f _init
    # PID 1 is in its cgroup before it makes that the root of all it sees.
    unshare -m -p -n -u -i -f --kill-child -- bash -c \
        'echo 0 >"$0/cgroup.procs" && exec unshare -C bash -c "_init $1"' \
        "$MACHINE_CGROUP" $ROOT >>/mnt/console 2>&1 </dev/null &
    POWER=$!
    until_true 5 pgrep -P $POWER || die "no machine: $(tail -n 5 /mnt/console)"
    INIT=$(pgrep -P $POWER)
    until_true 30 _is_up || die "the machine does not start: $(tail -n 20 /mnt/console)"
}

_is_up()
{
    inside systemctl is-system-running | grep -Eq '^(running|degraded)$'
}

# cut_power: as if somebody had pulled the plug. shut_down: in good order, within 20 s.
cut_power()
{
    kill -KILL "$INIT"
    wait "$POWER" 2>/dev/null
    INIT='' POWER=''
    until_true 5 _clear_cgroup
}

shut_down()
{
    inside systemctl poweroff 2>/dev/null # it may go faster than it answers
    if ! until_true 20 _is_down; then
        cut_power
        return 1
    fi
    wait "$POWER" 2>/dev/null
    INIT='' POWER=''
    until_true 5 _clear_cgroup
}

_is_down()
{
    ! kill -0 "$INIT"
}

_clear_cgroup()
{
    find "$MACHINE_CGROUP" -mindepth 1 -depth -type d -exec rmdir {} +
}

# inside CMD...: as root in the machine, without a login.
inside()
{
    (
        echo 0 >"$MACHINE_CGROUP/init.scope/cgroup.procs" || exit 125
        cd / && exec nsenter -t "$INIT" -a -- "$@"
    )
}

# lib.sh's as, as_tty and as_typing come here: they log in to the machine.
as_from()
{
    local loginuid=$1 user=$2
    shift 2

    inside bash -c 'echo "$1" >/proc/self/loginuid && cd "$3" || exit 125
        exec setsid -w setpriv --reuid "$2" --regid "$2" --init-groups --reset-env "${@:4}"' \
        as "$loginuid" "$user" "$(_home "$user")" "$@"
}

_make_disk
