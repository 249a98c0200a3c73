#!/bin/bash
# The double of AWS that the other tests stand on: an independent client (the aws CLI, where there is
# one) gets along with it, what breaks a rule is refused and counted, and what is scripted happens.
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double

# ask SERVICE OPERATION JSON [HEADER...]: with curl, unsigned unless a header says otherwise.
ask()
{
    curl -sS -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: $1.$2" -d "$3" "${@:4}" "$DOUBLE/"
}

hands()
{
    printf '%s\n' "$@" | "$HANDS"
}

A=111122223333 S=$(arn AdministratorAccess) U=$(id_of alice@example.com)

# ---- a client of its own ------------------------------------------------------------------------------

if [ -n "$MOTO" ]; then
    is "the aws CLI lists the instance" \
        "$(aws sso-admin list-instances | jq -r '.Instances[0].IdentityStoreId')" d-1234567890
    is "and all accounts, page after page" \
        "$(POST set '{"page": 2}'; aws organizations list-accounts | jq '.Accounts | length')" 6
    is "and knows who it is" "$(aws sts get-caller-identity | jq -r .Arn)" arn:aws:iam::555566667777:user/courier
    is "and makes an assignment" "$(aws sso-admin create-account-assignment --instance-arn \
        "$(jq -r .instance <<<"$DOUBLE_WORLD")" --target-id $A --target-type AWS_ACCOUNT --permission-set-arn "$S" \
        --principal-type USER --principal-id "$U" | jq -r .AccountAssignmentCreationStatus.Status)" IN_PROGRESS
    sleep 0.2
    is "which then is there" "$(GET assignments)" "prod-web AdministratorAccess USER alice@example.com"
    ok "and gets a role" aws sts assume-role --role-arn arn:aws:iam::$A:role/x --role-session-name yes
    unbroken "the aws CLI breaks no rule"
else
    echo "ok $((++_tests)) - no aws CLI here # SKIP python3 with moto and awscli"
fi

# ---- what breaks a rule --------------------------------------------------------------------------------

POST reset
like "no signature" "$(ask SWBExternalService ListInstances '{}')" IncompleteSignature
like "a member that is none" "$(ask SWBExternalService ListInstances '{"Max": 1}')" 'no member Max|Unknown parameter'
like "a number that is too large" "$(ask SWBExternalService ListInstances '{"MaxResults": 101}')" Validation
like "an enum that is none" "$(ask SWBExternalService CreateAccountAssignment "{\"InstanceArn\":
    \"arn:aws:sso:::instance/ssoins-1111222233334444\", \"TargetId\": \"$A\", \"TargetType\": \"ACCOUNT\",
    \"PermissionSetArn\": \"$S\", \"PrincipalType\": \"USER\", \"PrincipalId\": \"$U\"}")" 'is none of'
like "a pattern that is missed" "$(ask AWSOrganizationsV20161128 ListParents '{"ChildId": "x"}')" 'is not'
like "a required member that is missing" "$(ask AWSIdentityStore ListUsers '{}')" IdentityStoreId
like "a member that is there twice" "$(ask SWBExternalService ListInstances '{"MaxResults":1,"MaxResults":2}')" twice
like "no JSON" "$(ask SWBExternalService ListInstances 'x')" 'no JSON'
like "another content type" "$(curl -sS -H 'X-Amz-Target: SWBExternalService.ListInstances' -d '{}' "$DOUBLE/")" \
    Content-Type
like "no such operation" "$(ask SWBExternalService ListEverything '{}')" UnknownOperation
like "another path" "$(curl -sS -d '{}' "$DOUBLE/x")" 'not POST /'
is "each is counted" "$(GET breaches | wc -l)" 11

POST reset
like "a wrong secret" "$(AWS_SECRET_ACCESS_KEY=wrong hands place)" InvalidSignature\|SignatureDoesNotMatch
like "a region that is none" "$(AWS_REGION=eu-west-2 hands place)" 'InvalidSignature|SignatureDoesNotMatch'
is "both are counted" "$(GET breaches | wc -l | tr -d ' ')" "$(GET log | wc -l)"
POST reset
like "an unknown key is no breach" "$(AWS_ACCESS_KEY_ID=AKIDUNKNOWN hands place)" InvalidClientTokenId
unbroken "it is only wrong"

# ---- what is scripted -----------------------------------------------------------------------------------

POST faults '{"op": "ListInstances", "do": "error", "code": "AccessDeniedException", "message": "no"}'
like "an error" "$(hands place)" 'AccessDeniedException: no'
like "once" "$(hands place)" 'place: delegated'
for form in plain namespace colon header upper; do
    POST reset
    POST set "{\"error_form\": \"$form\"}"
    POST faults '{"op": "ListInstances", "do": "error", "code": "AccessDeniedException", "message": "no"}'
    like "an error in the form \"$form\"" "$(hands place)" 'AccessDeniedException: no'
done
POST reset
POST fail '{"match": "alice", "reason": "Cannot exceed quota for RolesPerAccount: 1000"}'
like "an assignment that fails late" "$(hands "grant $A $S $U")" 'failed: a quota'
POST assign '{"account": "prod-db", "set": "ReadOnlyAccess", "kind": "GROUP", "principal": "SRE"}'
is "somebody else's assignment" "$(GET assignments)" "prod-db ReadOnlyAccess GROUP SRE"
POST unassign '{"account": "prod-db", "set": "ReadOnlyAccess", "kind": "GROUP", "principal": "SRE"}'
is "it came and went" "$(GET history | jq -r .change | xargs)" "+ -"
like "a mistake of the test is told" "$(curl -sS -d '{"x": 1}' "$DOUBLE/_double/set")" 'no such setting'
like "a rule that is none, too" "$(curl -sS -d '{"do": "dance"}' "$DOUBLE/_double/faults")" 'no such rule'

POST reset
POST set '{"limits": true, "rates": {"sso-admin": 1, "identitystore": 1, "organizations": 1, "sts": 1}}'
hands "list $A $S" "list $A $S" "list $A $S" wait >/dev/null
like "above the documented rates it throttles" "$(GET log | jq -r .code)" Throttling
POST reset
is "settings go back to what they were" "$(GET log | wc -l)" 0
finish
