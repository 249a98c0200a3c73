#!/bin/bash
# botocore judges how requests are signed, where they are sent, and whose credentials are taken; moto's server, which checks
# signatures, lets in whom it should, and nobody else.
# shellcheck source-path=SCRIPTDIR
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
CALL=$BUILD/tests/aws/awscall

# call NAME=VALUE... -- ARGUMENT...: one call with that environment on top; prints code or outcome.
call()
{
    local changed=()

    while [ "$1" != -- ]; do
        changed+=("$1")
        shift
    done
    shift
    env "${changed[@]}" "$CALL" "$@" 2>>"$DOUBLE_LOG" | jq -r 'if .code == "" then .outcome else .code end'
}

python=${MOTO:+$MOTO/bin/python3} # the newer botocore
export PYTHONDONTWRITEBYTECODE=1
judged=$("${python:-$(judge)}" "$SRC/tests/aws/signatures.py" "$BUILD/tests/aws/pure" 2>&1)
is "botocore finds nothing to say against signatures and endpoints" "$(grep -vE '^(ok|1\.\.)' <<<"$judged")" ""
is "it looked at both" "$(grep -c '^ok' <<<"$judged")" 2
judged=$("${python:-$(judge)}" "$SRC/tests/aws/credentials.py" "$BUILD/tests/aws/pure" 2>&1)
is "nor against where credentials are taken from" "$(grep -v '^1\.\.' <<<"$judged" | grep -v '^ok')" ""
like "after a few hundred tries" "$judged" '^ok 1 - [0-9]+ random'

if start_moto; then
    moto_checks
    key=$AWS_ACCESS_KEY_ID
    is "moto accepts a signed call of JSON" "$(call -- sso-admin ListInstances '{"MaxResults": 9}')" ok
    is "and of STS" "$(call -- sts GetCallerIdentity '{}')" ok
    is "and of organizations, wherever we are" "$(call AWS_REGION=ap-south-1 -- organizations ListAccounts '{}')" ok
    is "GetCallerIdentity tells who we are" \
        "$("$CALL" sts GetCallerIdentity '{}' | jq -r .answer.Arn)" arn:aws:iam::123456789012:user/courier
    is "a wrong secret is refused" "$(call AWS_SECRET_ACCESS_KEY=wrong -- sso-admin ListInstances '{}')" \
        SignatureDoesNotMatch
    is "an unknown key is refused" "$(call AWS_ACCESS_KEY_ID=AKIAUNKNOWN -- sts GetCallerIdentity '{}')" \
        InvalidClientTokenId

    # A role that our keys may assume, by way of a profile.
    role=$(aws iam create-role --role-name r --assume-role-policy-document \
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}' |
        jq -r .Role.Arn)
    aws iam put-role-policy --role-name r --policy-name all --policy-document \
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    printf '[profile courier]\nrole_arn = %s\nsource_profile = keys\nexternal_id = e/1\n' "$role" >/root/config
    printf '[keys]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$key" "$AWS_SECRET_ACCESS_KEY" >/root/credentials
    profile=(-u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_CONFIG_FILE=/root/config
        AWS_SHARED_CREDENTIALS_FILE=/root/credentials AWS_PROFILE=courier)
    is "a role is assumed by way of files, and its temporary keys are accepted" \
        "$(env "${profile[@]}" "$CALL" sts GetCallerIdentity '{}' | jq -r .answer.Arn)" \
        arn:aws:sts::123456789012:assumed-role/r/team-courier
    like "botocore reads the same files in the same way" \
        "$(env "${profile[@]}" "$MOTO/bin/python3" -m awscli --region eu-west-1 sts get-caller-identity)" 'assumed-role/r/'

    # moto plays the instance metadata service, too; what it gives is signed with, and not known to it.
    imds=(-u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_EC2_METADATA_DISABLED
        AWS_EC2_METADATA_SERVICE_ENDPOINT="$AWS_ENDPOINT_URL")
    is "moto's instance gives credentials" \
        "$(env "${imds[@]}" "$CALL" --status sts GetCallerIdentity '{}' 2>>"$DOUBLE_LOG" | jq -rs '.[1].credentials')" \
        "the instance's metadata service"
else
    echo "ok $((++_tests)) - no moto here # SKIP python3 with moto and awscli"
fi
finish
