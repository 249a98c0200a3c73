#!/bin/bash
# What su and runuser ask the gate, and what it answers: the table in pam_team(8), with the real ones
# and the shipped stacks. Who runs su counts, not whom they become.
# shellcheck disable=SC1091,SC2012,SC2016,SC2034,SC2119,SC2154  # hosts_lib.sh; words for other shells
. "$(dirname "$0")/hosts_lib.sh"

policy
start_teamd || exit 1
mark
usermod -p "$PASSWORD_HASH" root
gate su
gate runuser
is "su-l has the gate by way of su" "$(grep -c 'include[[:space:]]*su$' /etc/pam.d/su-l)" 4
is "runuser-l has the gate by way of runuser" "$(grep -c 'include[[:space:]]*runuser$' /etc/pam.d/runuser-l)" 2

# become WHO ARG...: su of that person with the right password for whomever they become.
become()
{
    local who=$1
    shift
    as_typing "$who" "$PASSWORD" su "$@"
}

# both NAME NO YES WHOM ARG...: alice's su without an elevation and with one; it says who she became.
both()
{
    local name=$1 no=$2 yes=$3 whom=$4
    shift 4

    refused "$name: refused without an elevation" become alice "$@" -c 'id -un'
    unlike "$name: and does not become $whom" "$out" "(^|"$'\n'")$whom"
    asked "$name: what the gate answered" "$no"
    elevate alice su
    ok "$name: under an elevation" become alice "$@" -c 'id -un'
    like "$name: becomes $whom" "$out" $'\n'"$whom"
    asked "$name: what the gate answered then" "$yes"
    drop alice
}

both "su" "$(no_of alice)" "$(yes_of alice)" bob bob
like "su: the person reads what to do" "$(become alice bob)" \
    'no active elevation for su on bastion-1; run: teamctl request su --for 1h --reason "\.\.\."'
is "the trail has who became whom, and by what" \
    "$(teamctl audit --json | jq -r 'select(.action == "session.open") | "\(.target) \(.detail)"')" \
    "host:bastion-1/su service su for bob, by elevation, session 1, own words: su bob -c id -un"
is "the trail has the class as the target, and the service" \
    "$(teamctl audit --json | jq -r 'select(.action == "gate.account" and .outcome == "yes") | "\(.target) \(.detail)"')" \
    "host:bastion-1/su service su, asked 1 time"
mark
both "su -" "$(no_of alice)" "$(yes_of alice)" root -

gate_only account su
both "su with the account line alone" "$(no_of alice)" "gate.account alice yes" bob bob
gate_only session su
both "su with the session line alone" "session.open alice no" "session.end alice done,session.open alice yes" bob bob
gate su

# ---- passwords, classes, sessions ---------------------------------------------------------------

elevate alice sudo
refused "an elevation for sudo is none for su" become alice bob -c true
asked "the gate says so" "$(no_of alice)"
drop alice
elevate alice su
refused "an elevation for su is none for sudo" as alice sudo -n true
asked "the gate says so, too" "$(no_of alice)"
refused "an elevation is no password" as_typing alice wrong su bob -c 'id -un'
asked "and the gate is not asked" ""
refused "nobody becomes teamd's own user" su team -s /bin/sh -c 'id -un'
asked "root neither" "$(no_of root)"

live_leader()
{
    leader=$(sessions_of "$id" 'select(.state == "live") | .leader')
    [ -n "$leader" ]
}
become alice bob -c 'sleep 30' >/dev/null 2>&1 &
until_true 3 live_leader
is "the leader of the session is su" "$(</proc/"$leader"/comm)" su
is "the session says what it is" \
    "$(sessions_of "$id" 'select(.state == "live") | "\(.user) \(.service) \(.target_user) \(.tty)"')" "alice su bob /dev/pts/0"
kill -TERM "$leader"
wait $!
asked "and ends with su" "$(yes_of alice)"
is "it is kept" "$(sessions_of "$id" '"\(.service) \(.state)"')" "su ended"

# ---- who is who ---------------------------------------------------------------------------------

run become alice - -c "su bob -c 'id -un; cat /proc/self/loginuid'"
like "root under an elevation becomes bob, and logged in as alice" "$out" $'\n''bob'$'\n2001'
asked "the session of root in a session is one of the same elevation" \
    "gate.account alice yes,gate.account root yes,session.end alice done,session.open alice yes,session.open root yes"
is "the trail says so" "$(teamctl audit --json | jq -r 'select(.actor == "root" and .action == "session.open") | "\(.request) \(.detail)"')" \
    "$id service su for bob, by the elevation of its session, session $(sessions_of "$id" .id | tail -n 1), own words: su bob -c id -un; cat /proc/self/loginuid"
drop alice
elevate erin su
from=2002
refused "bob, become erin, does not run on her elevation" become erin carol -c true
like "and is told why" "$out" 'you are uid 2005 but logged in as uid 2002'
from=$UNSET_LOGINUID
refused "nor who has no login uid" become erin carol -c true
like "and is told how an admin allows it" "$out" 'identity.loginuid = "check"'
from=
asked "the gate said no to both" "$(no_of erin)"
ok "who logged in as erin does" become erin carol -c true
asked "the gate said yes" "$(yes_of erin)"
drop erin

ok "root's su passes" su bob -c true
asked "and is recorded" "$(yes_of root)"
ok "root's runuser passes" runuser -u bob true
ok "root's runuser - too" runuser - bob -c true
asked "and they are recorded, without account" "session.end root done,session.open root yes"
refused "runuser does not become teamd's own user" runuser -u team true
asked "the gate said no" "session.open root no"

# ---- exempt, and without teamd ------------------------------------------------------------------

repolicy 'gate: { exempt = ( { who = ["carol"]; classes = ["su"]; } ); };'
ok "who is exempt for su passes" become carol bob -c true
asked "and is recorded" "$(yes_of carol)"
sudoers <<<'carol ALL=(ALL:ALL) NOPASSWD: ALL'
refused "who is exempt for su is not for sudo" as carol sudo -n true
stop_teamd
forget_log
refused "without teamd: refused" become alice bob -c 'id -un'
like "without teamd: the person reads why" "$out" 'teamd does not answer \(it is not running\); tell an administrator'
refused "without teamd: who is exempt, too" become carol bob -c true
ok "without teamd: root's su passes" su - bob -c true
ok "without teamd: root's runuser passes" runuser -u bob true
ok "without teamd: root's passes are in the log" logged 'pam_team\(runuser:session\): uid=0 user=bob passes as root'
refused "without teamd: su to root is not root's su" become alice -c 'id -un'
finish
