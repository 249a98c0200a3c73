#!/bin/bash
# AWS from end to end: teamd, team-courier and teamctl as people use them, against the double of AWS.
# What is there is asked of the double, not of ourselves.
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double

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
    comes_within 15 "$@"
}

# there ACCOUNT SET USER: does AWS have it?
there()
{
    GET assignments | grep -qxF "$1 $2 USER $3"
}

request()
{
    as "$1" teamctl request "${@:2}" --reason test 2>/dev/null | head -n 1
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
ok "the courier connects, and AWS is read" aws_is_read
is "who we are is known" "$(status_of courier_identity)" arn:aws:iam::555566667777:user/courier
is "and that we are a delegated administrator" "$(status_of aws_delegated)" yes
is "a group that nobody has is reported" "$(status_of aws_unknown)" "@idc:cloud-admins"

# ---- names -----------------------------------------------------------------------------------------------

like "targets lists accounts by name and place" "$(as alice teamctl targets)" \
    "aws:$A/AdministratorAccess +4h .* prod-web +Root/Workloads/Production"
exits 0 "an account may be given by its name" as alice teamctl why aws:prod-web/AdministratorAccess
like "and is looked up" "$out" 'in Identity Center that is the user alice@example.com'
exits 3 "a name that nobody has is refused" as alice teamctl why aws:nowhere/AdministratorAccess
like "..." "$out" 'no account of AWS is called nowhere'
POST add '{"account": "prod-web", "parent": "ou-ab12-22222222", "id": "999999999991"}'
ok "AWS is read again on demand" teamctl refresh
exits 3 "a name that two accounts bear is refused" as alice teamctl why aws:prod-web/AdministratorAccess
like "with both numbers" "$out" "$A, 999999999991"
POST add '{"account": "twin", "parent": "ou-ab12-22222222", "id": "999999999991", "state": "SUSPENDED"}'
ok "and again" teamctl refresh
exits 3 "a suspended account is refused" as alice teamctl request aws:twin/ReadOnlyAccess --for 1h --reason x
like "..." "$out" 'suspended or closed'
exits 0 "completion knows accounts" as alice teamctl __complete -- request aws:prod
like "by name" "$out" 'aws:prod-web/AdministratorAccess'

# ---- the walk --------------------------------------------------------------------------------------------

id=$(request alice aws:prod-web/AdministratorAccess --for 1h)
ok "a request becomes active" comes_to "$id" active
ok "and AWS has the assignment" there prod-web AdministratorAccess alice@example.com
out=$(as alice teamctl show "$id")
like "show has the page of the portal" "$out" \
    "https://x.awsapps.com/start/#/console\?account_id=$A&role_name=AdministratorAccess"
like "and a profile" "$out" 'sso_account_id = 111122223333'
like "and how long credentials may live" "$out" 'credentials may live until 20'
is "in JSON there are ids and names" "$(as alice teamctl show "$id" --json |
    jq -r '.targets[0] | .account_id + " " + .account_name + " " + .permission_set')" \
    "$A prod-web AdministratorAccess"
ok "an elevation is revoked" as alice teamctl revoke "$id" --yes
ok "and comes to its end" comes_to "$id" revoked
is "AWS does not have it any more" "$(GET assignments)" ""
like "list says how long credentials may live" "$(as alice teamctl list)" 'CREDENTIALS'
is "as JSON, an hour" "$(as alice teamctl list --json |
    jq -r 'select(.state == "revoked") | (.credentials_until | fromdate) - (.ended_at | fromdate) | . >= 3599 and . <= 3600')" true
like "so does the trail" "$(teamctl audit --request "$id" --action request.revoke --json | jq -r .detail)" \
    '^credentials may live until 20[-0-9]+T[0-9:]+Z$'
like "the trail has it" "$(teamctl audit --request "$id" --json | jq -r .action | xargs)" \
    'assignment.look assignment.make assignment.made request.active .*assignment.remove assignment.gone request.revoke'

# ---- unions ----------------------------------------------------------------------------------------------

first=$(request alice aws:prod-web/AdministratorAccess --for 1h)
second=$(request alice aws:prod-web/AdministratorAccess --for 2h)
ok "two elevations of one assignment are active" comes_to "$second" active
ok "(both)" comes_to "$first" active
as alice teamctl revoke "$first" --yes >/dev/null
ok "the first one ends at once" comes_to "$first" revoked
ok "and access stays" there prod-web AdministratorAccess alice@example.com
as alice teamctl revoke "$second" --yes >/dev/null
ok "the last one ends" comes_to "$second" revoked
is "and access with it" "$(GET assignments)" ""
is "it was made once and removed once" "$(GET history | jq -rs 'map(.name // .account) | length')" 4

POST assign '{"account": "prod-web", "set": "ReadOnlyAccess", "kind": "USER", "principal": "alice@example.com"}'
id=$(request alice aws:prod-web/ReadOnlyAccess --for 1h)
ok "what is there already is used" comes_to "$id" active
as alice teamctl revoke "$id" --yes >/dev/null
ok "and ends" comes_to "$id" revoked
ok "and stays" there prod-web ReadOnlyAccess alice@example.com

