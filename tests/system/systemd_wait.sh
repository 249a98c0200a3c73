#!/bin/bash
# sudo that waits, under a real systemd: restarts of teamd, whose socket systemd keeps, and approvers
# at their terminals, which the sandbox of teamd.service has to let it see.
# shellcheck disable=SC1091,SC2016,SC2154
. "$(dirname "$0")/systemd_lib.sh"

install_team || die "$(cat /mnt/install)"
config <<'CONF'
settings: { require_comment = false; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF
sed -i "s|$BUILD/pam_team.so|pam_team.so wait=1m prompt|" $ROOT/etc/pam.d/sudo $ROOT/etc/pam.d/sudo-i
boot
inside systemd-sysusers
inside systemd-tmpfiles --create team.conf
inside systemctl -q enable --now team-sessions.service team-gate.socket team-control.socket teamd.service
until_true 10 inside teamctl status

install -d -m 1777 $ROOT/tell
as bob script -qfc "tty >/tell/bob.tty; sleep 300" /tell/bob.screen </dev/null >/dev/null 2>&1 &
until_true 5 test -s $ROOT/tell/bob.tty
cat >$ROOT/tell/keys.exp <<'KEYS'
set timeout 30
log_file -noappend /tell/alice.screen
spawn -noecho sudo id
expect "give up: "
send "\r"
expect "Reason: "
send "rotate certs\r"
expect eof
KEYS
as alice expect /tell/keys.exp >/dev/null 2>&1 &
alice=$!
sees() { until_true 15 grep -q -e "$1" $ROOT/tell/alice.screen; }
ok "alice waits" sees 'waiting for bob or erin'
id=$(as alice teamctl list --mine --json | jq -r .id)
ok "bob sees it on his terminal" until_true 5 grep -q "alice waits for sudo on bastion-1: teamctl approve $id" $ROOT/tell/bob.screen
for i in 1 2; do
    ok "restart $i of teamd" inside systemctl restart teamd
    ok "she is told so" sees 'being restarted'
    until_true 5 inside teamctl status
done
sleep 1
ok "bob approves" as bob teamctl approve "$id"
ok "it goes on in her terminal" sees 'uid=0(root)'
wait $alice
ok "and the session is that request's" test "$(as alice teamctl show "$id" --json | jq '.sessions | length')" = 1
finish
