#!/bin/bash
# What goes on now: live sessions, and events as they happen, each to those whom they concern.
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { admins = ["dave"]; auditors = ["@security"]; require_comment = false; };
gate: { exempt = ( { who = ["frank"]; classes = ["sudo"]; } ); };
eligibility = (
  { name = "sre"; who = ["alice"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; },
  { name = "others"; who = ["erin"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = (
  { name = "leads"; who = ["bob"]; targets = ["host:*/*"]; requesters = ["alice"]; },
  { name = "others"; who = ["dave"]; targets = ["host:*/*"]; requesters = ["erin"]; } );
CONF

# Somebody who passes without an elevation, and whose sessions are under no request.
echo 'frank:x:2006:2006::/home/frank:/bin/bash' >>/etc/passwd
echo 'frank:x:2006:' >>/etc/group
echo 'frank:*:19000:0:99999:7:::' >>/etc/shadow
install -d -o 2006 -g 2006 -m 0750 /home/frank
# Somebody who is in a group without being named by it, which only a look at them can tell.
echo 'gina:x:2007:3003::/home/gina:/bin/bash' >>/etc/passwd
install -d -o 2007 -g 3003 -m 0750 /home/gina
sudoers <<<'frank ALL=(ALL:ALL) NOPASSWD: ALL'
start_teamd || exit 1

elevate()
{
    run as "$1" teamctl request sudo --for 1h --reason "a test of watching"
    id=${out:0:8}
}

# ---- sessions -----------------------------------------------------------------------------------

# sessions_of USER: the users whose sessions USER sees, in the order in which they are listed.
sessions_of()
{
    as "$1" teamctl sessions --json | jq -r .user | paste -sd' '
}

sleepers=()
nap()
{
    as "$1" sudo -n sleep 30 &
    sleepers+=($!)
    until_true 5 has_sessions $((${#sleepers[@]}))
}
has_sessions()
{
    [ "$(teamctl sessions --json | wc -l)" -eq "$1" ]
}

ok "with no session there is none" teamctl sessions
is "and it says so" "$out" "no sessions"
elevate alice
alices=$id
elevate erin
erins=$id
as dave teamctl approve "$erins" >/dev/null
nap alice
nap erin
nap frank
is "root sees every session, the oldest first" "$(sessions_of root)" "alice erin frank"
is "an admin does" "$(sessions_of dave)" "alice erin frank"
is "an auditor does" "$(sessions_of carol)" "alice erin frank"
is "a requester sees their own" "$(sessions_of alice)" "alice"
is "who is exempt sees their own" "$(sessions_of frank)" "frank"
is "an approver sees those whose requests they could decide" "$(sessions_of bob)" "alice"
is "a stranger sees none" "$(sessions_of team)" ""
run as alice teamctl sessions --json
is "a session says what it is" "$(jq -r '[.request, .user, .service, .target_user, .state, .ended_at] | @csv' <<<"$out")" \
    "\"$alices\",\"alice\",\"sudo\",\"root\",\"live\","
teamctl sessions --json | jq .leader | xargs kill
wait "${sleepers[@]}" 2>/dev/null
ok "what is over is not listed any more" until_true 5 has_sessions 0

# ---- events as they happen ----------------------------------------------------------------------

# follow NAME USER CMD...: CMD in the background; what it says is in /mnt/NAME.
declare -A job pid
follow()
{
    local name=$1 user=$2
    shift 2
    as "$user" sh -c 'echo $$ >/tmp/pid; exec "$@"' sh "$@" >"/mnt/$name" 2>"/mnt/$name.err" &
    job[$name]=$!
    until_true 5 test -s /tmp/pid
    pid[$name]=$(</tmp/pid)
    rm /tmp/pid
}
# events NAME: "who action outcome" of what it has said since mark.
events()
{
    jq -r "select(.seq > $marked)"' | "\(.actor) \(.action) \(.outcome)"' "/mnt/$1" | paste -sd,
}
mark()
{
    marked=$(teamctl audit --json | jq -s 'map(.seq) | max')
}
# Nobody is told when they have begun to follow: something is done until all have heard of it.
all_follow()
{
    local name

    elevate alice
    as alice teamctl revoke "$id"
    for name in "$@"; do
        [ -s "/mnt/$name" ] || return 1
    done
}
# has NAME N: it has said N events since mark.
has()
{
    [ "$(jq -c "select(.seq > $marked)" "/mnt/$1" | wc -l)" -eq "$2" ]
}

as alice teamctl revoke "$alices" >/dev/null
as erin teamctl revoke "$erins" >/dev/null
follow team team teamctl watch --json
follow root root teamctl watch --json
follow alice alice teamctl watch --json
follow bob bob teamctl watch --json
follow carol carol teamctl watch --json
follow gina gina teamctl watch --json
follow trail carol teamctl audit --follow --json
follow since carol teamctl audit --follow --since 1h --json
follow filter carol teamctl audit --follow --user erin --action gate.account --json
ok "who follows hears of what happens" until_true 20 all_follow root alice bob carol gina trail
mark

elevate alice
as dave teamctl revoke "$id" >/dev/null
elevate erin
erins=$id
refused "bob has no elevation" as bob sudo -n true
until_true 5 has root 8
all=$(events root)
is "root sees every event" "$all" \
    "alice request.submit done,null request.schedule done,null request.start done,null request.active done,dave request.ending done,dave request.revoke done,erin request.submit done,bob gate.account no"
is "an auditor does" "$(events carol)" "$all"
is "audit --follow has them all" "$(events trail)" "$all"
is "a requester sees what happens to their requests, by whomever, to the very end" "$(events alice)" \
    "${all%,erin*}"
is "an approver sees what happens to requests that they could decide, and what they did" "$(events bob)" \
    "${all%,erin*},bob gate.account no"
is "a stranger sees nothing" "$(cat /mnt/team)" ""
is "audit --follow begins now" "$(jq -s '.[0].seq > 1' /mnt/trail)" true
is "audit --follow --since begins there" "$(jq -s '.[0].seq' /mnt/since)" 1
is "and goes on" "$(jq -s 'max_by(.seq).seq' /mnt/since)" "$(jq -s 'max_by(.seq).seq' /mnt/root)"
is "events come in order and without gaps" "$(jq -s '[.[].seq] | . == [range(.[0]; .[0] + length)]' /mnt/since)" true
refused "erin has no elevation, yet" as erin sudo -n true
until_true 5 has filter 1
is "audit --follow has filters" "$(events filter)" "erin gate.account no"
exits 2 "what is followed has no end" as carol teamctl audit --follow --until now
exits 3 "a requester does not follow the trail" as alice teamctl audit --follow

# While nothing happens, nobody wakes up.
switches()
{
    awk '/^voluntary/ { print $2 }' "/proc/$1/status"
}
before=$(switches "$TEAMD_PID") before_alice=$(switches "${pid[alice]}")
sleep 3
ok "teamd sleeps while nothing happens" test $(($(switches "$TEAMD_PID") - before)) -le 2
is "so does who follows" "$(switches "${pid[alice]}")" "$before_alice"

# Somebody who does not read is behind, and nobody else is.
mark
kill -STOP "${pid[carol]}"
as alice sh -c 'for i in $(seq 200); do
    id=$(teamctl request sudo --for 1h --reason "one of many"); teamctl revoke "$id" --yes
done' >/dev/null 2>&1
many=$(teamctl audit --json | jq -s "map(select(.seq > $marked)) | length")
ok "much has happened ($many events)" test "$many" -gt 1000
ok "others hear of it at once" until_true 10 has root "$many"
is "who does not read has not" "$(has carol "$many" && echo all)" ""
kill -CONT "${pid[carol]}"
ok "who reads again hears of all" until_true 10 has carol "$many"
is "in order and without gaps" "$(jq -s '[.[].seq] | . == [range(.[0]; .[0] + length)]' /mnt/carol)" true

# Ends.
run timeout --preserve-status -s INT 1 teamctl watch
is "Ctrl-C ends it cleanly" "$status" 0
is "and it says nothing about it" "$out" ""
ok "a reader that goes away ends it" timeout 20 bash -c 'teamctl audit --follow --since 1h --csv | head -n 1'
is "with what it has said" "$out" "seq,time,host,actor,action,request,target,outcome,detail,prev,hash"
kill "${pid[team]}"
wait "${job[team]}"
is "SIGTERM ends it cleanly, too" $? 0

# Everybody is looked up anew.
mark
ok "the policy is loaded again" teamctl reload
until_true 5 has root 1
is "who follows is still who they are" "$(until_true 5 has gina 1; events gina)" "root policy.load done"

# Who is no auditor any more does not go on as one.
sed -i 's/auditors = .*; require/auditors = []; require/' /etc/team/team.conf
ok "carol is no auditor any more" teamctl reload
wait "${job[trail]}"
is "audit --follow ends for who may not read the trail any more" $? 3
like "and says why" "$(cat /mnt/trail.err)" 'not yours to read any more'
mark
as dave teamctl approve "$erins" >/dev/null
until_true 5 has root 4
is "watch goes on with what concerns them" "$(events carol)" ""

# teamd that stops does not wait for those who follow.
begin=$EPOCHREALTIME
ok "teamd stops" stop_teamd
ms=$((((${EPOCHREALTIME/[.,]/} - ${begin/[.,]/})) / 1000))
ok "at once ($ms ms)" test "$ms" -lt 1000
wait "${job[alice]}"
is "who follows learns that it is gone" $? 6
finish
