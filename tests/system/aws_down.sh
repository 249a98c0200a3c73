#!/bin/bash
# AWS is away: what is local goes on, what needs AWS waits and says so, or fails at its limit, and what
# has to end ends as soon as AWS is back. By the clocks of teamd and the courier AWS is away for an hour, or
# for AWAY seconds: those are of tests/torture/clock.c.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double
AWAY=${AWAY:-3600}

# clocks SECONDS: so much ahead of the machine's; AWS's is with them.
clocks()
{
    echo "$1 $1" >/mnt/shift
    POST set "{\"clock_ahead_s\": $1}"
}

with_clocks()
{
    LD_PRELOAD=$BUILD/tests/torture/clock.so CLOCK_SHIFT=/mnt/shift "$@"
}

state()
{
    teamctl show "$1" --json | jq -r .state
}

request()
{
    as "$1" teamctl request "${@:2}" --reason test | head -n 1
}

# aws_is AWAY: every call meets that.
aws_is()
{
    POST calm
    [ "$1" = back ] || POST faults "{\"op\": \".*\", \"do\": \"$1\", \"times\": -1}"
}

config <<'EOF'
settings: { admins = ["dave"]; require_comment = false; approval = false; max_duration = "48h"; };
identity: { aws_user = "{user}@example.com"; };
aws: { portal_url = "https://x.awsapps.com/start"; }; # the region is that of the courier's environment
eligibility = ( { name = "all"; who = ["alice", "bob", "dave"]; targets = ["aws:*/*", "host:*/sudo"]; max_duration = "48h"; } );
approvers = ( { name = "leads"; who = ["erin"]; targets = ["aws:*/*", "host:*/*"]; } );
EOF
clocks 0
with_clocks start_teamd || die "no teamd"
with_clocks start_courier
aws_is_read || die "no directory"
open=$(request bob aws:dev/ReadOnlyAccess --for $((AWAY + 7200))s)
short=$(request dave aws:dev/ReadOnlyAccess --for 12s)
stays=$(request alice aws:prod-web/ReadOnlyAccess --for $((AWAY + 7200))s)
ok "three are active" until_true 10 status_is '.active == 3'
like "people are told the region that the courier has" "$(as alice teamctl show "$stays")" 'sso_region = eu-west-1'

# ---- away ----------------------------------------------------------------------------------------------

aws_is reset
ok "a host elevation opens without AWS" request alice sudo --for $((AWAY + 3600))s
is "and sudo works" "$(as alice sudo -n id -u)" 0
waits=$(request alice aws:prod-web/AdministratorAccess --for $((AWAY + 3600))s)
late=$(request alice aws:prod-db/AdministratorAccess --for 6s)
is "who wants AWS waits" "$(state "$waits")" activating
ok "and is told why" until_true 20 sh -c "teamctl show $waits | grep -q 'AWS does not get it done'"
like "status counts them" "$(teamctl status)" 'activating +[12]'
ok "one is revoked meanwhile" as bob teamctl revoke "$open" --yes
ok "another one ends" comes_within 20 "$short" ending
is "both wait for AWS" "$(state "$open") $(state "$short")" "ending ending"
ok "what could not be opened in its time has failed" comes_within 20 "$late" failed
like "and says why" "$(teamctl show "$late" --json | jq -r .failure)" 'did not open it in time: .*AWS'
is "targets is answered from the store" "$(as alice teamctl targets | grep -c prod-web)" 2
refused "teamctl refresh says that it cannot" timeout 120 teamctl refresh

ahead=0 states=""
while [ "$ahead" -lt "$AWAY" ]; do
    ahead=$((ahead + 600))
    clocks $ahead
    sleep 0.5
    states="$(state "$open") $(state "$short") $(state "$waits") $(state "$stays")"
    [ "$states" = "ending ending activating active" ] || break
done
is "nothing has changed in $ahead s" "$states" "ending ending activating active"
is "sudo works" "$(as alice sudo -n id -u)" 0
kill_courier
kill_teamd
with_clocks start_courier
ok "both are killed, and come back while AWS is away" with_clocks start_teamd
is "nothing was forgotten" "$(state "$open") $(state "$short") $(state "$waits") $(state "$stays")" \
    "ending ending activating active"
is "and accounts are known yet" "$(as alice teamctl targets | grep -c prod-web)" 2

# ---- a proxy that answers for it, then a black hole --------------------------------------------------------

aws_is html
sleep 3
is "an error page is no answer" "$(state "$open") $(state "$waits")" "ending activating"
kill -STOP "$double_pid"
ok "a server that says nothing holds nobody up" timeout 2 teamctl status
is "sudo works" "$(as alice sudo -n id -u)" 0
sleep 2
kill -CONT "$double_pid"

# ---- back ------------------------------------------------------------------------------------------------

aws_is back
begin=$SECONDS
ok "what had to end ends" comes_within 40 "$open" revoked
ok "this one, too" comes_within 40 "$short" ended
ok "what waited opens" comes_within 40 "$waits" active
echo "# $((SECONDS - begin)) s after AWS was back"
is "AWS has what is wanted" "$(GET assignments)" "prod-web AdministratorAccess USER alice@example.com
prod-web ReadOnlyAccess USER alice@example.com"
is "what was open was never touched" "$(GET history | jq -r 'select(.what | test("prod-web ReadOnly")) | .change')" +
unbroken "no rule was broken"
finish
