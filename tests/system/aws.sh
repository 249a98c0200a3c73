#!/bin/bash
# AWS from end to end: teamd, team-courier and teamctl as people use them, against the double of AWS.
# What is there is asked of the double, not of ourselves.
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double

COURIER_LOG=/var/log/courier.log courier_pid=

start_courier()
{
    "$BUILD/team-courier" --config /etc/team/team.conf >>"$COURIER_LOG" 2>&1 </dev/null &
    courier_pid=$!
}

kill_courier()
{
    kill -KILL "$courier_pid" 2>/dev/null
    wait "$courier_pid" 2>/dev/null
    courier_pid=
}

status_of()
{
    teamctl status --json | jq -r --arg n "$1" '.[$n]'
}

state()
{
    teamctl show "$1" --json | jq -r .state
}

# comes_to ID STATE...: within 15 s.
comes_to()
{
    until_true 15 sh -c "teamctl show $1 --json | jq -e '.state == \"$2\"'"
}

# there ACCOUNT SET USER: does AWS have it?
there()
{
    GET assignments | grep -qxF "$1 $2 USER $3"
}

request()
{
    as "$1" teamctl request "${@:2}" --reason test | head -n 1
}

A=111122223333
config <<'EOF'
settings: { admins = ["dave"]; auditors = ["carol"]; require_comment = false; };
identity: { aws_user = "{user}@example.com"; };
aws: { region = "eu-west-1"; portal_url = "https://x.awsapps.com/start"; };
eligibility = (
  { name = "sre"; who = ["alice"]; targets = ["aws:*/*", "host:*/sudo"]; max_duration = "4h"; approval_required = false; },
  { name = "ops"; who = ["@idc:cloud-admins"]; targets = ["aws:*/ReadOnlyAccess"]; max_duration = "1h"; }
);
approvers = ( { name = "leads"; who = ["bob"]; targets = ["aws:*/*"]; } );
EOF
ok "the configuration is good" teamd --check
ok "teamd starts without a courier" start_teamd
exits 1 "and says that AWS has not been read" as alice teamctl request aws:$A/AdministratorAccess --for 1h --reason x
like "..." "$out" 'have not been read yet'
is "and that no courier is connected" "$(status_of courier)" "not connected"
exits 1 "who asks for a refresh is told" teamctl refresh
like "..." "$out" 'team-courier is not connected'
is "courier.sock is the courier's" "$(stat -c '%a %U %G' /run/team/courier.sock)" "660 root team-courier"

start_courier
ok "the courier connects, and AWS is read" until_true 20 sh -c 'teamctl status --json | jq -e ".accounts > 0"'
is "who we are is known" "$(status_of courier_identity)" arn:aws:iam::555566667777:user/courier
is "and that we are a delegated administrator" "$(status_of aws_delegated)" yes
echo "# $(teamctl status --json)"
echo "# $(as alice teamctl targets | head -5)"
finish
