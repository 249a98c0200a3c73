#!/bin/bash
# A newcomer's way with the README alone, on a Debian with systemd: install for sudo and ssh, try it,
# upgrade it under load, remove it; afterwards every file of the system is what it was.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154
. "$(dirname "$0")/systemd_lib.sh"

# ---- the machine before -------------------------------------------------------------------------

for service in sudo sudo-i; do
    grep -v pam_team "$SRC/conf/pam.d/$service" >$ROOT/etc/pam.d/$service
done
rm -f $ROOT/etc/ssh/ssh_host_* $ROOT/etc/ssh/sshd_config.d/*
ssh-keygen -q -t ed25519 -N '' -f $ROOT/etc/ssh/ssh_host_ed25519_key
printf '%s %s\n' localhost "$(cut -d' ' -f1,2 $ROOT/etc/ssh/ssh_host_ed25519_key.pub)" \
    '[localhost]:2222' "$(cut -d' ' -f1,2 $ROOT/etc/ssh/ssh_host_ed25519_key.pub)" >$ROOT/etc/ssh/ssh_known_hosts
for user in alice bob carol; do
    install -d -m 700 $ROOT/home/$user/.ssh
    ssh-keygen -q -t ed25519 -N '' -f $ROOT/home/$user/.ssh/id_ed25519
    cp $ROOT/home/$user/.ssh/id_ed25519.pub $ROOT/home/$user/.ssh/authorized_keys
    chown -R "$user:" $ROOT/home/$user/.ssh
done
printf '%s\n' 'ListenAddress 127.0.0.1' 'UsePAM yes' 'PidFile /run/sshd.pid' >$ROOT/etc/ssh/sshd_config
boot
inside systemctl start ssh.service || die "no sshd"
SSH=(ssh -o BatchMode=yes -o ConnectTimeout=10)
until_true 10 as alice "${SSH[@]}" localhost true || die "ssh does not work before"

# Every file that differs from the machine below: type, mode, owner, content. Left out is what a
# running machine writes by itself: logs, sockets, caches, the backups that shadow makes, and counters
# of make coverage.
files()
{
    (cd /mnt/upper && find . -mindepth 1 \( -path ./run -o -path ./tmp -o -path ./proc -o -path ./sys -o -path ./dev \
        -o -path ./var/log -o -path ./var/tmp -o -path ./var/cache -o -path ./var/lib/systemd -o -path ./var/lib/sudo \
        -o -path ./var/lib/private \) -prune -o ! -name '*-' ! -name '.pwd.lock' ! -name '*.gcda' \
        \( -type f -printf '%y %m %u %g %p ' -exec sh -c 'sha256sum <"$1"' sh {} \; -o -type l -printf '%y %p -> %l\n' -o \
        ! -type d -printf '%y %m %u %g %p\n' \)) | sort -k5
}
stock=$(files)
tree=$(cd $ROOT && find etc usr lib var/lib -xdev -printf '%y %m %u %g %p\n' 2>/dev/null | grep -vE ' (etc/.*-|etc/\.pwd\.lock|var/lib/(systemd|private|sudo)(/.*)?)$' | sort)

# ---- README: build and install, policy, start -----------------------------------------------------

ok "make install" install_team
ok "systemd-sysusers team.conf" inside systemd-sysusers team.conf
ok "systemctl daemon-reload" inside systemctl daemon-reload
config <<'CONF'
settings: {
  admins = ["@team-admins"];  auditors = ["@security"];
  require_comment = false;
};
eligibility = (
  { name = "sre";  who = ["@sre"];  targets = ["host:bastion-*/sudo", "host:bastion-*/ssh"];  max_duration = "4h"; }
);
approvers = (
  { name = "leads";  who = ["@sre-leads"];  targets = ["host:*/*"]; }
);
CONF
ok "teamd --check" inside teamd --check
ok "systemctl enable --now ..." inside systemctl enable --now team-sessions.service team-gate.socket team-control.socket teamd.service
ok "teamctl status" inside teamctl status
ok "until now nothing has changed" as bob sudo -n true

# ---- sudo ----------------------------------------------------------------------------------------

run as alice teamctl request sudo --for 1h --reason "try the gate"
id=${out:0:8}
ok "bob approves alice's request" as bob teamctl approve "$id"
ok "teamctl pam install" inside teamctl pam install --yes
refused "bob's sudo is refused" as bob sudo -n id
like "with what to do" "$out" 'no policy lets you have sudo'
ok "alice confirms by a sudo of her own" as alice sudo -n teamctl pam confirm
like "teamctl pam status knows" "$(inside teamctl pam status)" 'sudo'

# ---- ssh -----------------------------------------------------------------------------------------

examples=/usr/share/doc/team/examples/ssh
ok "the sshd at which people ask" inside bash -ec "cd $examples; install -m 0644 sshd_ask_config /etc/ssh/
    install -m 0644 sshd-ask.pam /etc/pam.d/sshd-ask
    install -m 0644 sshd-ask.service /etc/systemd/system/
    ln -s /usr/sbin/sshd /usr/local/sbin/sshd-ask
    systemctl daemon-reload && systemctl enable --now sshd-ask"
