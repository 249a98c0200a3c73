# AWS for system tests: source it after tests/system/lib.sh.
#
#   start_double                     the double (double.py): AWS_* variables then point at it
#   told GET assignments             GET and POST speak with it: see double.py
#   POST faults '{"op": "Create.*", "do": "throttle", "times": 3}'
#   set=$(arn AdministratorAccess) user=$(id_of alice@example.com)
#   unbroken "..."                   a test: the client broke no rule
#
#   start_moto                       moto's server, which checks signatures, instead
#   start_courier                    team-courier, which finds either
# shellcheck shell=bash
# shellcheck disable=SC2034

DOUBLE_LOG=/var/log/double.log
HANDS=$BUILD/tests/aws/hands

# Waits for the first line of $1: a URL.
_url_of()
{
    until_true 30 test -s "$1" || die "no server: $(cat "$DOUBLE_LOG")"
    head -n 1 "$1"
}

# An identity that has nothing but these keys.
_point_at()
{
    unset "${!AWS_@}"
    export AWS_ENDPOINT_URL=$1 AWS_ACCESS_KEY_ID=$2 AWS_SECRET_ACCESS_KEY=$3 AWS_REGION=eu-west-1
    export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
}

# The python that has botocore: Debian's, or the one that has moto.
judge()
{
    local python=${MOTO:+$MOTO/bin/python3}

    [ -n "$python" ] || python=/usr/bin/python3
    $python -c 'import botocore' 2>/dev/null || die "no python3 with botocore; install python3-botocore"
    echo "$python"
}

# start_double [ARGUMENT...]: see double.py. $DOUBLE is its URL, $double_pid the process.
start_double()
{
    : >/run/double.url
    PYTHONDONTWRITEBYTECODE=1 $(judge) "$SRC/tests/aws/double.py" "$@" >/run/double.url 2>>"$DOUBLE_LOG" &
    double_pid=$!
    DOUBLE=$(_url_of /run/double.url)
    DOUBLE_WORLD=$(GET world)
    _point_at "$DOUBLE" AKIDEXAMPLE "$(jq -r .secret <<<"$DOUBLE_WORLD")"
}

stop_double()
{
    kill "$double_pid" && wait "$double_pid" 2>/dev/null
    true
}

GET()
{
    curl -sSfk "$DOUBLE/_double/$1"
}

# POST WHAT [JSON]
POST()
{
    local answer

    answer=$(curl -sSk --fail-with-body -d "${2:-{\}}" "$DOUBLE/_double/$1") || die "POST $1 $2: $answer"
    [ "$1" = reset ] || [ "$1" = grow ] || [ "$1" = add ] || return 0
    DOUBLE_WORLD=$(GET world)
}

# The ARN of a permission set, the id of a user or group, by name.
arn()
{
    jq -r --arg n "$1" '.sets[$n]' <<<"$DOUBLE_WORLD"
}

id_of()
{
    jq -r --arg n "$1" '.users[$n] // .groups[$n]' <<<"$DOUBLE_WORLD"
}

# calls [REGEX]: the operations that were called, in order; calls_of REGEX: how many.
calls()
{
    GET log | jq -r --arg r "${1:-.}" 'select(.operation // "?" | test($r)) | .operation'
}

unbroken()
{
    is "$1" "$(GET breaches)" ""
}

# ---- the courier --------------------------------------------------------------------------------------

COURIER_LOG=/var/log/courier.log

# As teamd by start_teamd: in the background, with /etc/team/team.conf. $courier_pid.
start_courier()
{
    "$BUILD/team-courier" --config /etc/team/team.conf >>"$COURIER_LOG" 2>&1 </dev/null &
    courier_pid=$!
}

# As a crash would.
kill_courier()
{
    kill -KILL "$courier_pid" 2>/dev/null
    wait "$courier_pid" 2>/dev/null
    true
}

# status_is EXPRESSION: of what `teamctl status` says; no answer is no. (jq -e calls nothing at all true.)
status_is()
{
    [ "$(teamctl status --json 2>/dev/null | jq "$1")" = true ]
}

# AWS has been read, within 30 s.
aws_is_read()
{
    until_true 30 status_is '.accounts > 0'
}

