#!/bin/bash
# Many requests for AWS that start in the same second: all become active, none fails because AWS throttles,
# how far they have come is visible, and all are gone afterwards. REQUESTS=500 makes so many (75).
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
N=${REQUESTS:-75}
EACH=25 # of one person: more than 32 live requests are refused
start_double
POST grow "{\"accounts\": $((EACH + 10)), \"depth\": 2, \"sets\": 5, \"users\": 50, \"groups\": 5, \"per_group\": 5}"
for ((i = 0; i < (N + EACH - 1) / EACH; i++)); do
    PEOPLE+=("p$i")
    echo "p$i:x:$((3000 + i)):3000::/tmp:/bin/bash" >>/etc/passwd
    POST add "{\"user\": \"p$i@example.com\"}"
done
echo "many:x:3000:" >>/etc/group
POST set '{"outstanding": 10, "limits": true}'

config <<'EOF'
settings: { admins = ["dave"]; require_comment = false; max_duration = "4h"; };
identity: { aws_user = "{user}@example.com"; };
aws: { };
eligibility = ( { name = "sre"; who = ["@many"]; targets = ["aws:*/AdministratorAccess"];
                  max_duration = "4h"; approval_required = false; } );
EOF

ok "teamd starts" start_teamd
start_courier
ok "the first reading comes to its end" aws_is_read

# ---- many at once ----------------------------------------------------------------------------------------

as p0 teamctl targets --json | jq -r 'select(.target | startswith("aws:")) | .target' | head -n $EACH >/mnt/targets
begin=$((EPOCHSECONDS + 5 + N / 15))
start=$(date -u -d "@$begin" +%FT%TZ)
i=0 pids=()
for who in "${PEOPLE[@]}"; do
    n=$((N - EACH * i++))
    [ "$n" -lt $EACH ] || n=$EACH
    as "$who" bash -c "head -n $n /mnt/targets | xargs -n 1 -I{} teamctl request {} --for 1h --start $start --reason many" \
        >/dev/null 2>>/var/log/many.log &
    pids+=($!)
done
wait "${pids[@]}"
[ "$EPOCHSECONDS" -lt "$begin" ] || echo "# they came $((EPOCHSECONDS - begin)) s too late for one second"
is "all $N are waiting for the same second" "$(teamctl status --json | jq '.scheduled + .activating + .active')" "$N"

# settled STATUS: asked once a second, for so long as the rates of AWS make it, twice over.
settled()
{
    for ((s = 0; s < 60 + N * 6 / 10; s++)); do
        ! status_is "$1" || return 0
        now=$(teamctl status --json | jq -r '"\(.active) active, \(.activating) activating, \(.ending) ending"')
        [ "$now" = "${said:-}" ] || said_times=$((${said_times:-0} + 1)) said=$now
        sleep 1
    done
    return 1
}
ok "all of them are active" settled ".active == $N and .activating == 0"
echo "# in $((EPOCHSECONDS - begin)) s; throttled: $(GET log | jq -r 'select(.code == "ThrottlingException") | .code' | wc -l)"
echo "# calls: $(GET log | jq -r .operation | sort | uniq -c | sort -rn | head -n 4 | xargs)"
echo "# memory of its own: teamd $(awk '/^Private_Dirty/ { s += $2 } END { print s }' "/proc/$TEAMD_PID/smaps_rollup") KiB"
ok "and how far they had come was visible" test "${said_times:-0}" -ge 3
is "AWS has them all" "$(GET assignments | wc -l)" "$N"
is "none has failed" "$(teamctl list --state failed --json | wc -l)" 0
begin=$EPOCHSECONDS
teamctl list --state active --json | jq -r .id | xargs -n 1 -I{} teamctl revoke {} --yes >/dev/null 2>&1
ok "and all are gone after their end" settled '.ending == 0'
echo "# in $((EPOCHSECONDS - begin)) s"
is "in AWS, too" "$(GET assignments | wc -l)" 0
unbroken "no rule of AWS was broken"
kill_courier
stop_teamd
finish
