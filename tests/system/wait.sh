#!/bin/bash
# sudo that waits in place, and that asks: the real sudo on a terminal at which somebody types.
# shellcheck disable=SC1091,SC2016
. "$(dirname "$0")/lib.sh"

command -v expect >/dev/null || die "expect is missing; make deps installs it"

policy()
{
    config <<CONF
settings: { auditors = ["@security"]; require_comment = false; $1 };
eligibility = (
  { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo", "host:*/su"]; max_duration = "4h"; },
  { name = "free"; who = ["carol"]; targets = ["host:*/sudo"]; approval_required = false; }
);
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; quorum = ${2:-1}; } );
CONF
}

# asks WHO: a request for sudo; its id is in $id.
asks()
{
    run as "$1" teamctl request sudo --for 1h --reason "certs" "${@:2}"
    id=${out:0:8}
}
drop()
{
    as "$1" teamctl revoke "$2" --yes >/dev/null 2>&1 || as "$1" teamctl cancel "$2" >/dev/null 2>&1
}
state()
{
    teamctl show "$1" --json | jq -r .state
}
newest()
{
    teamctl list --limit 1 --json | jq -r .id
}

# types WHO <<EXPECT: somebody at a terminal, by the rules of expect(1); what they see is in $out.
# The script says "hangs" if something that it waits for does not come.
types()
{
    { printf '%s\n' 'set timeout 10' 'proc hangs {} { puts "\nhangs"; exit 9 }' \
        'proc sees {what} { expect -exact $what {} timeout hangs eof { puts "\nended"; exit 8 } }' \
        'proc ends {} { expect eof {} timeout hangs }'; cat; } >/mnt/keys.exp
    chmod 644 /mnt/keys.exp
    run as "$1" timeout 60 expect /mnt/keys.exp
    out=$(tr -d '\r' <<<"$out")
}

# at_question WHO TEXT: WHO types TEXT at the first question of sudo. while_waiting WHO KEY: Enter
# there, and KEY a moment later. (sudo itself misses a signal between its prompt and its read.)
at_question()
{
    types "$1" <<KEYS
spawn -noecho sudo id
sees "give up: "
after 300
send "$2"
ends
exit [lindex [wait] 3]
KEYS
}
while_waiting()
{
    types "$1" <<KEYS
spawn -noecho sudo id
sees "give up: "
send "\\r"
sees "waiting for"
after 300
send "$2"
ends
exit [lindex [wait] 3]
KEYS
}

# gives WHO REASON [TICKET]: Enter there, and then the answers.
gives()
{
    types "$1" <<KEYS
spawn -noecho sudo id
sees "give up: "
after 300
send "\\r"
sees "Reason: "
after 300
send "$2\\r"
${3:+sees "): "
send "$3\\r"}
ends
exit [lindex [wait] 3]
KEYS
}

# meanwhile FILE CMD...: as soon as FILE is there, which somebody at a terminal makes.
meanwhile()
{
    rm -f "$1"
    ( until_true 15 test -e "$1" && "${@:2}" ) >/mnt/meanwhile 2>&1 &
    meanwhile=$!
}

# Of a process: how often it was put on a processor.
switches()
{
    awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status"
}

# More people: a crowd in sre.
for n in $(seq 1 16); do
    echo "w$n:x:$((4000 + n)):$((4000 + n)):w$n:/tmp:/bin/bash" >>/etc/passwd
    sed -i "s/^sre:.*/&,w$n/" /etc/group
done

policy ''
gate_sudo wait=1m
start_teamd || exit 1
chmod 1777 /mnt

# ---- it goes on at the approval --------------------------------------------------------------------

approve()
{
    sleep 0.5
    ps -o pid= -C sudo | xargs >/mnt/waiting.pid
    switches "$(cat /mnt/waiting.pid)" >/mnt/switches.before
    sleep 2
    switches "$(cat /mnt/waiting.pid)" >/mnt/switches.after
    as bob teamctl approve "$id"
    date +%s%3N >/mnt/approved.at
}
asks alice
meanwhile /mnt/ready approve
types alice <<'KEYS'
spawn -noecho sudo id
sees "Enter to wait, Ctrl-C to give up: "
send "\r"
sees "waiting for bob or erin"
exec touch /mnt/ready
sees "uid=0(root)"
exec date +%s%3N >/mnt/went-on.at
ends
KEYS
wait $meanwhile
like "Enter waits: sudo says for whom" "$out" "request $id is waiting for bob or erin
Enter to wait, Ctrl-C to give up: 
$id: waiting for bob or erin"
like "the line says who approved, and the command runs" "$out" "$id: approved by bob
uid=0"
is "sudo that waits does not wake up while nothing happens" "$(cat /mnt/switches.after)" "$(cat /mnt/switches.before)"
late=$(($(cat /mnt/went-on.at) - $(cat /mnt/approved.at)))
echo "# from the end of teamctl approve to the output of the command: $late ms"
ok "it goes on long before anything that looked once a second would" test "$late" -lt 700
run teamctl audit --json --request "$id"
is "the session is that request's" "$(grep -c session.open <<<"$out")" 1
drop alice "$id"

