#!/bin/bash
# courier.sock, from the other side: who may come there, what is handed over, and what of it that is said
# there counts. A courier of our own, in Perl, says what the real one never would.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# /mnt/say OP FIELD...: one ask; prints the text of the answer, and exits with its code. A FIELD is
# TAG=VALUE, or TAG=(TAG=VALUE;...). The numbers are those of proto.h.
cat >/mnt/say <<'PERL'
use Socket;
my ($op, @fields) = @ARGV;
sub fields { my $s = ""; for (@_) { my ($tag, $v) = split(/=/, $_, 2);
    $v = fields(split(/;/, substr($v, 1, -1))) if $v =~ /^\(.*\)$/;
    $s .= pack("nn", $tag, length $v) . $v; } $s }
socket(S, AF_UNIX, SOCK_SEQPACKET, 0) && connect(S, pack_sockaddr_un("/run/team/courier.sock")) or exit 99;
$SIG{PIPE} = "IGNORE"; # who is turned away may be answered before anything is said
send(S, "TE" . pack("CCnn", 1, 1, $op, scalar @fields) . fields(@fields), 0);
my $got;
defined recv(S, $got, 65536, 0) && length $got >= 8 or exit 97;
my (undef, undef, $n) = unpack("x3Cnn", $got);
my ($at, $code) = (8, 96);
for (; $n-- > 0;) { my ($tag, $len) = unpack("nn", substr($got, $at, 4)); my $v = substr($got, $at + 4, $len);
    $at += 4 + $len; $tag == 1 ? $code = $v : print "$v\n"; }
exit $code;
PERL

# /mnt/work: takes jobs until it is killed, and writes them down: "STEP JOB ROUND ...".
cat >/mnt/work <<'PERL'
use Socket; use IO::Handle;
socket(S, AF_UNIX, SOCK_SEQPACKET, 0) && connect(S, pack_sockaddr_un("/run/team/courier.sock")) or exit 99;
send(S, "TE" . pack("CCnn", 1, 1, 64, 0), 0) or exit 98;
open(my $jobs, ">>", "/mnt/jobs"); $jobs->autoflush(1);
my $got;
while (defined recv(S, $got, 65536, 0) && length $got >= 8) {
    for (my $at = 8; $at < length $got;) {
        my ($tag, $len) = unpack("nn", substr($got, $at, 4));
        my ($row, %f) = (substr($got, $at + 4, $len));
        $at += 4 + $len;
        for (my $i = 0; $i < length $row;) { my ($t, $l) = unpack("nn", substr($row, $i, 4));
            $f{$t} = substr($row, $i + 4, $l); $i += 4 + $l; }
        print $jobs join(" ", @f{98, 96, 97}, map { $_ // "" } @f{100, 102, 104}), "\n";
    }
}
print $jobs "over\n";
PERL
: >/mnt/jobs
chmod 666 /mnt/jobs

WORK=64 RESULT=65 READ=66 SEEN=67

courier()
{
    setpriv --reuid team-courier --regid team-courier --clear-groups "$@"
}

say()
{
    courier perl /mnt/say "$@"
}

is_courier() # connected | "not connected"
{
    [ "$(teamctl status --json | jq -r .courier)" = "$1" ]
}

stop_work()
{
    kill "$work_pid" 2>/dev/null
    wait "$work_pid" 2>/dev/null
    until_true 5 is_courier "not connected"
}

start_work()
{
    : >/mnt/jobs
    courier perl /mnt/work &
    work_pid=$!
    until_true 5 is_courier connected
}

# job STEP: the last one of this kind: "STEP JOB ROUND ..."; waits for it.
job()
{
    until_true 5 grep -q "^$1 " /mnt/jobs || die "no job to $1: $(cat /mnt/jobs)"
    grep "^$1 " /mnt/jobs | tail -n 1
}

# about STEP: the fields that name it.
about()
{
    job "$1" | awk '{ print "96=" $2, "97=" $3 }'
}

config <<'EOF'
settings: { admins = ["dave"]; auditors = ["carol"]; require_comment = false; };
aws: { region = "eu-west-1"; };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["aws:*/Admin", "aws:*/Read"]; max_duration = "4h"; approval_required = false; },
                { name = "ops"; who = ["@idc:ops"]; targets = ["aws:r-ab12/*"]; max_duration = "1h"; approval_required = false; } );
EOF
start_teamd || exit 1

# ---- who may come ----------------------------------------------------------------------------------------

exits 99 "people cannot connect" as alice perl /mnt/say $WORK
exits 99 "nor does teamd itself" setpriv --reuid team --regid team --clear-groups perl /mnt/say $WORK
exits 1 "nor is root the courier" perl /mnt/say $WORK
like "..." "$out" 'only team-courier may connect here'
exits 1 "and the courier is nobody at the gate" courier perl -e '
    use Socket; socket(S, AF_UNIX, SOCK_SEQPACKET, 0); exit !connect(S, pack_sockaddr_un("/run/team/gate.sock"))'

# ---- what is said without being asked ---------------------------------------------------------------------

exits 2 "an op that there is not" say 16
exits 4 "a result of nothing" say $RESULT 96=1 97=1 85=made
exits 2 "an outcome that is none" say $RESULT 96=1 97=1 85=perhaps
exits 4 "a directory that nobody wants" say $READ 96=77 97=1 "6=(99=user;104=u-1;105=alice)" 111=1
exits 4 "an inventory that nobody wants" say $SEEN 96=77 97=1

# ---- the directory ---------------------------------------------------------------------------------------

