#!/bin/bash
# Sessions under a real systemd as PID 1: contained below team-sessions.service, ended with their
# elevation, and not by a restart of teamd.
# shellcheck disable=SC1091,SC2016,SC2154
. "$(dirname "$0")/systemd_lib.sh"

install_team || die "$(cat /mnt/install)"
config <<'CONF'
settings: { require_comment = false; };
sessions: { grace = "1s"; warn = ["1s"]; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
sed -i "s|$BUILD/pam_team.so|pam_team.so|" $ROOT/etc/pam.d/sudo $ROOT/etc/pam.d/sudo-i
boot
inside systemd-sysusers
inside systemd-tmpfiles --create team.conf
inside systemctl -q enable --now team-sessions.service team-gate.socket team-control.socket teamd.service
until_true 10 inside teamctl status

there() { pgrep -f "^$1" >/dev/null; }
none() { ! there "$1"; }
cgroup_of() { sed -n 's/^0:://p' "/proc/$(pgrep -f "^$1" | head -n 1)/cgroup"; }
elevate()
{
    run as alice teamctl request sudo --for "$1" --reason "test under systemd"
    id=${out:0:8}
}

elevate 1h
as alice sudo -n bash -c 'trap "" TERM; (setsid bash -c "exec -a HELD sleep 60" &); sleep 60' &
until_true 5 there HELD
like "a session is contained below team-sessions.service" "$(cgroup_of HELD)" '/system\.slice/team-sessions\.service/s[0-9]+$'
ok "teamd is restarted" inside systemctl restart teamd
ok "and its sessions go on" there HELD
until_true 5 inside teamctl status
ok "they are known to the new one" test "$(as alice teamctl show "$id" --json | jq '[.sessions[] | select(.state == "live")] | length')" = 1
ok "revoked" as alice teamctl revoke "$id" --yes
ok "everything of it is gone" until_true 5 none HELD
ok "the request is over" until_true 5 eval '[ "$(as alice teamctl show '"$id"' --json | jq -r .state)" = revoked ]'

elevate 1h
as alice sudo -n bash -c 'exec -a KEPT sleep 60' &
until_true 5 there KEPT
ok "the unit of the sessions is stopped" inside systemctl stop team-sessions
ok "and its sessions go on" there KEPT
ok "and it comes again" inside systemctl start team-sessions
as alice teamctl revoke "$id" --yes >/dev/null
ok "they end all the same" until_true 5 none KEPT

elevate 4s
cat >$ROOT/usr/local/bin/window <<'SH'
#!/bin/bash
sudo -n bash -c 'exec -a WINDOW sleep 60'
SH
chmod 755 $ROOT/usr/local/bin/window
as_tty alice window >/mnt/screen 2>&1
run cat /mnt/screen
like "the person is warned on their terminal, from inside the sandbox" "$out" 'ends in 1s, and this session with it'
ok "and the session has ended" none WINDOW
is "no session's cgroup is left" "$(find "$MACHINE_CGROUP" -type d -path '*team-sessions.service/s*' | wc -l)" 0
run inside journalctl -u teamd -o cat
unlike "teamd could contain them all" "$out" 'cannot be contained|has no container'
finish
