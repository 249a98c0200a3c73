#!/bin/bash
# teamd killed in every state of a session, and the host started anew under it: it goes on where it was,
# and forgets nobody. And who leads a session is never mistaken.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154
. "$(dirname "$0")/lib.sh"

policy()
{
    config <<CONF
settings: { auditors = ["@security"]; admins = ["@team-admins"]; require_comment = false; };
sessions: { grace = "$1"; warn = []; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
}
elevate()
{
    run as alice teamctl request sudo --for "${1:-1h}" --reason "test of the ladder"
    id=${out:0:8}
}
revoke() { as alice teamctl revoke "$id" --yes; }
show() { teamctl show "$id" --json | jq -r "$1"; }
sessions_are() { [ "$(show '[.sessions[] | .state] | join(" ")')" = "$1" ]; }
is_over() { [ "$(show .state)" = "$1" ]; }
there() { pgrep -f "^$1" >/dev/null; }
none() { ! there "$1"; }
again()
{
    kill_teamd
    start_teamd || exit 1
}
# begin NAME SCRIPT: a session of sudo in which there is NAME.
begin()
{
    as alice sudo -n bash -c "$2" >/dev/null 2>&1 &
    until_true 5 there "$1" || echo "# there is no $1"
}
trail() { teamctl audit --request "$id" --json | jq -r 'select(.action | startswith("session.")) | .action' | paste -sd' '; }

policy 2s
start_teamd || exit 1

# ---- killed in each state --------------------------------------------------------------------------

elevate
as_from 2001 root "$BUILD/tests/system/opener" stays 2001 >/mnt/opener &
ok "opening: a session that is not confirmed" until_true 5 sessions_are opening
again
ok "opening: is known after a kill" sessions_are opening
ok "opening: and ended, since nobody confirms" until_true 15 sessions_are ended
is "opening: the opener is gone" "$(pgrep -f 'opener stays')" ""
is "opening: the elevation is not" "$(show .state)" active
unlike "opening: what has never been in its place has not left it" "$(trail)" 'session\.escape'
revoke >/dev/null

elevate
begin LIVE 'trap "" TERM; (exec -a LIVE sleep 60); :'
again
ok "live: is known after a kill" sessions_are live
revoke >/dev/null
ok "live: and ends" until_true 10 none LIVE
ok "live: with the request" until_true 5 is_over revoked

elevate
begin CLOSING 'setsid -f bash -c "exec -a CLOSING sleep 60" >/dev/null 2>&1 </dev/null'
ok "closing: what sudo has left behind" until_true 5 sessions_are closing
again
ok "closing: is known after a kill" sessions_are closing
revoke >/dev/null
ok "closing: and ends" until_true 10 none CLOSING
ok "closing: with the request" until_true 5 is_over revoked

elevate
begin TERMINATING 'trap "" TERM; (exec -a TERMINATING sleep 60); :'
revoke >/dev/null
ok "terminating: in the grace" sessions_are terminating
again
ok "terminating: the grace is over after a kill" until_true 2 none TERMINATING
ok "terminating: with the request" until_true 5 is_over revoked
is "terminating: the trail has every step once" "$(trail)" "session.open session.terminate session.kill session.end"

# Something that survives a kill: there is one thing, where the freezer of version 1 is, too.
freezer=/sys/fs/cgroup/freezer/team-test-$$
policy 0s
if mkdir $freezer 2>/dev/null; then
    teamctl reload >/dev/null
    elevate
    begin STUCK 'exec -a STUCK sleep 60'
    pgrep -f ^STUCK >$freezer/cgroup.procs
    echo FROZEN >$freezer/freezer.state
    revoke >/dev/null
    ok "killing: what does not die" until_true 3 sessions_are killing
    again
    ok "killing: goes on after a kill" sessions_are killing
    is "killing: the request is not over" "$(show .state)" ending
    ok "stuck: in the end it is called so" until_true 10 sessions_are stuck
    is "stuck: status says it" "$(teamctl status --json | jq -r .stuck)" 1
    like "stuck: doctor says it" "$(teamctl doctor 2>&1)" '1 sessions cannot be ended'
    is "stuck: the trail has it" "$(teamctl audit --action session.stuck --json | jq -r .outcome)" failed
    again
    ok "stuck: is stuck after a kill, too" sessions_are stuck
    is "stuck: the request is not over" "$(show .state)" ending
    exits 5 "stuck: and cannot be revoked again" revoke
    echo THAWED >$freezer/freezer.state
    ok "stuck: once it can die it is gone" until_true 10 none STUCK
    ok "stuck: and so is the request" until_true 10 is_over revoked
    until_true 5 rmdir $freezer
else
    echo "ok $((++_tests)) - killing and stuck # SKIP there is no freezer of cgroup v1"
fi

# ---- what joins between the kill and the end -------------------------------------------------------

elevate
begin JOINED 'trap "" TERM; (exec -a JOINED sleep 60); :'
cgroup=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/self/mounts | head -n 1)$(sed -n 's/^0:://p' "/proc/$(pgrep -f ^JOINED | head -n 1)/cgroup")
(while [ -d "$cgroup" ]; do
    bash -c 'echo 0 >"$0/cgroup.procs" && exec -a JOINED sleep 60' "$cgroup" 2>/dev/null &
    sleep 0.01
done) 2>/dev/null &
joiner=$!
sleep 0.3
revoke >/dev/null
ok "whoever joins while it is being killed is killed, too" until_true 20 is_over revoked
wait $joiner
ok "all of them" until_true 3 none JOINED
ok "and the container is gone" test ! -e "$cgroup"