start_work
org="6=(99=org;128=arn:aws:x;129=999900001111;130=999900001111;131=arn:aws:sso:::instance/ssoins-1)"
root="6=(99=unit;106=r-ab12;105=Root)"
prod="6=(99=account;100=111122223333;105=prod;107=r-ab12;4=active)"
sets=("6=(99=set;102=x/ps-1;103=Admin;109=3600)" "6=(99=set;102=x/ps-2;103=Read;109=43200)")
users=("6=(99=user;104=u-1;105=alice)" "6=(99=user;104=u-2;105=bob)")
ops=("6=(99=group;104=g-1;105=ops)" "6=(99=members;104=g-1;108=1)")
read -r refresh < <(about refresh)
exits 4 "an inventory is no directory" say $SEEN $refresh
exits 2 "a row that makes no sense is refused" say $READ $refresh "6=(99=account;100=1;105=x)"
like "..." "$out" 'makes no sense'
like "and the reading has failed" "$(teamctl status --json | jq -r .refresh_trouble)" 'makes no sense'
exits 4 "it is not taken up again" say $READ $refresh $org 111=1
stop_work
start_work
teamctl refresh >/mnt/refresh 2>&1 &
refresh_pid=$!
read -r refresh < <(about refresh)
exits 0 "a piece is taken" say $READ $refresh "$org" "$root" "$prod" "${sets[@]}"
is "and does not count yet" "$(teamctl status --json | jq .accounts)" null
exits 0 "with the last one" say $READ $refresh "${users[@]}" "${ops[@]}" 111=1
wait $refresh_pid
is "who waits for it is told" "$(cat /mnt/refresh)" "1 accounts, 2 permission sets, 2 users, 1 groups"
is "all of it counts" "$(teamctl status --json | jq -c '[.accounts, .permission_sets, .aws_users]')" "[1,2,2]"
is "long sessions are reported" "$(teamctl status --json | jq -r .aws_long_sessions)" "Read 12h"
exits 0 "a member of a group may ask" as bob teamctl why aws:prod/Admin
kill_teamd
start_teamd
is "it is known after a restart" "$(teamctl status --json | jq -c '[.accounts, .aws_users]')" "[1,2]"
exits 0 "without the courier" as bob teamctl why aws:prod/Admin
until_true 5 grep -q over /mnt/jobs

# ---- assignments -----------------------------------------------------------------------------------------

start_work
id=$(as alice teamctl request aws:prod/Admin --for 1h --reason x 2>/dev/null)
is "an assignment is to be looked for" "$(job look | cut -d' ' -f1,4-)" "look 111122223333 x/ps-1 u-1"
read -r look < <(about look)
exits 2 "it is not made before it was looked for" say $RESULT $look 85=made
exits 0 "it may take its time" say $RESULT $look 85=waits 2="AWS says: slower"
like "which is shown" "$(as alice teamctl show "$id")" 'waits: AWS says: slower'
is "and counted" "$(teamctl status --json | jq .aws_waiting)" 1
exits 0 "it is not there" say $RESULT $look 85=absent
exits 4 "that is heard once" say $RESULT $look 85=absent
read -r make < <(about make)
exits 2 "what is to be made was not there" say $RESULT $make 85=there
exits 0 "it is made" say $RESULT $make 85=made
is "and the request is active" "$(as alice teamctl show "$id" --json | jq -r .state)" active
stop_work
start_work
is "who connects anew is not asked to make it again" "$(sleep 0.3; grep -c '^make' /mnt/jobs)" 0

# ---- the inventory ----------------------------------------------------------------------------------------

teamctl reconcile >/mnt/reconcile 2>&1 &
reconcile_pid=$!
read -r inventory < <(about inventory)
is "what should be there is looked at" "$(job check | cut -d' ' -f4-)" "111122223333 x/ps-1 u-1"
exits 4 "a directory is no inventory" say $READ $inventory $org
exits 0 "what there is" say $SEEN $inventory "6=(100=111122223333;102=x/ps-1;99=user;104=u-1)" \
    "6=(100=111122223333;102=x/ps-1;99=group;104=g-1)" "6=(100=111122223333;102=x/ps-9;99=user;104=u-2)"
exits 2 "an end that is none" say $RESULT $inventory 85=made
exits 0 "and the end" say $RESULT $inventory 85=done
wait $reconcile_pid
is "who waits for it is told" "$(cat /mnt/reconcile)" "1 assignments of elevations, 1 that nobody approved"
is "it is in status" "$(teamctl status --json | jq .drift)" 1
as carol teamctl drift --json >/mnt/drift 2>&1 &
drift_pid=$!
until_true 5 sh -c 'grep -c ^inventory /mnt/jobs | grep -q 2'
read -r inventory < <(about inventory)
exits 0 "drift asks anew" say $RESULT $inventory 85=failed 2="AWS is gone"
wait $drift_pid
is "and fails if AWS does not answer" "$?" 1
like "with the reason" "$(cat /mnt/drift)" 'AWS is gone'

# ---- the end ----------------------------------------------------------------------------------------------

as alice teamctl revoke "$id" --yes >/dev/null
read -r remove < <(about remove)
exits 2 "a removal does not fail" say $RESULT $remove 85=failed 2="I do not want to"
is "it is still to be done" "$(as alice teamctl show "$id" --json | jq -r .state)" ending
exits 0 "until it is" say $RESULT $remove 85=gone
is "and the request is over" "$(as alice teamctl show "$id" --json | jq -r .state)" revoked
is "nothing is in the outbox" "$(teamctl status --json | jq '.aws_making + .aws_there + .aws_removing')" 0
kill "$work_pid"
ok "teamd stops" stop_teamd
finish