# ---- and it ends ---------------------------------------------------------------------------------

asks alice
meanwhile /mnt/ready as bob teamctl reject "$id" --comment $'not on a Friday'
types alice <<'KEYS'
spawn -noecho sudo id
sees "give up: "
send "\r"
sees "waiting for"
exec touch /mnt/ready
ends
exit [lindex [wait] 3]
KEYS
wait $meanwhile
is "a rejection ends it" "$status" 1
like "and says by whom and why" "$out" "request $id was rejected by bob: not on a Friday"
unlike "and nothing ran" "$out" "uid=0"

asks alice
for key in '\003' '\032'; do
    while_waiting alice "$key"
    is "key $key while waiting gives up at once" "$status" 1
    like "key $key: and says that the request stays" "$out" "given up; request $id stays open"
    is "key $key: it does" "$(state "$id")" pending
done
at_question alice '\003'
is "Ctrl-C at the question gives up" "$status" 1
like "with the usual denial" "$out" "request $id is waiting for bob or erin
sudo: PAM"
at_question alice 'no\r'
is "so does an answer that is not empty" "$status" 1
like "with the usual denial" "$out" "request $id is waiting for bob or erin
sudo: PAM"
at_question alice '\004'
is "so does the end of input" "$status" 1
types alice <<'KEYS'
spawn -noecho sudo id
sees "give up: "
send "\r"
sees "waiting for"
after 300
close
wait
KEYS
ok "a closed terminal ends it" until_true 5 sh -c '! ps -C sudo'
ok "and is logged" logged "denied: given up; request $id stays open"
is "and the request stays" "$(state "$id")" pending

# ---- where nobody can be asked ---------------------------------------------------------------------

begun=$(date +%s)
exits 1 "sudo -n on a terminal does not wait" as_tty alice sudo -n id
like "sudo -n: it says the usual" "$out" "^request $id is waiting for bob or erin
sudo: PAM"
unlike "sudo -n: it asks nothing" "$out" "Enter"
exits 1 "without a terminal nothing waits" as alice sudo id </dev/null
like "without a terminal: it says the usual" "$out" "^request $id is waiting for bob or erin"
exits 1 "nor does what is typed into a pipe (-S)" as alice sudo -S id <<<$'\n\n'
unlike "-S: it asks nothing" "$out" "Enter"
gate_sudo wait=1m prompt quiet
exits 1 "quiet does not wait" as_tty alice sudo id
unlike "quiet: it asks nothing" "$out" "Enter"
gate_sudo wait=1m
ok "all of that at once" test $(($(date +%s) - begun)) -lt 10
run as_from "$(id -u bob)" alice script -qec "sudo id" /dev/null <>/mnt/idle
like "bob, become alice, does not wait for her request" "$out" "logged in as uid 2002"
unlike "and is asked nothing" "$out" "Enter"

# ---- time ------------------------------------------------------------------------------------------

gate_sudo wait=1s
at_question alice '\r'
is "the wait ends by itself" "$status" 1
like "and says so" "$out" "request $id is not active after 1s, and stays open: waiting for bob or erin"
drop alice "$id"
gate_sudo wait=1m
policy 'pending_expiry = "2s";'
teamctl reload >/dev/null
asks alice
at_question alice '\r'
is "what expires ends the wait" "$status" 1
like "and says so" "$out" "request $id has expired"
policy '' 2
teamctl reload >/dev/null

# ---- several steps ---------------------------------------------------------------------------------

in_steps()
{
    as bob teamctl approve "$id"
    until_true 5 test -e /mnt/one
    as erin teamctl approve "$id"
}
asks alice --start +4s
starts=$(teamctl show "$id" --json | jq -r .requested_start | TZ= date -f - +%H:%M)
rm -f /mnt/one
meanwhile /mnt/ready in_steps
types alice <<'KEYS'
spawn -noecho sudo id
sees "give up: "
send "\r"
sees "waiting for bob or erin"
exec touch /mnt/ready
sees "approved by bob, 1 of 2; waiting for erin"
exec touch /mnt/one
sees "approved by erin; starts at "
ends
KEYS
wait $meanwhile
like "each step is told, and then the start" "$out" "$id: approved by erin; starts at ([0-9-]{10} )?$starts"
like "it goes on at the start" "$out" 'uid=0'
like "the line changes in its place" "$out" $'\e\\[A\e\\[K'"$id: approved by bob, 1 of 2"
drop alice "$id"
policy ''
teamctl reload >/dev/null

