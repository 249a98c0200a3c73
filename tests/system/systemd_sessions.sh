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

# ---- leaders in systemd's keeping -------------------------------------------------------------------

main_pid() { inside systemctl show -P MainPID teamd; }
kept() { inside systemctl show -P NFileDescriptorStore teamd; }
kept_is() { [ "$(kept)" = "$1" ]; }
leader_of() { as alice teamctl show "$id" --json | jq -r ".sessions[$1].leader"; }
states() { as alice teamctl show "$id" --json | jq -r '[.sessions[] | .state] | join(" ")'; }
# as_number N: a process of the machine has this number, as soon as it is free: no group is called so any more.
as_number() { until_true 5 nsenter -t "$INIT" -p -- "$BUILD/tests/system/aspid" "$1" bash -c 'exec -a IMPOSTOR sleep 60'; }
find_first()
{
    first=$(leader_of 0)
    inside grep -q FIRST "/proc/$first/cmdline" || first=$(leader_of 1) # whichever came first
}
# end_first: the first of two sessions is gone, all of it; its leader was $first.
end_first()
{
    inside kill -KILL "$first"
    kill -KILL $(pgrep -f ^FIRST)
    until_true 5 inside test ! -e "/proc/$first"
}

ok "of sessions that are gone systemd keeps nothing" until_true 5 kept_is 0
elevate 1h
as alice sudo -n bash -c 'exec -a FIRST sleep 60' 2>/dev/null &
as alice sudo -n bash -c 'exec -a SECOND sleep 60' &
until_true 5 there FIRST
until_true 5 there SECOND
is "systemd keeps the leader of each session" "$(kept)" 2
find_first
inside kill -STOP "$(main_pid)"
end_first
ok "while teamd does not look, a leader's number becomes another's" as_number "$first"
inside kill -KILL "$(main_pid)"
until_true 10 inside teamctl status
ok "teamd knows that the leader is gone" until_true 5 eval '[[ $(states) == *ended* ]]'
is "and that the other is not" "$(states | xargs -n 1 | sort | xargs)" "ended live"
ok "its process goes on" there SECOND
is "what systemd keeps is that one" "$(kept)" 1
ok "revoked" as alice teamctl revoke "$id" --yes
ok "it ends" until_true 5 none SECOND
ok "whoever has the number now is left alone" there IMPOSTOR
kill "$(pgrep -f ^IMPOSTOR)"
until_true 5 eval '[ "$(as alice teamctl show '"$id"' --json | jq -r .state)" = revoked ]'
ok "and nothing is kept" until_true 5 kept_is 0

# Without what is kept, as after a stop: by number, start time and boot.
elevate 1h
as alice sudo -n bash -c 'exec -a FIRST sleep 60' 2>/dev/null &
as alice sudo -n bash -c 'exec -a SECOND sleep 60' &
until_true 5 there FIRST
until_true 5 there SECOND
find_first
inside systemctl stop teamd team-gate.socket team-control.socket
end_first
ok "while teamd is stopped, a leader's number becomes another's" as_number "$first"
inside systemctl start team-gate.socket team-control.socket teamd
until_true 10 inside teamctl status
ok "teamd knows that it is another" until_true 5 eval '[ "$(states | xargs -n 1 | sort | xargs)" = "ended live" ]'
is "systemd keeps the other's leader again" "$(kept)" 1
ok "revoked" as alice teamctl revoke "$id" --yes
ok "it ends" until_true 5 eval 'none FIRST && none SECOND'
ok "whoever has the number now is left alone" there IMPOSTOR
kill "$(pgrep -f ^IMPOSTOR)"
until_true 5 eval '[ "$(as alice teamctl show '"$id"' --json | jq -r .state)" = revoked ]'

# ---- the unit that holds them -----------------------------------------------------------------------

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
