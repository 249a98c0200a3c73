#!/bin/bash
# What was done with AWS access, all the way: the double's CloudTrail, the real courier, teamd's store,
# teamctl; and where sudo's own log of a session is.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
. "$SRC/tests/aws/activity.sh"
start_double
PROD=111122223333 SET=AdministratorAccess WHO=alice@example.com

config <<'CONF'
settings: { admins = ["dave"]; auditors = ["carol"]; require_comment = false; };
identity: { aws_user = "{user}@example.com"; };
aws: { region = "eu-west-1"; activity = ( { source = "logs"; log_group = "organization-trail"; } ); };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["aws:*/*", "host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
gate_sudo
start_teamd || exit 1
start_courier
until_true 30 sh -c "teamctl status --json | jq -e .accounts" || die "AWS was not read"

POST set '{"progress_s": 4}' # AWS takes so long to say that it is done
id=$(as alice teamctl request aws:$PROD/$SET sudo --for 1h --reason "test of logs" 2>/dev/null)
until_true 10 sh -c "curl -sSk $DOUBLE/_double/log | grep -q CreateAccountAssignment" || die "nothing is made"
sleep 1.1
START=$(date +%s)
did $PROD $SET $WHO a-0 0
deliver
is "AWS has not said that anything is open" "$(teamctl show "$id" --json | jq -r .state)" activating
POST set '{"progress_s": 0}'
active() { [ "$(teamctl show "$id" --json | jq -r .state)" = active ]; }
until_true 30 active || die "not active: $(teamctl show "$id")"
sleep 1.1
START=$(date +%s)
did $PROD $SET $WHO a-1 0
did $PROD $SET alice@example.co a-2 0
did $PROD ReadOnlyAccess $WHO a-3 0
did 222233334444 $SET $WHO a-4 0
did $PROD $SET $WHO a-5 0 '{"more": {"errorCode": "AccessDenied", "eventName": "DeleteBucket"}}'
did $PROD $SET $WHO a-6 -3600
deliver
ids() { as alice teamctl logs "$id" --json 2>/dev/null | jq -r '.event_id // empty' | sort | paste -sd,; }
ids_are() { [ "$(ids)" = "$1" ]; }
as alice teamctl logs "$id" --follow --json >/mnt/follow 2>/dev/null &
follow_pid=$!
ok "what is this elevation's own is collected, and nothing else" until_true 60 ids_are a-0,a-1,a-5
ok "who follows has it" until_true 10 sh -c "grep -q a-5 /mnt/follow"
did $PROD $SET $WHO a-7 1
deliver
ok "what comes later, too" until_true 20 sh -c "grep -q a-7 /mnt/follow"
like "the refused call stands out" "$(as alice teamctl logs "$id")" 'DeleteBucket.*! AccessDenied'
like "the record is CloudTrail's" "$(as alice teamctl logs "$id" --raw 2>/dev/null | jq -r .eventID | sort | paste -sd,)" a-0,a-1,a-5,a-7
like "search finds it" "$(as carol teamctl logs --search DeleteBucket --json | jq -r .request)" "$id"
kill $follow_pid
wait $follow_pid 2>/dev/null

# ---- sudo's own log ------------------------------------------------------------------------------------------

sudoers <<'SUDOERS'
Defaults log_output, log_subcmds
SUDOERS
as_tty alice sudo -n sh -c 'echo logged' >/dev/null 2>&1
out=$(teamctl logs "$id" 2>&1)
like "root is told where sudo's own log of a session is" "$out" 'session [0-9]+ has a log of sudo.s: sudoreplay [0-9A-Z]+'
tsid=$(sed -n 's/.*sudoreplay \([0-9A-Z]*\);.*/\1/p' <<<"$out" | head -n 1)
like "and that is it" "$(sudoreplay -m 0 -s 100 "$tsid" </dev/null 2>&1)" logged
unlike "others are not told" "$(as alice teamctl logs "$id" 2>&1)" sudoreplay
unbroken "the courier broke no rule"
ok "teamd stops" stop_teamd
finish
