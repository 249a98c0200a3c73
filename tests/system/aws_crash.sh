#!/bin/bash
# teamd, team-courier, or both are killed again and again under a mixed load, while AWS stumbles. At the
# end AWS has what is approved and inside its window, what was there before, and nothing else.
# ROUNDS (60) and SEED may be set.
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double
ROUNDS=${ROUNDS:-60} RANDOM=${SEED:=$RANDOM}
echo "# SEED=$SEED"

# pick WORD...: one of them.
pick()
{
    echo "${@:RANDOM % $# + 1:1}"
}

# Somebody wants something, gives it back early, or longer.
act()
{
    local who id

    who=$(pick alice bob dave)
    case $((RANDOM % 5)) in
    0 | 1 | 2)
        as "$who" teamctl request "aws:$(pick 111122223333 111122224444 222233334444)/$(
            pick AdministratorAccess ReadOnlyAccess)" --for "$(pick 5s 20s 2h 2h)" --reason "$RANDOM"
        ;;
    3)
        as "$who" teamctl request aws:111122223333/ReadOnlyAccess aws:111122224444/ReadOnlyAccess \
            --for "$(pick 10s 2h)" --reason both
        ;;
    4)
        id=$(as "$who" teamctl list --mine --state activating,active --json | jq -r .id | shuf -n 1)
        [ -z "$id" ] || as "$who" teamctl revoke "$id" --yes
        ;;
    esac >/dev/null 2>&1
}

# What should be: every target of every active request, and bob's, which was there before.
wanted()
{
    {
        teamctl list --json | jq -r --argjson w "$DOUBLE_WORLD" '
            ($w.accounts | with_entries({key: .value, value: .key})) as $name |
            select(.state == "active") | .requester as $who | .targets[] |
            "\($name[.account_id]) \(.permission_set) USER \($who)@example.com"'
        echo prod-web ReadOnlyAccess USER bob@example.com
    } | sort -u
}

# Nothing is on its way.
settled()
{
    [ "$(teamctl list --json | jq -r 'select(.state | test("activating|ending|scheduled")) | .id' | wc -l)" -eq 0 ]
}

as_wanted()
{
    settled && [ "$(wanted)" = "$(GET assignments)" ]
}

config <<'EOF'
settings: { admins = ["dave"]; require_comment = false; approval = false; };
identity: { aws_user = "{user}@example.com"; };
aws: { region = "eu-west-1"; };
eligibility = ( { name = "all"; who = ["alice", "bob", "dave"]; targets = ["aws:*/*"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["erin"]; targets = ["aws:*/*"]; } );
EOF
POST assign '{"account": "prod-web", "set": "ReadOnlyAccess", "principal": "bob@example.com"}'
POST set '{"progress_s": 0.4, "propagation_s": 0.2}'
start_teamd || die "no teamd"
start_courier
aws_is_read || die "no directory"

for ((round = 0; round < ROUNDS; round++)); do
    for ((i = RANDOM % 4; i >= 0; i--)); do act; done
    [ $((RANDOM % 4)) -ne 0 ] || POST faults "{\"op\": \"(Create|Delete|Describe|List).*Assignment.*\", \"times\": 3,
        \"do\": \"$(pick reset throttle html truncate)\", \"done\": $(pick true false)}"
    sleep "$(pick 0.05 0.2 0.5 1)"
    case $((RANDOM % 3)) in
    0) kill_courier; start_courier ;;
    1) kill_teamd; start_teamd ;;
    2) kill_courier; kill_teamd; start_courier; start_teamd ;;
    esac
done
POST calm
is "$ROUNDS times killed" "$round" "$ROUNDS"
ok "teamd and the courier are at work" until_true 20 sh -c 'teamctl status --json | jq -e ".courier == \"connected\""'
ok "AWS has what is wanted" until_true 120 as_wanted
is "nothing is left, nothing is missing" "$(diff <(wanted) <(GET assignments))" ""
is "nobody touched what was there before" "$(GET history | jq -r .what | grep -c 'prod-web ReadOnlyAccess USER bob')" 1
ok "much came and went" test "$(GET history | wc -l)" -gt 20
is "nothing failed but what was wanted for seconds only" \
    "$(teamctl list --json | jq -r 'select(.state == "failed" and .duration_s > 60) | .failure' | sort | uniq -c)" ""
is "and nothing was asked for that the policy in team-courier(8) does not allow" \
    "$(calls | sort -u | grep -vxF -f <(grep -oE '(sso|identitystore|organizations):[A-Za-z]+' \
        "$SRC/teamd/courier/team-courier.8" | sed 's/.*://'))" GetCallerIdentity
unbroken "no rule was broken"
finish
