#!/bin/bash
# Two acts on one request at the same moment: one wins, the other gets a clear answer. RACES each.
. "$(dirname "$0")/lib.sh"

n=${RACES:-1000}
race="$BUILD/tests/system/race"
for i in 0 1 2 3 4 5 6 7 8 9; do
    echo "r$i:x:$((3000 + i)):$((3000 + i))::/:/bin/sh" >>/etc/passwd
done
policy()
{
    config <<CONF
settings: { require_comment = false; pending_expiry = "$1"; };
identity: { loginuid = "check"; };
eligibility = ( { name = "r"; who = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["bob", "erin"]; targets = ["host:*/*"]; } );
CONF
}

policy 3h
start_teamd || exit 1
echo $UNSET_LOGINUID >/proc/self/loginuid
ok "approve x approve: one winner each time, the other is told the state" "$race" approve-approve "$n"
echo "# $out"
ok "approve x cancel" "$race" approve-cancel "$n"
echo "# $out"
ok "revoke x end" "$race" revoke-end "$n"
echo "# $out"
policy 1s
ok "a shorter pending_expiry" teamctl reload
ok "approve x expiry" "$race" approve-expiry "$n"
echo "# $out"

run teamctl audit --json
printf '%s\n' "$out" >/mnt/trail
is "no request was both approved into access and expired, rejected or cancelled" \
    "$(jq -rs 'group_by(.request) | map(select((any(.action == "request.active")) and
        (any(.action == "request.expire" or .action == "request.reject" or .action == "request.cancel")))) | length' /mnt/trail)" 0
is "no request ended twice" \
    "$(jq -rs 'map(select(.outcome == "done" and (.action | test("^request\\.(end|revoke|expire|cancel|reject|fail)$")))) |
        group_by(.request) | map(select(length > 1)) | length' /mnt/trail)" 0
is "nothing is left half done" "$(teamctl list --state pending,activating,ending --json)" ""
finish
