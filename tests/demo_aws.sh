#!/bin/bash
# The story with AWS: moto plays IAM Identity Center and Organizations and checks our signatures; what
# there is, the aws CLI says. `make demo-aws` builds and runs it; nothing on the machine changes.
set -u
WANTS_MOTO=1
. "$(dirname "$0")/story.sh"
. "$SRC/tests/aws/lib.sh"
if ! start_moto; then
    echo "There is no moto here. It is in no package of Debian; in a virtual environment that comes first in PATH:" >&2
    echo "    python3 -m venv ~/moto && ~/moto/bin/pip install 'moto[server]' awscli && PATH=~/moto/bin:\$PATH make demo-aws" >&2
    _finished=yes
    exit 1
fi

# The log group of the organisation's trail, and a role that may read it, as README says to make them.
trail_is_set_up()
{
    local trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'

    aws logs create-log-group --log-group-name organization-trail
    aws logs create-log-stream --log-group-name organization-trail --log-stream-name all
    aws iam create-role --role-name team-activity --assume-role-policy-document "$trust" >/dev/null
    aws iam put-role-policy --role-name team-activity --policy-name read --policy-document '{"Version":"2012-10-17",
        "Statement":[{"Effect":"Allow","Action":["logs:FilterLogEvents","logs:StartQuery","logs:GetQueryResults"],"Resource":"*"}]}'
}

# did USER SET EVENT SOURCE READ_ONLY [ERROR]: what CloudTrail writes when USER does something in prod.
did()
{
    jq -nc --arg account "$prod" --arg user "$1" --arg set "$2" --arg name "$3" --arg source "$4" --argjson read "$5" \
        --arg error "${6:-}" --arg id "$(cat /proc/sys/kernel/random/uuid)" '
        "AWSReservedSSO_\($set)_0123456789abcdef" as $role | {eventVersion: "1.09", eventID: $id,
        eventTime: (now | todate), eventName: $name, eventSource: $source, awsRegion: "eu-west-1",
        sourceIPAddress: "203.0.113.7", readOnly: $read, recipientAccountId: $account,
        requestParameters: {instanceId: "i-0abcdef1234567890"}, userIdentity: {type: "AssumedRole",
        principalId: "AROAEXAMPLE:\($user)", sessionContext: {sessionIssuer: {type: "Role", userName: $role}}}} +
        (if $error == "" then {} else {errorCode: $error} end) | [{timestamp: (now * 1000 | floor), message: tojson}]' \
        >/mnt/record
    aws logs put-log-events --log-group-name organization-trail --log-stream-name all --log-events file:///mnt/record >/dev/null
}

# witness EXPECTED: shows what the aws CLI lists for both pairs; it has to be that.
witness()
{
    local pair

    printf '%saws$%s sso-admin list-account-assignments (prod/AdministratorAccess, dev/ReadOnlyAccess)\n' "$dim" "$plain"
    out=$(for pair in "$prod $admin prod/AdministratorAccess" "$dev $readonly dev/ReadOnlyAccess"; do
        read -r account arn name <<<"$pair"
        aws sso-admin list-account-assignments --instance-arn "$instance" --account-id "$account" \
            --permission-set-arn "$arn" | jq -r --arg n "$name" --arg a "$alice" --arg b "$bob" \
            '.AccountAssignments[].PrincipalId | $n + " " + (if . == $a then "alice" elif . == $b then "bob" else . end)'
    done)
    printf '%s\n' "${out:-nothing}" | sed 's/^/    /'
    if [ "$out" != "$1" ]; then
        printf '    ^ the story wanted: %s\n' "${1:-nothing}"
        wrong=$((wrong + 1))
    fi
}

moto_organization
trail_is_set_up
moto_checks
config <<CONF
settings: { admins = ["@team-admins"];  auditors = ["@security"];  require_comment = false; };
identity: { aws_user = "{user}@example.com"; };
aws: {
  region = "eu-west-1";  portal_url = "https://example.awsapps.com/start";
  activity = ( { source = "logs";  log_group = "organization-trail";  role = "arn:aws:iam::123456789012:role/team-activity"; } );
};
eligibility = (
  { name = "sre";  who = ["@idc:SRE"];  targets = ["aws:$production/*", "aws:$dev/ReadOnlyAccess", "aws:123456789012/ReadOnlyAccess"];  max_duration = "4h"; },
  { name = "host";  who = ["@sre"];  targets = ["host:*/sudo"];  max_duration = "4h"; }
);
approvers = (
  { name = "leads";  who = ["@sre-leads"];  targets = ["aws:*/*", "host:*/*"]; }
);
CONF

