#!/bin/bash
# What CloudTrail delivers late, and for how long it is kept: the passes after the last credentials have
# died, and the end of aws.activity_keep. teamd's clocks are those of tests/torture/clock.c.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

MINUTE=60 HOUR=3600 DAY=86400
config <<'CONF'
settings: { auditors = ["carol"]; require_comment = false; };
aws: { region = "eu-west-1"; activity_keep = "3d"; activity = ( { source = "logs"; log_group = "trail"; } ); };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["aws:*/*"]; max_duration = "4h"; approval_required = false; } );
CONF
DIR=/mnt/trail
install -d -o team-courier -m 0777 $DIR
ADMIN=$DIR/111122223333.Admin.alice
passed=0
passes() # SECONDS: so much time goes by
{
    passed=$((passed + $1))
    echo "$passed $passed" >/mnt/shift
}
begin() { LD_PRELOAD=$BUILD/tests/torture/clock.so CLOCK_SHIFT=/mnt/shift start_teamd; }
start_courier()
{
    setpriv --reuid team-courier --regid team-courier --clear-groups perl "$SRC/tests/system/courier.pl" $DIR &
    courier_pid=$!
    until_true 5 sh -c '[ "$(teamctl status --json | jq -r .courier)" = connected ]'
}
call() { printf '%s|%s|%s|146=x\n' "$from" "$1" "$2" >>$ADMIN; }
ids_are() { [ "$(teamctl logs "$id" --json 2>/dev/null | jq -r '.event_id // empty' | sort | paste -sd,)" = "$1" ]; }
complete() { [ "$(teamctl show "$id" --json | jq -r '.activity[0].complete')" = "$1" ]; }

gap_is() { [ "$(teamctl logs "$id" --json 2>/dev/null | jq -r 'select(.kind == "gap") | .reason' | paste -sd,)" = "$1" ]; }

passes 0
begin || exit 1
start_courier
until_true 5 sh -c "teamctl status --json | jq -e .accounts" || die "AWS was not read"
id=$(as alice teamctl request aws:prod/Admin --for 1h --reason "late ones" 2>/dev/null)
until_true 10 sh -c "[ \$(teamctl show $id --json | jq -r .state) = active ]" || die "not active"
from=$(date -d "$(teamctl show "$id" --json | jq -r .active_from)" +%s)
call in-time First
passes $((2 * MINUTE))
ok "a pass after two quiet minutes" until_true 10 ids_are in-time
looks() { [ "$(awk 'END { print $2 - from }' from="$from" $DIR/jobs)" "$@" ]; }
passes $((40 * MINUTE))
until_true 5 sh -c "[ \$(wc -l <$DIR/jobs) -ge 3 ]"
sleep 0.2
passes $((10 * MINUTE))
ok "one looks back 20 minutes from where the one before has come to" until_true 5 looks -gt $((20 * MINUTE))
call late Second
passes $((10 * MINUTE))
sleep 0.5
ok "what comes more than 20 minutes late is not seen while it lasts" ids_are in-time
ok "the elevation has ended" until_true 10 sh -c "[ \$(teamctl show $id --json | jq -r .state) = ended ]"
passes $HOUR # the credentials have died
sleep 0.5
kill_teamd
wait "$courier_pid" 2>/dev/null
begin
start_courier
passes $((21 * MINUTE))
ok "20 minutes after the last credentials all of it is looked at once more, over a kill -9" \
    until_true 10 ids_are in-time,late
ok "that is not the end" complete null
call later Third
passes $((12 * HOUR))
sleep 0.5
ok "for a day nothing is asked" ids_are in-time,late
passes $((12 * HOUR))
ok "then once more" until_true 10 ids_are in-time,late,later
ok "and it is whole" until_true 5 complete true
call never Fourth
passes $DAY
sleep 0.5
ok "nothing is asked any more" ids_are in-time,late,later
ok "and it is kept" ids_are in-time,late,later
passes $((DAY + HOUR))
ok "as long as aws.activity_keep says" until_true 10 ids_are ""
like "which the trail has" "$(as carol teamctl audit --action activity.drop --json | jq -r '.request + " " + .target + " " + .detail')" \
    "^$id aws:111122223333/Admin .*calls: 3$"
exits 0 "the request is still there" teamctl show "$id"
like "and says that nothing is kept" "$out" 'aws:111122223333/Admin: nothing was collected, or it is not kept any more'

# ---- what cannot be read ------------------------------------------------------------------------------------

echo "the log group is gone" >$DIR/fail
id=$(as alice teamctl request aws:dev/Read --for 1h --reason "blind" 2>/dev/null)
until_true 10 sh -c "[ \$(teamctl show $id --json | jq -r .state) = active ]" || die "not active"
passes $((16 * MINUTE))
ok "what has not been read for a quarter of an hour is a gap, with the reason" until_true 10 gap_is "the log group is gone"
like "which people see" "$(as alice teamctl logs "$id" 2>/dev/null)" 'no data from .* to .* +the log group is gone'
rm $DIR/fail
passes $((10 * MINUTE))
ok "until it has been read" until_true 10 gap_is ""
kill "$courier_pid"
wait "$courier_pid" 2>/dev/null
passes $((16 * MINUTE))
ok "so it is when the courier is away" until_true 5 gap_is "team-courier is not connected"
echo "the log group is gone" >$DIR/fail
start_courier
passes $HOUR
until_true 10 sh -c "[ \$(teamctl show $id --json | jq -r .state) = ended ]" || die "not ended"
passes $((6 * DAY))
ok "for a week it is tried" until_true 10 gap_is "the log group is gone"
ok "..." complete null
passes $((2 * DAY))
ok "then it stays unknown" until_true 10 complete true
ok "and is told as such" gap_is "the log group is gone"
is "nothing is under way any more" "$(teamctl status --json | jq .activity_collecting)" 0
unlike "nothing failed of teamd's own" "$(cat "$TEAM_LOG")" 'cannot'
kill "$courier_pid"
kill_teamd
finish
