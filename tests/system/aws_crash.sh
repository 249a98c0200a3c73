#!/bin/bash
# teamd, team-courier or both are killed again and again while people ask for AWS, revoke and let run
# out. At the end AWS has what was there before, and nothing else. KILLS=200 kills so often (12).
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double
POST set '{"progress_s": 0.2}'
POST assign '{"account": "prod-web", "set": "ReadOnlyAccess", "kind": "USER", "principal": "alice@example.com"}'
RANDOM=${SEED:-4711}

config <<'EOF'
settings: { admins = ["dave"]; require_comment = false; };
identity: { aws_user = "{user}@example.com"; };
aws: { region = "eu-west-1"; };
eligibility = ( { name = "sre"; who = ["alice", "bob", "carol"]; targets = ["aws:*/AdministratorAccess", "aws:*/ReadOnlyAccess"];
                  max_duration = "4h"; approval_required = false; } );
EOF

settled()
{
    for _ in {1..120}; do
        [ "$(teamctl status --json | jq "$1")" != true ] || return 0
        sleep 0.5
    done
    return 1
}

# Somebody asks for something, for a moment or for an hour, or gives something back.
somebody_acts()
{
    local who accounts=(prod-web prod-db dev) sets=(AdministratorAccess ReadOnlyAccess) id
    local people=(alice bob carol)

    who=${people[RANDOM % 3]}
    if [ $((RANDOM % 3)) -eq 0 ]; then
        id=$(as "$who" teamctl list --mine --state activating,active --json 2>/dev/null | jq -r .id | head -n 1)
        [ -z "$id" ] || as "$who" teamctl revoke "$id" --yes >/dev/null 2>&1
    else
        as "$who" teamctl request "aws:${accounts[RANDOM % 3]}/${sets[RANDOM % 2]}" \
            --for "$((RANDOM % 2 ? 3600 : 3))s" --reason x >/dev/null 2>&1
    fi
}

ok "teamd starts" start_teamd
start_courier
ok "AWS has been read" settled '.accounts > 0'
kills=0
for ((i = 0; i < ${KILLS:-12}; i++)); do
    somebody_acts
    somebody_acts
    sleep "0.$((RANDOM % 5))"
    case $((RANDOM % 3)) in
    0) kill_courier ;;
    1) kill_teamd ;;
    2) kill_courier && kill_teamd ;;
    esac
    kills=$((kills + 1))
    [ -n "$TEAMD_PID" ] || start_teamd || break
    kill -0 "$courier_pid" 2>/dev/null || start_courier
done
ok "everything came back, $kills times" [ "$kills" -eq "${KILLS:-12}" ]
sleep 4 # what was asked for a moment is over then, or on its way out
ok "what was asked for is there, and what is over is gone" \
    settled '.activating == 0 and .ending == 0 and .aws_removing == 0'
active=$(teamctl list --state active --json |
    jq -r '.requester as $r | .targets[] | .account_name + " " + .permission_set + " USER " + $r + "@example.com"' | sort -u)
is "AWS has what is active, and what was there before" "$(GET assignments | sort)" \
    "$(sort -u <<<"$active"$'\n'"prod-web ReadOnlyAccess USER alice@example.com" | sed '/^$/d')"
for id in $(teamctl list --state active,activating --json | jq -r .id); do
    teamctl revoke "$id" --yes >/dev/null 2>&1
done
ok "all of it comes to an end" settled '.active == 0 and .activating == 0 and .ending == 0'
is "and AWS has what was there before" "$(GET assignments)" "prod-web ReadOnlyAccess USER alice@example.com"
is "which nobody has touched" "$(GET history | jq -r 'select((.what // .) | tostring | test("ReadOnlyAccess.*alice|alice.*ReadOnlyAccess")) | select(tostring | test("prod-web")) | tostring' | wc -l)" 1
unbroken "no rule of AWS was broken"
ok "nothing is in the outbox" settled '.aws_making + .aws_there + .aws_removing == 0'
kill_courier
stop_teamd
finish
