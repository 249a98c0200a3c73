#!/bin/bash
# The whole story with the real sudo, in namespaces of its own: nothing on the machine changes.
# `make demo` builds and runs it. Every step is checked: it ends with exit 1 if the story goes wrong.
set -u
. "$(dirname "$0")/story.sh"

policy()
{
    config <<CONF
settings: {
  admins = ["@team-admins"];  auditors = ["@security"];
  max_duration = "9h";  pending_expiry = "$1";  require_comment = false;
};
eligibility = (
  { name = "sre";  who = ["@sre"];  targets = ["host:bastion-*/sudo"];  max_duration = "4h"; }
);
approvers = (
  { name = "leads";  who = ["@sre-leads", "alice"];  targets = ["host:*/*"];  quorum = $2; }
);
CONF
}

chapter "A bastion. alice may ask for sudo; alice, bob and erin are approvers; carol is an auditor."
policy 3h 1
sed -n '/^eligibility/,$s/^/    /p' /etc/team/team.conf
start_teamd || exit 1

chapter "1. alice's sudo is refused, and says what to type."
says alice no 'run: teamctl request sudo --for 1h' sudo id
chapter "2. She asks. Nobody has standing root, so she has to."
says alice yes 'bob, erin' teamctl targets
asks alice sudo --for 1h --reason "rotate the TLS certificates" --ticket CHG-42
says alice no "request $id is waiting for bob or erin" sudo id
chapter "3. She is an approver. Her own request she cannot approve."
says alice no 'your own request' teamctl approve "$id"
chapter "4. bob sees it and approves it."
says bob yes "$id" teamctl pending
says bob yes 'active for 1h' teamctl approve "$id" --comment "go ahead"
chapter "5. Now sudo says root."
says alice yes 'uid=0\(root\)' sudo id
says alice yes "$id.*active" teamctl
says bob yes 'bob approved the request: go ahead' teamctl show "$id"
chapter "6. bob takes it back. The next sudo is refused."
says bob yes revoked teamctl revoke "$id" --comment "certificates are done"
says alice no 'no active elevation' sudo id
chapter "7. carol, the auditor, sees it all."
says carol yes 'revoked' teamctl list
says carol yes 'session.open' teamctl audit --request "$id"

chapter "8. A scheduled one: approved now, open in two seconds, not before."
asks alice sudo --for 1h --start +2s --reason "maintenance window"
says bob yes 'starts in' teamctl approve "$id"
says alice no 'approved and starts in' sudo id
sleep 2.1
says alice yes 'uid=0' sudo id
says alice yes revoked teamctl revoke "$id"
chapter "9. One that ends by itself after two seconds."
asks alice sudo --for 2s --reason "just a look"
says bob yes 'active for 2s' teamctl approve "$id"
says alice yes 'uid=0' sudo id
sleep 2.1
says alice no 'no active elevation' sudo id
says alice yes 'ended' teamctl list --mine --limit 1
chapter "10. One that nobody decides: it expires (after one second, by a new policy)."
policy 1s 1
says root yes loaded teamctl reload
asks alice sudo --for 1h --reason "anybody there?"
sleep 1.2
says bob no 'expired' teamctl approve "$id"
chapter "11. Four eyes: two approvers have to agree."
policy 3h 2
says root yes loaded teamctl reload
asks alice sudo --for 1h --reason "database failover"
says bob yes 'still waiting for erin' teamctl approve "$id"
says bob no 'approved it already' teamctl approve "$id"
says alice no 'waiting for erin' sudo id
says erin yes 'active for 1h' teamctl approve "$id"
says alice yes 'uid=0' sudo id
chapter "12. Two that overlap: the end of one does not cut the other."
asks alice sudo --for 30m --reason "and the replica"
second=$id
says bob yes . teamctl approve "$second"
says erin yes 'active for 30m' teamctl approve "$second"
says alice yes "$second" teamctl
says alice yes revoked teamctl revoke "$second"
says alice yes 'uid=0' sudo id

chapter "13. sudo can wait by itself, and ask (pam_team.so wait=1m prompt). The others approve meanwhile."
says alice yes revoked teamctl revoke "$(teamctl list --state active --json | jq -r .id)"
gate_sudo wait=1m prompt
approve_in_a_moment()
{
    until_true 5 sh -c '[ -n "$(teamctl list --state pending --json)" ]'
    for who in bob erin; do
        sleep 0.7
        as $who teamctl approve "$(teamctl list --limit 1 --json | jq -r .id)" >/dev/null
    done
}
approve_in_a_moment &
types alice yes 'approved by bob, 1 of 2; waiting for erin.*uid=0' "the log is full" sudo id
wait $!
chapter "14. What is rejected ends the wait, and says why."
says alice yes revoked teamctl revoke "$(teamctl list --state active --json | jq -r .id)"
asks alice sudo --for 1h --reason "just because"
( sleep 1; as bob teamctl reject "$id" --comment "that is no reason" >/dev/null ) &
types alice no 'was rejected by bob: that is no reason' "" sudo id
wait $!

chapter "The trail: every decision and every session, each event chained to the one before."
says carol yes 'session.open' teamctl audit --user alice --action session.open
says dave yes 'sound' teamctl status
stop_teamd || wrong=$((wrong + 1))
story_ends "That was the real sudo; nothing on this machine has changed."