ok "takes bob, without an elevation" until_true 10 as bob "${SSH[@]}" -p 2222 localhost
ok "teamctl pam install --service sshd" inside teamctl pam install --service sshd --yes
refused "ssh is closed" as alice "${SSH[@]}" localhost true
run as alice "${SSH[@]}" -p 2222 localhost 'request ssh --for 1h --reason "a look around"'
ssh_id=$(grep -oE '^[0-9A-Z]{8}$' <<<"$out" | head -n 1)
ok "bob approves where people ask" as bob "${SSH[@]}" -p 2222 localhost approve "$ssh_id"
ok "alice gets in" as alice "${SSH[@]}" localhost true
ok "and confirms" as alice "${SSH[@]}" localhost sudo -n teamctl pam confirm
ok "doctor finds nothing that is bad" inside bash -c '! teamctl doctor | grep -w bad'

# ---- upgrade under load ----------------------------------------------------------------------------

cat >$ROOT/usr/local/bin/again <<'SH'
#!/bin/bash
while [ -e /tmp/go ]; do
    said=$("$@" 2>&1) || echo "$? $said"
    echo "$said" >>"/tmp/said.$1.$UID"
done
SH
cat >$ROOT/usr/local/bin/ask-and-cancel <<'SH'
#!/bin/bash
said=$(teamctl request sudo --for 1h --reason load --json) || { echo "$said"; exit 1; }
echo "$said"
teamctl cancel "$(jq -r .id <<<"$said")" >/dev/null
SH
chmod 755 $ROOT/usr/local/bin/again $ROOT/usr/local/bin/ask-and-cancel
inside touch /tmp/go
as alice again sudo -n id -u >/mnt/load.sudo &
load=$!
as dave again ask-and-cancel >/mnt/load.ask &
load+=" $!"
as bob again teamctl pending --json >/mnt/load.pending &
load+=" $!"
sleep 1
ok "make install over it" install_team
ok "daemon-reload" inside systemctl daemon-reload
ok "systemctl restart teamd.service" inside systemctl restart teamd.service
sleep 1
inside rm /tmp/go
wait $load
is "nobody was sent away" "$(cat /mnt/load.* | head -n 3)" ""
asked=$(inside cat /tmp/said.ask-and-cancel.2004 | grep '^{' | jq -r .id | sort)
ok "there was load: $(inside grep -c '^0$' /tmp/said.sudo.2001) sudos, $(wc -l <<<"$asked") requests" \
    test "$(inside grep -c '^0$' /tmp/said.sudo.2001)" -ge 3 -a "$(wc -l <<<"$asked")" -ge 3
is "every request that was answered is there" \
    "$(comm -23 <(echo "$asked") <(inside teamctl list --user dave --json --limit 10000 | jq -r .id | sort))" ""
is "both elevations go on" "$(as alice teamctl list --state active --json | wc -l)" 2

ok "a file that is added is seen" test "$(files)" != "$stock"

# ---- remove ----------------------------------------------------------------------------------------

ok "teamctl pam remove" inside teamctl pam remove --service sudo --service sudo-i --service sshd
ok "sudo true" inside sudo true
ok "everybody's sudo is what it was" as bob sudo -n true
ok "ssh too" as carol "${SSH[@]}" localhost true
ok "the sshd at which people ask goes" inside bash -ec 'systemctl disable --now sshd-ask
    rm /etc/ssh/sshd_ask_config /etc/pam.d/sshd-ask /etc/systemd/system/sshd-ask.service /usr/local/sbin/sshd-ask'
ok "systemctl disable --now ..." inside systemctl disable --now team-gate.socket team-control.socket teamd.service team-sessions.service
ok "make uninstall" make -C "$SRC" --no-print-directory BUILD="$BUILD" DESTDIR=$ROOT uninstall
ok "daemon-reload again" inside systemctl daemon-reload
ok "policy and history go" inside rm -rf /etc/team /var/lib/team /run/team
for user in team team-courier; do
    ! inside getent passwd $user >/dev/null || ok "userdel $user" inside userdel $user
done
inside rm -f /usr/local/bin/again /usr/local/bin/ask-and-cancel
inside bash -c 'rm -f /tmp/said.*'
is "every file is what it was" "$(diff <(echo "$stock") <(files))" ""
is "and no file or directory is left, or gone" "$(diff <(echo "$tree") <(cd $ROOT && find etc usr lib var/lib -xdev -printf '%y %m %u %g %p\n' 2>/dev/null | grep -vE ' (etc/.*-|etc/\.pwd\.lock|var/lib/(systemd|private|sudo)(/.*)?)$' | sort))" ""
is "no unit has failed" "$(inside systemctl --failed --no-legend)" ""
finish
