#!/bin/bash
# What was done with the access, on the host and in AWS, in one time line: collected, kept, and read by those
# who may. AWS is a courier of our own (courier.pl), which says what is in files.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

policy() # ACTIVITY...
{
    config <<CONF
settings: { admins = ["dave"]; auditors = ["carol"]; require_comment = false; };
aws: { region = "eu-west-1"; $* };
eligibility = ( { name = "sre"; who = ["alice", "erin"]; targets = ["aws:*/Admin", "aws:*/Read"]; max_duration = "4h"; approval_required = false; },
                { name = "mixed"; who = ["alice"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; },
                { name = "asked"; who = ["erin"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["bob"]; targets = ["host:*/*", "aws:*/*"]; } );
CONF
}
ACTIVITY='activity = ( { source = "logs"; log_group = "trail"; } );'

DIR=/mnt/trail
install -d -o team-courier -m 0777 $DIR
ADMIN=$DIR/111122223333.Admin.alice

start_courier()
{
    setpriv --reuid team-courier --regid team-courier --clear-groups perl "$SRC/tests/system/courier.pl" $DIR &
    courier_pid=$!
    until_true 5 courier_is connected
}
courier_is() { [ "$(teamctl status --json | jq -r .courier)" = "$1" ]; }
stop_courier()
{
    kill "$courier_pid"
    wait "$courier_pid" 2>/dev/null
    until_true 5 courier_is "not connected"
}
elevate() # USER TARGET...: $id
{
    local who=$1
    shift
    id=$(as "$who" teamctl request "$@" --for 1h --reason "test of logs" 2>/dev/null)
    until_true 10 active "$id" || die "$id is not active: $(teamctl show "$id")"
}
active() { [ "$(teamctl show "$1" --json | jq -r .state)" = active ]; }
# call FILE AGO ID NAME [REST]: a call, so many seconds ago.
call()
{
    printf '%s|%s|%s|%s\n' $(($(date +%s) - $2)) "$3" "$4" "${5:-146=ec2.amazonaws.com;151=1}" >>"$1"
}
# ids USER ID [OPTION...]: the events, in order, with commas.
ids() { as "$1" teamctl logs "$2" --json "${@:3}" | jq -r '.event_id // empty' | paste -sd,; }
ids_are() { [ "$(ids "$1" "$2")" = "$3" ]; }

# ---- without AWS's activity -------------------------------------------------------------------------------

policy
gate_sudo
start_teamd || exit 1
start_courier
until_true 5 sh -c "teamctl status --json | jq -e .accounts" || die "AWS was not read"
elevate alice aws:prod/Admin sudo
as alice sudo -n sh -c 'true one' && as alice sudo -n sh -c 'exit 3'
until_true 5 sh -c "[ \$(teamctl show $id --json | jq '[.sessions[] | select(.ended_at)] | length') = 2 ]"
exits 0 "a time line of the host alone" as alice teamctl logs "$id"
like "with beginnings" "$out" 'host +session begins, as root +.*true one'
like "and ends" "$out" 'host +session ends'
like "and it says that AWS is not collected" "$out" 'aws:111122223333/Admin: not collected: aws.activity is not configured'
is "in order" "$(as alice teamctl logs "$id" --json | jq -r .kind | paste -sd,)" \
    session_start,session_end,session_start,session_end
exits 0 "as CSV" as alice teamctl logs "$id" --csv
like "with the columns that TEAM has, under our names" "$(head -n 1 /mnt/out)" 'time,.*event_name,.*event_source,.*event_id,.*user,.*account_id,account_name'
is "--grep" "$(as alice teamctl logs "$id" --json --grep 'true one' | jq -r .kind | paste -sd,)" session_start,session_end
is "--source aws has nothing of the host" "$(as alice teamctl logs "$id" --json --source aws 2>/dev/null)" ""
exits 2 "a source that is none" as alice teamctl logs "$id" --source moon
exits 2 "an ID and --search" as alice teamctl logs "$id" --search x
exits 2 "neither" as alice teamctl logs
exits 2 "--follow has no end" as alice teamctl logs "$id" --follow --until 1h
exits 4 "not erin's to see" as erin teamctl logs "$id"
exits 4 "what is not there is told in the same words" as erin teamctl logs ZZZZZZZZ
exits 4 "nor by a prefix" as erin teamctl logs "${id:0:5}"
exits 0 "the approver's" as bob teamctl logs "$id"
exits 0 "the auditor's" as carol teamctl logs "$id"
exits 0 "by a prefix" as alice teamctl logs "${id:0:6}"

# ---- collected ------------------------------------------------------------------------------------------

policy "$ACTIVITY"
sleep 2.1 # times of CloudTrail are whole seconds
call $ADMIN 0 e-1 DescribeInstances "146=ec2.amazonaws.com;147=eu-west-1;148=192.0.2.7;151=1;152={\"a\":\"needle one\"};153=300000"
call $ADMIN 0 e-2 TerminateInstances "146=ec2.amazonaws.com;149=i-1;150=Client.UnauthorizedOperation"
teamctl reload >/dev/null
ok "a live elevation is collected once it is configured" until_true 10 ids_are alice "$id" e-1,e-2
like "who it is asked for" "$(head -n 1 $DIR/jobs)" '^111122223333.Admin.alice [0-9]+ [0-9]+ - u-alice$'
like "the refused one stands out" "$(as alice teamctl logs "$id")" '! Client.UnauthorizedOperation'
like "--errors" "$(ids alice "$id" --errors)" '^e-2$'
is "--grep looks into the record" "$(ids alice "$id" --grep 'needle one')" e-1
is "--raw gives the records" "$(as alice teamctl logs "$id" --raw 2>/dev/null)" '{"a":"needle one"}'
like "and says of how many there are none" "$(as alice teamctl logs "$id" --raw 2>&1)" 'of 1 calls there is no record'
like "and that one was too large" "$(as alice teamctl logs "$id" --raw 2>&1)" '1 records were too large'
is "how large it was is in JSON" "$(as alice teamctl logs "$id" --json | jq -c 'select(.event_id == "e-1").record_bytes')" 300000
is "one time line" "$(as alice teamctl logs "$id" --json | jq -r .source | uniq | paste -sd,)" host,aws
like "show tells" "$(as alice teamctl show "$id")" 'aws:111122223333/Admin: 2 calls, 1 that did not only read, 1 refused or failed; collected until'
like "the refused one first" "$(as alice teamctl show "$id")" 'TerminateInstances'
is "and as JSON" "$(as alice teamctl show "$id" --json | jq -c '.activity[0] | [.calls, .changes, .errors, .gaps, .complete]')" '[2,1,1,0,null]'
first=$id

# ---- following ------------------------------------------------------------------------------------------

as alice teamctl logs "$id" --follow --json >/mnt/follow 2>/dev/null &
follow_pid=$!
followed() { [ "$(jq -r '.event_id // empty' /mnt/follow | paste -sd,)" = "$1" ]; }
ok "what there is comes first" until_true 10 followed e-1,e-2
call $ADMIN 0 e-3 PutObject "146=s3.amazonaws.com"
call $ADMIN 1 e-0 ListBuckets "146=s3.amazonaws.com;151=1"
ok "what comes is shown, late ones as well" until_true 15 followed e-1,e-2,e-0,e-3
like "it is asked for more often while somebody looks on" "$(tail -n 1 $DIR/jobs)" ' soon '
as alice sudo -n sh -c 'true two'
ok "and what happens on the host" until_true 10 sh -c 'grep -c "true two" /mnt/follow | grep -q 2'
is "nothing comes twice" "$(jq -r '.event_id // empty' /mnt/follow | sort | uniq -d)" ""
kill $follow_pid
wait $follow_pid 2>/dev/null
as alice teamctl logs "$id" --follow --json >/mnt/follow 2>/dev/null &
follow_pid=$!
ok "who begins to follow gets what there is" until_true 10 sh -c 'grep -c "true two" /mnt/follow | grep -q 2'
is "as one time line" "$(jq -r .source /mnt/follow | uniq | paste -sd,)" host,aws,host
kill $follow_pid
wait $follow_pid 2>/dev/null
is "sorted by time when it is read again" "$(ids alice "$id" | tr , '\n' | sort | paste -sd,)" e-0,e-1,e-2,e-3

# ---- gaps -------------------------------------------------------------------------------------------------

as alice teamctl logs "$id" --follow >/dev/null 2>&1 & # so that it is asked for soon
follow_pid=$!
now=$(date +%s)
echo "gap|$((now - 1))|$now|CloudTrail says: slower" >>$ADMIN
gaps() { as alice teamctl logs "$id" --json | jq -r 'select(.kind == "gap") | .reason' | paste -sd,; }
gaps_are() { [ "$(gaps)" = "$1" ]; }
ok "what a source could not say is a gap" until_true 10 gaps_are "CloudTrail says: slower"
like "which people see" "$(as alice teamctl logs "$id")" 'no data from .* to .*CloudTrail says: slower'
long=$(printf 'not authorized to perform: logs:FilterLogEvents on %0200d' 0)
sed -i "s/^\\(gap.*|\\)CloudTrail says: slower/\\1$long/" $ADMIN
ok "of a long reason as much as there is room for" until_true 15 gaps_are "${long:0:159}"
sed -i '/^gap/d' $ADMIN
ok "until it is filled" until_true 15 gaps_are ""
echo "the log group is gone" >$DIR/fail
ok "what fails is in status" until_true 15 sh -c 'teamctl status --json | grep -q "the log group is gone"'
call $ADMIN 0 e-4 RunInstances "146=ec2.amazonaws.com"
rm $DIR/fail
ok "and asked for again" until_true 30 sh -c "teamctl logs $id --json | grep -q e-4"
kill $follow_pid
wait $follow_pid 2>/dev/null

# ---- hostile -----------------------------------------------------------------------------------------------

call $ADMIN 0 e-5 $'Evil\e[31mName' "146=x"
as alice teamctl logs "$id" --follow >/dev/null 2>&1 &
follow_pid=$!
ok "who says what is no text is hung up on" until_true 20 courier_is "not connected"
unlike "and it does not get in" "$(as alice teamctl logs "$id" --json)" e-5
sed -i '/e-5/d' $ADMIN
start_courier
call $ADMIN 0 e-6 '=cmd()' "146=x;149=a,\"b\""
ok "another one does" until_true 20 sh -c "teamctl logs $id --json | grep -q e-6"
like "and is harmless in CSV" "$(as alice teamctl logs "$id" --csv)" "'=cmd\(\)"
touch $DIR/outside
call $ADMIN 99999 e-7 Before "146=x"
call $ADMIN 0 e-8 Within "146=x"
ok "what was before the elevation is not under it, whatever the courier says" \
    until_true 20 sh -c "teamctl logs $id --json | grep -q e-8"
unlike "..." "$(as alice teamctl logs "$id" --json)" e-7
rm $DIR/outside
sed -i '/e-7/d' $ADMIN
kill $follow_pid
wait $follow_pid 2>/dev/null

# ---- two elevations ------------------------------------------------------------------------------------------

elevate alice aws:prod/Admin
second=$id
call $ADMIN 0 e-9 Both "146=x"
as alice teamctl logs "$first" --follow >/dev/null 2>&1 &
follow_pid=$!
as alice teamctl logs "$second" --follow >/dev/null 2>&1 &
follow2_pid=$!
ok "a call that fits two elevations is under both" until_true 20 sh -c "teamctl logs $second --json | grep -q e-9 &&
    teamctl logs $first --json | grep -q e-9"
is "and says so" "$(as alice teamctl logs "$first" --json | jq -c 'select(.event_id == "e-9") | .also')" "[\"$second\"]"
is "of the other one, too" "$(as alice teamctl logs "$second" --json | jq -c 'select(.event_id == "e-9") | .also')" "[\"$first\"]"
is "what was before the second began is under the first alone" \
    "$(as alice teamctl logs "$first" --json | jq -c 'select(.event_id == "e-1") | .also')" "[]"
kill $follow_pid $follow2_pid
wait $follow_pid $follow2_pid 2>/dev/null

elevate erin aws:prod/Admin
hers=$id
id=$(as erin teamctl request aws:prod/Admin sudo --for 1h --reason "approved" 2>/dev/null)
as bob teamctl approve "$id" >/dev/null
until_true 10 active "$id" || die "$id is not active: $(teamctl show "$id")"
call $DIR/111122223333.Admin.erin 0 e-20 Both "146=x"
as erin teamctl logs "$id" --follow >/dev/null 2>&1 &
follow_pid=$!
until_true 20 sh -c "teamctl logs $id --json | grep -q e-20"
also() { as "$1" teamctl logs "$id" --json | jq -c 'select(.event_id == "e-20") | .also'; }
is "who may see both is told of the other" "$(also erin)" "[\"$hers\"]"
sed -i 's#"host:\*/\*", "aws:\*/\*"#"host:*/*"#' /etc/team/team.conf
teamctl reload >/dev/null 2>&1
exits 4 "who may not see the other" as bob teamctl show "$hers"
is "is not told of it" "$(also bob)" "[]"
kill $follow_pid
wait $follow_pid 2>/dev/null

# ---- search ----------------------------------------------------------------------------------------------

ERIN=$DIR/444455556666.Read.erin
elevate erin aws:dev/Read
erins=$id
call $ERIN 0 f-1 GetObject "146=s3.amazonaws.com;151=1;152={\"b\":\"needle two\"}"
as erin teamctl logs "$erins" --follow >/dev/null 2>&1 &
follow_pid=$!
until_true 20 sh -c "teamctl logs $erins --json | grep -q f-1"
kill $follow_pid
wait $follow_pid 2>/dev/null
found() { as "$1" teamctl logs --search "$2" --json "${@:3}" | jq -r '.request + "/" + .event_id' | paste -sd,; }
is "an auditor finds it in all, the newest request first" "$(found carol needle)" "$erins/f-1,$first/e-1"
is "root too" "$(teamctl logs --search needle --json | jq -r .event_id | paste -sd,)" f-1,e-1
is "who asked finds their own" "$(found erin needle)" "$erins/f-1"
is "others find nothing" "$(found alice 'needle two')" ""
is "of one person" "$(found carol needle --user alice)" "$first/e-1"
is "a person who is not there" "$(found carol needle --user nobody-here)" ""
is "since" "$(found carol needle --since +0s 2>/dev/null)" ""
is "sessions are found too, newest first" "$(as carol teamctl logs --search true --json | jq -r .resource | paste -sd,)" \
    "sudo -n sh -c true two,sudo -n sh -c true one"
is "one's own" "$(as alice teamctl logs --search 'true two' --json | jq -r .request)" "$first"
is "not those of others" "$(as erin teamctl logs --search true --json)" ""
is "nor with --errors" "$(as carol teamctl logs --search true --errors --json)" ""
is "of one person alone" "$(as carol teamctl logs --search true --user erin --json)" ""
like "in a table with the request" "$(as carol teamctl logs --search needle)" "$first.*DescribeInstances"

# ---- many, and kill -9 ------------------------------------------------------------------------------------

elevate alice aws:dev/Admin
many=$id
MANY=$DIR/444455556666.Admin.alice
start=$(date +%s)
seq 5000 | awk -v s="$start" '{ printf "%d|m-%05d|Describe%d|146=ec2.amazonaws.com;151=1;152={\"n\":%d,\"x\":\"%0200d\"}\n", s, $1, $1 % 7, $1, 0 }' | shuf >$MANY
echo 0.02 >$DIR/slow
as alice teamctl logs "$many" --follow >/dev/null 2>&1 &
follow_pid=$!
count() { teamctl logs "$many" --json | wc -l; }
some() { local n; n=$(count); [ "$n" -gt 200 ]; }
until_true 30 some
kill_teamd
wait "$courier_pid" $follow_pid 2>/dev/null
start_teamd
some=$(count)
ok "what was acknowledged is there after kill -9 ($some of 5000)" [ "$some" -gt 200 ]
rm $DIR/slow
start_courier
all() { [ "$(count)" = 5000 ]; }
ok "and the rest is asked for again" until_true 60 all
is "none is there twice" "$(teamctl logs "$many" --json | jq -r .event_id | sort | uniq -d | wc -l)" 0
is "all are in order of time and id" "$(teamctl logs "$many" --json | jq -r .event_id | sort -c && echo yes)" yes
like "calls that only read are one line" "$(teamctl logs "$many")" '5000 calls that only read +Describe[0-9] [0-9]+, Describe'
is "--all shows each" "$(teamctl logs "$many" --all 2>/dev/null | wc -l)" 5001

# ---- the end ----------------------------------------------------------------------------------------------

as alice teamctl revoke "$second" --yes >/dev/null
until_true 10 sh -c "[ \$(teamctl show $second --json | jq -r .state) = revoked ]"
exits 0 "what was done stays readable" as alice teamctl logs "$second"
exits 4 "to those who could read it" as erin teamctl logs "$second"
stop_courier
ok "teamd stops" stop_teamd
finish
