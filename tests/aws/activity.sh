# What was done with AWS access, for system tests: source it after tests/aws/lib.sh.
#
#   start_side NAME '{ source = "logs"; ... }'   a teamd that follows a script (teamd.py), and a courier with
#                                                this as its aws.activity; NAME has them apart
#   stop_side NAME
#   ask NAME JOB ACCOUNT SET USER [SINCE [UNTIL [SOON]]]    a job; times are seconds, from $START on
#   comes NAME JOB [SECONDS]                     waits until it is done or failed
#   ids NAME JOB                                 ids of what was found, sorted
#   gaps NAME JOB                                "FROM-UNTIL WHY" from $START on
#   did ACCOUNT SET USER ID AT [MORE]            a record, AT seconds after $START; MORE: further members
#   deliver                                      now the double has them
# shellcheck shell=bash
# shellcheck disable=SC2034

START=$((($(date +%s) / 60 - 120) * 60)) # two hours ago
NOWHERE=/dev/null

start_side()
{
    local dir=/run/side-$1

    mkdir -p "$dir" /etc/team
    mkfifo "$dir/in"
    : >"$dir/said"
    install -m 0644 /dev/stdin "/etc/team/$1.conf" <<CONF
aws: { region = "eu-west-1";  activity = ( $2 ); };
eligibility = ( { name = "x";  who = ["alice"];  targets = ["aws:*/*"]; } );
approvers = ( { name = "x";  who = ["bob"];  targets = ["aws:*/*"]; } );
CONF
    PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/aws/teamd.py" "$dir/courier.sock" team-courier \
        <>"$dir/in" >"$dir/said" 2>>"$DOUBLE_LOG" &
    echo $! >"$dir/teamd.pid"
    until_true 10 test -S "$dir/courier.sock" || die "no teamd: $(cat "$DOUBLE_LOG")"
    start_side_courier "$1"
}

start_side_courier()
{
    local dir=/run/side-$1 ups

    ups=$(grep -c '"up"' "$dir/said")
    "$BUILD/team-courier" --config "/etc/team/$1.conf" --runtime-dir "$dir" >>"$dir/log" 2>&1 </dev/null &
    echo $! >"$dir/courier.pid"
    until_true 20 sh -c "[ \$(grep -c '\"up\"' '$dir/said') -gt $ups ]" || die "no courier: $(cat "$dir/log")"
}

stop_side()
{
    kill "$(cat "/run/side-$1/courier.pid")" "$(cat "/run/side-$1/teamd.pid")" 2>/dev/null
    wait "$(cat "/run/side-$1/courier.pid")" "$(cat "/run/side-$1/teamd.pid")" 2>/dev/null
    rm -rf "/run/side-$1"
}

tell() # NAME JSON
{
    printf '%s\n' "$2" >"/run/side-$1/in"
}

ask()
{
    tell "$1" "$(jq -nc --argjson job "$2" --arg account "$3" --arg set "$4" --arg user "$5" --argjson round "${ROUND:-1}" \
        --argjson since $((START + ${6:-0})) --argjson until $((START + ${7:-3600})) --argjson soon "${8:-0}" \
        '{$job, $round, $account, $set, $user, principal: "id-of-somebody", $since, $until, $soon}')"
}

of() # NAME JOB FILTER
{
    jq -r --argjson job "$2" --argjson start "$START" "select(.job == \$job) | $3" "/run/side-$1/said"
}

comes()
{
    until_true "${3:-60}" grep -q "{\"done\": .*\"job\": $2, \"round\": ${ROUND:-1}}" "/run/side-$1/said"
}

ids()
{
    of "$1" "$2" '.call.id // empty' | sort | xargs
}

gaps()
{
    of "$1" "$2" 'select(.gap) | .gap | "\(.[0] - $start | floor)-\(.[1] - $start | floor) \(.[2])"'
}

outcome()
{
    of "$1" "$2" 'select(.done) | .done + (if .text == "" then "" else ": " + .text end)'
}

did()
{
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" $((START + $5)) "${6:-{\}}" >>/tmp/did
}

deliver()
{
    jq -Rsc '{records: [split("\n")[:-1][] | split("\t") | {account: .[0], set: .[1], user: .[2], id: .[3],
        at: (.[4] | tonumber)} + (.[5] | fromjson)]}' /tmp/did |
        curl -sS --fail-with-body -o $NOWHERE -d @- "$DOUBLE/_double/add" || die "nothing was delivered"
    rm /tmp/did
}
