#!/bin/bash
# AWS lets people in before it says that it does, and what they do then is theirs as well; of an assignment that
# nobody can have used nothing is collected. Who follows is let go when nothing can come. AWS is a courier of our
# own (courier.pl).
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { admins = ["dave"]; auditors = ["carol"]; require_comment = false; };
aws: { region = "eu-west-1"; activity = ( { source = "logs"; log_group = "trail"; } ); };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["aws:*/*", "host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
DIR=/mnt/trail
install -d -o team-courier -m 0777 $DIR
courier_is() { [ "$(teamctl status --json | jq -r .courier)" = "$1" ]; }
state_is() { [ "$(teamctl show "$id" --json | jq -r .state)" = "$1" ]; }
ids_are() { [ "$(as alice teamctl logs "$id" --json 2>/dev/null | jq -r '.event_id // empty' | paste -sd,)" = "$1" ]; }
collecting() { teamctl status --json | jq .activity_collecting; }
ask_for() { id=$(as alice teamctl request "$1" --for 1h --reason "test of logs" 2>/dev/null); }
did() { printf '%s|%s|Do|146=ec2.amazonaws.com\n' "$(date +%s)" "$2" >>"$DIR/111122223333.$1.alice"; }

gate_sudo
start_teamd || exit 1
setpriv --reuid team-courier --regid team-courier --clear-groups perl "$SRC/tests/system/courier.pl" $DIR &
until_true 5 courier_is connected
until_true 5 sh -c "teamctl status --json | jq -e .accounts" || die "AWS was not read"

did Admin before
sleep 1.1
touch $DIR/hold-make
ask_for aws:prod/Admin
until_true 5 state_is activating || die "$id is not activating"
sleep 1.1
did Admin early
sleep 1.1
rm $DIR/hold-make
ok "it begins" until_true 10 state_is active
ok "what was done before AWS said that it does is under it" until_true 10 ids_are early

touch $DIR/hold-make
ask_for aws:prod/Read
until_true 5 state_is activating || die "$id is not activating"
sleep 1.1
did Read quick
ok "who gives it back before" as alice teamctl revoke "$id"
rm $DIR/hold-make
ok "is rid of it" until_true 10 state_is revoked
ok "and what was done meanwhile is known" until_true 10 ids_are quick
is "two are collected" "$(collecting)" 2

touch $DIR/hold-look
ask_for aws:dev/Read
until_true 5 state_is activating || die "$id is not activating"
as alice teamctl revoke "$id"
rm $DIR/hold-look
until_true 10 state_is revoked || die "$id is not revoked"
sleep 1
is "what AWS was never told to make is not collected" "$(collecting)" 2
like "and logs says why" "$(as alice teamctl logs "$id" 2>&1)" 'aws:444455556666/Read: not collected: it has not been open'
exits 0 "who follows it is let go: nothing can come" as alice timeout 20 teamctl logs "$id" --follow

ask_for sudo
until_true 5 state_is active || die "$id is not active"
as alice timeout 30 teamctl logs "$id" --follow --json >/mnt/followed &
follower=$!
as alice sudo -n true
until_true 10 grep -q session_end /mnt/followed || die "the follower hears nothing"
ok "who follows what goes on stays" kill -0 $follower
as alice teamctl revoke "$id" >/dev/null
wait $follower
is "and is let go when it is over" $? 0
is "with all that there was" "$(jq -r .kind /mnt/followed | xargs)" "session_start session_end"
finish
