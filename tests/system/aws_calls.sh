#!/bin/bash
# What the courier asks of AWS, against the double: assignments that come and go whatever happens on
# the way, and the directory.
# shellcheck source-path=SCRIPTDIR disable=SC2016
WANTS_MOTO=1 # its python does as well where Debian's botocore is missing
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double

A=111122223333 S=$(arn AdministratorAccess) U=$(id_of alice@example.com)

# hands LINE...: see tests/aws/hands.c; without what the lines themselves say.
hands()
{
    printf '%s\n' "$@" | timeout 60 "$HANDS" 2>>"$DOUBLE_LOG" |
        sed -E 's/arn:aws:sso[^ ]*|[0-9a-f]{10}-[0-9a-f-]{36}|111122223333//g; s/  +/ /g; s/ +:/:/'
}

# Results only: "granted", "gone", ...
ends()
{
    hands "$@" | sed -n '/: waits/!s/^[a-z-]*: //p'
}

anew()
{
    POST reset
    POST set "${1:-{\}}"
}

# ---- one assignment ------------------------------------------------------------------------------------

anew '{"progress_s": 0.3}'
is "looked up, made, looked up, removed" \
    "$(ends "look-up $A $S $U" "grant $A $S $U" "look-up $A $S $U" "remove $A $S $U" | xargs)" \
    "not there granted there gone"
is "in this order" "$(GET history | jq -r .change | xargs)" "+ -"
is "and AWS was asked for the status of each" "$(calls 'Describe.*Status' | sort | uniq -c | awk '{ print ($1 > 0) }' | xargs)" "1 1"
is "nothing is left" "$(GET assignments)" ""
unbroken "no rule was broken"

anew
POST assign '{"account": "prod-web", "set": "AdministratorAccess", "principal": "alice@example.com"}'
POST assign '{"account": "prod-web", "set": "AdministratorAccess", "kind": "GROUP", "principal": "SRE"}'
is "what was there before is seen" "$(ends "look-up $A $S $U")" there
is "who has the set on the account" "$(hands "list $A $S" | xargs)" "list group: list user: list listed"
is "making it again changes nothing" "$(ends "grant $A $S $U"; GET assignments | wc -l)" "granted
2"
is "where it is provisioned" "$(printf 'provisioned %s\n' "$S" | "$HANDS" | xargs)" \
    "provisioned: $A provisioned: complete"

anew
is "what is not there is gone, and was looked for twice" "$(ends "remove $A $S $U"; calls ListAccountAssignments | wc -l)" "gone
2"

# ---- what AWS refuses --------------------------------------------------------------------------------------

anew
like "no such user" "$(hands "grant $A $S 0000000099-00000000-0000-0000-0000-000000000000")" \
    'failed: IAM Identity Center does not know the user any more: Received a 404'
POST fail '{"match": "alice", "reason": "Received a 409 status error: Cannot exceed quota for RolesPerAccount: 1000"}'
like "a quota, when AWS finds it out" "$(hands "grant $A $S $U")" 'failed: a quota of the AWS account is used up'
like "the management account is not ours" "$(hands "grant 999988887777 $S $U")" 'failed: AWS does not allow'
like "nor is what is provisioned there" "$(hands "grant $A $(arn Billing) $U")" 'failed: AWS does not allow'
POST fail '{"match": "alice", "reason": "An unexpected internal service exception was encountered", "times": 2}'
is "an internal error of AWS passes" "$(ends "grant $A $S $U")" granted
POST fail '{"match": "alice", "kind": "delete", "reason": "the moon is full", "times": 2}'
is "a removal that fails is tried again" "$(ends "remove $A $S $U"; GET assignments)" gone
unbroken "no rule was broken"

# ---- what happens on the way ----------------------------------------------------------------------------------

# bad NAME RULE...: an assignment is made, looked up and removed whatever the rules do.
bad()
{
    local name=$1 rule
    shift

    anew
    for rule in "$@"; do POST faults "$rule"; done
    is "$name" "$(ends "look-up $A $S $U" "grant $A $S $U" wait "remove $A $S $U" | xargs) $(GET assignments)" \
        "not there granted gone "
    unbroken "$name: no rule was broken"
}