chapter "An organisation with the accounts prod and dev. alice is in the group SRE of Identity Center; bob approves."
sed -n '/^aws/,$s/^/    /p' /etc/team/team.conf
start_teamd || exit 1
start_courier
aws_is_read || { echo "AWS was not read:" && cat "$COURIER_LOG" && exit 1; }
says root yes "courier_identity.*user/courier" teamctl status
says alice yes 'prod' teamctl targets

chapter "1. Before: bob has a permanent assignment, alice has nothing."
aws sso-admin create-account-assignment --instance-arn "$instance" --target-id "$prod" --target-type AWS_ACCOUNT \
    --permission-set-arn "$admin" --principal-type USER --principal-id "$bob" >/dev/null
witness "prod/AdministratorAccess bob"
chapter "2. She asks for two accounts and this host's sudo at once; bob approves."
asks alice sudo aws:prod/AdministratorAccess aws:dev/ReadOnlyAccess --for 1h --reason "move the database" --ticket CHG-42
says bob yes . teamctl approve "$id"
chapter "3. During: both assignments are there, and she is told how to use them."
comes_within 20 "$id" active || wrong=$((wrong + 1))
witness "prod/AdministratorAccess bob
prod/AdministratorAccess alice
dev/ReadOnlyAccess alice"
says alice yes 'awsapps.com' teamctl show "$id"
chapter "4. She works: sudo on the host, some calls in AWS. So do bob, and somebody who is called nearly so."
says alice yes . sudo -n ls -d /var/lib/team
sleep 1 # CloudTrail tells whole seconds, and what is of one second is in no order
did alice@example.com AdministratorAccess DescribeInstances ec2.amazonaws.com true
did alice@example.com AdministratorAccess DescribeInstanceStatus ec2.amazonaws.com true
sleep 1
did alice@example.com AdministratorAccess StopInstances ec2.amazonaws.com false
sleep 1
did alice@example.com AdministratorAccess DeleteTrail cloudtrail.amazonaws.com false AccessDenied
did bob@example.com AdministratorAccess TerminateInstances ec2.amazonaws.com false
did malice@example.com AdministratorAccess TerminateInstances ec2.amazonaws.com false
chapter "   bob looks on, and has both in one time line; of all that is in the log group, only what is hers."
as bob timeout 30 teamctl logs "$id" --follow >/mnt/followed 2>&1 &
until_true 25 grep DeleteTrail /mnt/followed || { echo "nothing came:" && cat /mnt/followed "$COURIER_LOG"; wrong=$((wrong + 1)); }
kill $!
says bob yes 'ls -d /var/lib/team.*StopInstances.*AccessDenied' teamctl logs "$id"
[[ ! $out =~ TerminateInstances ]] || { echo "    ^ somebody else's"; wrong=$((wrong + 1)); }
says carol yes 'StopInstances' teamctl logs --search i-0abcdef1234567890
chapter "5. She gives it back. After: bob's is there, as before."
says alice yes . teamctl revoke "$id" --yes
comes_within 20 "$id" revoked || wrong=$((wrong + 1))
witness "prod/AdministratorAccess bob"
chapter "6. One that ends by itself after some seconds."
asks alice aws:prod/ReadOnlyAccess --for 5s --reason "just a look"
says bob yes . teamctl approve "$id"
comes_within 20 "$id" active || wrong=$((wrong + 1))
comes_within 20 "$id" ended || wrong=$((wrong + 1))
witness "prod/AdministratorAccess bob"
chapter "7. Somebody makes an assignment past us: drift. It is shown, never touched."
# moto knows where a set is provisioned only if it is told so, and only of our own account.
aws sso-admin provision-permission-set --instance-arn "$instance" --permission-set-arn "$readonly" \
    --target-type ALL_PROVISIONED_ACCOUNTS >/dev/null
aws sso-admin create-account-assignment --instance-arn "$instance" --target-id 123456789012 --target-type AWS_ACCOUNT \
    --permission-set-arn "$readonly" --principal-type USER --principal-id "$bob" >/dev/null
says root yes . teamctl reconcile
says carol yes 'ReadOnlyAccess .*bob@example.com' teamctl drift

chapter "The trail."
says carol yes 'revoke' teamctl audit --user alice
stop_teamd || wrong=$((wrong + 1))
story_ends "That was moto's AWS and the aws CLI; nothing on this machine has changed."
