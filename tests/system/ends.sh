#!/bin/bash
# When an elevation ends - revoked, by itself, with the person's eligibility, and with teamd killed in
# the middle of each - every process of its sessions is gone, with the real sudo, su, sshd and login.
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154
. "$(dirname "$0")/hosts_lib.sh"
DISK=
inside() { fresh "$@"; }
. "$SRC/tests/system/ends_lib.sh"

EVERYBODY='"@sre", "bob"'
policy "$EVERYBODY"
install_hold
gate_sudo timeout=10s
for service in su login sshd; do gate $service timeout=10s; done
sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/su # whoever runs it: that is not what is tested
printf '[ -z "$HOLD" ] || hold $HOLD\n' >/home/alice/.profile
make_keys alice
printf '%s\n' 'ListenAddress 127.0.0.1' 'UsePAM yes' 'PermitRootLogin no' 'PidFile /run/sshd.pid' \
    'MaxStartups 100' >/etc/ssh/sshd_config
start_teamd || exit 1
CONTAINERS="*/$(_containers)"
start_sshd /usr/sbin/sshd /etc/ssh/sshd_config 22
as bob teamctl request sudo --for 4h --reason "others" >/mnt/bob
as bob sudo -n bash -c 'exec -a BOBS sleep 600' &
as alice bash -c 'exec -a OWN sleep 600' &

on_end()
{
    cause "$1"
    [[ $1 == *killed* ]] || return 0
    sleep 0.$((RANDOM % 9 + 1)) # in the grace, mostly
    kill_teamd
    start_teamd || exit 1
}

round "revoked" 1h revoked everything
round "revoked, and teamd killed" 1h revoked something
round "at its own end" 20s ended something
round "at its own end, and teamd killed" 20s ended something
round "not eligible any more" 1h revoked something
policy "$EVERYBODY"
ok "the policy is back" teamctl reload
round "not eligible any more, and teamd killed" 1h revoked something
policy "$EVERYBODY"
ok "the policy is back" teamctl reload

pkill -f '^OWN'
ok "bob's session is in a cgroup of sessions" test "$(left)" -ge 1
as bob teamctl revoke "$(head -c 8 /mnt/bob)" --yes >/dev/null
until_true 5 none_of BOBS
stop_sshd
stop_teamd
is "nothing is left in any session's cgroup" "$(left)" 0
finish
