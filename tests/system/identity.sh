#!/bin/bash
# Nobody approves their own request, whoever they become; and nobody asks or decides as somebody else.
. "$(dirname "$0")/lib.sh"

# A second name for alice's uid, and an approver by that name.
echo 'alice2:x:2001:2001::/home/alice:/bin/bash' >>/etc/passwd
sed -i 's/^sre-leads:.*/&,alice,alice2/' /etc/group
config <<'CONF'
settings: { admins = ["dave"]; auditors = ["@security"]; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads", "alice2", "root"]; targets = ["host:*/*"]; } );
CONF
start_teamd || exit 1

run as alice teamctl request sudo --for 1h --reason "herself"
id=${out:0:8}
comment=(--comment "it is me")

exits 3 "the requester, though in an approver group" as alice teamctl approve "$id" "${comment[@]}"
like "and is told who could" "$out" 'your own request; somebody else has to decide it \(bob or erin could\)'
exits 3 "the same uid by a second name" as alice2 teamctl approve "$id" "${comment[@]}"
like "which is still the same person" "$out" 'your own request'
exits 3 "the requester after su to an approver" as_from 2001 bob teamctl approve "$id" "${comment[@]}"
like "whose login uid tells" "$out" 'you are uid 2002 but logged in as uid 2001'
exits 3 "root" teamctl approve "$id" "${comment[@]}"
like "who is nobody in particular" "$out" 'root is nobody in particular'
exits 3 "root, come from alice's login" bash -c 'echo 2001 >/proc/self/loginuid; exec teamctl approve "$0" --comment x' "$id"
exits 3 "somebody without a login uid" as_from $UNSET_LOGINUID bob teamctl approve "$id" "${comment[@]}"
like "and is told how an admin allows it" "$out" 'identity.loginuid'
exits 4 "somebody who may not even see it" as team teamctl approve "$id" "${comment[@]}"

# From inside an elevated session: alice's root shell, and bob by way of it.
run as bob teamctl approve "$id" --comment "go ahead"
is "bob may, and it is active" "$(jq -r .state < <(as alice teamctl show "$id" --json))" active
run as alice teamctl request sudo --for 30m --reason "once more"
second=${out:0:8}
exits 3 "an elevated root" as alice sudo -n teamctl approve "$second" "${comment[@]}"
exits 3 "an elevated root become bob" as alice sudo -n -u bob teamctl approve "$second" "${comment[@]}"
like "who did not log in as bob" "$out" 'but logged in as uid 2001'
exits 3 "an elevated root become bob by su" as alice sudo -n su bob -s /bin/sh -c "teamctl approve $second --comment x"
is "none of them approved it" "$(jq -r .state < <(as alice teamctl show "$second" --json))" pending
is "the trail has each try" \
    "$(teamctl audit --json | jq -r 'select(.outcome == "refused" and (.action | test("approve|identity"))) | .seq' | wc -l | awk '{print ($1 >= 7)}')" 1

# Asking as somebody else.
exits 3 "who became alice by su cannot ask as her" as_from 2002 alice teamctl request sudo --for 1h --reason x
exits 3 "root cannot ask" teamctl request sudo --for 1h --reason x
exits 3 "somebody without a login uid cannot ask" as_from $UNSET_LOGINUID alice teamctl request sudo --for 1h --reason x
ok "but can look" as_from $UNSET_LOGINUID alice teamctl list
exits 3 "who became alice cannot even look" as_from 2002 alice teamctl list

# Who may see and end what.
exits 4 "a stranger does not see it" as team teamctl show "$id"
ok "an auditor does" as carol teamctl show "$id"
exits 3 "an auditor does not revoke" as carol teamctl revoke "$id" --yes
exits 3 "an auditor does not approve" as carol teamctl approve "$second" --comment x
exits 3 "a requester does not read the trail" as alice teamctl audit
exits 3 "or the status" as alice teamctl status
exits 3 "or ask about others" as alice teamctl why --user dave sudo
exits 3 "or reload" as alice teamctl reload
is "which the trail has" "$(teamctl audit --action policy.load --user alice --json | jq -r .outcome)" refused
ok "an admin does" as dave teamctl status
ok "an admin revokes" as dave teamctl revoke "$id" --yes
exits 5 "what is over cannot be revoked again" as dave teamctl revoke "$id" --yes
like "and says what it is" "$out" 'it is revoked'
exits 5 "or approved" as bob teamctl approve "$id" --comment x
exits 3 "an admin decides only as an approver" as dave teamctl approve "$second" --comment x
exits 2 "an approver has to comment if the policy says so" as bob teamctl approve "$second"
ok "root revokes nothing that is only asked for" test "$(teamctl revoke "$second" --yes >/dev/null 2>&1; echo $?)" -eq 5
ok "the requester cancels" as alice teamctl cancel "$second"

# A user who has left the groups is not an approver any more, at once.
run as alice teamctl request sudo --for 1h --reason "third"
third=${out:0:8}
sed -i 's/^sre-leads:.*/sre-leads:x:3002:erin/' /etc/group
sleep 5.1 # what is known of a person is kept for five seconds
exits 4 "who has left the group neither sees nor approves" as bob teamctl approve "$third" --comment x
ok "who is still in it does" as erin teamctl approve "$third" --comment x
sed -i 's/^sre:.*/sre:x:3001:dave/' /etc/group
ok "an elevation goes on until its owner is looked at again" as alice sudo -n true
ok "a reload looks at everybody" teamctl reload
refused "who is not eligible any more has no access" as alice sudo -n true
run as erin teamctl show "$third" --json
is "by the policy" "$(jq -r '.state + " " + .revoked_by' <<<"$out")" "revoked policy"

# Whom /proc hides could be anybody. Hidden while teamd runs, under the rule that takes an unset login
# uid for what it is; and at the start.
config <<'CONF'
identity: { loginuid = "check"; };
eligibility = ( { name = "all"; who = ["alice", "bob"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
ok "the policy is loaded" teamctl reload
exits 3 "who became bob does not ask as bob" as_from 2001 bob teamctl request sudo --for 1h --reason "as bob"
cat >/mnt/frame <<'FRAME'
echo 2002 >/proc/self/loginuid
for _ in $(seq 70); do teamctl request sudo --for 1h --reason "as if bob had come"; done
FRAME
run as_from $UNSET_LOGINUID alice bash /mnt/frame
like "who takes on bob's login uid is told to wait" "$out" 'too many of your asks were refused'
ok "bob is not" as bob teamctl request sudo --for 1m --reason "his own"
mount -o remount,hidepid=2 /proc || die "no hidepid"
exits 1 "nor when /proc hides who that is" as_from 2001 bob teamctl request sudo --for 1h --reason "as bob"
exits 1 "and nobody's sudo is answered with yes" as alice sudo -n true
stop_teamd
refused "teamd does not start where it could not see who asks" "$BUILD/teamd"
like "and says why" "$out" '/proc hides'
mount -o remount,hidepid=2,gid=team /proc || die "no gid for hidepid"
start_teamd || exit 1
ok "where it alone may see everybody, all is well" as bob teamctl request sudo --for 1h --reason "as bob"
exits 3 "and who became bob is not" as_from 2001 bob teamctl request sudo --for 1h --reason "as bob"
is "of bob's there are the two that are his" "$(teamctl list --user bob --json | jq -s length)" 2
finish