# ---- another boot ----------------------------------------------------------------------------------

reboot_in_between()
{
    kill_teamd
    pkill -KILL -f "^$1"
    umount /proc/sys/kernel/random/boot_id 2>/dev/null
    cat /proc/sys/kernel/random/uuid >/mnt/boot_id
    mount --bind /mnt/boot_id /proc/sys/kernel/random/boot_id
    start_teamd || exit 1
}
policy 5s
teamctl reload >/dev/null
elevate
begin BOOT 'trap "" TERM; (exec -a BOOT sleep 60); :'
reboot_in_between BOOT
ok "a session that was live is lost" until_true 3 sessions_are lost
is "its elevation goes on" "$(show .state)" active
ok "and can be used" as alice sudo -n true
begin BOOT 'trap "" TERM; (exec -a BOOT sleep 60); :'
revoke >/dev/null
reboot_in_between BOOT
ok "what was ending is over" until_true 3 is_over revoked
is "and nothing of it is called live" "$(show '[.sessions[] | select(.ended_at == null)] | length')" 0

# ---- who leads -------------------------------------------------------------------------------------

elevate
as_from 2001 root "$BUILD/tests/system/opener" handed 2001 >/mnt/handed
ok "a connection that was handed to a child opens nothing" until_true 3 test -s /mnt/handed
like "since who connected is dead" "$(cat /mnt/handed)" '^[1-9] the asking process is gone|^no answer'
is "nothing is recorded" "$(show '.sessions | length')" 0
kill -STOP "$TEAMD_PID"
as_from 2001 root "$BUILD/tests/system/opener" dies 2001
kill -CONT "$TEAMD_PID"
sleep 0.5
is "a leader that is dead before teamd looks opens nothing" "$(show '.sessions | length')" 0
begin NUMBER 'exec -a NUMBER sleep 60'
leader=$(show '.sessions[0].leader')
kill_teamd
kill -KILL "$leader" $(pgrep -f ^NUMBER)
until_true 5 test ! -e "/proc/$leader"
ok "a leader's number becomes another's" until_true 5 "$BUILD/tests/system/aspid" "$leader" bash -c 'exec -a IMPOSTOR sleep 60'
start_teamd || exit 1
ok "that is not the leader" until_true 3 sessions_are ended
revoke >/dev/null
sleep 0.5
ok "and is left alone" there IMPOSTOR
pkill -f ^IMPOSTOR
finish