_is_in()
{
    [ "$(teamctl show "$1" --json 2>/dev/null | jq -r .state)" = "$2" ]
}

# comes_within SECONDS ID STATE: does a request?
comes_within()
{
    until_true "$1" _is_in "$2" "$3"
}

# ---- moto ---------------------------------------------------------------------------------------------

# start_moto: an organisation whose management account is 123456789012, signatures checked. $MOTO_PORT.
# False if there is no moto.
start_moto()
{
    [ -n "${MOTO:-}" ] || return 1
    MOTO_PORT=4566
    INITIAL_NO_AUTH_ACTION_COUNT=100 "$MOTO/bin/moto_server" -H 127.0.0.1 -p $MOTO_PORT >>"$DOUBLE_LOG" 2>&1 &
    moto_pid=$!
    until_true 30 curl -sf http://127.0.0.1:$MOTO_PORT/moto-api/data.json || die "no moto: $(cat "$DOUBLE_LOG")"
    _point_at http://127.0.0.1:$MOTO_PORT none none
}

# The aws CLI, an independent client. Organizations has one region, which is signed.
aws()
{
    local region=eu-west-1

    [ "$1" != organizations ] || region=us-east-1
    "$MOTO/bin/python3" -m awscli --region $region --output json "$@"
}

EVERYTHING='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'

# moto_checks [POLICY]: from now on moto wants signatures of a key that may do that, which we get.
moto_checks()
{
    local key

    aws iam create-user --user-name courier >/dev/null
    aws iam put-user-policy --user-name courier --policy-name all --policy-document "${1:-$EVERYTHING}"
    key=$(aws iam create-access-key --user-name courier)
    _point_at "$AWS_ENDPOINT_URL" "$(jq -r .AccessKey.AccessKeyId <<<"$key")" \
        "$(jq -r .AccessKey.SecretAccessKey <<<"$key")"
    curl -sf -H 'Content-Type: text/plain' -d 0 "$AWS_ENDPOINT_URL/moto-api/reset-auth" >/dev/null
}

# said QUERY COMMAND...: one value of what the aws CLI answers.
said()
{
    aws "${@:2}" | jq -r "$1"
}

# moto_organization: accounts prod (below the unit $production, in its unit $web) and dev; permission sets
# $admin (AdministratorAccess, 2 h) and $readonly; $alice, who is in the group SRE ($group), and $bob;
# $instance and $store.
moto_organization()
{
    local root

    AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none
    aws organizations create-organization --feature-set ALL >/dev/null
    root=$(said '.Roots[0].Id' organizations list-roots)
    production=$(said .OrganizationalUnit.Id organizations create-organizational-unit --parent-id "$root" --name Production)
    web=$(said .OrganizationalUnit.Id organizations create-organizational-unit --parent-id "$production" --name Web)
    prod=$(said .CreateAccountStatus.AccountId organizations create-account --account-name prod --email p@example.com)
    dev=$(said .CreateAccountStatus.AccountId organizations create-account --account-name dev --email d@example.com)
    aws organizations move-account --account-id "$prod" --source-parent-id "$root" --destination-parent-id "$web"
    instance=$(said '.Instances[0].InstanceArn' sso-admin list-instances)
    store=$(said '.Instances[0].IdentityStoreId' sso-admin list-instances)
    admin=$(said .PermissionSet.PermissionSetArn sso-admin create-permission-set --instance-arn "$instance" \
        --name AdministratorAccess --session-duration PT2H)
    readonly=$(said .PermissionSet.PermissionSetArn sso-admin create-permission-set --instance-arn "$instance" \
        --name ReadOnlyAccess)
    alice=$(said .UserId identitystore create-user --identity-store-id "$store" --user-name alice@example.com \
        --display-name Alice --name FamilyName=A,GivenName=Alice)
    bob=$(said .UserId identitystore create-user --identity-store-id "$store" --user-name bob@example.com \
        --display-name Bob --name FamilyName=B,GivenName=Bob)
    group=$(said .GroupId identitystore create-group --identity-store-id "$store" --display-name SRE)
    aws identitystore create-group-membership --identity-store-id "$store" --group-id "$group" \
        --member-id "UserId=$alice" >/dev/null
}
