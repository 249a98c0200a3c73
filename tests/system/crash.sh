#!/bin/bash
# kill -9 of teamd, again and again (KILLS, 200), while people ask, approve, run sudo and revoke: every
# answer that was given is in the store, nothing ran that was not recorded, and the trail is whole.
. "$(dirname "$0")/lib.sh"

kills=${KILLS:-200}
config <<'CONF'
settings: { auditors = ["@security"]; require_comment = false; };
eligibility = ( { name = "all"; who = ["alice", "bob", "erin"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "carol"; who = ["carol"]; targets = ["host:*/*"]; } );
CONF
start_teamd || exit 1

told=/mnt/told # what was answered: "ID requested alice", "ID approved", "ID ran alice", "ID revoked"
: >$told
go_on=/mnt/go-on
: >$go_on

worker()
{
    local who=$1 id

    while [ -e $go_on ]; do
        if as "$who" sudo -n true 2>/dev/null; then echo "- ran-without $who" >>$told; fi
        id=$(as "$who" teamctl request sudo --for 1h --reason "load" 2>/dev/null) || continue
        echo "$id requested $who" >>$told
        while [ -e $go_on ]; do
            as carol teamctl approve "$id" >/dev/null 2>&1
            case $? in
            0) echo "$id approved" >>$told; break ;;
            5) echo "$id approved-before" >>$told; break ;; # the answer of the first try was lost
            esac
        done
        as "$who" sudo -n true 2>/dev/null && echo "$id ran $who" >>$told
        while [ -e $go_on ]; do
            as "$who" teamctl revoke "$id" --yes >/dev/null 2>&1
            case $? in
            0 | 5) echo "$id revoked" >>$told; break ;;
            esac
        done
    done
}

for who in alice bob erin; do worker $who & workers+=" $!"; done
restarts=0
for ((i = 0; i < kills; i++)); do
    sleep 0.$((RANDOM % 20 + 5))
    kill_teamd
    "$BUILD/teamd" --config /etc/team/team.conf >>"$TEAM_LOG" 2>&1 </dev/null &
    TEAMD_PID=$!
    if [ $((RANDOM % 4)) -gt 0 ]; then
        until_true 10 teamctl status || die "teamd does not come back: $(tail -n 3 $TEAM_LOG)"
        restarts=$((restarts + 1))
    fi
done
rm $go_on
wait $workers
until_true 10 teamctl status
run teamctl list --json
printf '%s\n' "$out" >/mnt/list
run teamctl audit --json
printf '%s\n' "$out" >/mnt/trail

ok "there was load: $(grep -c requested $told) requests, $(grep -c ' ran ' $told) sudos, $restarts starts that got ready" \
    test "$(grep -c ' ran ' $told)" -ge $((kills / 10))
ids_told() { grep " $1" $told | cut -d' ' -f1 | sort -u; }
is "every request that was answered is in the store" \
    "$(comm -23 <(ids_told requested) <(jq -r .id /mnt/list | sort))" ""
is "so is every approval" \
    "$(comm -23 <(ids_told approved) <(jq -r 'select(.decisions[]? | .by == "carol" and .decision == "approved") | .id' /mnt/list | sort -u))" ""
is "so is every revocation" \
    "$(comm -23 <(ids_told revoked) <(jq -r 'select(.state == "revoked") | .id' /mnt/list | sort))" ""
is "nobody ran anything between elevations" "$(grep -c ran-without $told)" 0
for who in alice bob erin; do
    ran=$(grep -c " ran $who" $told)
    recorded=$(jq -r 'select(.action == "session.open" and .outcome == "yes" and .actor == "'$who'") | .seq' /mnt/trail | wc -l)
    ok "every sudo of $who is recorded ($ran ran, $recorded recorded)" test "$recorded" -ge "$ran"
done
is "every session was under a request that had been approved" \
    "$(comm -23 <(jq -r 'select(.action == "session.open" and .outcome == "yes") | .request' /mnt/trail | sort -u) \
        <(jq -r 'select(.action == "request.approve" and .outcome == "done") | .request' /mnt/trail | sort -u))" ""
is "the trail has no gap" "$(jq -s 'map(.seq) == [range(1; length + 1)]' /mnt/trail)" true
is "and each event is chained to the one before" \
    "$(jq -s '. as $t | all(range(1; length); $t[.].prev == $t[. - 1].hash)' /mnt/trail)" true
finish
