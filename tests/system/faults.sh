#!/bin/bash
# teamd stopped, hanging, restarting, lying, of another version; a module with wrong arguments; no
# configuration or a broken one. Always: no within the timeout, one clear line to the person, one in
# the log. And root gets in, so that it can be repaired.
. "$(dirname "$0")/lib.sh"

good_config()
{
    config <<'CONF'
settings: { require_comment = false; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
}

# denied NAME REGEX: alice's sudo says no, in less than four seconds, with exactly one line of ours;
# the log has one line of ours too; root's sudo passes.
denied()
{
    local name=$1 regex=$2 begin=$EPOCHREALTIME ms

    forget_log
    run as alice sudo -n id
    ms=$((((${EPOCHREALTIME/[.,]/} - ${begin/[.,]/})) / 1000))
    unlike "$name: nothing runs" "$out" 'uid=0'
    like "$name: the person is told why" "$out" "$regex"
    is "$name: in one line" "$(grep -c -v '^sudo: ' <<<"$out")" 1
    ok "$name: within the timeout ($ms ms)" test "$ms" -lt 4000
    is "$name: one line in the log" "$(grep -c 'pam_team(sudo:account)' "$SYSLOG")" 1
    ok "$name: root's sudo passes" sudo -n true
}

good_config
start_teamd || exit 1
run as alice teamctl request sudo --for 1h --reason "a test of faults"
id=${out:0:8}
ok "with teamd all is well" as alice sudo -n true

# ---- teamd is not there, or not well ---------------------------------------------------------------

kill -STOP "$TEAMD_PID"
denied "teamd hangs" 'teamd'
kill -CONT "$TEAMD_PID"
until_true 5 teamctl status
ok "teamd goes on: all is well again" as alice sudo -n true

kill_teamd
denied "teamd was killed, its socket is left" 'teamd'
rm -f /run/team/gate.sock
denied "there is no socket" 'teamd'
exits 6 "teamctl says that teamd is not there" as alice teamctl list
like "and where it looked" "$out" '/run/team/control.sock'

for how in garbage version silence close oversize rows; do
    "$BUILD/tests/system/fakegate" /run/team/gate.sock $how &
    fake=$!
    until_true 5 test -S /run/team/gate.sock
    denied "teamd answers with: $how" 'teamd'
    kill $fake
    wait $fake 2>/dev/null
done

# ---- a restart loses nothing -----------------------------------------------------------------------

start_teamd || exit 1
ok "after a kill -9 and a restart the elevation is there" as alice sudo -n true
run as alice teamctl show "$id" --json
is "and it is what it was" "$(jq -r .state <<<"$out")" active
is "the session that was open is closed" "$(jq '[.sessions[] | select(.state == "live")] | length' <<<"$out")" 0

# A session that is open while teamd is away is known again afterwards.
as alice sudo -n sleep 3 &
sleeper=$!
until_true 5 pgrep -x sleep
ok "teamd stops when it is told to" stop_teamd
ok "its session goes on" kill -0 $sleeper
start_teamd || exit 1
run as alice teamctl show "$id" --json
is "a session that outlived a restart is live" "$(jq '[.sessions[] | select(.state == "live")] | length' <<<"$out")" 1
wait $sleeper
sleep 0.3
run as alice teamctl show "$id" --json
is "and its end is seen" "$(jq '[.sessions[] | select(.state == "live")] | length' <<<"$out")" 0

# While teamd restarts again and again, a sudo is answered with yes or no, never with nonsense.
answers=0
for _ in 1 2 3 4 5; do
    kill_teamd
    "$BUILD/teamd" --config /etc/team/team.conf >>"$TEAM_LOG" 2>&1 </dev/null &
    TEAMD_PID=$!
    run as alice sudo -n id
    if [[ $out =~ uid=0 ]] || [[ $out =~ teamd ]]; then answers=$((answers + 1)); fi
    until_true 10 teamctl status
done
is "during restarts every sudo got an answer" $answers 5

# ---- no memory to follow a session ----------------------------------------------------------------

stop_teamd
# broken ARG...: teamd cannot follow the first session. It looks around every second.
broken() { LD_PRELOAD=$BUILD/tests/torture/fail.so FAIL_CALL=follow FAIL_NTH=1 FAIL_ERRNO=12 TEAMD=$BUILD/tests/system/teamd-often start_teamd "$@"; }
state() { teamctl show "$id" --json | jq -r "$1"; }
over() { [ "$(state .state)" = revoked ]; }
session_ended() { [ "$(state ".sessions[0].state")" = ended ]; }
broken || exit 1
refused "a session that cannot be followed is not opened" as alice sudo -n id
as alice teamctl revoke "$id" --yes >/dev/null
ok "and keeps its request from its end no longer than it lives" until_true 5 over
is "how it ended is in the record" "$(state '[.sessions[] | select(.ended_at == null)] | length')" 0
stop_teamd
sed -i '/^settings/a sessions: { cgroup = "off"; };' /etc/team/team.conf
broken || exit 1
run as alice teamctl request sudo --for 1h --reason "another test of faults"
id=${out:0:8}
refused "nor is one without a container" as alice sudo -n id
ok "which is found to be over at the next look" until_true 5 session_ended
is "and is not called lost" "$(state '.sessions[0].ended_how')" exited
is "while its elevation goes on" "$(state .state)" active
ok "and can be used" as alice sudo -n true
stop_teamd
good_config
start_teamd || exit 1

# ---- the module's arguments ------------------------------------------------------------------------

for args in 'timeout=soon' 'timeout=60s' 'colour' 'socket=relative' 'timeout=1s timeout'; do
    gate_sudo "$args"
    denied "pam_team.so $args" 'pam_team|argument|module'
    ok "pam_team.so $args: the log names the argument" logged "pam_team.*${args##* }"
done
gate_sudo quiet
run as bob sudo -n id
unlike "pam_team.so quiet says nothing to the person" "$out" 'elevation'
gate_sudo 'socket=/run/elsewhere.sock'
denied "pam_team.so with a socket that is not there" 'teamd'
gate_sudo
ok "with right arguments all is well" as alice sudo -n true

# ---- the configuration -----------------------------------------------------------------------------

stop_teamd
rm /etc/team/team.conf
refused "without a configuration teamd does not start" "$BUILD/teamd"
like "and says which file it wants" "$out" '/etc/team/team\.conf'
denied "no configuration, no teamd" 'teamd'
config <<'CONF'
settings: { max_duration = "9 hours"; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:bastion/sudo/x"]; max_duration = "4h"; } );
CONF
exits 1 "teamd --check refuses a broken configuration" "$BUILD/teamd" --check
like "and says file and line of the first mistake" "$out" '/etc/team/team\.conf:1: .*max_duration'
like "and of the second" "$out" '/etc/team/team\.conf:2: .*eligibility\[0\]\.targets\[0\].*after the slash'
refused "teamd does not start with it" "$BUILD/teamd"
good_config
ok "teamd --check accepts a good one" "$BUILD/teamd" --check
is "and has nothing to say" "$out" ""
config <<'CONF'
settings: { admins = ["@team-admins", "zoe"]; };
eligibility = (
  { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; },
  { name = "gone"; who = ["@idle", "zoe"]; targets = ["host:*/sudo"]; },
  { name = "there"; who = ["alice"]; targets = ["host:web-*/sudo", "host:b/su"]; },
  { name = "cloud"; who = ["@idc:Admins"]; targets = ["aws:*/*"]; } );
approvers = ( { name = "leads"; who = ["@nobodys"]; targets = ["host:*/*"]; } );
aws: { region = "eu-west-1"; portal_url = "https://example.awsapps.com/start"; };
CONF
groupadd idle
ok "teamd --check accepts one that is for others" "$BUILD/teamd" --check
is "but says who and what there is not here" "$(grep warning <<<"$out" | sort)" "$(sort <<'SAID'
teamd: warning: eligibility "there" covers nothing on this host, which is called bastion-1
teamd: warning: the configuration names zoe, but nobody has that name
teamd: warning: the configuration names @nobodys, but nobody has that name
teamd: warning: eligibility "gone" is for nobody whom this host knows
teamd: warning: approvers "leads" are nobody whom this host knows
SAID
)"
good_config
start_teamd || exit 1
echo 'nonsense = 1;' >>/etc/team/team.conf
exits 1 "a reload of a broken configuration fails" teamctl reload
like "and says file and line" "$out" 'team\.conf:3: '
ok "and the old one goes on to count" as alice sudo -n true
kill -HUP "$TEAMD_PID"
sleep 0.5
ok "the same by SIGHUP" as alice sudo -n true
ok "which the log tells" grep -q 'team.conf:3' "$TEAM_LOG"
chmod 666 /etc/team/team.conf
good_config
chmod 666 /etc/team/team.conf
exits 1 "a configuration that others can write is not read" teamctl reload
good_config
ok "a good one is loaded again" teamctl reload
finish
