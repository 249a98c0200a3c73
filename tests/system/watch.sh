#!/bin/bash
# What goes on now: live sessions, and events as they happen, each to those whom they concern.
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { admins = ["dave"]; auditors = ["@security"]; require_comment = false; };
gate: { exempt = ( { who = ["frank"]; classes = ["sudo"]; } ); };
eligibility = ( { name = "sre"; who = ["alice", "erin"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
approvers = ( { name = "leads"; who = ["bob"]; targets = ["host:*/*"]; requesters = ["alice"]; } );
CONF

# Somebody who passes without an elevation, and whose sessions are under no request.
echo 'frank:x:2006:2006::/home/frank:/bin/bash' >>/etc/passwd
echo 'frank:x:2006:' >>/etc/group
echo 'frank:*:19000:0:99999:7:::' >>/etc/shadow
install -d -o 2006 -g 2006 -m 0750 /home/frank
sudoers <<<'frank ALL=(ALL:ALL) NOPASSWD: ALL'
start_teamd || exit 1

elevate()
{
    run as "$1" teamctl request sudo --for 1h --reason "a test of watching"
    id=${out:0:8}
}

# ---- sessions -----------------------------------------------------------------------------------

# sessions_of USER: the users whose sessions USER sees, in the order in which they are listed.
sessions_of()
{
    as "$1" teamctl sessions --json | jq -r .user | paste -sd' '
}

sleepers=()
nap()
{
    as "$1" sudo -n sleep 30 &
    sleepers+=($!)
    until_true 5 has_sessions $((${#sleepers[@]}))
}
has_sessions()
{
    [ "$(teamctl sessions --json | wc -l)" -eq "$1" ]
}

ok "with no session there is none" teamctl sessions
is "and it says so" "$out" "no sessions"
elevate alice
alices=$id
elevate erin
nap alice
nap erin
nap frank
is "root sees every session, the oldest first" "$(sessions_of root)" "alice erin frank"
is "an admin does" "$(sessions_of dave)" "alice erin frank"
is "an auditor does" "$(sessions_of carol)" "alice erin frank"
is "a requester sees their own" "$(sessions_of alice)" "alice"
is "who is exempt sees their own" "$(sessions_of frank)" "frank"
is "an approver sees those whose requests they could decide" "$(sessions_of bob)" "alice"
is "a stranger sees none" "$(sessions_of team)" ""
run as alice teamctl sessions --json
is "a session says what it is" "$(jq -r '[.request, .user, .service, .target_user, .state, .ended_at] | @csv' <<<"$out")" \
    "\"$alices\",\"alice\",\"sudo\",\"root\",\"live\","
teamctl sessions --json | jq .leader | xargs kill
wait "${sleepers[@]}" 2>/dev/null
ok "what is over is not listed any more" until_true 5 has_sessions 0
finish
