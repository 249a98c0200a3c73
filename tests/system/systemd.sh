#!/bin/bash
# The units under a real systemd as PID 1: installing, activation by the sockets, reload, restart
# under load, watchdog, sandbox, journal, reboot, power cut, and a login with logind.
# shellcheck disable=SC1091,SC2013,SC2016,SC2046,SC2086,SC2154
. "$(dirname "$0")/systemd_lib.sh"

good_config()
{
    config <<CONF
settings: { admins = ["@team-admins"]; auditors = ["@security"]; require_comment = false; };
eligibility = (
  { name = "sre"; who = ["@sre", "erin"]; targets = ["host:*/sudo"]; max_duration = "${1:-4h}"; }
);
approvers = ( { name = "leads"; who = ["@sre-leads", "carol"]; targets = ["host:*/*"]; } );
CONF
}

broken_config()
{
    config <<'CONF'
settings: { require_comment = false; };
eligibility = (
  { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4 hours"; }
);
CONF
}

# prop NAME [UNIT]: what systemctl show says
prop()
{
    inside systemctl show -P "$1" "${2:-teamd.service}"
}
prop_is()
{
    [ "$(prop "$1" "${3:-teamd.service}")" = "$2" ]
}

# drop_in: more lines for teamd.service, from standard input; empty: none
drop_in()
{
    cat >$ROOT/etc/systemd/system/teamd.service.d/test.conf
    inside systemctl daemon-reload
}

# said REGEX: does the journal have a line of teamd.service like that, since the last mark (in 3 s)?
# (journalctl goes one line too far after a cursor that its filter does not match.)
mark()
{
    cursor=$(inside journalctl -u teamd.service -n 1 -o json | jq -r .__CURSOR)
}
said()
{
    until_true 20 _said "$1"
}
_said()
{
    inside journalctl -q --after-cursor="$cursor" -u teamd.service -o cat | grep -Eq -e "$1"
}

# field JQ: of alice's request
field()
{
    as alice teamctl show "$id" --json | jq -r "$1"
}

# What has become of the session that alice_sleeps began?
session()
{
    field ".sessions[] | select(.id == $session) | .state"
}
alice_sleeps()
{
    inside systemd-run -q --unit=alice bash -c 'echo 2001 >/proc/self/loginuid &&
        exec setpriv --reuid alice --regid alice --init-groups --reset-env sudo -n sleep 300'
    until_true 5 live_session
    session=$(live_session)
}
live_session()
{
    field '.sessions[] | select(.state == "live") | .id' | grep .
}

# ---- installing -------------------------------------------------------------------------------------

boot
is "systemd is PID 1" "$(inside cat /proc/1/comm)" systemd
ok "make install works" install_team
good_config
ok "systemd-sysusers makes the user" inside systemd-sysusers team.conf
like "nobody logs in as it" "$(inside getent passwd team)" '^team:.*:/usr/sbin/nologin$'
ok "systemd-tmpfiles makes the runtime directory" inside systemd-tmpfiles --create team.conf
is "which is root's" "$(inside stat -c '%U:%G %a' /run/team)" 'root:root 755'
inside systemctl daemon-reload
run inside systemd-analyze verify --man=no $(ls "$SRC/conf/systemd")
is "systemd-analyze verify has nothing to say" "$status $out" '0 '
for page in $(cat "$SRC"/conf/systemd/* | grep -oE 'man:[a-z_.]+\([0-9]\)' | sort -u); do
    file=${page#man:} file=${file/\(/.}
    ok "$page, which a unit names, is installed" grep -q "/${file%)}\$" /mnt/install
done

# ---- activation -------------------------------------------------------------------------------------

ok "the sockets are enabled and started" \
    inside systemctl enable --now team-gate.socket team-control.socket
is "the gate's socket is root's alone" "$(inside stat -c '%U:%G %a' /run/team/gate.sock)" 'root:root 600'
is "everybody can reach the other" "$(inside stat -c '%U:%G %a' /run/team/control.sock)" 'root:root 666'
is "teamd is not running" "$(prop ActiveState)" inactive
ok "the first teamctl is answered" as alice teamctl list
is "and has started teamd" "$(prop ActiveState)" active
is "which told systemd when it was ready" "$(prop Type)" notify
is "the state directory is teamd's alone" "$(inside stat -c '%U:%G %a' /var/lib/team)" 'team:team 700'
ok "STATUS tells how much there is" until_true 3 prop_is StatusText '0 live requests, 0 sessions'
ok "teamd can be enabled for itself" inside systemctl enable teamd.service

# ---- the whole way, with the PAM lines that are shipped -----------------------------------------------

cp $ROOT/usr/share/doc/team/examples/pam.d/sudo{,-i} $ROOT/etc/pam.d/
refused "alice's sudo is refused" as alice sudo -n id
like "and she is told what to do" "$out" 'no active elevation for sudo on bastion-1'
run as alice teamctl request sudo --for 2h --reason "a test of systemd"
id=${out:0:8}
ok "bob approves her request" as bob teamctl approve "$id"
is "alice's sudo is root" "$(as alice sudo -n id -u)" 0
is "sudo -i too" "$(as alice sudo -n -i id -u)" 0

# Services that systemd opens PAM sessions for (PAMName=): nobody's class, so they are denied.
install -m 0644 $ROOT/etc/pam.d/sudo $ROOT/etc/pam.d/unit
exits 224 "a unit with a PAM service of no class does not start" \
    inside systemd-run -q --wait -p PAMName=unit -p User=alice true
unit_denied()
{
    inside journalctl -q -o cat | grep -F 'pam_team(unit:account): uid=0 user=alice denied: teamd knows no service unit'
}
ok "and the journal says why" until_true 3 unit_denied

journal()
{
    inside journalctl -q TEAM_REQUEST="$id" -o json | jq -rs "$1"
}
logged_all()
{
    [ "$(journal '[.[].TEAM_ACTION] | unique | join(" ")')" = \
        'gate.account request.active request.approve request.schedule request.start request.submit session.end session.open' ]
}
ok "the journal has every event of the request, by its fields" until_true 3 logged_all
is "who did it" "$(journal '.[] | select(.TEAM_ACTION == "request.approve") | .TEAM_ACTOR, .TEAM_OUTCOME, .TEAM_TARGET' | paste -sd' ')" \
    'bob done host:bastion-1/sudo'
is "and that teamd wrote it" "$(journal 'map([._SYSTEMD_UNIT, ._COMM, .SYSLOG_IDENTIFIER]) | unique[] | join(" ")')" \
    'teamd.service teamd teamd'
is "as the user team" "$(journal 'map(._UID) | unique[]')" "$(inside id -u team)"

# ---- reload -----------------------------------------------------------------------------------------

pid=$(prop MainPID)
mark
good_config 3h
ok "systemctl reload works" inside systemctl reload teamd
ok "the new policy is loaded" said 'policy\.load done'
refused "and counts" as dave teamctl why sudo --for 4h
mark
broken_config
refused "systemctl reload of a broken configuration fails" inside systemctl reload teamd
ok "and the journal tells where it is broken" said 'team\.conf:3: .*max_duration'
is "teamd goes on" "$(prop MainPID) $(prop ActiveState)" "$pid active"
ok "by the policy that was good" as dave teamctl why sudo --for 3h
good_config

# ---- a session, and teamd away ------------------------------------------------------------------------

ok "alice has a session" alice_sleeps
sleeper=$(pgrep -f '^sleep 300$')
ok "systemctl stop ends teamd" inside systemctl stop teamd
is "in good order" "$(prop Result) $(prop ActiveState)" "success inactive"
ok "her session goes on" kill -0 "$sleeper"
is "the next question starts teamd, which knows the session" "$(session)" live
ok "and the request, as STATUS says" until_true 3 prop_is StatusText '1 live requests, 1 sessions'

# Without the setting in the units systemd ends a socket that starts its service 20 times in 2 s.
as bob teamctl pending --json >/dev/null &
inside bash -c 'for _ in {1..40}; do systemctl -q stop teamd; done' 2>/dev/null
ok "however fast teamd is stopped, who asks starts it and is answered" wait $!

# ---- restart under load -----------------------------------------------------------------------------

# Repeats CMD while /tmp/go is there; every result is a line "EXIT MILLISECONDS OUTPUT".
install -m 0755 /dev/stdin $ROOT/usr/local/bin/again <<'SH'
#!/bin/bash
while [ -e /tmp/go ]; do
    begin=$EPOCHREALTIME
    said=$("$@" 2>&1)
    echo "$? $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)) ${said//$'\n'/ }"
done
SH
install -m 0755 /dev/stdin $ROOT/usr/local/bin/ask-and-cancel <<'SH'
#!/bin/bash
said=$(teamctl request sudo --for 1h --reason load) || { echo "$said"; exit 1; }
echo "${said:0:8} requested"
teamctl cancel "${said:0:8}"
SH

inside touch /tmp/go
as alice again sudo -n true >/mnt/load.sudo &
load=$!
as alice again sudo -n true >/mnt/load.sudo2 &
load+=" $!"
as erin again ask-and-cancel >/mnt/load.ask &
load+=" $!"
as bob again teamctl list --json >/mnt/load.list &
load+=" $!"
for i in {1..20}; do
    inside systemctl restart teamd || echo "# restart $i failed"
    sleep 0.05
done
inside rm /tmp/go
wait $load

lost=$(cat /mnt/load.* | grep -v '^0 ' | cut -c1-200 | head -n 5)
is "during 20 restarts nobody who asks is sent away" "$lost" ""
slowest=$(cut -d' ' -f2 /mnt/load.* | sort -n | tail -n 1)
ok "there was load: $(cat /mnt/load.sudo* | wc -l) sudos, $(wc -l </mnt/load.ask) requests, $(wc -l </mnt/load.list) lists; the slowest took $slowest ms" \
    test "$(cat /mnt/load.sudo* | wc -l)" -ge 20 -a "$(wc -l </mnt/load.ask)" -ge 20
is "every request that was answered is there" \
    "$(comm -23 <(grep -oE '[0-9A-Z]{8} requested' /mnt/load.ask | cut -d' ' -f1 | sort) \
        <(inside teamctl list --json --limit 100000 | jq -r 'select(.requester == "erin" and .state == "cancelled") | .id' | sort))" ""
is "every sudo is recorded" "$(field '.sessions | length')" $(($(cat /mnt/load.sudo* | wc -l) + 3))
is "and the session from before them all is live" "$(session)" live

# ---- crash, hang --------------------------------------------------------------------------------------

restarts=$(prop NRestarts)
inside systemctl kill -s KILL --kill-who=main teamd
ok "killed: a sudo at once after that waits for the next teamd" as alice sudo -n true
is "which systemd started" "$(prop NRestarts)" $((restarts + 1))

drop_in <<<$'[Service]\nWatchdogSec=1'
inside systemctl restart teamd
sleep 1.5
is "the watchdog is content with teamd" "$(prop NRestarts) $(prop ActiveState)" "0 active"
mark
inside kill -STOP "$(prop MainPID)"
ok "one that hangs is replaced" until_true 5 prop_is NRestarts 1
ok "and it stands in the journal" said 'Watchdog timeout'
ok "alice's sudo goes on" as alice sudo -n true
drop_in </dev/null

# ---- a configuration that is broken at the start ------------------------------------------------------

broken_config
mark
refused "teamd does not start with a broken configuration" inside systemctl restart teamd
ok "the journal tells where it is broken" said 'team\.conf:3: .*max_duration'
refused "nobody gets in meanwhile" as alice sudo -n true
ok "but root" inside sudo -n true
is "the sockets are there" \
    "$(prop ActiveState team-gate.socket) $(prop ActiveState team-control.socket)" "active active"
good_config
ok "when it is good again, teamd comes by itself" until_true 5 prop_is ActiveState active
ok "and alice's sudo goes on" as alice sudo -n true

# ---- the sandbox --------------------------------------------------------------------------------------

# What the unit lets a process do, tried by one.
install -m 0755 /dev/stdin $ROOT/usr/local/bin/probe <<'SH'
#!/bin/bash
try() { if "${@:2}" >/dev/null 2>&1; then echo "$1: yes"; else echo "$1: no"; fi; }
write() { : >"$1/team-probe"; }
inet() { : </dev/tcp/127.0.0.1/22; }
exec >/var/lib/team/probe 2>&1
echo "user: $(id -un) $(id -gn) $(id -Gn)"
(inet) 2>&1 | grep -qi 'address family not supported' && echo "inet: not supported"
for dir in /etc /etc/team /run/team /run /usr /var /var/lib /var/log /home /root / /sys/fs/cgroup; do
    try "write $dir" write $dir
done
try "write /var/lib/team" write /var/lib/team
try "read a login uid" grep -q . /proc/1/loginuid
try "signal root" kill -0 1
try "see homes" test -d /home/alice
try "see disks" test -e /dev/vda -o -e /dev/sda -o -e /dev/kmsg
try "become root" setpriv --reuid 0 true
try "mount" mount -t tmpfs none /tmp
try "make namespaces" unshare -U true
try "give files away" chown 0 /var/lib/team/probe
try "tune the kernel" write /proc/sys/kernel
rm -f /var/lib/team/team-probe
SH
drop_in <<<$'[Service]\nExecStartPre=/usr/local/bin/probe'
inside systemctl restart teamd
probe=$(cat $ROOT/var/lib/team/probe)
is "teamd is the user team, in tty" "$(grep '^user' <<<"$probe" | xargs)" "user: team team team tty"
like "teamd cannot open an INET socket" "$probe" 'inet: not supported'
is "teamd can write to its state directory and nowhere else" \
    "$(grep -E '^write.*: yes' <<<"$probe")" "write /var/lib/team: yes"
is "teamd can read login uids and signal root's processes, and that is all" \
    "$(grep -E ': yes' <<<"$probe" | grep -v ^write | paste -sd,)" "read a login uid: yes,signal root: yes"
pid=$(prop MainPID)
caps=$(inside grep -E '^(Cap|NoNewPrivs|Seccomp:)' "/proc/$pid/status" | xargs)
like "teamd itself holds CAP_KILL and no other capability" "$caps" \
    'CapInh: 0*20 CapPrm: 0*20 CapEff: 0*20 CapBnd: 0*20 CapAmb: 0*20'
like "gains no privileges by programs, and its system calls are filtered" "$caps" \
    'NoNewPrivs: 1 Seccomp: 2'
is "who looks people up for it holds none" \
    "$(for p in $(inside pgrep -P "$pid"); do inside grep -h '^CapEff' "/proc/$p/status"; done | sort -u | xargs)" \
    "CapEff: 0000000000000000"
like "teamd has a network of its own, without a network" \
    "$(inside nsenter -t "$pid" -n ip -o link | cut -d: -f2 | xargs)" '^lo$'
drop_in </dev/null
run inside systemd-analyze security --no-pager --threshold=11 teamd.service
is "systemd-analyze security finds an exposure of 1.1 of 10 at most" "$status" 0
echo "# $(tail -n 1 <<<"$out")"

# ---- power cut, reboot --------------------------------------------------------------------------------

is "before the power cut alice has a session" "$(session)" live
cut_power
boot
is "teamd is there after the next boot" "$(prop ActiveState)" active
is "alice's elevation too" "$(field .state)" active
is "her session is known to be lost" "$(session)" lost
ok "she goes on" as alice sudo -n true
ok "a session is open" alice_sleeps
ok "the machine shuts down in good order" shut_down
boot
is "after that nobody has a session" "$(field '[.sessions[] | select(.state == "live")] | length')" 0
is "no unit has failed" "$(inside systemctl --failed --no-legend)" ""

# ---- a login, with logind -----------------------------------------------------------------------------

cat >$ROOT/home/alice/.bash_profile <<'SH'
export NO_COLOR=1 SYSTEMD_PAGER=
echo "loginuid $(</proc/self/loginuid) in $(grep '^0::' /proc/self/cgroup)"
loginctl show-session "$XDG_SESSION_ID" -p Name -p Service | paste -sd' '
sudo -n id
teamctl list --mine
exit
SH
run inside script -qec 'login -f alice' /dev/null <>/mnt/idle
like "a login of alice has her login uid, and a scope of logind" "$out" \
    "loginuid 2001 in 0::/user\.slice/user-2001\.slice/session-[a-z0-9]+\.scope"
like "logind knows her" "$out" 'Name=alice Service=login'
like "her sudo there is root" "$out" 'uid=0\(root\)'
like "and her teamctl sees her request" "$out" "$id +alice +active"
ok "the machine shuts down in good order again" shut_down
finish
