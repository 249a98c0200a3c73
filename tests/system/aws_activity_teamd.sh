#!/bin/bash
# What was done with AWS access, all the way: the double, the real courier, the real teamd, teamctl. A busy
# hour of 20,000 calls in three accounts comes whole, in order and once, though the courier is killed in the
# middle, and the source is away for a while.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
. "$SRC/tests/aws/activity.sh"
start_double
config <<'CONF'
settings: { admins = ["dave"];  auditors = ["carol"];  approval = false; };
identity: { aws_user = "{user}@example.com"; };
aws: { region = "eu-west-1";  activity = ( { source = "logs";  log_group = "organization-trail";  role = "arn:aws:iam::555566667777:role/team-activity"; },
    { source = "lookup";  regions = ["eu-west-1"];  role = "arn:aws:iam::{account}:role/team-activity"; } ); };
eligibility = ( { name = "x";  who = ["alice", "bob"];  targets = ["aws:*/*"];  max_duration = "4h"; } );
CONF
start_teamd || exit 1
start_courier
aws_is_read || die "AWS was not read: $(cat "$COURIER_LOG")"

PROD=111122223333 DB=111122224444 DEV=222233334444
id=$(as alice teamctl request aws:prod-web/AdministratorAccess aws:prod-db/AdministratorAccess aws:dev/AdministratorAccess \
    --for 2h --reason "a busy hour" 2>/dev/null)
comes_within 30 "$id" active || die "$id is not active: $(teamctl show "$id")"
bobs=$(as bob teamctl request aws:prod-web/AdministratorAccess --for 2h --reason "beside her" 2>/dev/null)
comes_within 30 "$bobs" active || die "$bobs is not active: $(teamctl show "$bobs")"
sleep 1
START=$(date +%s)

lines() # of $id, as JSON
{
    as carol teamctl logs "$id" --json --all "$@"
}

calls_are()
{
    [ "$(lines --source aws | jq -r 'select(.kind == "call") | .event_id' | wc -l)" = "$1" ]
}

# ---- who looks on ---------------------------------------------------------------------------------------

as bob teamctl logs "$bobs" --follow --json >/tmp/followed 2>&1 &
follow_pid=$!
sleep 4
did $PROD AdministratorAccess bob@example.com fresh 0
deliver
began=$(date +%s%N)
ok "who follows sees a call soon" until_true 30 grep -q '"event_id":"fresh"' /tmp/followed
echo "# after $((($(date +%s%N) - began) / 1000000)) ms"
kill $follow_pid

# ---- a busy hour ------------------------------------------------------------------------------------------

POST faults '[{"op": "FilterLogEvents", "do": "throttle", "times": 2}, {"op": "FilterLogEvents", "do": "reset", "times": 2, "after": 1}]'
for account in $PROD:8000 $DB:6000 $DEV:6000; do # in a region that only the log group sees
    jq -nc --arg account "${account%:*}" --argjson times "${account#*:}" --argjson start "$START" '
        {records: [("alice", "alicea", "bob") as $user | {$account, region: "us-west-2", set: "AdministratorAccess",
            user: "\($user)@example.com", at: $start, step: (3 / $times), name: "DescribeInstances",
            times: (if $user == "alice" then $times else 20 end)}]}' |
        curl -sS --fail-with-body -d @- "$DOUBLE/_double/add"
done
for n in 1 2 3; do # what both sources have
    did $PROD AdministratorAccess alice@example.com both-$n $n '{"error": "AccessDenied"}'
done
deliver
sleep 4 # all of it is in the past now
as alice timeout 300 teamctl logs "$id" --follow --json >/tmp/followed 2>&1 &
follow_pid=$!
until_true 60 grep -q event_id /tmp/followed
kill_courier
start_courier
ok "all that was done is there, though the courier was killed in the middle" until_true 120 calls_are 20003
kill $follow_pid
lines --source aws >/tmp/lines
is "each once" "$(jq -r '.event_id // empty' /tmp/lines | sort | uniq -d | wc -l)" 0
is "in order" "$(jq -r 'select(.kind == "call") | .time' /tmp/lines | sort -c 2>&1)" ""
is "in its account" "$(jq -r 'select(.kind == "call") | .target' /tmp/lines | sort | uniq -c | xargs)" \
    "8003 aws:$PROD/AdministratorAccess 6000 aws:$DB/AdministratorAccess 6000 aws:$DEV/AdministratorAccess"
is "who followed saw each once" "$(grep -o '"event_id":"[^"]*"' /tmp/followed | sort | uniq -d | wc -l)" 0
is "nothing that is alice's is bob's" "$(as bob teamctl logs "$bobs" --json --all | jq -r 'select(.kind == "call") | .event_id' | grep -c both)" 0
is "what was denied is found" "$(lines --errors | jq -r '.event_id // empty' | xargs)" "both-1 both-2 both-3"

# ---- a source that is away ----------------------------------------------------------------------------------

gaps_say() # REGEX
{
    lines --source aws | jq -r 'select(.kind == "gap") | .reason' | grep -q "$1"
}

POST faults '{"op": "FilterLogEvents|StartQuery", "do": "error", "code": "AccessDeniedException", "message": "not now", "times": -1}'
as alice timeout 300 teamctl logs "$id" --follow --json >/tmp/followed 2>&1 &
follow_pid=$!
# On a busy machine listing takes too long, and it is queried.
ok "a source that cannot be read is a gap that says so" until_true 60 gaps_say \
    'log group organization-trail: logs \(FilterLogEvents\|StartQuery\) refused: AccessDeniedException: not now'
like "and people see it" "$(as alice teamctl logs "$id" | grep 'no data')" 'no data from .* log group organization-trail'
did $PROD AdministratorAccess alice@example.com meanwhile $(($(date +%s) - START - 2)) '{"region": "us-west-2"}'
deliver
POST calm
ok "what was done meanwhile comes when it is back" until_true 60 calls_are 20004
no_gaps()
{
    ! gaps_say .
}
ok "and the gap closes" until_true 60 no_gaps
kill $follow_pid
unbroken "no rule of AWS was broken"
kill_courier
stop_teamd
finish
