# A courier without AWS: everything that is to be made is made at once, and what was done with it stands in
# files. Run it as team-courier.
#
#   courier.pl DIR     DIR/ACCOUNT.SET.USER has rows of activity, one a line: AT|EVENT_ID|EVENT_NAME|REST, times
#                      in seconds, REST as TAG=VALUE;... by the numbers of proto.h. A line that begins with gap
#                      is gap|FROM|UNTIL|why. DIR/fail: why it cannot be read; DIR/slow: seconds that a pass takes;
#                      DIR/outside: rows out of the window are said, too. DIR/jobs: the jobs of activity.
#                      DIR/hold-STEP: as long as it is there, this step (look, make) is not answered.
use strict;
use warnings;
use Socket;
use IO::Handle;
use Time::HiRes qw(sleep);

my $dir = shift;
my ($WORK, $RESULT, $READ, $FOUND) = (64, 65, 66, 68);
my %tag = (JOB => 96, ROUND => 97, OUTCOME => 85, TEXT => 2, ROW => 6, KIND => 99, AT => 56, UNTIL => 67,
    EVENT_ID => 144, EVENT_NAME => 145, LAST => 111);

sub fields {
    my $s = "";
    while (@_) { my ($t, $v) = splice(@_, 0, 2); $t = $tag{$t} // $t; $s .= pack("nn", $t, length $v) . $v; }
    return $s;
}

sub parse {
    my ($s) = @_;
    my @found;
    for (my $i = 0; $i < length $s;) {
        my ($t, $l) = unpack("nn", substr($s, $i, 4));
        push @found, $t, substr($s, $i + 4, $l);
        $i += 4 + $l;
    }
    return @found;
}

sub opened {
    my $s;
    socket($s, AF_UNIX, SOCK_SEQPACKET, 0) && connect($s, pack_sockaddr_un("/run/team/courier.sock")) or exit 99;
    return $s;
}

my ($jobs, $said) = (opened(), opened());

sub put { my ($s, $op, $n, $body) = @_; send($s, "TE" . pack("CCnn", 1, 1, $op, $n) . $body, 0) or exit 98; }

# One ask; the code of its answer.
sub ask {
    my ($op, @f) = @_;
    put($said, $op, @f / 2, fields(@f));
    my $got;
    defined recv($said, $got, 65536, 0) && length $got >= 8 or exit 97;
    my %answer = parse(substr($got, 8));
    return $answer{1};
}

sub slurp { open(my $f, "<", $_[0]) or return (); chomp(my @l = <$f>); return @l; }

sub directory {
    my @job = @_;
    my @rows = ([99 => "org", 128 => "arn:aws:x", 129 => "999900001111", 130 => "999900001111",
            131 => "arn:aws:sso:::instance/ssoins-1"], [99 => "unit", 106 => "r-ab12", 105 => "Root"]);
    push @rows, [99 => "account", 100 => $_->[0], 105 => $_->[1], 107 => "r-ab12", 4 => "active"]
        for (["111122223333", "prod"], ["444455556666", "dev"]);
    push @rows, [99 => "set", 102 => "x/ps-$_->[0]", 103 => $_->[1], 109 => 3600] for ([1, "Admin"], [2, "Read"]);
    push @rows, [99 => "user", 104 => "u-$_", 105 => $_] for qw(alice bob dave erin);
    ask($READ, @job, (map { (ROW => fields(@$_)) } @rows), LAST => 1);
}

sub activity {
    my ($job, %f) = @_;
    my ($from, $until) = ($f{66} / 1e6, $f{67} / 1e6);
    my ($fail) = slurp("$dir/fail");
    my ($slow) = slurp("$dir/slow");
    open(my $log, ">>", "$dir/jobs"); $log->autoflush(1);
    print $log join(" ", "$f{100}.$f{103}.$f{105}", int $from, int $until, $f{159} ? "soon" : "-", $f{104}), "\n";
    my @rows;
    for (slurp("$dir/$f{100}.$f{103}.$f{105}")) {
        my ($at, $id, $name, $rest) = split(/\|/, $_, 4);
        if ($at eq "gap") {
            push @rows, fields(KIND => "gap", AT => $id * 1000000, UNTIL => $name * 1000000, TEXT => $rest);
        } elsif (-e "$dir/outside" || ($at >= $from && $at <= $until)) {
            push @rows, fields(KIND => "call", AT => $at * 1000000, EVENT_ID => $id, EVENT_NAME => $name,
                map { split(/=/, $_, 2) } split(/;/, $rest // ""));
        }
    }
    while (@rows) {
        my ($n, @piece) = (0);
        while (@rows && $n + length($rows[0]) + 4 < 60000) { $n += length($rows[0]) + 4; push @piece, ROW => shift @rows; }
        last if ask($FOUND, @$job, @piece) != 0;
        sleep $slow if $slow;
    }
    ask($RESULT, @$job, OUTCOME => $fail ? "failed" : "done", $fail ? (TEXT => $fail) : ());
}

my %outcome = (look => "absent", make => "made", remove => "gone", check => "there", inventory => "done");
my $got;
put($jobs, $WORK, 0, "");
while (defined recv($jobs, $got, 65536, 0) && length $got >= 8) {
    my @rows = parse(substr($got, 8));
    while (my ($t, $row) = splice(@rows, 0, 2)) {
        my %f = parse($row);
        my @job = (JOB => $f{96}, ROUND => $f{97});
        if ($f{98} eq "refresh") { directory(@job) }
        elsif ($f{98} eq "activity") { activity(\@job, %f) }
        else {
            sleep 0.05 while -e "$dir/hold-$f{98}";
            ask($RESULT, @job, OUTCOME => $outcome{$f{98}});
        }
    }
}
