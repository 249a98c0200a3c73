#!/bin/bash
# What is asked of teamd and seldom asked elsewhere: waiting for an outcome, filters of lists, asks that
# make no sense, reloads, and how it starts when it should not.
. "$(dirname "$0")/lib.sh"

policy()
{
    config <<CONF
settings: { admins = ["dave"]; auditors = ["@security"]; $1 };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo", "host:*/su"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF
}

# /mnt/raw OP TAG=VALUE...: one ask that teamctl would never send; prints the answer's texts and exits with
# its code. The numbers are those of proto.h.
cat >/mnt/raw <<'PERL'
use Socket;
my ($op, @fields) = @ARGV;
socket(S, AF_UNIX, SOCK_SEQPACKET, 0) && connect(S, pack_sockaddr_un("/run/team/control.sock")) or exit 99;
my $ask = "TE" . pack("CCnn", 1, 1, $op, scalar @fields);
for (@fields) { my ($tag, $value) = split(/=/, $_, 2); $ask .= pack("nn", $tag, length $value) . $value; }
send(S, $ask, 0) or exit 98;
my ($code, $got) = (97);
while (defined recv(S, $got, 65536, 0) && length $got >= 8) {
    my ($kind, undef, $n) = unpack("x3Cnn", $got);
    next if $kind == 3;
    for (my $at = 8; $n-- > 0;) {
        my ($tag, $len) = unpack("nn", substr($got, $at, 4));
        my $value = substr($got, $at + 4, $len);
        $at += 4 + $len;
        if ($tag == 1) { $code = $value; } else { print "$value\n"; }
    }
    last;
}
exit $code;
PERL
REQUEST=16 DECIDE=17 CANCEL=18 EXTEND=20 LIST=32 SHOW=34 WHY=37 WAIT=38
for_s=33=600 reason=34=work

policy 'require_comment = false;'
start_teamd || exit 1

# ---- waiting ------------------------------------------------------------------------------------

# waiting NAME CMD...: CMD as alice in the background, until teamd has answered something about a
# request; that is $id. came NAME: its exit status is $status and what it said $out.
waiting()
{
    local name=$1
    shift
    { as alice "$@" >"/mnt/$name" 2>&1; echo $? >"/mnt/$name.status"; } &
    until_true 5 grep -Eq '[0-9A-Z]{8}' "/mnt/$name" || die "$name is not filed: $(<"/mnt/$name")"
    id=$(grep -Eo '[0-9A-Z]{8}' "/mnt/$name" | head -n 1)
}
came()
{
    until_true 5 test -s "/mnt/$1.status"
    status=$(cat "/mnt/$1.status")
    out=$(<"/mnt/$1")
}
ask_and_wait()
{
    waiting "$1" teamctl request sudo --for 1h --reason "$1" --wait=20s "${@:2}"
}

ask_and_wait approved
ok "what is waited for is approved" as bob teamctl approve "$id"
came approved
is "and the waiter is done" "$status" 0
like "and knows it is active" "$out" active
active=$id
exits 0 "waiting for what is active is over at once" as alice perl /mnt/raw $WAIT 3="$active"
like "with its state" "$out" $'(^|\n)active(\n|$)'
ask_and_wait rejected
rejected=$id
ok "what is waited for is rejected" as bob teamctl reject "$id" --comment "not during the freeze"
came rejected
is "and the waiter is refused" "$status" 3
like "by whom and why" "$out" 'rejected by bob: not during the freeze'
exits 0 "waiting for what is over is over at once" as alice perl /mnt/raw $WAIT 3="$rejected"
like "with the same words" "$out" 'rejected by bob: not during the freeze'
is "the trail has why, too" \
    "$(as carol teamctl audit --request "$rejected" --action request.reject --json | jq -r .detail)" "not during the freeze"
