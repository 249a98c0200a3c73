#!/bin/bash
# What was done with AWS access, read by the real courier: each source by itself, names that contain each
# other or mean something in a query, and all that a source can do wrong. The double carries the questions
# out as AWS would (tests/aws/trail.py).
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
. "$SRC/tests/aws/activity.sh"
start_double
PROD=111122223333 DEV=222233334444
LOGS='{ source = "logs";  log_group = "organization-trail"; }'
LOOKUP='{ source = "lookup";  regions = ["eu-west-1"];  role = "arn:aws:iam::{account}:role/team-activity"; }'
LAKE='{ source = "lake";  store = "12345678-90ab-cdef-1234-567890abcdef"; }'

# ---- look-alikes -------------------------------------------------------------------------------------------

U63=$(printf 'u%.0s' $(seq 63))
USERS=(bob bobby bo xbob b_b bxb b.b 'a%b' "o'neil" oneil 'x*y' xzy x+y@example.com xxy@example.com "${U63}u" "$U63")
SETS=(Admin AdministratorAccess Admin_Access AdminXAccess 'A+d.m@i=n,x-1' S2345678901234567890123456789012)
for s in "${!SETS[@]}"; do
    for u in "${!USERS[@]}"; do
        did $PROD "${SETS[s]}" "${USERS[u]}" "p$s-$u" $((60 + u))
        did $DEV "${SETS[s]}" "${USERS[u]}" "d$s-$u" $((60 + u))
    done
done
did $PROD Admin bob other-role 70 '{"role": "Admin"}'
did $PROD Admin bob long-role 71 '{"role": "AWSReservedSSO_Admin_0123456789abcdef0"}'
did $PROD Admin bob before -1
did $PROD Admin bob first 0
did $PROD Admin bob last 3600
did $PROD Admin bob after 3601
did $PROD Admin bob by-id 80 '{"more": {"userIdentity": {"type": "AssumedRole", "principalId": "A:bob", "sessionContext": {"sessionIssuer": {"userName": "AWSReservedSSO_Admin_0123456789abcdef"}}, "onBehalfOf": {"userId": "somebody-else"}}}}'
did $PROD Admin wide wide 81 "{\"more\": {\"requestParameters\": $(jq -nc '[range(250) | {key: "p\(.)", value: "x"}] | from_entries')}}"
did $PROD Admin 'e=q' equals 82 '{"equals": "\\u003d"}'
deliver

POST set '{"query_polls": 0}'
start_side logs "$LOGS"
start_side lookup "$LOOKUP"
start_side lake "$LAKE"
users_of() # Lake takes three questions for each, and one a second
{
    [ "$1" = lake ] && echo 0 1 4 5 7 8 10 14 || echo "${!USERS[@]}"
}

sets_of()
{
    [ "$1" = lake ] && echo 1 2 3 || echo 1 2 3 4 5
}

for side in logs lookup lake; do
    for u in $(users_of $side); do
        ask $side "$u" $PROD Admin "${USERS[u]}"
    done
    for s in $(sets_of $side); do
        ask $side $((100 + s)) $PROD "${SETS[s]}" bob
    done
done
for side in lake lookup logs; do
    wrong=
    for u in $(users_of $side); do
        comes $side "$u" 150
        wanted="p0-$u"
        [ "$u" != 0 ] || wanted="first last p0-0"
        [ "$(ids $side "$u")" = "$wanted" ] || wrong+="${USERS[u]} $(ids $side "$u"); "
        [ "$(outcome $side "$u")$(gaps $side "$u")" = done ] || wrong+="$(outcome $side "$u") $(gaps $side "$u")"
    done
    is "$side: each user has their own, and nobody else's" "$wrong" ""
    wrong=
    for s in $(sets_of $side); do
        comes $side $((100 + s)) 150
        [ "$(ids $side $((100 + s)))" = "p$s-0" ] || wrong+="${SETS[s]} $(ids $side $((100 + s))); "
    done
    is "$side: so has each permission set" "$wrong" ""
done
ask logs 150 $PROD Admin wide
ask logs 151 $PROD Admin 'e=q'
comes logs 150
comes logs 151
is "who calls cannot hide it behind more fields than Insights knows" "$(ids logs 150)" wide
is "a name is found as JSON may escape it" "$(ids logs 151)" equals
is "an event has all that it is asked for" \
    "$(of logs 3 '.call // empty | del(.raw, .raw_size) | .at -= $start' | jq -c .)" \
    '{"at":63,"id":"p0-3","name":"DescribeInstances","source":"ec2.amazonaws.com","region":"eu-west-1","address":"192.0.2.1","resource":"i-1"}'
