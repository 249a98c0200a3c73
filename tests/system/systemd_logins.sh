#!/bin/bash
# Logins under a real systemd with logind: the scope that logind has made for a login is the container
# of the session, is not left, and ends with the elevation; logind's books stay right.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154
. "$(dirname "$0")/systemd_lib.sh"

install_team || die "$(cat /mnt/install)"
config <<'CONF'
settings: { require_comment = false; };
sessions: { grace = "1s"; warn = ["2s"]; };
eligibility = ( { name = "all"; who = ["alice", "bob"]; targets = ["host:*/*"]; max_duration = "4h"; approval_required = false; } );
CONF
cp "$SRC/conf/pam.d/sshd" "$SRC/conf/pam.d/login" $ROOT/etc/pam.d/
sed -i "s|$BUILD/pam_team.so|pam_team.so|" $ROOT/etc/pam.d/sudo $ROOT/etc/pam.d/sudo-i
make_login_keys alice bob
printf '%s\n' 'ListenAddress 127.0.0.1' 'UsePAM yes' 'PidFile /run/sshd.pid' >$ROOT/etc/ssh/sshd_config
boot
inside systemd-sysusers
inside systemd-tmpfiles --create team.conf
inside systemctl -q enable --now team-sessions.service team-gate.socket team-control.socket teamd.service
until_true 10 inside teamctl status || die "no teamd"
inside systemctl start ssh.service || die "no sshd: $(inside journalctl -u ssh -o cat | tail -n 5)"
until_true 10 inside bash -c ': </dev/tcp/127.0.0.1/22' || die "sshd does not listen"

there() { pgrep -f "^$1" >/dev/null; }
none() { ! there "$1"; }
cgroup_of() { sed -n "s|^0::${MACHINE_CGROUP#/sys/fs/cgroup}||p" "/proc/$(pgrep -f "^$1" | head -n 1)/cgroup"; } # as the machine sees it
elevate() # USER CLASS FOR
{
    run as "$1" teamctl request "$2" --for "$3" --reason "test of logins"
    id=${out:0:8}
}
revoke() { as "$1" teamctl revoke "$2" --yes; }
state() { as "$1" teamctl show "$2" --json | jq -r "$3"; }
ended() { [ "$(state "$1" "$2" .state)" = "$3" ]; }
SSH=(ssh -o BatchMode=yes -o ConnectTimeout=10)

# ---- a login and its scope ------------------------------------------------------------------------

elevate alice ssh 1h
ssh_id=$id
cat >$ROOT/usr/local/bin/linger <<'SH'
#!/bin/bash
trap "" HUP TERM
(setsid bash -c "exec -a LINGER-A sleep 300" >/dev/null 2>&1 &)
nohup bash -c 'trap "" TERM; while :; do (exec -a LINGER-B sleep 0.2); done' >/dev/null 2>&1 &
kill -STOP $$ &
exec -a LINGER-C sleep 300
SH
chmod 755 $ROOT/usr/local/bin/linger
as alice "${SSH[@]}" localhost linger &
until_true 10 there LINGER-A
until_true 10 there LINGER-B
scope=$(cgroup_of LINGER-A)
like "a login is in the scope that logind has made for it" "$scope" '^/user\.slice/user-2001\.slice/session-[0-9c]+\.scope$'
leader=$(state alice "$ssh_id" '.sessions[0].leader')
like "so is its leader, sshd" "$(inside sed -n '1p; s/^0:://p' /proc/"$leader"/comm /proc/"$leader"/cgroup | xargs)" "sshd $scope\$"
is "which is its container" "$(state alice "$ssh_id" '.sessions[0] | "\(.service) \(.state) \(.contained) \(.escaped)"')" "sshd live true false"
like "loginctl lists it" "$(inside loginctl list-sessions --no-legend)" '2001 alice'
is "none is made below team-sessions.service" "$(find "$MACHINE_CGROUP" -type d -path '*team-sessions.service/s*' | wc -l)" 0
ok "systemctl --user works in a login" as alice "${SSH[@]}" localhost systemctl --user show -P Version

# Somebody else's login, and another elevation's of the same person.
elevate bob ssh 1h
bobs=$id
as bob "${SSH[@]}" localhost 'exec -a BOBS sleep 300' &
elevate alice login 1h
console=$id
printf 'exec -a CONSOLE sleep 300\n' >$ROOT/home/alice/.profile
inside setsid -w script -qec 'login -f alice' /dev/null <>/mnt/idle >/dev/null 2>&1 &
elevate alice sudo 1h
sudo_id=$id
until_true 10 there BOBS
until_true 10 there CONSOLE
like "a console login has its own scope, too" "$(cgroup_of CONSOLE)" '/user-2001\.slice/session-[0-9c]+\.scope$'
unlike "which is another one" "$(cgroup_of CONSOLE)" "^$scope\$"
is "and is its container" "$(state alice "$console" '.sessions[0] | "\(.service) \(.state) \(.contained)"')" "login live true"
rm $ROOT/home/alice/.profile

# ---- sudo in a login ------------------------------------------------------------------------------