ask_and_wait cancelled
cancelled=$id
ok "what is waited for is cancelled" as alice teamctl cancel "$id"
came cancelled
is "and the waiter is refused" "$status" 3
like "and knows it" "$out" cancelled
ask_and_wait revoked --start +1h
ok "what starts later is approved" as bob teamctl approve "$id"
is "and is scheduled" "$(as alice teamctl show "$id" --json | jq -r .state)" scheduled
is "while it is waited for" "$(cat /mnt/revoked.status 2>/dev/null)" ""
ok "what is scheduled is revoked" as bob teamctl revoke "$id" --yes
came revoked
is "and the waiter is refused" "$status" 3
like "by whom" "$out" 'revoked by bob'
exits 2 "a reason of blanks is none" as alice teamctl request sudo --for 1h --reason "  "
like "it has to be given" "$out" 'a reason is required; give one with --reason'
exits 2 "what starts yesterday does not" as alice teamctl request sudo --for 1h --reason late --start yesterday
like "the time is over" "$out" '--start: "yesterday" is over; leave it out to begin as soon as it is approved'
exits 7 "who waits too long leaves" as alice teamctl request sudo --for 30m --reason slow --wait=1s
like "and is told that it stays" "$out" 'still not active after 1s; the request stays'
slow=${out:0:8}
exits 124 "another waits for it and goes away" as alice timeout 0.3 perl /mnt/raw $WAIT 3="$slow"
waits_too()
{
    { as alice perl /mnt/raw $WAIT 3="$slow" >"/mnt/$1" 2>&1; echo $? >"/mnt/$1.status"; } &
}
waits_too first
waits_too second
sleep 0.3
is "two wait for it" "$(cat /mnt/first.status /mnt/second.status 2>/dev/null)" ""
ok "it is cancelled" as alice teamctl cancel "$slow"
for name in first second; do
    came $name
    like "and the $name is told" "$status $out" $'^0 .*cancelled'
done
exits 4 "nobody waits for what is not there" as alice perl /mnt/raw $WAIT 3=ZZZZZZZZ
exits 4 "or is not theirs to see" as team perl /mnt/raw $WAIT 3="$active"
exits 2 "or without an id" as alice perl /mnt/raw $WAIT

# ---- questions ----------------------------------------------------------------------------------

run as dave teamctl request su --for 1h --reason "dave's"
daves=${out:0:8}
# count USER ARG...: how many requests USER lists.
count()
{
    as "$1" teamctl list --json "${@:2}" | wc -l
}
is "an auditor lists all" "$(count carol)" 6
is "those of one state" "$(count carol --state pending)" 1
is "those of two" "$(count carol --state active,rejected)" 2
is "those of a user" "$(count carol --user alice)" 5
is "those of a user who never asked" "$(count carol --user erin)" 0
is "those of nobody" "$(count carol --user zoe)" 0
is "one's own" "$(count alice --mine)" 5
is "those for a target" "$(count carol --target su)" 1
is "by its whole name" "$(count carol --target host:bastion-1/su)" 1
is "by a pattern" "$(count carol --target 'host:bast*/s?')" 1
is "by a wider one" "$(count carol --target 'host:*/*')" 6
is "those since an hour ago" "$(count carol --since 1h)" 6
is "none until an hour ago" "$(count carol --until 1h)" 0
is "two and no more" "$(count carol --limit 2)" 2
is "the newest first" "$(as carol teamctl list --json --limit 1 | jq -r .id)" "$daves"
exits 2 "a word that is no state" as carol teamctl list --state active,odd
like "and is told which there are" "$out" 'the states are pending, scheduled'
exits 2 "a state must be whole" as carol perl /mnt/raw $LIST 65=activ
exits 2 "a filter that is no target" as carol teamctl list --target 'a/b/c d'
ok "a request by the beginning of its id" as alice teamctl show "${active:0:7}"
like "is that one" "$out" "$active"
exits 4 "what is over needs its whole id" as alice teamctl show "${rejected:0:7}"
like "and says so" "$out" 'an ended one needs its whole id'
ok "and has it" as alice teamctl show "$cancelled"
exits 4 "an id that nobody has" as alice teamctl show ZZZZZZZZ
exits 2 "no id at all" as alice perl /mnt/raw $SHOW
exits 2 "a question that there is not" as alice perl /mnt/raw 63
ok "why, about oneself by name" as alice teamctl why --user alice sudo
exits 0 "why, about another, by an admin" as dave teamctl why --user alice sudo
exits 3 "who has no policy" as dave teamctl why --user erin sudo
exits 4 "somebody whom the host does not know" as dave teamctl why --user zoe sudo
like "and says so" "$out" 'this host does not know that person'
exits 3 "AWS is not there" as alice teamctl why aws:123456789012/Admin
exits 2 "a target that is none" as alice teamctl why 'host:/'
exits 2 "no target at all" as alice perl /mnt/raw $WHY
is "what one may ask for" "$(as alice teamctl targets --json | wc -l)" 2
ok "who may ask for nothing is told so" as erin teamctl targets
is "in words" "$out" "no targets"
is "what waits for an approver" "$(as bob teamctl pending --json | jq -r .id)" "$daves"
is "waits for nobody else" "$(as alice teamctl pending --json)" ""

# ---- changes ------------------------------------------------------------------------------------

