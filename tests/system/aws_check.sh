#!/bin/bash
# team-courier --check, teamd --check and teamctl doctor: what of AWS does not work, and the policy that
# the identity needs. The policy, the manual and the calls in the source are held against each other.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double

conf()
{
    config <<EOC
settings: { admins = ["dave"]; require_comment = false; approval = false; };
identity: { aws_user = "{user}@example.com"; };
aws: { region = "eu-west-1"; $1 };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["aws:*/${2:-AdministratorAccess}"]; max_duration = "4h"; } );
EOC
}

# ---- one table ------------------------------------------------------------------------------------------

policy=$("$BUILD/team-courier" --policy)
ok "the policy is JSON" jq -e '.Version == "2012-10-17"' <<<"$policy"
is "the manual has it" "$(sed -n '/^{$/,/^}$/p' "$SRC/teamd/courier/team-courier.8")" "$policy"
is "it allows what the source calls, and no more" \
    "$(jq -r '.Statement[0].Action[] | sub(".*:"; "")' <<<"$policy" | sort)" \
    "$(cd "$SRC/teamd/courier" && ls ./*.c | grep -vE '/(permissions|check|credentials|retry|activity.*)\.c' |
        xargs grep -ohE '"(List|Describe|Create|Delete|Get)[A-Z][A-Za-z]+"' | tr -d '"' | grep -v GetCallerIdentity | sort -u)"

# ---- all is well ----------------------------------------------------------------------------------------

courier_check()
{
    run timeout 60 "$BUILD/team-courier" --config /etc/team/team.conf --check
}

conf 'portal_url = "https://x.awsapps.com/start";'
courier_check
is "all is well" "$status" 0
like "who we are" "$out" 'ok +team-courier is arn:aws:iam::555566667777:user/courier, by '
like "what for" "$out" '555566667777 is a delegated administrator; the management account is 999988887777'
like "and where" "$out" 'IAM Identity Center is arn:aws:sso:::instance/ssoins-1111222233334444 in eu-west-1'
is "each call that changes nothing was tried" "$(grep -oE '^ok +(sso|identitystore|organizations):[A-Za-z]+$' <<<"$out" | wc -l)" \
    "$(($(jq '.Statement[0].Action | length' <<<"$policy") - 2))"
is "the others are said" "$(grep -c '^unknown .*AccountAssignment: to try it would change something' <<<"$out")" 2
is "nothing else" "$(grep -cvE '^(ok|RESULT|unknown .*would change something)' <<<"$out")" 0
is "nothing has changed" "$(GET assignments)$(calls '^(Create|Delete)')" ""
unbroken "no rule was broken"
run teamd --check
is "teamd has nothing against it" "$status" 0
like "and says who checks the rest" "$out" 'team-courier --check'

# ---- sources of activity ----------------------------------------------------------------------------------

conf 'portal_url = "https://x.awsapps.com/start";
    activity = ( { source = "logs";  log_group = "organization-trail"; },
                 { source = "lookup";  regions = ["eu-west-1", "us-east-1"];  role = "arn:aws:iam::{account}:role/team-activity"; },
                 { source = "lake";  store = "12345678-90ab-cdef-1234-567890abcdef"; } );'
courier_check
is "sources can be read" "$status" 0
is "each in each way" "$(grep 'can be read' <<<"$out" | sed 's/^ok *//')" \
"log group organization-trail: it can be read with FilterLogEvents
log group organization-trail: it can be read by a query
LookupEvents, as arn:aws:iam::{account}:role/team-activity: it can be read
event data store 12345678-90ab-cdef-1234-567890abcdef: it can be read by a query"
POST set '{"no_roles": ["arn:aws:iam::555566667777:role/team-activity"]}'
POST faults '{"op": "FilterLogEvents", "do": "error", "code": "AccessDeniedException", "message": "not authorized", "times": -1}'
courier_check
is "or not" "$status" 1
like "because of the role" "$out" 'bad +LookupEvents, as .*sts:AssumeRole on arn:aws:iam::555566667777:role/team-activity'
like "or of what it may" "$out" 'bad +log group organization-trail: logs FilterLogEvents refused: AccessDeniedException'
is "what it has to be allowed is printed" "$(sed -n '/^{$/,/^}$/p' <<<"$out" | jq -r '.Statement[0].Action[]' | xargs)" \
    "logs:FilterLogEvents logs:StartQuery logs:GetQueryResults logs:StopQuery cloudtrail:LookupEvents"
POST calm
POST reset
conf 'activity = ( { source = "logs";  log_group = "other"; } );'
courier_check
like "or there is no such log group" "$out" 'bad +log group other: .*The specified log group does not exist'

# ---- what is not -----------------------------------------------------------------------------------------

