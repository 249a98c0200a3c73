#!/bin/bash
# What libpam makes of the module's answers, by how the module stands in a stack: yes, no, and no
# answer (teamd is away), through the real libpam.
# shellcheck disable=SC1091,SC2154
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { admins = ["dave"]; require_comment = false; };
gate: { classes = { login = ["login", "stack"]; }; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/login"]; max_duration = "4h"; approval_required = false; } );
CONF
start_teamd || exit 1
us="$BUILD/pam_team.so"
echo $UNSET_LOGINUID >/proc/self/loginuid

# passes USER WHAT: pamtester's exit status says whether PAM_SUCCESS was returned.
passes()
{
    timeout 20 pamtester stack "$1" "$2" </dev/null
}

# answers NAME YES NO AWAY WHAT STACK...: what WHAT ends with (ok or denied) when teamd says yes (to
# alice), no (to bob), and nothing.
answers()
{
    local name=$1 yes=$2 no=$3 away=$4 what=$5 got=()
    shift 5

    printf '%s\n' "$@" >/etc/pam.d/stack
    for user in alice bob; do
        if passes $user "$what" >/mnt/said 2>&1; then got+=(ok); else got+=(denied); fi
    done
    stop_teamd
    if passes alice "$what" >/mnt/said 2>&1; then got+=(ok); else got+=(denied); fi
    start_teamd || exit 1
    is "$name: yes, no, no answer" "${got[*]}" "$yes $no $away"
}

asked_in_all()
{
    teamctl audit --action gate.account --json | wc -l
}

run as alice teamctl request login --for 1h --reason "stacks"
permit='account required pam_permit.so'
answers "alone" ok denied denied acct_mgmt "account required $us"
answers "with others after it" ok denied denied acct_mgmt "account required $us" "$permit"
answers "requisite" ok denied denied acct_mgmt "account requisite $us" "$permit"
answers "optional, it only advises" ok ok ok acct_mgmt "account optional $us" "$permit"
answers "after what is sufficient" ok ok ok acct_mgmt 'account sufficient pam_permit.so' "account required $us"
asked=$(asked_in_all)
passes bob acct_mgmt >/dev/null 2>&1
sleep 1.5
is "teamd is not even asked" "$(asked_in_all)" "$asked"
echo "account required $us" >/etc/pam.d/stack
passes bob acct_mgmt >/dev/null 2>&1
more() { [ "$(asked_in_all)" -gt "$asked" ]; }
ok "as it is otherwise, within a second" until_true 5 more
answers "open when teamd is away, if somebody wants that" ok denied ok acct_mgmt \
    "account [success=ok new_authtok_reqd=ok ignore=ignore authinfo_unavail=ignore default=bad] $us" "$permit"
answers "when the file is missing" denied denied denied acct_mgmt 'account required /mnt/no_such_team.so' "$permit"
answers "when it may be missing, which only keeps the log quiet" denied denied denied acct_mgmt \
    '-account required /mnt/no_such_team.so' "$permit"
answers "with an argument that it does not know" denied denied denied acct_mgmt "account required $us nonsense" "$permit"
answers "in auth, where it has no say" denied denied denied authenticate "auth required $us" 'auth required pam_permit.so'
answers "in session" ok denied denied open_session "session required $us"
answers "in session, before others" ok denied denied open_session "session required $us" 'session required pam_permit.so'
printf '%s\n' "account required $us" >/etc/pam.d/other
answers "a service without account lines falls to other" ok denied denied acct_mgmt 'session required pam_permit.so'
finish