targets=()
for n in {1..9}; do targets+=("32=host:h$n/sudo"); done
exits 2 "nine targets" as alice perl /mnt/raw $REQUEST "${targets[@]}" $for_s $reason
like "are one too many" "$out" 'at most 8 targets'
exits 2 "no target" as alice perl /mnt/raw $REQUEST $for_s $reason
exits 2 "a bad one" as alice perl /mnt/raw $REQUEST 32=host:x/ $for_s $reason
exits 3 "an AWS account by name" as alice perl /mnt/raw $REQUEST 32=aws:prod/Admin $for_s $reason
like "which is not configured" "$out" 'AWS is not configured'
exits 2 "no duration" as alice perl /mnt/raw $REQUEST 32=sudo $reason
like "is told how to give one" "$out" '--for'
exits 2 "a duration without end" as alice perl /mnt/raw $REQUEST 32=sudo 33=9999999999 $reason
exits 2 "a start past all time" as alice perl /mnt/raw $REQUEST 32=sudo $for_s $reason 36=9999999999999999
exits 2 "no reason" as alice perl /mnt/raw $REQUEST 32=sudo $for_s
exits 2 "a change that there is not" as alice perl /mnt/raw 31
exits 2 "a decision that is none" as bob perl /mnt/raw $DECIDE 3="$daves" 38=maybe
like "and says what is" "$out" 'a decision is approved or rejected'
exits 2 "a decision without an id" as bob perl /mnt/raw $DECIDE 38=approved
exits 4 "a decision about nothing" as bob perl /mnt/raw $DECIDE 3=ZZZZZZZZ 38=approved
exits 2 "cancelling without an id" as alice perl /mnt/raw $CANCEL
exits 3 "extending what is another's" as bob teamctl extend "$active" --for 30m --reason x
like "is not for them" "$out" 'only who asked for it can extend it'
exits 2 "extending without end" as alice perl /mnt/raw $EXTEND 3="$active" 33=9999999999 $reason
exits 2 "extending without a reason" as alice perl /mnt/raw $EXTEND 3="$active" $for_s
exits 5 "extending what is over" as alice teamctl extend "$rejected" --for 30m --reason x
is "nothing of all that was filed" "$(count carol)" 6

policy 'require_comment = false; require_ticket = true; ticket_pattern = "^CHG-[0-9]+$";'
ok "a policy with tickets" as dave teamctl reload
like "is loaded" "$out" 'loaded: 1 eligibility and 1 approver policies'
exits 3 "a request without a ticket" as alice teamctl request sudo --for 1h --reason x
like "is told to give one" "$out" 'a ticket is required'
exits 2 "a ticket of another kind" as alice teamctl request sudo --for 1h --reason x --ticket INC-1
like "is told of which" "$out" 'it has to match \^CHG-\[0-9\]\+\$'
exits 2 "more than a ticket" as alice teamctl request sudo --for 1h --reason x --ticket CHG-1x
ok "the right kind" as alice teamctl request sudo --for 1h --reason x --ticket CHG-1
policy 'require_comment = true;'
ok "a policy with comments" as dave teamctl reload
run as alice teamctl request sudo --for 1h --reason x
exits 2 "a comment of blanks is none" as bob teamctl approve "${out:0:8}" --comment "  "
like "it has to be given" "$out" 'a comment is required; give one with --comment'

# ---- reloads ------------------------------------------------------------------------------------

# said REGEX: within 2 s, since said_nothing.
said()
{
    until_true 2 grep -Eqs -e "$1" "$TEAM_LOG" "$SYSLOG"
}
said_nothing()
{
    : >"$TEAM_LOG"
    : >"$SYSLOG"
}
reload_in_background()
{
    rm -f "/mnt/$1.status"
    { teamctl reload >"/mnt/$1" 2>&1; echo $? >"/mnt/$1.status"; } &
}
one_is_over()
{
    [ -s /mnt/one.status ] || [ -s /mnt/other.status ]
}

