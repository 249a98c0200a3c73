#!/bin/bash
# Clock steps of an hour and a year, both ways, a suspend, and another boot: nothing lasts longer
# than it was approved for, what is due happens at once, and the trail stays whole. teamd's clocks
# are those of tests/torture/clock.c; everybody else's are the machine's.
. "$(dirname "$0")/lib.sh"

HOUR=3600 YEAR=31536000
config <<'CONF'
settings: { require_comment = false; auditors = ["carol"]; pending_expiry = "3h"; };
sessions: { grace = "1s"; warn = []; };
eligibility = ( { name = "free"; who = ["alice", "dave"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; },
                { name = "asks"; who = ["erin"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["bob"]; targets = ["host:*/*"]; } );
CONF
sudoers <<<'dave ALL=(ALL) NOPASSWD: ALL'
clocks() { echo "$1 $2" >/mnt/shift; } # WALL BOOT, seconds ahead
begin() { LD_PRELOAD=$BUILD/tests/torture/clock.so CLOCK_SHIFT=/mnt/shift start_teamd; }
ask() { run as "$@"; id=${out:0:8}; }
state() { teamctl show "$1" --json | jq -r .state; }
is_state() { [ "$(state "$1")" = "$2" ]; }
there() { pgrep -f "^$1" >/dev/null; }
none() { ! there "$1"; }
session() { # WHO NAME: a session of theirs that lasts
    as "$1" sudo -n bash -c "exec -a $2 sleep 600" &
    until_true 5 there "$2"
}

clocks 0 0
begin || exit 1

# ---- forward ---------------------------------------------------------------------------------------

ask alice teamctl request sudo --for 50m --reason "an hour ahead"
session alice HOURLY
ask erin teamctl request sudo --for 1h --reason "nobody decides"
waits=$id
ask dave teamctl request sudo --for 4h --reason "longer"
long=$id
ask dave teamctl request sudo --for 1h --start +45m --reason "later"
later=$id
clocks $HOUR 0
ok "an hour forward: what would have ended is over, its session too" until_true 10 none HOURLY
refused "and its owner gets no more" as alice sudo -n true
ok "what lasts longer goes on" as dave sudo -n true
ok "what was to start in the meantime has started" until_true 5 is_state "$later" active
is "what expires later waits" "$(state "$waits")" pending
session dave LONG
clocks $((HOUR + YEAR)) 0
ok "a year forward: nothing is left" until_true 10 none LONG
refused "for anybody" as dave sudo -n true
ok "the elevation has ended" until_true 5 is_state "$long" ended
ok "and what nobody decided has expired" until_true 5 is_state "$waits" expired

# ---- back ------------------------------------------------------------------------------------------

for back in $HOUR $((YEAR + HOUR)); do
    ask alice teamctl request sudo --for 4s --reason "the clock goes back"
    session alice BACK
    clocks $((HOUR + YEAR - back)) 0
    ok "$back seconds back: the window is open as before" as alice sudo -n true
    ok "and ends when its time on the boot clock is over" until_true 10 none BACK
    ok "as it says" until_true 5 is_state "$id" ended
    refused "its owner gets no more" as alice sudo -n true
done
ask alice teamctl request sudo --for 1h --reason "afterwards"
ok "afterwards people get what they ask for" as alice sudo -n true
ok "and give it back" as alice teamctl revoke "$id" --yes

# ---- a suspend: the boot clock and the wall clock go on, the monotonic one does not ------------------

ask alice teamctl request sudo --for 1h --reason "sleeps"
session alice ASLEEP
ask dave teamctl request sudo --for 4h --reason "sleeps longer"
clocks $((HOUR * 2)) $((HOUR * 2))
ok "after a suspend of two hours a window of one is over" until_true 10 none ASLEEP
refused "for the gate, too" as alice sudo -n true
ok "one of four is not" as dave sudo -n true

# ---- another boot ------------------------------------------------------------------------------------

session dave BOOTED
kill_teamd
cat /proc/sys/kernel/random/uuid >/mnt/boot_id
mount --bind /mnt/boot_id /proc/sys/kernel/random/boot_id || die "no other boot id"
clocks $((HOUR * 2)) $((HOUR * -1))
begin || exit 1
run teamctl show "$id" --json
is "a session of an earlier boot is not live any more" "$(teamctl sessions --json)" ""
ok "an elevation that is not over goes on after a reboot" as dave sudo -n true
pkill -f '^BOOTED'
ask alice teamctl request sudo --for 5s --reason "over a reboot"
ok "another is opened" as alice sudo -n true
kill_teamd
cat /proc/sys/kernel/random/uuid >/mnt/boot_id
clocks $((HOUR * 2 - YEAR)) $((HOUR * -1))
begin || exit 1
ok "a reboot and a clock that has lost a year lengthen nothing" until_true 15 is_state "$id" ended
refused "its owner gets no more" as alice sudo -n true

trail=$(as carol teamctl audit --json)
is "the trail has no gap" "$(jq -s 'map(.seq) == [range(1; length + 1)]' <<<"$trail")" true
is "and each event is chained to the one before" \
    "$(jq -s '. as $t | all(range(1; length); $t[.].prev == $t[. - 1].hash)' <<<"$trail")" true
is "nothing is left half done" "$(teamctl list --state ending,activating --json)" ""
finish