bad "conflicts" '{"op": "CreateAcc.*|DeleteAcc.*", "do": "error", "code": "ConflictException", "times": 3}'
bad "throttling" '{"op": ".*Assignment.*", "do": "throttle", "times": 4}'
bad "a proxy's error page" '{"op": ".*Assignment.*", "do": "html", "times": 4}'
bad "a proxy that refuses" '{"op": ".*Assignment.*", "do": "html", "status": 403, "times": 3}'
bad "connections that are reset" '{"op": ".*Assignment.*", "do": "reset", "times": 4}'
bad "connections that are reset after it was done" '{"op": "CreateAcc.*|DeleteAcc.*", "do": "reset", "done": true, "times": 2}'
bad "an error after it was done" \
    '{"op": "CreateAcc.*|DeleteAcc.*", "do": "error", "code": "InternalServerException", "status": 500, "done": true, "times": 2}'
bad "answers that are cut off" '{"op": ".*Assignment.*", "do": "truncate", "times": 4}'
bad "answers that are no JSON" '{"op": ".*Assignment.*", "do": "garbage", "times": 4}'
bad "answers with a member twice" '{"op": ".*Assignment.*", "do": "twice", "times": 4}'
bad "answers that are too large" '{"op": ".*Assignment.*", "do": "huge", "times": 2}'
bad "slow answers" '{"op": ".*Assignment.*", "do": "slow", "seconds": 1, "times": 2}'
bad "answers byte by byte" '{"op": ".*Assignment.*", "do": "drip", "seconds": 1, "times": 2}'
bad "members that nobody has heard of, and nulls" '{"op": ".*Assignment.*", "do": "nulls", "times": -1}'
bad "what arrives twice" '{"op": "CreateAcc.*", "do": "again"}'
bad "an empty page before the rows" '{"op": "ListAccountAssignments", "do": "empty", "times": 2}'
bad "a list that leads to itself" '{"op": "ListAccountAssignments", "do": "loop", "times": 2}'
bad "a status that AWS forgets" \
    '{"op": "Describe.*Status", "do": "error", "code": "ResourceNotFoundException", "times": 2}'
bad "an expired token in between" '{"op": "CreateAcc.*", "do": "error", "code": "ExpiredTokenException", "status": 403}'

anew '{"clock_ahead_s": 1800}'
is "a clock that is half an hour behind AWS's" "$(ends "grant $A $S $U" "remove $A $S $U" | xargs)" "granted gone"
anew '{"clock_ahead_s": -1800}'
is "or ahead of it" "$(ends "grant $A $S $U" "remove $A $S $U" | xargs)" "granted gone"

# ---- killed in between -----------------------------------------------------------------------------------------

# The creation is on its way when its maker dies; the removal that follows has to find it.
anew '{"progress_s": 4}'
printf '%s\n' "grant $A $S $U" wait | "$HANDS" >/dev/null 2>&1 &
until_true 10 sh -c "curl -s $DOUBLE/_double/log | grep -q CreateAccountAssignment"
kill -9 $! && wait $! 2>/dev/null
is "nothing is left of a grant that was killed" "$(ends "remove $A $S $U"; sleep 3; GET assignments)" gone
is "it came, and went" "$(GET history | jq -r .change | xargs)" "+ -"

# The same, but AWS does not know of a conflict: the removal comes first, and finds nothing.
anew '{"progress_s": 3, "one_role_at_a_time": false}'
printf '%s\n' "grant $A $S $U" wait | "$HANDS" >/dev/null 2>&1 &
until_true 10 sh -c "curl -s $DOUBLE/_double/log | grep -q CreateAccountAssignment"
kill -9 $! && wait $! 2>/dev/null
POST set '{"progress_s": 0.1}'
is "nor where AWS answers that nothing is there" "$(ends "remove $A $S $U"; sleep 3; GET assignments)" gone

