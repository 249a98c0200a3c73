#!/bin/bash
# When an elevation ends, its sessions end: every process of them, whatever it does to stay, with the
# real sudo; and nothing else does.
. "$(dirname "$0")/lib.sh"

policy()
{
    config <<CONF
settings: { require_comment = false; };
sessions: { grace = "$1"; warn = ["2s"]; cgroup = "${2:-auto}"; };
eligibility = ( { name = "sre"; who = ["@sre", "bob", "erin"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
}
elevate() # USER FOR
{
    run as "$1" teamctl request sudo --for "$2" --reason "test of sessions"
    id=${out:0:8}
}
state() { teamctl show "$id" --json | jq -r "$1"; }
gone() # NAME: no process with this word in its command line within 3 s
{
    until_true 3 none "$1"
}
none() { ! pgrep -f "^$1| $1\$" >/dev/null; } # nor what would start it anew
there() { pgrep -f "^$1" >/dev/null; } # by argv[0] alone: sudo's own command line has the word too
ended() { [ "$(state .state)" = "$1" ]; }

policy 1s
start_teamd || exit 1

# ends NAME SHELL: what SHELL starts under sudo (with the word MARK in its command line) is gone after
# a revoke, and the request is `revoked`.
ends()
{
    local name=$1 script=$2

    elevate alice 1h
    as alice sudo -n bash -c "$script" MARK >/dev/null 2>&1 &
    job=$!
    until_true 3 there MARK
    sleep 0.2
    ok "$name: runs" until_true 3 there MARK # what starts itself anew is not there at every moment
    ok "$name: revoked" as alice teamctl revoke "$id" --yes
    ok "$name: everything of it is gone" gone MARK
    ok "$name: the request is over" until_true 3 ended revoked
    wait $job 2>/dev/null
}

ends "a plain command" 'exec -a MARK sleep 60'
ends "HUP and TERM ignored" 'trap "" HUP TERM INT; (exec -a MARK sleep 60); while :; do sleep 1; done'
ends "nohup" 'nohup bash -c "exec -a MARK sleep 60" & wait'
ends "setsid and double fork" '(setsid bash -c "(exec -a MARK sleep 60) &" &); sleep 60'
ends "a daemon that outlives its sudo" '(setsid bash -c "exec -a MARK sleep 60" >/dev/null 2>&1 &); sleep 0.5'
ends "200 processes" 'for i in $(seq 200); do (exec -a MARK sleep 60) & done; wait'
ends "a stopped process" '(exec -a MARK sleep 60) & sleep 0.3; kill -STOP $!; wait'
ends "sudo in sudo in sudo" 'sudo sudo bash -c "exec -a MARK sleep 60"'
ends "su - in it" 'su - bob -c "exec -a MARK sleep 60"'
ends "sudo -b in it" 'sudo -b bash -c "exec -a MARK sleep 60"; sleep 60'
ends "a process that starts itself anew" 'trap "" TERM; f() { (exec -a MARK sleep 0.1); f & }; f; sleep 60'

# A directory that root makes inside of the own container, with the name of somebody else's session.
elevate bob 1h
bobs=$id
as bob sudo -n bash -c 'exec -a BOBS sleep 60' &
until_true 3 there BOBS
number=$(state '.sessions[0].id')
ends "a sudo in a cgroup that is called like somebody else's session" \
    'own=$(find /sys/fs/cgroup -path "*/team-sessions-*/s*" -name "s[0-9]*" | while read -r d; do grep -qx $$ "$d/cgroup.procs" && echo "$d"; done)
    mkdir "$own/s'"$number"'" && echo $$ >"$own/s'"$number"'/cgroup.procs" && exec sudo bash -c "exec -a MARK sleep 60"'
ok "whose session goes on" there BOBS
is "and has nobody else's in it" "$(teamctl show "$bobs" --json | jq '.sessions | length')" 1
as bob teamctl revoke "$bobs" --yes >/dev/null
gone BOBS

# ---- what leaves it -----------------------------------------------------------------------------

v2=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/self/mounts | head -n 1)
elevate alice 1h
as alice sudo -n bash -c 'trap "" TERM HUP
    (exec -a STRAY sleep 60) & echo $! >'"$v2"'/cgroup.procs
    (setsid bash -c "echo \$\$ >'"$v2"'/cgroup.procs; exec -a ORPHAN sleep 60" &); wait' &
until_true 3 there STRAY
until_true 3 there ORPHAN
is "root has moved it out" "$(sed -n 's/^0:://p' "/proc/$(pgrep -f ^STRAY)/cgroup")" /
as alice teamctl revoke "$id" --yes >/dev/null
ok "what still hangs on the leader ends with the session" gone STRAY
ok "and the request with it" until_true 5 ended revoked
is "the trail says that something had left" "$(teamctl audit --request "$id" --action session.escape --json | jq -r .outcome)" noticed
is "so does the session" "$(state '.sessions[0].escaped')" true
ok "what had been detached before goes on, as README says" there ORPHAN
pkill -f ^ORPHAN

elevate alice 1h
as alice sudo -n bash -c 'echo $PPID >'"$v2"'/cgroup.procs; trap "" TERM; (exec -a LED sleep 60); :' &
until_true 3 there LED
leader=$(state '.sessions[0].leader')
is "root has moved the leader out" "$(sed -n 's/^0:://p' "/proc/$leader/cgroup")" /
as alice teamctl revoke "$id" --yes >/dev/null
ok "what it led is gone all the same" gone LED
ok "so is the leader" until_true 3 test ! -e "/proc/$leader"
ok "and the request is over" until_true 5 ended revoked
is "the trail says that it had left" "$(teamctl audit --request "$id" --action session.escape --json | jq -r .outcome)" noticed

# ---- what is not touched --------------------------------------------------------------------------

elevate alice 1h
first=$id
as bob teamctl request sudo --for 1h --reason "other" >/mnt/other
as alice bash -c 'exec -a OWN sleep 60' &
as bob sudo -n bash -c 'exec -a BOBS sleep 60' &
as alice sudo -n bash -c 'exec -a HERS sleep 60' &
until_true 3 there HERS
until_true 3 there BOBS
ok "alice's is revoked" as alice teamctl revoke "$first" --yes
ok "her session is gone" gone HERS
ok "her own process is not" there OWN
ok "bob's session is not" there BOBS
pkill -f ^OWN
as bob teamctl revoke "$(cat /mnt/other)" --yes >/dev/null
gone BOBS

# ---- what is recorded --------------------------------------------------------------------------

elevate alice 1h
as_tty alice sudo -n bash -c 'exec -a KNOWN sleep 60' >/dev/null 2>&1 &
until_true 3 there KNOWN
run as alice teamctl sessions --json
is "a session says who, what, where, and the command line in their words" \
    "$(jq -r '"\(.user) \(.service) \(.target_user) \(.tty) \(.state) \(.command) \(.login_uid) \(.contained) \(.escaped)"' <<<"$out")" \
    "alice sudo root /dev/pts/0 live sudo -n bash -c exec -a KNOWN sleep 60 2001 true false"
is "and the audit session" "$(jq -r .audit_session <<<"$out")" "$(cat /proc/"$(pgrep -f ^KNOWN)"/sessionid)"
leader=$(jq -r .leader <<<"$out")
is "its leader is sudo" "$(cat /proc/"$leader"/comm)" sudo
like "the table has the command" "$(as alice teamctl sessions)" 'sudo -n bash -c exec -a KNOWN sleep 60'
like "and the trail" "$(teamctl audit --request "$id" --action session.open)" 'by elevation, session [0-9]+, own words: sudo -n bash'
as alice teamctl revoke "$id" --yes >/dev/null
gone KNOWN
is "afterwards it is kept how it ended" "$(state '.sessions[0] | "\(.state) \(.ended_at != null) \(.ended_how) \(.command)"' | sed 's/killed/terminated/')" \
    "ended true terminated sudo -n bash -c exec -a KNOWN sleep 60"
like "and the trail says how" "$(teamctl audit --request "$id" --action session.end)" 'session [0-9]+, (terminated|killed)'

# ---- two elevations -------------------------------------------------------------------------------

elevate alice 1h
first=$id
as alice sudo -n bash -c 'exec -a TWICE sleep 60' &
until_true 3 there TWICE
elevate alice 30m
as alice teamctl revoke "$first" --yes >/dev/null
sleep 1.5
ok "a session goes on under the other elevation" there TWICE
as alice teamctl revoke "$id" --yes >/dev/null
ok "and ends with that" gone TWICE

# ---- by itself, with a warning, and an extension ---------------------------------------------------

cat >/usr/local/bin/window <<'SH'
#!/bin/bash
sudo -n bash -c 'exec -a WINDOW sleep 60'
stty -a | grep -o ' -\?echo ' 
SH
chmod 755 /usr/local/bin/window
elevate alice 4s
as_tty alice window >/mnt/screen 2>&1 &
job=$!
until_true 3 there WINDOW
ok "at the end of its window a session is gone" until_true 7 none WINDOW
ok "and the elevation has ended" until_true 3 ended ended
wait $job
run cat /mnt/screen
like "the person was warned" "$out" "your elevation $id ends in 2s, and this session with it; to go on: teamctl extend $id"
like "and told" "$out" "your elevation $id has ended; this session is being closed"
like "the terminal is usable" "$out" ' echo '
bobs_words=$'certs are \u202e done'
policy 1s
elevate alice 1h
as_tty alice window >/mnt/screen 2>&1 &
job=$!
until_true 3 there WINDOW
ok "root revokes it" teamctl revoke "$id" --comment "$bobs_words" --yes
ok "the session is gone" gone WINDOW
wait $job
like "the person was told by whom, and why" "$(cat /mnt/screen)" "team: your elevation $id was revoked by root: certs are [^;]* done; this session is being closed"
is "the trail says who has ended the session" "$(teamctl audit --request "$id" --action session.terminate --json | jq -r .actor)" root
elevate alice 3s
as alice sudo -n bash -c 'exec -a LONGER sleep 60' &
until_true 3 there LONGER
ok "an extension before the end" as alice teamctl extend "$id" --for 1h --reason "not done"
is "is kept, with its reason" "$(state '"\(.duration_s) \(.extended_s) \(.extension_reason)"')" "3603 3600 not done"
sleep 4
ok "keeps the session" there LONGER
as alice teamctl revoke "$id" --yes >/dev/null
gone LONGER

# ---- who is elevated does not decide ---------------------------------------------------------------

elevate erin 1h
exits 3 "an elevated session asks for nothing" as erin sudo -n -u erin teamctl request sudo --for 1h --reason more
like "and is told so" "$out" 'who is elevated does not ask or decide'
refused "nothing new is opened in a session that has ended" as erin sudo -n bash -c "
    setsid -f bash -c 'trap \"\" TERM; sleep 0.5; sudo -n id >/mnt/late 2>&1' ; teamctl revoke $id --yes; sleep 3"
sleep 1
run cat /mnt/late
unlike "nor by root inside of it" "$out" 'uid=0'
gone late

# ---- restarts -------------------------------------------------------------------------------------

policy 1s
elevate alice 1h
as alice sudo -n bash -c 'trap "" TERM; (exec -a RESTART sleep 60); sleep 60' &
until_true 3 there RESTART
kill_teamd
start_teamd || exit 1
ok "a session outlives teamd" there RESTART
as alice teamctl revoke "$id" --yes >/dev/null
kill_teamd
start_teamd || exit 1
ok "teamd killed in the middle of the ladder goes on where it was" gone RESTART
ok "and the request is over" until_true 3 ended revoked
elevate alice 3s
as alice sudo -n bash -c '(setsid bash -c "exec -a AWAY sleep 60" &); sleep 60' &
ok "another session" until_true 3 there AWAY
kill_teamd
sleep 3.2
ok "while teamd is away the session goes on" there AWAY
start_teamd || exit 1
ok "and ends when it is back" gone AWAY
ok "with the elevation" until_true 3 ended ended

# ---- without a container ---------------------------------------------------------------------------

policy 1s off
ok "the policy is loaded" teamctl reload
stop_teamd
start_teamd || exit 1
elevate alice 1h
as alice sudo -n bash -c 'trap "" TERM; (exec -a LOOSE sleep 60); sleep 60' &
until_true 3 there LOOSE
is "it is recorded" "$(state '[.sessions[] | select(.state == "live")] | length')" 1
as alice teamctl revoke "$id" --yes >/dev/null
ok "without cgroups the process tree is killed" gone LOOSE
ok "and the request is over" until_true 3 ended revoked

# ---- nothing is left ------------------------------------------------------------------------------

stop_teamd
is "no session's cgroup is left" "$(find /sys/fs/cgroup -type d -path "*/$(_containers)/s*" 2>/dev/null | wc -l)" 0
start_teamd || exit 1
run teamctl audit --json
is "every session that began has an end in the trail" \
    "$(jq -s 'map(select(.action == "session.open" and .outcome == "yes")) | length' <<<"$out")" \
    "$(jq -s 'map(select(.action == "session.end")) | length' <<<"$out")"
finish