is "and CloudTrail's record as it was" "$(of logs 3 '.call.raw // empty' | jq -r .userIdentity.arn)" \
    "arn:aws:sts::$PROD:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/xbob"
is "lookup asks in the account itself, as the role there" \
    "$(GET log | jq -r 'select(.operation == "AssumeRole") | .key' | sort -u)" "arn:aws:iam::$PROD:role/team-activity"

# ---- what goes wrong -----------------------------------------------------------------------------------------

POST ends '{"logs": ["Failed"]}'
ask logs 200 $PROD Admin bob
comes logs 200
is "a query that fails is asked again" "$(outcome logs 200) $(ids logs 200) $(gaps logs 200)" "done first last p0-0 "
POST ends '{"logs": ["Cancelled", "Failed", "Timeout"], "cloudtrail": ["FAILED", "CANCELLED", "TIMED_OUT"]}'
ask logs 201 $PROD Admin bob
ask lake 201 $PROD Admin bob
comes logs 201
comes lake 201
is "but not for ever: it is a gap" "$(outcome logs 201) $(ids logs 201) $(gaps logs 201)" \
    "done  0-3600 log group organization-trail: the query took too long"
is "of Lake as well" "$(outcome lake 201) $(ids lake 201) $(gaps lake 201)" \
    "done  0-3600 event data store 12345678-90ab-cdef-1234-567890abcdef: the query took too long"
POST set '{"queries": {"logs": 0, "cloudtrail": 0}}'
ask logs 202 $PROD Admin bob
ask lake 202 $PROD Admin bob
sleep 2
POST set '{"queries": {"logs": 30, "cloudtrail": 10}}'
comes logs 202
comes lake 202
is "too many queries: it waits" "$(ids logs 202) $(gaps logs 202) $(ids lake 202) $(gaps lake 202)" \
    "first last p0-0  first last p0-0 "
POST set '{"insights_rows": 10000, "empty_pages": 1, "page": 2}'
ask logs 203 $PROD Admin bob 0 600
ask lookup 203 $PROD Admin bob
comes logs 203
comes lookup 203
is "pages that are empty, and pages that are small" "$(ids logs 203) $(ids lookup 203)" "first p0-0 first last p0-0"
POST set '{"empty_pages": 0, "page": 0}'
POST faults '[{"op": "LookupEvents", "do": "throttle", "times": 2}, {"op": "FilterLogEvents", "do": "throttle"},
    {"op": "LookupEvents", "do": "html", "after": 1}, {"op": "FilterLogEvents", "do": "reset", "after": 1}]'
ask logs 204 $PROD Admin bob 0 600
ask lookup 204 $PROD Admin bob
comes logs 204
comes lookup 204
is "throttled and cut off, and nothing is lost" "$(ids logs 204) $(gaps logs 204) $(ids lookup 204) $(gaps lookup 204)" \
    "first p0-0  first last p0-0 "
POST faults '{"op": "FilterLogEvents", "do": "error", "code": "ExpiredTokenException"}'
ask logs 205 $PROD Admin bob 0 600
comes logs 205
is "an expired token is replaced" "$(ids logs 205) $(gaps logs 205)" "first p0-0 "
POST set '{"no_roles": ["arn:aws:iam::'$DEV':role/team-activity"]}'
ask lookup 206 $DEV Admin bob
comes lookup 206
like "an account without the role is a gap that says so" "$(gaps lookup 206)" \
    "^0-3600 LookupEvents: eu-west-1: .*sts:AssumeRole on arn:aws:iam::$DEV:role/team-activity"
POST faults '{"op": "FilterLogEvents", "do": "error", "code": "AccessDeniedException", "message": "no"}'
ask logs 207 $PROD Admin bob 0 600
comes logs 207
is "a permission that is missing is one too" "$(gaps logs 207)" \
    "0-600 log group organization-trail: logs FilterLogEvents refused: AccessDeniedException: no; the role that is assumed for this source needs the permission"

# ---- records that are odd --------------------------------------------------------------------------------------

