#!/bin/bash
# What login asks the gate, and what it answers: the table in pam_team(8), with the real login on a
# terminal of its own and the shipped stack.
# shellcheck disable=SC1091,SC2012,SC2016,SC2034,SC2119,SC2154  # hosts_lib.sh; words for other shells
. "$(dirname "$0")/hosts_lib.sh"

policy
start_teamd || exit 1
mark
gate login
usermod -p "$PASSWORD_HASH" root
# What a shell of theirs does there: bash as login's reads it.
for home in /home/alice /home/bob /root; do
    rm -f $home/.bash*
    echo 'echo "shell of $(id -un), login $(cat /proc/self/loginuid)"; exit 3' >$home/.profile
done

# on_console ARG...: login as getty starts it: root, nobody's login, nobody types.
on_console()
{
    fresh script -qec "login $(printf '%q ' "$@")" /dev/null <>/mnt/idle | tr -d '\r'
    return "${PIPESTATUS[0]}"
}

# typing_console TEXT ARG...: the same, and the password is typed.
typing_console()
{
    local text=$1 from=$UNSET_LOGINUID
    shift

    as_typing root "$text" timeout 5 login "$@"
}

refused "refused without an elevation" on_console -f alice
like "the person reads what to do" "$out" \
    'no active elevation for login on bastion-1; run: teamctl request login --for 1h --reason "\.\.\."'
unlike "no shell starts" "$out" 'shell of'
asked "what the gate answered" "$(no_of alice)"
elevate alice login
run on_console -f alice
like "lets in under an elevation, as whoever it is" "$out" 'shell of alice, login 2001'
asked "what the gate answered then" "$(yes_of alice)"
is "the session says what it is" "$(sessions_of "$id" '"\(.user) \(.service) \(.target_user) \(.tty) \(.state)"')" \
    "alice login alice /dev/pts/0 ended"
run typing_console "$PASSWORD" alice
like "with a password, too" "$out" 'shell of alice'
asked "the same is asked" "$(yes_of alice)"
run typing_console "wrong" alice
unlike "an elevation is no password" "$out" 'shell of alice'
asked "and the gate is not asked" ""
run on_console -f bob
unlike "one's elevation is not another's" "$out" 'shell of'
asked "he is refused" "$(no_of bob)"

# Whose login it is: where something else has set a login uid, it has to be the person's.
sed -i '/pam_loginuid/d' /etc/pam.d/login
run on_console -f alice
like "without pam_loginuid nobody has logged in before: she passes" "$out" 'shell of alice, login 4294967295'
mark
run as_from 2002 root script -qec "login -f alice" /dev/null <>/mnt/idle
unlike "from bob's login nobody becomes alice" "$out" 'shell of'
asked "account passes, the session does not" "gate.account alice yes,session.open alice no"
gate login
drop alice

gate_only account login
run on_console -f alice
asked "with the account line alone: no" "$(no_of alice)"
gate_only session login
run on_console -f alice
unlike "with the session line alone: no shell" "$out" 'shell of'
asked "with the session line alone: no" "session.open alice no"
gate login

# root has to get in at the console.
run on_console -f root
like "root passes at the console" "$out" 'shell of root'
asked "and is recorded" "$(yes_of root)"
repolicy 'gate: { exempt = ( { who = ["bob"]; classes = ["login"]; } ); };'
run on_console -f bob
like "who is exempt passes" "$out" 'shell of bob'
asked "and is recorded" "$(yes_of bob)"
elevate alice login
stop_teamd
forget_log
run on_console -f alice
unlike "without teamd: an elevation does not help" "$out" 'shell of'
like "without teamd: the person reads why" "$out" 'teamd does not answer \(it is not running\); tell an administrator'
run on_console -f bob
unlike "without teamd: who is exempt is refused" "$out" 'shell of'
run typing_console "$PASSWORD" root
like "without teamd: root passes" "$out" 'shell of root'
ok "without teamd: which is in the log" logged 'pam_team\(login:account\): uid=0 user=root passes as root'
finish