# ---- teamd restarts --------------------------------------------------------------------------------

restart()
{
    kill -"$1" "$TEAMD_PID"
    until_true 5 sh -c "! kill -0 $TEAMD_PID"
}
for signal in TERM KILL; do
    asks alice
    rm -f /mnt/away /mnt/back
    meanwhile /mnt/ready restart $signal
    {
        types alice <<'KEYS'
spawn -noecho sudo id
sees "give up: "
send "\r"
sees "waiting for"
exec touch /mnt/ready
sees "teamd is being restarted; still waiting"
exec touch /mnt/away
sees "waiting for bob or erin"
exec touch /mnt/back
ends
KEYS
        printf '%s' "$out" >/mnt/typed
    } &
    types_pid=$!
    ok "$signal: who waits is told that teamd is away" until_true 15 test -e /mnt/away
    wait "$TEAMD_PID" 2>/dev/null
    start_teamd || exit 1
    ok "$signal: and goes on waiting when it is back" until_true 15 test -e /mnt/back
    run as bob teamctl approve "$id"
    wait "$types_pid"
    like "$signal: and goes on at the approval" "$(cat /mnt/typed)" 'uid=0'
    drop alice "$id"
done
asks alice
kill_teamd
exits 1 "without teamd nobody is asked anything" as_tty alice sudo id
like "but told" "$out" 'teamd does not answer'
start_teamd || exit 1
drop alice "$id"

# ---- sudo that asks ----------------------------------------------------------------------------------

gate_sudo wait=1m prompt prompt_for=30m
approve_newest()
{
    as bob teamctl approve "$(newest)"
}
meanwhile /mnt/ready approve_newest
types alice <<'KEYS'
spawn -noecho sudo id
sees "give up: "
send "\r"
sees "Reason: "
send "rotate the certs\r"
sees "waiting for bob or erin"
exec touch /mnt/ready
ends
KEYS
wait $meanwhile
like "without a request, the reason is asked for" "$out" $'^no active elevation for sudo\nEnter to ask for 30m of it, Ctrl-C to give up: \nReason: '
like "and the command runs when it is approved" "$out" 'uid=0'
unlike "there is no question whether she waits" "$out" 'Enter to wait'
run teamctl show "$(newest)" --json
is "the request is hers" "$(jq -r '[.requester, .state, .reason, .duration_s, .targets[0].target] | join(" ")' <<<"$out")" \
    "alice active rotate the certs 1800 host:bastion-1/sudo"
drop alice "$(newest)"
last=$(newest)
gives alice ''
is "an empty reason gives up" "$status" 1
like "and is told what to type" "$out" 'run: teamctl request sudo'
gives alice 'a\033\[2Jb'
like "a reason with controls is none" "$out" 'that cannot be a reason'
at_question alice 'secret\r'
is "an answer that is not empty gives up" "$status" 1
unlike "and no reason is asked for" "$out" 'Reason'
printf '#!/bin/sh\necho "secret"\n' >/usr/local/bin/askpass
chmod 755 /usr/local/bin/askpass
run as alice script -qec "env SUDO_ASKPASS=/usr/local/bin/askpass sudo -A id; yes secret | sudo -S id" /dev/null <>/mnt/idle
like "what answers every question with a password (-A, -S) is refused" "$out" 'run: teamctl request sudo'
is "and no password becomes a reason" "$(newest)" "$last"
exits 1 "sudo -n asks for no reason" as_tty alice sudo -n id
like "and says what to type" "$out" '^no active elevation for sudo on bastion-1; run: teamctl request'
exits 1 "who may never have it is not asked" as_tty bob sudo id
like "but told" "$out" '^no policy lets you have sudo'
run as_from "$(id -u bob)" alice script -qec "sudo id" /dev/null <>/mnt/idle
unlike "bob, become alice, asks for nothing" "$out" 'Reason'
is "none of them has made a request" "$(newest)" "$last"
gives carol look
like "what needs no approval goes on at once" "$out" 'uid=0'
gate_sudo prompt prompt_for=8h
gives alice certs
id=$(newest)
like "no more is asked for than the policy allows" "$out" "Enter to ask for 4h of it.*request $id is waiting for bob or erin"
is "and so much is" "$(teamctl show "$id" --json | jq -r .duration_s)" 14400
drop alice "$id"
policy 'require_ticket = true; ticket_pattern = "^CHG-[0-9]+$";'
teamctl reload >/dev/null
gate_sudo prompt
gives alice certs later
like "a ticket is asked for where one is required, with what it has to look like" "$out" 'Ticket \(it has to match \^CHG-\[0-9\]\+\$\): '
like "and looked at" "$out" 'that is no ticket here; it has to match'
gives alice certs CHG-42
id=$(newest)
like "without wait the request is made, and the denial names it" "$out" "request $id is waiting for bob or erin"
is "with its ticket" "$(teamctl show "$id" --json | jq -r .ticket)" CHG-42
like "who asks from sudo is in the trail as who asks with teamctl" \
    "$(teamctl audit --json --request "$id" | jq -r 'select(.action == "request.submit") | .actor')" '^alice$'
