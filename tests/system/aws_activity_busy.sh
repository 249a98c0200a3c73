#!/bin/bash
# A busy hour: 20,000 calls of one person over three accounts and two regions, read within AWS's documented
# rates, which the double enforces, by way of CloudWatch Logs and of LookupEvents; while others are read, too.
# Takes two minutes, because of those rates.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
. "$SRC/tests/aws/activity.sh"
start_double
LOGS='{ source = "logs";  log_group = "organization-trail"; }'
LOOKUP='{ source = "lookup";  regions = ["eu-west-1", "us-east-1"];  role = "arn:aws:iam::{account}:role/team-activity"; }'
ACCOUNTS="111122223333:4000 111122224444:3000 222233334444:3000" # calls in each region
WORDS=$(printf 'a policy document that is long%.0s' $(seq 40))

# records USER SET TIMES STEP: in the second region each is half a second later.
for account in $ACCOUNTS; do
    jq -nc --arg account "${account%:*}" --argjson times "${account#*:}" --argjson start $START --arg words "$WORDS" '
        {records: [("eu-west-1", "us-east-1") as $region | ("alice", "alicia") as $user |
            {$account, $region, set: "AdministratorAccess", $user, at: $start, parameters: {document: $words},
             times: (if $user == "alice" then $times else 50 end), step: (3600 / $times)}]}' |
        curl -sS --fail-with-body -d @- "$DOUBLE/_double/add"
done
POST set '{"limits": true, "rates": {"sso-admin": 20, "identitystore": 20, "organizations": 10, "sts": 50, "logs": 5, "cloudtrail": 1}}'
start_side logs "$LOGS"
start_side lookup "$LOOKUP"
POST faults '[{"op": "GetQueryResults", "do": "throttle", "times": 3}, {"op": "LookupEvents", "do": "throttle", "times": 3, "after": 20},
    {"op": "LookupEvents", "do": "html", "after": 50}]'
n=0
for account in $ACCOUNTS; do
    n=$((n + 1))
    ask logs $n "${account%:*}" AdministratorAccess alice
    ask lookup $n "${account%:*}" AdministratorAccess alice
    ask logs 1$n "${account%:*}" AdministratorAccess alicia
    ask lookup 1$n "${account%:*}" AdministratorAccess alicia
done
for n in 1 2 3 11 12 13; do
    comes logs $n 300
    comes lookup $n 400
done
for side in logs lookup; do
    is "$side: all are done" "$(jq -r '.done // empty' /run/side-$side/said | sort | uniq -c | xargs)" "6 done"
    for n in 1 2 3; do of $side $n '.call.id // empty'; done | sort >/tmp/ids
    is "$side: 20,000 calls are there" "$(sort -u /tmp/ids | wc -l)" 20000
    ok "$side: hardly any twice (teamd goes by their ids): $(uniq -d /tmp/ids | wc -l)" \
        test "$(uniq -d /tmp/ids | wc -l)" -lt 100
    is "$side: in each account what was done there" \
        "$(for n in 1 2 3; do of $side $n '.call.raw // empty'; done | jq -r '.recipientAccountId + " " + .eventID' |
            sort -u | cut -d' ' -f1 | uniq -c | xargs)" \
        "8000 111122223333 6000 111122224444 6000 222233334444"
    is "$side: there are no gaps" "$(jq -c 'select(.gap)' /run/side-$side/said)" ""
    is "$side: who is called nearly so has their own" \
        "$(for n in 11 12 13; do of $side $n '.call.id // empty'; done | sort -u | wc -l)" 300
done
like "not all of it came in one answer" "$(GET log | jq -r 'select(.service == "logs" and .operation == "StartQuery") | .n' | wc -l)" \
    '^([7-9]|[1-9][0-9])$'
# On a busy machine calls that left apart in time arrive together; what is throttled is asked again.
throttled=$(GET log | jq -r 'select(.code and .fault == null) | .code' | wc -l)
ok "hardly anything was throttled but what had to be ($throttled)" test "$throttled" -lt 20
echo "# LookupEvents took $(GET log | jq -s '[.[] | select(.operation == "LookupEvents") | .time] | max - min | floor') s; at most $(GET queries)"
unbroken "no rule of AWS was broken"
finish