# Whoever looks people up stands still, so the first reload is under way when the second comes.
said_nothing
workers=()
for spawner in $(pgrep -P "$TEAMD_PID"); do
    mapfile -t -O ${#workers[@]} workers < <(echo "$spawner"; pgrep -P "$spawner")
done
kill -STOP "${workers[@]}"
reload_in_background one
reload_in_background other
until_true 5 one_is_over
busy=$(cat /mnt/one.status /mnt/other.status 2>/dev/null)
is "of two reloads at once one is turned away" "$busy" 1
kill -HUP "$TEAMD_PID"
ok "SIGHUP meanwhile is told so too" said 'cannot reload: '
kill -CONT "${workers[@]}"
came one
first=$status said_by_both=$out
came other
is "and the other one is done" "$((first + status))" 1
like "both know" "$said_by_both $out" 'a reload is under way already; try again'

said_nothing
policy 'require_comment = false;'
kill -HUP "$TEAMD_PID"
ok "SIGHUP loads a good file" said 'loaded: 1 eligibility'
ok "which counts" as alice teamctl request su --for 1h --reason "no ticket needed"
said_nothing
policy 'require_comment = perhaps;'
kill -HUP "$TEAMD_PID"
ok "SIGHUP says what is wrong with a broken one" said 'team.conf:[0-9]+'
exits 1 "as a reload does" as dave teamctl reload
like "to whoever asked" "$out" 'team.conf:[0-9]+'
ok "and what was loaded still counts" as alice teamctl why sudo
rm /etc/team/team.conf
exits 1 "a file that is gone is not loaded either" teamctl reload
said_nothing
policy 'require_comment = false;'
sed -i 's/"@sre-leads"/"@sre-leads", "zoe", "@ghosts"/' /etc/team/team.conf
ok "names that nobody has are no mistake" teamctl reload
like "but who loads them is told one" "$out" '; nobody has the name (zoe|@ghosts), nor 1 others$'
ok "but a user is warned about" said 'the configuration names zoe, but nobody has that name'
ok "and so is a group" said 'the configuration names @ghosts, but nobody has that name'
config <<<'settings: { admins = ["dave"]; };'
ok "a configuration without policies" teamctl reload
like "is loaded" "$out" 'loaded: 0 eligibility and 0 approver policies'
exits 3 "and lets nobody ask" as alice teamctl request sudo --for 1h --reason x
policy 'require_comment = false;'
ok "policies come back" teamctl reload
run as alice teamctl request sudo --for 1h --reason "after all that"
ok "and so does access" as bob teamctl approve "${out:0:8}"

# ---- waiting through a restart -------------------------------------------------------------------

ask_and_wait restarted
stop_teamd
start_teamd || exit 1
ok "what is waited for is approved after a restart" as bob teamctl approve "$id"
came restarted
is "of which the waiter has not noticed" "$status" 0
like "it is active, too" "$out" active
ok "and ends" as alice teamctl revoke "$id" --yes
waiting lost teamctl request sudo --for 1h --reason lost --wait=2s
stop_teamd
came lost
is "teamd that stays away is lost" "$status" 6
like "and the request is not" "$out" "request $id: it is filed, but teamd is lost; see teamctl show $id"
start_teamd || exit 1
ok "it is there" as alice teamctl cancel "$id"

# ---- starting -----------------------------------------------------------------------------------

teamd=("$BUILD/teamd" --config /etc/team/team.conf)
ok "teamd --help" teamd --help
like "tells of its options" "$out" '--runtime-dir DIR'
ok "teamd --version" teamd --version
like "tells it" "$out" '^teamd [0-9]'
exits 2 "an option that there is not" teamd --odd
like "points to the help" "$out" 'teamd --help'
exits 2 "an argument too many" teamd start
like "which it names" "$out" "unexpected argument 'start'"
ok "teamd --check of a good file" "${teamd[@]}" --check
is "says nothing" "$out" ""
echo 'settings: { admins = 7; };' >/etc/team/broken.conf
exits 1 "teamd --check of a broken one" teamd --check --config /etc/team/broken.conf
like "says where" "$out" 'broken.conf:1'
exits 1 "a broken one does not start it" timeout 5 teamd --config /etc/team/broken.conf
exits 1 "one that is not there" teamd --check --config /etc/team/none.conf
exits 1 "a user who is not there" timeout 5 "${teamd[@]}" --user nobody-there
like "is named" "$out" "no user 'nobody-there'; make it"
exits 1 "a second teamd at the same sockets" timeout 5 "${teamd[@]}"
like "thinks of the first" "$out" 'cannot listen on /run/team/gate.sock: .*is another teamd running\?'
exits 1 "or at the same store" timeout 5 "${teamd[@]}" --runtime-dir /run/team2
like "thinks of it too" "$out" 'cannot open the store in /var/lib/team: .*is another teamd running\?'
exits 1 "sockets too deep" timeout 5 "${teamd[@]}" --runtime-dir "/run/$(printf 'x%.0s' {1..120})"
like "are too deep" "$out" "too long for a socket's path"
exits 1 "sockets where no folder can be" timeout 5 "${teamd[@]}" --runtime-dir /proc/none
like "say so" "$out" 'cannot make /proc/none'
exits 1 "one socket of two" timeout 5 bash -c \
    'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=gate exec "$@" 3</dev/null' - "${teamd[@]}"
like "is not enough" "$out" 'both gate and control are needed'
ok "the first did not notice" teamctl status
ok "and its gate is open" as alice sudo -n true
ok "it stops when told" stop_teamd
finish
