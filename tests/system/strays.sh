#!/bin/bash
# What root takes out of a session, hidden behind many that are in place, or under another name.
# shellcheck disable=SC1091,SC2016,SC2154
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { require_comment = false; };
sessions: { grace = "0s"; warn = []; };
eligibility = ( { name = "all"; who = ["alice", "bob"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
start_teamd || exit 1
v2=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/self/mounts | head -n 1)

elevate() # USER
{
    run as "$1" teamctl request sudo --for 1h --reason "test of strays"
    id=${out:0:8}
}
there() { pgrep -f "^$1" >/dev/null; }
none() { ! there "$1"; }
ended() { [ "$(teamctl show "$id" --json | jq -r .state)" = revoked ]; }
escapes() { teamctl audit --request "$id" --action session.escape --json | jq -r '"\(.outcome) \(.detail)"'; }

# ---- in a crowd ---------------------------------------------------------------------------------

elevate alice
as alice sudo -n bash -c 'trap "" TERM HUP
    for i in $(seq 1200); do sleep 100 & done
    (exec -a HIDDEN bash -c "sleep 100 & wait") & echo $! >'"$v2"'/cgroup.procs
    wait' &
job=$!
ok "a session with 1,200 processes, and one outside" until_true 20 there HIDDEN
is "root has moved that out" "$(sed -n 's/^0:://p' "/proc/$(pgrep -f ^HIDDEN | head -n 1)/cgroup")" /
as alice teamctl revoke "$id" --yes >/dev/null
ok "the crowd does not hide it" until_true 5 none HIDDEN
ok "the request is over" until_true 10 ended
wait $job 2>/dev/null
like "the trail says that something was outside" "$(escapes)" '^noticed session [0-9]+$'

# More outside than one session may have followed.
elevate alice
as alice sudo -n bash -c 'trap "" TERM HUP; echo $$ >'"$v2"'/cgroup.procs
    for i in $(seq 300); do (exec -a OUTSIDE sleep 100) & done; (exec -a LAST sleep 100) & wait' &
job=$!
ok "a session with 300 processes outside" until_true 20 there LAST
as alice teamctl revoke "$id" --yes >/dev/null
ok "all of them end" until_true 5 none OUTSIDE
ok "the last one, too" until_true 5 none LAST
ok "and the request is over" until_true 10 ended
wait $job 2>/dev/null
like "the trail says that there were too many" "$(escapes)" '^noticed session [0-9]+: it has more processes than can be looked at$'

# A chain of parents and children, longer than anybody climbs.
cat >/usr/local/bin/chain <<'SH'
#!/bin/bash
# chain N CGROUP
if [ "$1" -gt 0 ]; then chain $(($1 - 1)) "$2" & wait; exit; fi
echo $$ >"$2/cgroup.procs"
exec -a DEEP sleep 100
SH
chmod 755 /usr/local/bin/chain
elevate alice
as alice sudo -n bash -c 'trap "" TERM HUP; chain 80 '"$v2"'; :' &
job=$!
ok "a process outside at the end of a chain of 80" until_true 20 there DEEP
sleep 0.1
as alice teamctl revoke "$id" --yes >/dev/null
ok "is found there" until_true 5 none DEEP
ok "and the request is over" until_true 10 ended
wait $job 2>/dev/null

# ---- under another name -------------------------------------------------------------------------

elevate bob
bobs=$id
elevate alice
forge='echo 2002 >/proc/self/loginuid; exec setpriv --reuid bob --regid bob --init-groups sudo -n bash -c "exec -a FORGED sleep 100"'
refused "nobody becomes bob by a login uid inside of a session" as alice sudo -n bash -c "$forge"
like "and the trail says why" "$(teamctl audit --user bob --action session.open --json | jq -r .detail)" 'this is inside a session of alice, with another login uid; log in anew'
as alice sudo -n bash -c "trap '' TERM; (echo \$BASHPID >$v2/cgroup.procs; $forge); :" &
job=$!
ok "outside of it root can" until_true 5 there FORGED
as alice teamctl revoke "$id" --yes >/dev/null
ok "but that hangs on the leader, and ends with alice's session" until_true 5 none FORGED
ok "as does her request" until_true 10 ended
wait $job 2>/dev/null
as bob teamctl revoke "$bobs" --yes >/dev/null

# ---- while nothing ends ---------------------------------------------------------------------------

stop_teamd
TEAMD=$BUILD/tests/system/teamd-often
start_teamd || exit 1
elevate alice
as alice sudo -n bash -c '(exec -a LEFT sleep 100) & sleep 1.5; echo $! >'"$v2"'/cgroup.procs; wait' &
job=$!
until_true 5 there LEFT
noticed() { [ -n "$(escapes)" ]; }
refused "what is in its place is not noticed" noticed
ok "what has left it is, at one of the looks that teamd takes by itself" until_true 10 noticed
sleep 1.5
is "once" "$(escapes | wc -l)" 1
ok "and is left alone as long as the elevation lasts" there LEFT
as alice teamctl revoke "$id" --yes >/dev/null
ok "but no longer" until_true 5 none LEFT
wait $job 2>/dev/null

finish
