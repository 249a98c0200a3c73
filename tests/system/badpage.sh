#!/bin/bash
# The disk fails where the store commits, LMDB's meta pages: teamd gives up at once instead of going
# on with what it cannot know, answers no until it is started again, and loses nothing that was
# answered.
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { require_comment = false; auditors = ["carol"]; };
eligibility = ( { name = "free"; who = ["alice"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
install -m 0666 /dev/null /mnt/tell

# Which write to a meta page is the first that fails; all after it fail, too.
for nth in 1 2 3 4 5 6 7; do
    rm -rf /var/lib/team /run/team
    : >/mnt/tell
    export LD_PRELOAD=$BUILD/tests/torture/fail.so FAIL_CALL=meta FAIL_ERRNO=5 FAIL_ON=1 FAIL_NTH=$nth FAIL_TELL=/mnt/tell
    "$BUILD/teamd" >>"$TEAM_LOG" 2>&1 </dev/null &
    pid=$!
    unset LD_PRELOAD
    until_true 10 sh -c "! kill -0 $pid || teamctl status"
    ids='' ran=0
    for _ in 1 2 3; do
        run as alice teamctl request sudo --for 1h --reason "a bad disk"
        [ "$status" -ne 0 ] || ids+="${out:0:8} "
        as alice sudo -n true 2>/dev/null && ran=$((ran + 1))
    done
    wait $pid
    gave_up=$?
    run as alice sudo -n id
    [[ $gave_up -eq 75 || $gave_up -eq 1 ]] && [[ ! $out =~ uid=0 ]] && grep -q failed /mnt/tell
    is "write $nth fails: teamd gives up ($gave_up; $(wc -w <<<"$ids") asks were answered, $ran sudos ran), and the gate says no" $? 0
    ok "write $nth: root's sudo passes" sudo -n true
    start_teamd || exit 1
    lost=''
    for id in $ids; do as alice teamctl show "$id" >/dev/null || lost+="$id "; done
    is "write $nth: started again it has all that was answered" "$lost" ""
    recorded=$(as carol teamctl audit --json | jq -s 'map(select(.action == "session.open" and .outcome == "yes")) | length')
    ok "write $nth: and what ran is recorded ($recorded)" test "$recorded" -ge "$ran"
    is "write $nth: the trail has no gap" "$(as carol teamctl audit --json | jq -s 'map(.seq) == [range(1; length + 1)]')" true
    stop_teamd
done
finish
