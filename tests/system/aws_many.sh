#!/bin/bash
# Many requests for AWS at the same moment: all become active, none fails because AWS throttles, and all
# are gone afterwards.
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double
POST grow '{"accounts": 60, "depth": 2, "sets": 5, "users": 50, "groups": 5, "per_group": 5}'
POST set '{"outstanding": 10, "limits": true}'

config <<'EOF'
settings: { admins = ["dave"]; require_comment = false; max_duration = "4h"; };
identity: { aws_user = "{user}@example.com"; };
aws: { };
eligibility = ( { name = "sre"; who = ["alice", "bob", "carol", "dave", "erin"]; targets = ["aws:*/AdministratorAccess"];
                  max_duration = "4h"; approval_required = false; } );
EOF

ok "teamd starts" start_teamd
start_courier
reading()
{
    for _ in {1..60}; do
        sleep 1
        [ "$(teamctl status --json | jq '.accounts // 0')" -lt 60 ] || return 0
    done
    return 1
}
ok "the first reading comes to its end" reading
# ---- many at once ----------------------------------------------------------------------------------------

accounts=$(as alice teamctl targets --json | jq -r 'select(.target | startswith("aws:")) | .target' | head -n 60)
from=${EPOCHREALTIME/./}
n=0 pids=()
for who in alice bob carol; do
    for batch in {0..4}; do
        # shellcheck disable=SC2046
        as $who teamctl request $(sed -n "$((batch * 5 + 1)),$((batch * 5 + 5))p" <<<"$accounts") --for 1h --reason many >/dev/null 2>&1 &
        pids+=($!)
        n=$((n + 5))
    done
done
wait "${pids[@]}"
# settled STATUS: within two minutes, asked once a second: the machine has other things to do.
settled()
{
    for _ in {1..120}; do
        [ "$(teamctl status --json | jq "$1")" != true ] || return 0
        sleep 1
    done
    return 1
}
ok "requests for $n assignments come at once, and all are active" settled '.active == 15 and .activating == 0'
echo "# in $(((${EPOCHREALTIME/./} - from) / 1000)) ms; throttled: $(GET log | jq -r 'select(.code == "ThrottlingException") | .code' | wc -l)"
is "AWS has them all" "$(GET assignments | wc -l)" "$n"
is "none has failed" "$(teamctl list --state failed --json | wc -l)" 0
for id in $(teamctl list --state active --json | jq -r .id); do teamctl revoke "$id" --yes >/dev/null 2>&1; done
ok "and all are gone after their end" settled '.ending == 0'
is "in AWS, too" "$(GET assignments | wc -l)" 0
unbroken "no rule of AWS was broken"
kill "$courier_pid"
stop_teamd
finish