policy ''
teamctl reload >/dev/null
as bob teamctl approve "$id" >/dev/null

# Who is elevated does not ask: not from inside of the session's container.
cat >/etc/pam.d/su <<PAM
auth sufficient pam_permit.so
account required $BUILD/pam_team.so wait=1m prompt
account sufficient pam_permit.so
session required $BUILD/pam_team.so
PAM
types alice <<'KEYS'
spawn -noecho sudo -u alice su -c id
ends
KEYS
unlike "who is elevated is not asked for a reason" "$out" 'Reason'
like "but told what to type" "$out" 'no active elevation for su'
drop alice "$id"

# ---- su ----------------------------------------------------------------------------------------------

run as alice teamctl request su --for 1h --reason certs
id=${out:0:8}
meanwhile /mnt/ready as bob teamctl approve "$id"
types alice <<'KEYS'
spawn -noecho su -c id
sees "give up: "
send "\r"
sees "waiting for"
exec touch /mnt/ready
ends
KEYS
wait $meanwhile
like "su waits, too" "$out" 'uid=0'
drop alice "$id"

# ---- approvers at their terminals -----------------------------------------------------------------------

sits()
{
    rm -f "/mnt/$1.screen"
    as "$1" script -qfc "tty >/mnt/$1.tty; mesg $2; sleep 600" "/mnt/$1.screen" </dev/null >/dev/null 2>&1 &
    until_true 5 test -s "/mnt/$1.tty"
    sleep 0.3
}
gate_sudo wait=1m
sits bob y
sits erin n
run as dave teamctl request sudo --for 1h --reason $'\u202etsop'
run as dave teamctl request sudo --for 1h --reason 'look at this'
id=${out:0:8}
ok "an approver who is logged in sees who waits, and what to type" \
    until_true 3 grep -q "dave waits for sudo on bastion-1: teamctl approve $id" /mnt/bob.screen
refused "but not the reason" grep -q 'look at this' /mnt/bob.screen
refused "who wants no messages gets none" grep -q 'waits for' /mnt/erin.screen
for i in 1 2 3 4 5 6 7 8; do as dave teamctl request sudo --for 1h --reason "flood $i"; done >/dev/null 2>&1
sleep 0.3
is "nobody floods a terminal: three lines, and then one a minute" "$(grep -c 'waits for' /mnt/bob.screen)" 3
policy 'notify_terminals = false;'
teamctl reload >/dev/null
run as w1 teamctl request sudo --for 1h --reason "quietly"
sleep 0.3
refused "it can be turned off" grep -q 'w1 waits' /mnt/bob.screen
policy ''
teamctl reload >/dev/null
run as w2 teamctl request su --for 1h --reason "loudly"
ok "and on" until_true 3 grep -q 'w2 waits for su on' /mnt/bob.screen

# ---- a crowd --------------------------------------------------------------------------------------------

sleep 1
before=$(switches "$TEAMD_PID")
sleep 3
idle=$(($(switches "$TEAMD_PID") - before))
mkfifo /mnt/crowd
crowd=()
for n in $(seq 1 16); do
    asks "w$n"
    ( echo $((4000 + n)) >/proc/self/loginuid
      exec "$BUILD/tests/system/crowd" /run/team/gate.sock $((4000 + n)) "$id" 33 ) </mnt/crowd >"/mnt/crowd.$n" &
    crowd+=($!)
done
exec 4>/mnt/crowd
until_true 10 sh -c '[ "$(cat /mnt/crowd.* | wc -l)" -eq 16 ]'
is "512 wait, and one too many of each is told so" "$(sort -u /mnt/crowd.*)" "told 32 refused 1"
sleep 1.5
before=$(switches "$TEAMD_PID")
sleep 3
now=$(($(switches "$TEAMD_PID") - before))
echo "# context switches of teamd in 3 s: $idle without waiters, $now with 512"
ok "they cause no wake-ups while nothing happens" test "$now" -le $((idle + 5))
ok "and nobody else has to wait for the gate" sudo -n true
as bob teamctl approve "$id" >/dev/null
sleep 0.3
exec 4>&-
wait "${crowd[@]}"
is "one approval answers those who wait for it, and nobody else" \
    "$(tail -qn 1 /mnt/crowd.* | sort | uniq -c | xargs)" "15 answered 0 1 answered 32"
ok "all places are free again" until_true 5 sh -c "[ \$(ls /proc/$TEAMD_PID/fd | wc -l) -lt 60 ]"
finish