# A removal that is killed is done again.
anew '{"progress_s": 2}'
POST assign '{"account": "prod-web", "set": "AdministratorAccess", "principal": "alice@example.com"}'
printf '%s\n' "remove $A $S $U" wait | "$HANDS" >/dev/null 2>&1 &
until_true 10 sh -c "curl -s $DOUBLE/_double/log | grep -q DeleteAccountAssignment"
kill -9 $! && wait $! 2>/dev/null
is "a removal that was killed is done again, and a grant behind it stays" \
    "$(ends "remove $A $S $U" "grant $A $S $U" | xargs; GET assignments)" \
    "gone granted
prod-web AdministratorAccess USER alice@example.com"

# ---- many -------------------------------------------------------------------------------------------------------

anew '{"progress_s": 0.2, "limits": true}'
is "the same account and set: one after the other, in order" "$(
    POST grow '{"accounts": 0, "depth": 0, "sets": 0, "users": 16, "groups": 0}'
    for i in 0 1 2 3 4 5 6 7 8 9; do echo "grant $A $S $(id_of "user00000$i@example.com")"; done >/tmp/lines
    timeout 60 "$HANDS" </tmp/lines | sed 's/.*: //' | sort | uniq -c | xargs
    GET history | jq -r .what | sed 's/.*user00000\([0-9]*\)@.*/\1/' | xargs)" "10 granted
0 1 2 3 4 5 6 7 8 9"
is "without a single conflict" "$(GET log | jq -r 'select(.code) | .code' | sort | uniq -c)" ""

anew '{"progress_s": 0.5, "limits": true}'
POST grow '{"accounts": 60, "depth": 1, "sets": 0, "users": 0, "groups": 0}'
jq -r '.accounts[]' <<<"$DOUBLE_WORLD" | grep ^1000 | head -n 40 | sed "s|.*|grant & $S $U|" >/tmp/lines
begin=$SECONDS
is "40 accounts at once: all are granted" "$(timeout 120 "$HANDS" </tmp/lines | sed 's/.*: //' | sort | uniq -c | xargs)" "40 granted"
is "and nothing was throttled" "$(GET log | jq -r 'select(.code) | .code' | sort | uniq -c)" ""
ok "in less than a minute" test $((SECONDS - begin)) -lt 60

# ---- the directory --------------------------------------------------------------------------------------------------

anew
sync()
{
    printf 'sync %s\n' "$*" | timeout 300 "$HANDS" 2>>"$DOUBLE_LOG"
}

like "accounts know their unit" "$(sync accounts)" 'account 111122223333 parent=ou-ab12-22222222 .*state=1 name=prod-web'
like "and whether they are suspended" "$(sync accounts)" 'account 333344445555 .*state=2'
POST set '{"paths": false}'
like "also where AWS does not tell paths" "$(sync accounts)" 'account 111122223333 parent=ou-ab12-22222222 '
like "sets of the management account are known" "$(sync sets)" 'managed=1 state=0 name=Billing'
like "how long credentials live, too" "$(sync sets)" 'session=28800 managed=0 state=0 name=ReadOnlyAccess'
is "users" "$(sync users | grep -c ^user)" 4
is "the members of one group" "$(sync groups wanted SRE | grep -c ^member)" 2
POST set '{"page": 1}'
is "the same from pages of one" "$(sync all | grep -cE '^(unit|account|set|user|group|member)')" 23
for what in empty double nulls; do
    POST faults "{\"op\": \"List(Roots|Org|Acc|Perm|Users|Groups).*\", \"do\": \"$what\", \"times\": 5}"
done
is "from empty pages, pages with doubles, pages with nulls" \
    "$(sync all | grep -E '^(unit|account|set|user|group|member)' | sort -u | wc -l)" 23
POST faults '{"op": "ListUsers", "do": "loop", "times": -1}'
like "a circle of pages ends" "$(sync users)" 'failed: identitystore ListUsers .*circle'
POST calm
POST faults '{"op": "ListUsers", "do": "error", "code": "AccessDeniedException", "message": "no", "times": -1}'
like "what is denied is said" "$(sync users)" 'AccessDeniedException: no; the identity that'
unbroken "no rule was broken"
finish