both=$(request alice aws:prod-web/AdministratorAccess aws:dev/ReadOnlyAccess --for 1h)
ok "one for two accounts, too" comes_to "$both" active
{ # pasted below what there is, as it stands
    printf '[default]\nregion = us-east-2\n'
    as alice teamctl show "$both" | sed -n '/^For the AWS CLI/,/^$/{/^For/d;p}'
} >/tmp/aws-config
is "the AWS CLI reads all that is to be pasted" "$($(judge) -c 'import botocore.configloader, json
c = botocore.configloader.load_config("/tmp/aws-config")
print(sorted(c["profiles"]), c["profiles"]["default"]["region"], c["profiles"]["dev-ReadOnlyAccess"]["sso_account_id"],
      c["sso_sessions"]["team"]["sso_start_url"])')" \
    "['default', 'dev-ReadOnlyAccess', 'prod-web-AdministratorAccess'] us-east-2 222233334444 https://x.awsapps.com/start"
ok "it is revoked" as alice teamctl revoke "$both" --yes
ok "and goes" comes_to "$both" revoked

# ---- what cannot be had ----------------------------------------------------------------------------------

POST fail '{"match": "prod-db", "reason": "IAM quota exceeded for roles", "times": 1, "kind": "create"}'
id=$(request alice aws:prod-web/AdministratorAccess aws:prod-db/AdministratorAccess --for 1h)
ok "when one fails the request does" comes_to "$id" failed
like "and says why" "$(as alice teamctl show "$id" --json | jq -r .failure)" '^aws:[0-9]{12}/AdministratorAccess: .*(quota|Quota)'
is "and the other is undone" "$(GET assignments)" "prod-web ReadOnlyAccess USER alice@example.com"

# ---- drift -----------------------------------------------------------------------------------------------

exits 0 "drift lists what nobody approved" as carol teamctl drift --json
is "with names" "$(jq -r '.account_name + " " + .permission_set + " " + .kind + " " + .name' <<<"$out")" \
    "prod-web ReadOnlyAccess user alice@example.com"
exits 3 "not to everybody" as alice teamctl drift
POST unassign '{"account": "prod-web", "set": "ReadOnlyAccess", "kind": "USER", "principal": "alice@example.com"}'
id=$(request alice aws:prod-web/AdministratorAccess --for 1h)
comes_to "$id" active
POST unassign '{"account": "prod-web", "set": "AdministratorAccess", "kind": "USER", "principal": "alice@example.com"}'
ok "what is missing is made again" teamctl reconcile
ok "..." until_true 10 there prod-web AdministratorAccess alice@example.com
ok "(it is ours: no drift)" as carol teamctl drift
is "..." "$out" "no drift"

# ---- approvers whom only Identity Center knows -----------------------------------------------------------

as alice teamctl revoke "$id" --yes >/dev/null
comes_to "$id" revoked
POST add '{"user": "erin@example.com"}'
POST add '{"user": "nobody-here@example.com"}'
POST add '{"group": "Leads", "members": ["erin@example.com", "nobody-here@example.com"]}'
config <<'EOF'
settings: { admins = ["dave"]; auditors = ["carol"]; require_comment = false; };
identity: { aws_user = "{user}@example.com"; };
aws: { region = "eu-west-1"; portal_url = "https://x.awsapps.com/start"; };
eligibility = (
  { name = "asked"; who = ["alice"]; targets = ["aws:222233334444/Read*"]; max_duration = "1h"; },
  { name = "sre"; who = ["alice"]; targets = ["aws:ou-ab12-22222222/AdministratorAccess", "aws:222233334444/AdministratorAccess"]; max_duration = "4h"; approval_required = false; }
);
approvers = ( { name = "leads"; who = ["@idc:Leads"]; targets = ["aws:*/*"]; } );
EOF
ok "a policy names a group of Identity Center" teamctl reload
teamctl refresh >/dev/null
shows_erin()
{
    as alice teamctl targets | grep -qE 'aws:222233334444/ReadOnlyAccess +1h +yes +erin '
}
ok "who of it is a user of this host is shown" until_true 5 shows_erin
is "targets lists for each account what is for it" \
    "$(as alice teamctl targets --json | jq -r '.account_name + " " + (.target | sub(".*/"; ""))' | xargs -d '\n')" \
    "dev AdministratorAccess dev ReadOnlyAccess prod-db AdministratorAccess prod-web AdministratorAccess"
id=$(request alice aws:dev/ReadOnlyAccess --for 1h)
is "and waited for" "$(teamctl show "$id" --json | jq -c .waiting_for)" '["erin"]'
teamctl reload >/dev/null
is "after a reload, too" "$(teamctl show "$id" --json | jq -c .waiting_for)" '["erin"]'
like "they see it" "$(as erin teamctl pending)" "$id"
ok "and may approve it" as erin teamctl approve "$id"
ok "it becomes active" comes_to "$id" active
as alice teamctl revoke "$id" --yes >/dev/null
comes_to "$id" revoked
id=$(request alice aws:prod-web/AdministratorAccess --for 1h)
comes_to "$id" active

# ---- crashes ---------------------------------------------------------------------------------------------

POST set '{"progress_s": 2}'
next=$(request alice aws:dev/AdministratorAccess --for 1h)
sleep 0.5
kill_courier
as alice teamctl revoke "$id" --yes >/dev/null
is "without a courier an elevation waits to end" "$(state "$id")" ending
kill_teamd
ok "teamd comes back" start_teamd
start_courier
ok "what was begun is finished" comes_to "$next" active
ok "and what was to end, ends" comes_to "$id" revoked
is "AWS has what was approved" "$(GET assignments)" "dev AdministratorAccess USER alice@example.com"
unbroken "no rule of AWS was broken"
stop_teamd
finish
