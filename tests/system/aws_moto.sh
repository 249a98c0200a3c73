#!/bin/bash
# The courier's calls against moto, a server that others wrote, with signatures checked; the aws CLI, a
# client that others wrote, prepares the organisation and says what there is.
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
if ! start_moto; then
    echo "ok 1 - no moto here # SKIP python3 with moto and awscli"
    echo "1..1"
    _finished=yes
    exit 0
fi

hands()
{
    printf '%s\n' "$@" | timeout 60 "$HANDS" 2>>"$DOUBLE_LOG"
}

moto_organization
for i in 1 2; do
    aws sso-admin create-permission-set --instance-arn "$instance" --name "Set$i" >/dev/null
done
# From here on nobody may do more than the manual says is needed.
policy=$(sed -n '/^{$/,/^}$/p' "$SRC/teamd/courier/team-courier.8")
ok "the policy in the manual is JSON" jq -e .Statement[0].Action[0] <<<"$policy"
moto_checks "$policy"
like "what is not in it is refused" "$(aws sso-admin create-permission-set --instance-arn "$instance" --name No 2>&1)" \
    AccessDenied
config <<'CONF'
aws: { region = "eu-west-1"; };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["aws:*/*"]; max_duration = "4h"; approval_required = false; } );
CONF
run timeout 120 "$BUILD/team-courier" --config /etc/team/team.conf --check
like "team-courier --check is refused nothing" "$out" 'ok +sso:ListAccountAssignments'
is "..." "$(grep -c 'is refused' <<<"$out")" 0
like "it says that this is the management account" "$out" 'warn +123456789012 is the management account'
like "and that a set lasts two hours" "$out" 'credentials of AdministratorAccess live 2h'
account=$prod set=$admin

assigned()
{
    aws sso-admin list-account-assignments --instance-arn "$instance" --account-id "$account" \
        --permission-set-arn "$set" | jq -r '.AccountAssignments[].PrincipalId' | sort | xargs
}

# ---- who and where ----------------------------------------------------------------------------------------

is "moto wants signatures" "$(AWS_SECRET_ACCESS_KEY=wrong hands place | grep -o SignatureDoesNotMatch)" \
    SignatureDoesNotMatch
is "we are the management account" "$(hands place)" "place: management 123456789012 $instance $store"
hands 'sync all' >/tmp/rows
like "the account is in its unit" "$(cat /tmp/rows)" "account $account parent=$web .*state=1 name=prod"
like "the unit in its own" "$(cat /tmp/rows)" "unit $web parent=$production "
like "the set lasts two hours" "$(cat /tmp/rows)" "set $set parent= session=7200 managed=0 state=0 name=AdministratorAccess"
is "there are four sets" "$(grep -c '^set' /tmp/rows)" 4
is "two users" "$(grep '^user' /tmp/rows | sed 's/.*name=//' | sort | xargs)" "alice@example.com bob@example.com"
is "and one who is in the group" "$(grep '^member' /tmp/rows | cut -d' ' -f2,3)" "$group parent=$alice"
is "nothing was left out, nothing failed" "$(grep -c 'left out\|failed' /tmp/rows)" 0

# ---- before, during, after -----------------------------------------------------------------------------------

results()
{
    hands "$@" | sed 's/.*: //' | xargs
}

is "before: nobody has the set" "$(assigned)" ""
is "bob's is there already" "$(results "grant $account $set $bob")" granted
is "alice's is looked up, and made" "$(results "look-up $account $set $alice" "grant $account $set $alice")" \
    "not there granted"
is "during: the aws CLI sees both" "$(assigned)" "$(printf '%s\n' "$alice" "$bob" | sort | xargs)"
is "and so do we" "$(hands "list $account $set" | sed -n 's/.*: user: //p' | sort | xargs)" "$(assigned)"
is "bob's is seen before anybody touches it" "$(results "look-up $account $set $bob")" there
is "alice's is removed" "$(results "remove $account $set $alice")" gone
is "after: bob has it yet" "$(assigned)" "$bob"
finish