big=$(head -c 250000 /dev/zero | tr '\0' x)
did $PROD Admin carol big 100 "{\"more\": {\"responseElements\": {\"big\": \"$big\"}}}"
did $PROD Admin carol nul 101 '{"parameters": {"key": "a\u0000b\u009b\u202e"}}'
did $PROD Admin carol late 102 "{\"delivered\": $((START + 5400))}"
did $PROD Admin carol read 103 '{"read_only": true}'
did $PROD Admin carol denied 104 '{"error": "AccessDenied"}'
deliver
for side in logs lookup lake; do
    ask $side 300 $PROD Admin carol
    comes $side 300
    is "$side: large, with NUL, late, all are there" "$(ids $side 300) $(gaps $side 300)" "big denied late nul read "
    is "$side: what is read only and what was denied" \
        "$(of $side 300 'select(.call.read_only or .call.error) | .call | .id + " " + (.error // "read")' | sort | xargs)" \
        "denied AccessDenied read read"
done
is "a record of 250 kB is kept in part, and says so" \
    "$(of logs 300 'select(.call.id == "big") | .call | (.raw | length < 32768), (.raw_size | tonumber > 250000),
        (.raw | fromjson.responseElements)' | xargs)" "true true (250010 bytes are left out here)"
is "control characters are escaped" "$(of logs 300 'select(.call.id == "nul") | .call.raw' | grep -o 'a.u0000b.*202e')" \
    'a\u0000b\u009b\u202e'

# ---- who looks on -----------------------------------------------------------------------------------------------

now=$(($(date +%s) - START))
for side in logs lookup; do
    ask $side 400 $PROD Admin "dave-$side" $((now - 1800)) $((now + 60)) 1
    comes $side 400
    did $PROD Admin "dave-$side" "fresh-$side" $((now - 5)) "{\"delivered\": $(date +%s)}"
    deliver
    ask $side 401 $PROD Admin "dave-$side" $((now - 1800)) $((now + 60)) 1
    comes $side 401
    is "$side: who looks on is told with the next question" "$(ids $side 400) $(ids $side 401 | grep -o "fresh-$side")" \
        " fresh-$side"
done
is "with FilterLogEvents, not with queries" "$(GET log | jq -r 'select(.service == "logs") | .operation' | tail -n 2 | sort -u)" \
    FilterLogEvents

# ---- replaced, given up, and done again ----------------------------------------------------------------------------

POST set '{"query_polls": 1000}'
ask logs 500 $PROD Admin bob
until_true 10 sh -c "curl -s $DOUBLE/_double/queries | jq -e '.running.logs == 1'"
ROUND=2 ask logs 500 $PROD Admin bob 0 600
ROUND=2 comes logs 500
is "a job is replaced by its next round" "$(ids logs 500)" "first p0-0"
ok "and its query is stopped" until_true 5 sh -c "curl -s $DOUBLE/_double/queries | jq -e '.running.logs == 0'"
ask lake 501 $PROD Admin bob
until_true 10 sh -c "curl -s $DOUBLE/_double/queries | jq -e '.running.cloudtrail == 1'"
tell lake '{"drop": 1}'
ok "when teamd is gone, so is the query" until_true 5 sh -c "curl -s $DOUBLE/_double/queries | jq -e '.running.cloudtrail == 0'"
POST set '{"query_polls": 1}'
until_true 10 sh -c "[ \$(grep -c '\"up\"' /run/side-lake/said) = 2 ]"
ask lake 501 $PROD Admin bob
comes lake 501
is "and it is read when teamd is back" "$(ids lake 501)" "first last p0-0"
tell logs '{"answer": 1}'
ask logs 502 $PROD Admin bob
comes logs 502
is "what teamd could not keep is not done" "$(outcome logs 502)" "failed: teamd could not keep what was found"
tell logs '{"answer": 0}'
ask logs 503 $PROD Admin bob
kill -KILL "$(cat /run/side-logs/courier.pid)"
wait "$(cat /run/side-logs/courier.pid)" 2>/dev/null
start_side_courier logs
ask logs 503 $PROD Admin bob
comes logs 503
is "a courier that was killed starts again" "$(ids logs 503)" "first last p0-0"

# ---- a log group into which much is written ---------------------------------------------------------------------------

POST set '{"empty_pages": 1000}'
ask logs 450 $PROD Admin bob 0 600 1
comes logs 450
is "where too much is written for a list, a query takes over" \
    "$(ids logs 450) $(GET log | jq -r 'select(.service == "logs") | .operation' | tail -n 1)" "first p0-0 GetQueryResults"
POST set '{"empty_pages": 0}'

for side in logs lookup lake; do
    is "$side: nothing else was said" "$(grep -v 'connected to teamd\|teamd is gone\|AWS cannot be asked\|no credentials: role arn:aws:iam::222' /run/side-$side/log)" ""
    stop_side $side
done
unbroken "no rule of AWS was broken"
finish
