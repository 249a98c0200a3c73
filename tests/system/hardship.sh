#!/bin/bash
# A full disk, a flood by one person, and a policy that changes in between: nobody gets in who should
# not, who has to repair gets in, ends happen, and it all comes back.
. "$(dirname "$0")/lib.sh"

policy() # APPROVAL WHO
{
    config <<CONF
settings: { require_comment = false; auditors = ["carol"]; };
sessions: { grace = "1s"; };
gate: { exempt = ( { who = ["@ops"]; classes = ["sudo"]; } ); };
eligibility = ( { name = "sre"; who = [$2]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = $1; } );
approvers = ( { name = "leads"; who = ["bob"]; targets = ["host:*/*"]; } );
CONF
}
echo 'ops:x:3010:erin' >>/etc/group
mkdir -p /var/lib/team && mount -t tmpfs -o size=2m,mode=700 small /var/lib/team
policy false '"alice", "dave"'
start_teamd || exit 1

fill() { head -c 8m /dev/zero >/var/lib/team/ballast 2>/dev/null; :; }
room() { rm -f /var/lib/team/ballast; }
there() { pgrep -f "^$1" >/dev/null; }
none() { ! there "$1"; }

run as alice teamctl request sudo --for 1h --reason "before"
id=${out:0:8}
sudoers <<<'dave ALL=(ALL) NOPASSWD: ALL'
run as dave teamctl request sudo --for 6s --reason "short"
as dave sudo -n bash -c 'exec -a SHORT sleep 60' &
until_true 3 there SHORT

# ---- nearly full, and full -------------------------------------------------------------------------

head -c 1700k /dev/zero >/var/lib/team/ballast 2>/dev/null
exits 1 "on a disk that is nearly full nothing new is taken" as alice teamctl request sudo --for 1h --reason "more"
like "and teamd says why" "$out" 'nearly full'
fill
ran=0
for _ in $(seq 20); do as alice sudo -n true 2>/dev/null && ran=$((ran + 1)); done
ok "on a full disk sudo is refused once nothing can be recorded any more ($ran of 20 ran)" test $ran -lt 20
ok "root's sudo passes, to make room" sudo -n true
# What the file still has in it may be enough for a small change; then that is done.
done_or_says_why() { "$@" || { [ $? -eq 1 ] && grep -q 'disk of teamd is full' /mnt/said; }; }
said() { "$@" >/mnt/said 2>&1; }
ok "a revoke happens, or it says why it did not" done_or_says_why said as alice teamctl revoke "$id" --yes
ok "a reload too" done_or_says_why said teamctl reload
ok "a copy of the store is made, elsewhere" teamctl backup /dev/shm/backup.mdb
rm -f /dev/shm/backup.mdb
ok "what may be looked at can be looked at" as alice teamctl list
ok "a window that ends still ends its sessions" until_true 20 none SHORT
ok "teamd is alive" kill -0 "$TEAMD_PID"
room
revoked() { as alice teamctl revoke "$id" --yes || [ $? -eq 5 ]; }
until_true 10 revoked
run as alice teamctl show "$id" --json
is "with room again the revoke happens" "$(jq -r .state <<<"$out")" revoked
recorded=$(as carol teamctl audit --json | jq -s 'map(select(.action == "session.open" and .outcome == "yes" and .actor == "alice")) | length')
ok "whatever ran is recorded ($recorded)" test "$recorded" -ge "$ran"
is "the trail has no gap" "$(as carol teamctl audit --json | jq -s 'map(.seq) == [range(1; length + 1)]')" true
rss() { awk '/^RssAnon/ {print $2}' "/proc/$TEAMD_PID/status"; }
before=$(rss)

# ---- exempt people, group changes and reloads on a full disk -----------------------------------------

ok "erin is exempt" as erin sudo -n true
fill
for _ in 1 2 3; do as erin sudo -n true 2>/dev/null; teamctl reload >/dev/null 2>&1; done
sed -i 's/^ops:.*/ops:x:3010:/' /etc/group
sleep 1
for _ in 1 2 3; do teamctl reload >/dev/null 2>&1; sleep 0.5; done
room
until_true 10 teamctl reload
refused "who has left the group is not exempt when there is room again" as erin sudo -n true
ok "its memory has not grown much ($before, $(rss) kB)" test $(($(rss) - before)) -lt 6000

# ---- one person's flood ------------------------------------------------------------------------------

run as alice teamctl request sudo --for 1h --reason "work"
id=${out:0:8}
seq_before=$(as carol teamctl audit --json | jq -s 'map(.seq) | max')
run as carol bash -c 'for i in $(seq 300); do teamctl request sudo --for 1h --reason flood; done'
like "who is refused again and again is told to wait" "$out" 'too many of your asks were refused; wait a minute'
seq_after=$(as carol teamctl audit --json | jq -s 'map(.seq) | max')
ok "and does not fill the trail ($((seq_after - seq_before)) events)" test $((seq_after - seq_before)) -lt 90
ok "others are not in their way" as alice sudo -n true

# ---- many at once, beside a client that does not listen ----------------------------------------------

gate_sudo timeout=10s
before=$(rss)
install -m 0666 /dev/null /mnt/follows
as carol bash -c 'teamctl audit --since 1d --follow >/mnt/follows & echo $! >/tmp/stalled; wait' &
until_true 5 test -s /mnt/follows
kill -STOP "$(cat /tmp/stalled)"
: >/mnt/answers
for _ in $(seq 200); do
    { as alice sudo -n true 2>/dev/null && echo yes >>/mnt/answers; } &
    sudos+=" $!"
done
wait $sudos
is "200 sudos at once are answered beside a client that does not listen" "$(wc -l </mnt/answers)" 200
ok "and memory stays bounded ($before, $(rss) kB)" test $(($(rss) - before)) -lt 6000
kill -KILL "$(cat /tmp/stalled)"
gate_sudo

# ---- a policy that has become stricter -----------------------------------------------------------------

run as dave teamctl request sudo --for 1h --start +2s --reason "later"
later=${out:0:8}
policy true '"alice", "dave"'
ok "approval is required from now on" teamctl reload
sleep 2.5
run as dave teamctl show "$later" --json
is "what was let through without one does not open" "$(jq -r .state <<<"$out")" cancelled
ok "what is open stays open" as alice sudo -n true
run as alice teamctl request sudo --for 1h --reason "needs bob"
needs=${out:0:8}
sed -i 's/"bob"/"erin"/' /etc/team/team.conf
ok "bob is no approver any more" teamctl reload
exits 4 "so he does not see it" as bob teamctl approve "$needs"
ok "erin does" as erin teamctl approve "$needs"

# ---- one person's flood of what is granted -----------------------------------------------------------

stop_teamd
TEAMD=$BUILD/tests/system/teamd-often start_teamd || exit 1
churn='while id=$(teamctl request sudo --for 1h --reason churn) && n=$((n + 1)) && [ $n -lt 100 ] &&
    teamctl cancel "${id:0:8}"; do :; done'
run as alice bash -c "$churn"
like "who asks and cancels without end is told to stop" "$out" 'more than a person can use'
is "after so many" "$(grep -c cancelled <<<"$out")" 20
ok "others are not in their way" as dave teamctl request sudo --for 1h --reason "work"
finish