as alice "${SSH[@]}" localhost "sudo -n bash -c 'trap \"\" HUP TERM; (exec -a INNER sleep 300); sleep 300'" &
until_true 10 there INNER
like "sudo in a login has a container of its own" "$(cgroup_of INNER)" '/team-sessions\.service/s[0-9]+$'
as alice sudo -n bash -c 'exec -a OUTER sleep 300' &
until_true 10 there OUTER
ok "teamd is restarted" inside systemctl restart teamd
until_true 10 inside teamctl status
ok "the elevation for ssh is revoked" revoke alice "$ssh_id"
for name in LINGER-A LINGER-B LINGER-C INNER; do
    ok "gone is $name" until_true 10 none $name
done
ok "the request is over" until_true 10 ended alice "$ssh_id" revoked
ok "the scope is gone" until_true 5 test ! -e "$MACHINE_CGROUP$scope"
ok "alice's sudo elsewhere is not touched" there OUTER
ok "alice's console is not touched" there CONSOLE
ok "nor is bob's login" there BOBS
refused "there is no new login" as alice "${SSH[@]}" localhost true
ok "the console's elevation is revoked" revoke alice "$console"
ok "its login is gone" until_true 10 none CONSOLE
ok "and over" until_true 10 ended alice "$console" revoked
revoke alice "$sudo_id" >/dev/null
ok "then her sudo, too" until_true 10 none OUTER

# ---- to leave it -----------------------------------------------------------------------------------

# su -, which is not gated here, gets a login of its own from logind: out of the container.
elevate alice sudo 1h
as alice sudo -n bash -c 'su - bob -c "exec -a AS-BOB sleep 300"; sleep 300' &
until_true 10 there AS-BOB
like "su - inside of a session is put elsewhere by logind" "$(cgroup_of AS-BOB)" '/user-2002\.slice/session-'
ok "revoked" revoke alice "$id"
ok "it ends with the session all the same" until_true 10 none AS-BOB
ok "which is over" until_true 10 ended alice "$id" revoked
is "and the trail says that something was outside" "$(inside teamctl audit --request "$id" --action session.escape --json | jq -r .outcome)" noticed

# ---- warnings --------------------------------------------------------------------------------------

elevate alice ssh 5s
as alice "${SSH[@]}" -tt localhost 'exec -a WARNED sleep 60' <>/mnt/idle >/mnt/screen 2>&1
like "in ssh, too, one is warned" "$(tr -d '\r' </mnt/screen)" "your elevation $id ends in 2s, and this session with it; to go on: teamctl extend $id"
ok "and it ends" until_true 5 none WARNED
elevate alice ssh 5s
as alice "${SSH[@]}" -tt localhost 'mesg n; exec -a WARNED sleep 60' <>/mnt/idle >/mnt/screen 2>&1
unlike "not who wants no messages (mesg n)" "$(tr -d '\r' </mnt/screen)" "team:"

# ---- an sshd in somebody's login -------------------------------------------------------------------

# Started by hand, its logins are in the scope of whoever started it: that is not theirs to end.
elevate alice login 1h
console=$id
cat >$ROOT/home/alice/.profile <<'SH'
sleep 300 & exec -a CONSOLE sleep 300
SH
inside setsid -w script -qec 'login -f alice' /dev/null <>/mnt/idle >/dev/null 2>&1 &
until_true 10 there CONSOLE
rm $ROOT/home/alice/.profile
here=$(cgroup_of CONSOLE)
printf '%s\n' 'ListenAddress 127.0.0.1:2200' 'UsePAM yes' 'PidFile /run/sshd2.pid' >$ROOT/etc/ssh/sshd2_config
(
    echo 0 >"$MACHINE_CGROUP$here/cgroup.procs"
    cd / && exec nsenter -t "$INIT" -m -u -i -n -p -- /usr/sbin/sshd -f /etc/ssh/sshd2_config
)
until_true 5 inside bash -c ': </dev/tcp/127.0.0.1/2200'
elevate alice ssh 1h
as alice "${SSH[@]}" -o HostKeyAlias=localhost -p 2200 localhost 'exec -a BYHAND sleep 300' &
until_true 10 there BYHAND
like "a login of an sshd that was started in a login is taken out of that" "$(cgroup_of BYHAND)" '/team-sessions\.service/s[0-9]+$'
ok "and revoked" revoke alice "$id"
ok "it is gone" until_true 10 none BYHAND
ok "the login that the sshd was started in is not" there CONSOLE
inside bash -c 'kill $(</run/sshd2.pid)'
revoke alice "$console" >/dev/null
ok "until its own elevation ends" until_true 10 none CONSOLE
revoke bob "$bobs" >/dev/null
ok "bob's login ends with his" until_true 10 none BOBS

is "no session's cgroup is left" "$(find "$MACHINE_CGROUP" -type d -path '*team-sessions.service/s*' | wc -l)" 0
run inside journalctl -u teamd -o cat
unlike "teamd could contain and end them all" "$out" 'cannot be contained|has no container|cannot be killed'
finish
