#!/bin/bash
# Somebody's calls fill the disk: they are not all kept, and that is said; but there is room for what people
# ask for, and for the end of their access.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { admins = ["dave"]; require_comment = false; };
aws: { region = "eu-west-1"; activity = ( { source = "logs"; log_group = "trail"; } ); };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["aws:*/Admin", "host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
DIR=/mnt/trail
install -d -o team-courier -m 0777 $DIR
mkdir -p /var/lib/team && mount -t tmpfs -o size=16m,mode=700 small /var/lib/team
gate_sudo
start_teamd || exit 1
setpriv --reuid team-courier --regid team-courier --clear-groups perl "$SRC/tests/system/courier.pl" $DIR &
courier_pid=$!
until_true 10 sh -c "teamctl status --json | jq -e .accounts" || die "AWS was not read"

id=$(as alice teamctl request aws:111122223333/Admin --for 1h --reason "many calls" 2>/dev/null)
active() { [ "$(teamctl show "$1" --json | jq -r .state)" = active ]; }
until_true 10 active "$id" || die "not active: $(teamctl show "$id")"
perl -e 'my $raw = "x" x 30000; my $now = time; print "$now|e-$_|PutObject|146=s3.amazonaws.com;152=$raw;153=30000\n" for 1 .. 800' \
    >$DIR/111122223333.Admin.alice
as alice teamctl logs "$id" --follow >/dev/null 2>&1 &
follow_pid=$!
nearly_full() { [ "$(free_kb)" -lt 4200 ]; }
free_kb() { df --output=avail /var/lib/team | tail -n 1; }
settled() { local before; before=$(free_kb); sleep 4; [ "$before" = "$(free_kb)" ]; }
until_true 30 nearly_full
ok "the flood comes to a rest" until_true 60 settled
ok "a part of the disk is left ($(free_kb) kB)" test "$(free_kb)" -gt 3000
is "the store can be written" "$(teamctl status --json | jq -r .store)" sound
run as alice teamctl request sudo --for 1h --reason "still possible"
is "what is asked for is taken" "$status" 0
other=${out:0:8}
ok "and is had" as alice sudo -n true
exits 0 "access is ended" as alice teamctl revoke "$id" --yes
over() { [ "$(teamctl show "$id" --json | jq -r .state)" = revoked ]; }
ok "and it is over" until_true 10 over
exits 0 "the other one, too" as alice teamctl revoke "$other" --yes
refused "nobody gets in any more" as alice sudo -n true
kill $follow_pid $courier_pid
wait $follow_pid $courier_pid 2>/dev/null
ok "teamd stops" stop_teamd
finish
