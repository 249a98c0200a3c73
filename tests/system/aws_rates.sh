#!/bin/bash
# A large organisation: 2,000 accounts in units five deep, 300 permission sets, 20,000 people, 2,000
# groups; and 500 people who want access in the same second. Within AWS's documented rates, which the
# double enforces. Takes three minutes, because of those rates.
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double
POST grow
POST set '{"limits": true, "progress_s": 1}'

# ---- 500 at once, five for each of 100 accounts, while the directory is read -------------------------------

S=$(arn Set00005)
jq -r --arg s "$S" '[.accounts[] | select(startswith("1000"))][:100] as $a | [.users[]][:500] | to_entries[] |
    "look-up \($a[.key % 100]) \($s) \(.value)", "grant \($a[.key % 100]) \($s) \(.value)"' \
    <<<"$DOUBLE_WORLD" >/tmp/lines
timeout 500 "$HANDS" </tmp/lines >/tmp/grants 2>>"$DOUBLE_LOG" &
grants=$!
printf '%s\n' 'sync accounts' 'sync users' 'sync groups wanted SRE' memory | timeout 500 "$HANDS" >/tmp/sync 2>>"$DOUBLE_LOG"

is "every account, user and group is there" \
    "$(for k in account user group member; do grep -c "^$k " /tmp/sync; done | xargs)" \
    "2000 20000 2000 2"
is "units are as deep as they are" "$(awk '$1 == "unit" { sub("parent=", "", $3); d[$2] = d[$3] + 1; if (d[$2] > m) m = d[$2] }
    END { print m }' /tmp/sync)" 6
is "three parts are complete" "$(grep -c '^part.*complete' /tmp/sync)" 3
ok "in less than three minutes" awk '/^part/ { s += $4 } END { exit s > 180 }' /tmp/sync
most=24576
! ldd "$HANDS" | grep -q libasan || most=500000 # a sanitizer needs some itself
ok "in 24 MiB, libraries included" test "$(sed -n 's/^memory: //p' /tmp/sync)" -lt $most

wait $grants
is "all 500 were looked up, and granted" "$(sed 's/.*: //' /tmp/grants | sort | uniq -c | xargs)" "500 granted 500 not there"
is "AWS has them all" "$(GET assignments | wc -l)" 500
# named: "account-00001 user000001@example.com" for lines "ACCOUNT SET USER".
named()
{
    jq -rR --slurpfile w <(cat <<<"$DOUBLE_WORLD") '
        def names: with_entries({key: .value, value: .key});
        ($w[0].accounts | names) as $a | ($w[0].users | names) as $u | inputs |
        split(" ") | "\($a[.[0]]) \($u[.[2]])"' <(echo; cat)
}
is "in the order of each account and set" \
    "$(GET history | jq -r .what | cut -d' ' -f1,4 | sort -s -k 1,1 | md5sum)" \
    "$(sed -n 's/^grant //p' /tmp/lines | named | sort -s -k 1,1 | md5sum)"

printf '%s\n' 'sync sets' | timeout 300 "$HANDS" >/tmp/sync 2>>"$DOUBLE_LOG"
is "every permission set is there" "$(grep -c '^set ' /tmp/sync)" 300
is "and nothing was throttled" "$(GET log | jq -r 'select(.code) | .code' | sort | uniq -c)" ""
unbroken "no rule was broken"
finish
