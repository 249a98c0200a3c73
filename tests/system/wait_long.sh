#!/bin/bash
# What takes long in a wait: approvers are told again when it begins long after the request was made,
# and who waits gives up when teamd does not come back.
# shellcheck disable=SC1091,SC2016
. "$(dirname "$0")/lib.sh"

command -v expect >/dev/null || die "expect is missing; make deps installs it"
config <<'CONF'
settings: { require_comment = false; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF
gate_sudo wait=5m
chmod 1777 /mnt

clocks() { echo "$1 $2" >/mnt/shift; } # WALL BOOT, seconds ahead: teamd's alone
told() { grep -c "alice waits for sudo on bastion-1: teamctl approve $id" /mnt/bob.screen; }
told_times() { [ "$(told)" -eq "$1" ]; }

# waits: alice's sudo, at which she presses Enter; what she sees is in /mnt/alice.screen.
waits()
{
    cat >/mnt/keys.exp <<'KEYS'
set timeout 60
spawn -noecho sudo id
expect -exact "give up: "
after 300
send "\r"
expect -exact "waiting for"
exec touch /mnt/waiting
expect eof
exit [lindex [wait] 3]
KEYS
    rm -f /mnt/waiting
    chmod 644 /mnt/keys.exp
    as alice timeout 90 expect /mnt/keys.exp >/mnt/alice.screen 2>&1 &
    waiter=$!
    until_true 10 test -e /mnt/waiting
}

clocks 0 0
LD_PRELOAD=$BUILD/tests/torture/clock.so CLOCK_SHIFT=/mnt/shift start_teamd || exit 1
as bob script -qfc "tty >/mnt/bob.tty; mesg y; sleep 600" /mnt/bob.screen </dev/null >/dev/null 2>&1 &
until_true 5 test -s /mnt/bob.tty
sleep 0.3
run as alice teamctl request sudo --for 1h --reason "certs"
id=${out:0:8}
ok "an approver is told of a request" until_true 3 told_times 1
waits
sleep 0.5
is "and not again of a wait that begins at once" "$(told)" 1
kill "$waiter"
wait "$waiter" 2>/dev/null
until_true 5 sh -c '! ps -C sudo'

clocks 0 300
waits
ok "but of one that begins minutes later" until_true 3 told_times 2
kill -KILL "$TEAMD_PID"
wait "$TEAMD_PID" 2>/dev/null
TEAMD_PID=
begun=$SECONDS
exits 1 "a wait ends when teamd does not come back" wait "$waiter"
took=$((SECONDS - begun))
run cat /mnt/alice.screen
like "of which it has told" "$out" 'teamd is being restarted; still waiting'
like "and at the end what is the matter" "$out" 'teamd does not answer'
unlike "nothing ran" "$out" 'uid=0'
echo "# it waited for $took s"
ok "not at once" test $took -ge 10
start_teamd || exit 1
is "the request stays" "$(teamctl show "$id" --json | jq -r .state)" pending
waits
run as bob teamctl approve "$id"
ok "and can be waited for again" wait "$waiter"
finish