conf '' '*'
courier_check
is "long credentials are no error" "$status" 0
like "but told" "$out" 'warn +credentials of ReadOnlyAccess live 8h'
is "only of sets that somebody may get" "$(grep -c '^warn' <<<"$out")" 1
run teamd --check
is "teamd does without a portal" "$status" 0
like "and says what is missing" "$out" 'warning: aws.portal_url is not set'

denied='"do": "error", "code": "AccessDeniedException", "message": "not authorized", "times": -1'
POST faults "{\"op\": \"ListRoots|ListGroups|DescribeAccountAssignmentDeletionStatus\", $denied}"
courier_check
is "what is refused is found" "$status" 1
is "each of them" "$(grep -oE '^bad +[a-z]+:[A-Za-z]+ is refused: not authorized' <<<"$out" | awk '{ print $2 }' | xargs)" \
    "organizations:ListRoots sso:DescribeAccountAssignmentDeletionStatus identitystore:ListGroups"
like "what could not be tried for want of it, too" "$out" \
    'unknown +identitystore:ListGroupMemberships: there is no group to try it on'
is "the policy follows" "$(sed -n '/^{$/,/^}$/p' <<<"$out")" "$policy"
POST calm

POST faults "{\"op\": \"DescribeOrganization\", $denied}"
courier_check
is "without the organisation" "$status" 1
is "the rest is tried nevertheless" "$(grep -c '^bad' <<<"$out")" 1
like "..." "$out" 'ok +sso:ListAccountAssignments'
POST calm

AWS_SECRET_ACCESS_KEY=wrong courier_check
is "a wrong key" "$status" 1
like "is told" "$out" 'bad +sts GetCallerIdentity refused: '
is "and nothing more" "$(grep -c '^ok' <<<"$out")" 0
AWS_ACCESS_KEY_ID='' courier_check
is "no credentials" "$status" 1
like "are told" "$out" 'bad .*there are no credentials'
: >/etc/team/courier.env
run env -i PATH="$PATH" timeout 60 "$BUILD/team-courier" --config /etc/team/team.conf --check
like "and who could have them" "$out" 'courier.env counts under systemd only'
POST set '{"clock_ahead_s": 4000}'
courier_check
like "clocks that are apart are told" "$out" "warn +the clock of this machine and AWS's are (3999|400[01]) s apart"
POST reset
echo 'settings: { };' >/etc/team/plain.conf
exits 78 "without AWS there is nothing to check" "$BUILD/team-courier" --config /etc/team/plain.conf --check

# ---- doctor ------------------------------------------------------------------------------------------------

doctor()
{
    teamctl doctor --json | jq -r 'select(.check == "aws") | .result + " " + .what'
}

conf '' '*'
start_teamd || die "no teamd"
out=$(doctor)
like "doctor misses the courier" "$out" 'bad team-courier is not connected'
like "and what it would have read" "$out" 'bad AWS has not been read'
start_courier
aws_is_read || die "AWS was not read"
until_true 10 status_is '.reconciled_at != null'
out=$(doctor)
like "it finds it" "$out" 'ok team-courier is connected, as arn:aws:iam::555566667777:user/courier'
like "and when AWS was read" "$out" 'ok AWS was read [0-9]+s ago'
like "it warns of long credentials" "$out" 'warn credentials may outlive an elevation by hours: ReadOnlyAccess 8h'
like "and that there is no portal" "$out" 'warn teamctl show cannot tell people where'
is "that is all" "$(grep -vc '^ok' <<<"$out")" 2
POST faults "{\"op\": \"ListUsers\", $denied}"
teamctl refresh >/dev/null 2>&1
out=$(teamctl doctor)
like "doctor says why AWS cannot be read" "$out" 'bad +aws +AWS cannot be read: .*ListUsers.*not authorized'
like "and what to do" "$out" 'fix: team-courier --check'
POST calm
teamctl refresh >/dev/null
POST assign '{"account": "dev", "set": "ReadOnlyAccess", "kind": "USER", "principal": "carol@example.com"}'
teamctl reconcile >/dev/null
like "drift is told" "$(doctor)" 'warn nobody approved 1 of its assignments'
kill_courier
conf 'portal_url = "https://company-name.awsapps.com/start";'
start_courier
ok "the portal is told to teamd, too" teamctl reload
is "doctor knows that there is one" "$(doctor | grep -c 'where to use')" 0
id=$(as alice teamctl request aws:dev/AdministratorAccess --for 1h --reason x 2>/dev/null)
ok "something is open" comes_within 15 "$id" active
kill_courier
stop_teamd
config <<'EOF'
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
EOF
start_teamd || die "no teamd"
out=$(doctor)
like "of AWS that was turned off, what is left is said" "$out" '^bad team-courier is not connected'
is "and nothing else is" "$(grep -c . <<<"$out")" 1
stop_teamd
rm -rf /var/lib/team
start_teamd || die "no teamd"
is "of AWS that is not used nothing is said" "$(doctor)" ""
stop_teamd
finish
