#!/bin/bash
# As ends.sh, under a real systemd as PID 1: the units, their restart, and the scopes of logind.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154
. "$(dirname "$0")/systemd_lib.sh"
DISK=$ROOT
. "$SRC/tests/system/ends_lib.sh"

install_team || die "$(cat /mnt/install)"
EVERYBODY='"@sre", "bob"'
policy "$EVERYBODY"
install_hold
cp "$SRC"/conf/pam.d/{sshd,login,su} $ROOT/etc/pam.d/
sed -i "s|$BUILD/pam_team.so|pam_team.so|" $ROOT/etc/pam.d/sudo $ROOT/etc/pam.d/sudo-i
sed -i 's|pam_team.so.*|pam_team.so timeout=10s|' $ROOT/etc/pam.d/{sudo,sudo-i,su,sshd,login}
CONTAINERS="$MACHINE_CGROUP/*/team-sessions.service"
sed -i '1i auth sufficient pam_permit.so' $ROOT/etc/pam.d/su # whoever runs it: that is not what is tested
printf '[ -z "$HOLD" ] || hold $HOLD\n' >$ROOT/home/alice/.profile
make_login_keys alice
printf '%s\n' 'ListenAddress 127.0.0.1' 'UsePAM yes' 'PidFile /run/sshd.pid' 'MaxStartups 100' >$ROOT/etc/ssh/sshd_config
boot
inside systemd-sysusers
inside systemd-tmpfiles --create team.conf
inside systemctl -q enable --now team-sessions.service team-gate.socket team-control.socket teamd.service
until_true 10 inside teamctl status || die "no teamd"
inside systemctl start ssh.service || die "no sshd: $(inside journalctl -u ssh -o cat | tail -n 5)"
as bob teamctl request sudo --for 4h --reason "others" >/mnt/bob
as bob sudo -n bash -c 'exec -a BOBS sleep 600' &
as alice bash -c 'exec -a OWN sleep 600' &

on_end()
{
    cause "$1"
    [[ $1 == *killed* ]] || return 0
    sleep 0.$((RANDOM % 9 + 1)) # in the grace, mostly
    inside systemctl kill -s KILL --kill-whom=main teamd
    until_true 10 inside teamctl status || die "teamd does not come back"
}

round "revoked, and teamd killed" 1h revoked everything
round "at its own end, and teamd killed" 20s ended something
round "not eligible any more, and teamd killed" 1h revoked something

pkill -f '^OWN'
ok "bob's session is in a cgroup of sessions" test "$(left)" -ge 1
as bob teamctl revoke "$(head -c 8 /mnt/bob)" --yes >/dev/null
until_true 5 none_of BOBS
is "nothing is left in any session's cgroup" "$(left)" 0
is "systemd keeps no leader any more" "$(inside systemctl show -P NFileDescriptorStore teamd)" 0
run inside journalctl -u teamd -o cat
unlike "teamd could contain and end them all" "$out" 'cannot be contained|has no container|cannot be killed|cannot be ended'
finish
