#!/bin/bash
# teamctl doctor: a sound host is sound, and each thing that can be wrong with one is found.
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { admins = ["dave"]; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF

# What the machine's clock is like is none of our business.
"${CC:-cc}" -shared -fPIC -o /mnt/clock.so -x c - <<'C' || die "no compiler"
#include <stdlib.h>
#include <sys/timex.h>
int adjtimex(struct timex *t)
{
    t->status = getenv("UNSYNC") ? STA_UNSYNC : 0;
    return 0;
}
C

# A systemd that says what is in /mnt/active and /mnt/enabled, and that teamd has no network.
cat >/usr/local/bin/systemctl <<'SH'
#!/bin/sh
case $1 in
is-active) cat /mnt/active ;;
is-enabled) cat /mnt/enabled ;;
show) echo yes ;;
esac
SH
chmod 755 /usr/local/bin/systemctl
mkdir -p /run/systemd/system
printf '%s\n' active active active active >/mnt/active
printf '%s\n' enabled enabled enabled enabled >/mnt/enabled

cat >/usr/local/bin/doctor <<'SH'
#!/bin/sh
[ ! -e /mnt/unsync ] || export UNSYNC=1
ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=/mnt/clock.so exec "$(cat /mnt/teamctl)" doctor "$@"
SH
chmod 755 /usr/local/bin/doctor
echo teamctl >/mnt/teamctl

# examine [USER]: $found is "check result what" of all that is not sound, $all of all.
examine()
{
    run as "${1:-root}" doctor --json
    all=$(jq -r '"\(.check) \(.result) \(.what)"' <<<"$out")
    found=$(grep -vE '^[a-z]+ ok ' <<<"$all")
}

# finds NAME REGEX...: findings like these, one each, and exit 1. Then everything is put back.
finds()
{
    local name=$1 regex="" one
    shift

    for one in "$@"; do
        regex+=${regex:+$'\n'}"${one}[^"$'\n'"]*"
    done
    examine
    like "$name: is found" "$found" "^$regex\$"
    is "$name: exits 1, and finds nothing else" "$status $(wc -l <<<"$found")" "1 $#"
    restore
}

# ignores NAME: it is nothing to complain about.
ignores()
{
    examine
    is "$1: is no finding" "$found" ""
    restore
}

start_teamd || exit 1
gate_sudo
cp -a /etc/pam.d /mnt/pam.d
cp -a /etc/sudoers /mnt/sudoers
cp -a /etc/nsswitch.conf /mnt/nsswitch.conf
restore()
{
    rm -rf /etc/pam.d /etc/sudoers.d/*
    cp -a /mnt/pam.d /etc/pam.d
    cp -a /mnt/sudoers /etc/sudoers
    cp -a /mnt/nsswitch.conf /etc/nsswitch.conf
}

# pam LINE...: /etc/pam.d/sudo has these lines.
pam()
{
    printf '%s\n' "$@" >/etc/pam.d/sudo
}
US=$BUILD/pam_team.so
ACCOUNT="account required $US"
SESSION="session required $US"

# ---- a sound host -------------------------------------------------------------------------------

examine
is "a sound host: nothing is found" "$found" ""
is "a sound host: exits 0" "$status" 0
is "a sound host: everything was looked at" "$(cut -d' ' -f1 <<<"$all" | uniq | xargs)" \
    "teamd unit socket pam sudo file version login proc clock names"
run as root doctor
like "people get a table" "$out" $'^RESULT   CHECK    WHAT\nok       teamd    teamd [0-9.]+ answers\n'
like "that sums up" "$out" $'\n0 bad, 0 to think about, [0-9]+ sound$'
run as root doctor --csv
like "CSV has a header" "$out" $'^check,result,what,fix\nteamd,ok,'

examine carol
is "who is nobody special: exits 0" "$status" 0
is "and is told what could not be looked at" "$(cut -d' ' -f1,2 <<<"$found" | xargs)" \
    "teamd unknown socket unknown sudo unknown version unknown"
run as carol doctor
like "and by whom it can" "$out" '4 could not be looked at; root can look at more: sudo teamctl doctor'

# ---- PAM ----------------------------------------------------------------------------------------

pam '@include common-auth' '@include common-account' "$ACCOUNT" '@include common-session' "$SESSION"
finds "the account line after common-account" 'pam bad /etc/pam.d/sudo:3: the gate is not asked when pam_unix.so ends the stack \(/etc/pam.d/common-account:1, new_authtok_reqd=done\)'
for argument in promt wait wait=soon prompt=1h timeout=1h; do
    pam "$ACCOUNT $argument" "$SESSION"
    finds "the argument $argument" "pam bad /etc/pam.d/sudo:1: pam_team.so does not understand \"$argument\", so nobody passes"
done
pam "$ACCOUNT wait=5m prompt prompt_for=30m timeout=1s" "$SESSION quiet"
ignores "arguments that there are"
pam 'account sufficient pam_rootok.so' "$ACCOUNT" "$SESSION"
finds "sufficient before it" 'pam bad /etc/pam.d/sudo:2: the gate is not asked when pam_rootok.so ends'
pam 'account [success=2 default=ignore] pam_rootok.so' 'account required pam_permit.so' "$ACCOUNT" 'account required pam_permit.so' "$SESSION"
finds "a jump over it" 'pam bad .*\(/etc/pam.d/sudo:1, success=2\)'
pam 'account [success=1 default=ignore] pam_rootok.so' 'account required pam_permit.so' "$ACCOUNT" "$SESSION"
ignores "a jump to it"
pam 'account substack common-account' "$ACCOUNT" "$SESSION"
ignores "what ends a substack before it"
pam 'account [default=1] pam_permit.so' 'account substack common-account' "$ACCOUNT" "$SESSION"
ignores "a jump over a substack, which counts as one"
pam 'account include common-account' "$ACCOUNT" "$SESSION"
finds "the same, included" 'pam bad .*\(/etc/pam.d/common-account:1, new_authtok_reqd=done\)'
pam 'account [success=ok default=die] pam_nologin.so' "$ACCOUNT" "$SESSION"
ignores "a no before it"
for control in optional sufficient '[success=ok default=ignore]' '[perm_denied=ignore default=bad]'; do
    pam "account $control $US" "$SESSION"
    finds "$control" 'pam bad /etc/pam.d/sudo:1: ".*": a no of teamd is not a no'
done
pam '@include common-auth' "$ACCOUNT" "session optional $US"
finds "an optional session line" 'pam bad /etc/pam.d/sudo:3: "optional": a no of teamd is not a no'
pam "account [success=ok authinfo_unavail=ignore default=bad] $US" "$SESSION"
finds "passing when teamd does not answer" 'pam bad .*: when teamd does not answer, everybody passes'
pam "account [success=done new_authtok_reqd=done default=die] $US" "$SESSION"
finds "a yes that ends the stack" 'pam warn .*a yes of teamd does more than .*\(success=done\)'
pam "account requisite $US" "$SESSION"
ignores "requisite"
pam "$ACCOUNT" 'account [default=reset] pam_permit.so' "$SESSION"
finds "a reset after it" 'pam bad /etc/pam.d/sudo:2: pam_permit.so forgets the gate'
pam "auth required $US" '@include common-account' '@include common-session'
finds "in auth only" 'pam bad /etc/pam.d/sudo:1: pam_team.so proves nobody'
pam "$ACCOUNT" "password required $US" "$SESSION"
finds "in password, too" 'pam bad /etc/pam.d/sudo:2: pam_team.so proves nobody'
pam "$SESSION"
finds "no account line" 'pam bad /etc/pam.d/sudo has no account line of pam_team.so: the gate is not asked'
pam "$ACCOUNT" "# $SESSION"
finds "no session line, but in a comment" 'pam bad /etc/pam.d/sudo has no session line'
pam "-$ACCOUNT" "$SESSION"
finds "a dash" 'pam warn /etc/pam.d/sudo:1: with "-", nobody is told when the module is missing'
pam "$ACCOUNT" "$SESSION" 'session optional pam_systemd.so'
finds "a session line that is not the last" 'pam warn /etc/pam.d/sudo:2: the session is recorded before pam_systemd.so has been asked \(/etc/pam.d/sudo:3\)'
pam "$ACCOUNT" 'session sufficient pam_permit.so' "$SESSION"
finds "a session that is never reached" 'pam bad /etc/pam.d/sudo:3: the gate is not asked when pam_permit.so ends'
pam "$ACCOUNT socket=/run/nowhere.sock" "$SESSION"
finds "another socket, where nobody listens" 'pam bad /etc/pam.d/sudo:1: /run/nowhere.sock is no socket, so nobody passes'
pam 'account \' "  required \\" "  $US" "$SESSION"
ignores "a line that goes on in the next"
pam "$ACCOUNT" "$SESSION" '@include nothing-there'
finds "a missing part" 'pam warn /etc/pam.d/sudo wants /etc/pam.d/nothing-there: No such file'
pam '@include our-gate' '@include common-account' '@include common-session' "$SESSION"
echo "$ACCOUNT" >/etc/pam.d/our-gate
ignores "a line in a part of its own"
sed -i '/pam_team/d' /etc/pam.d/sudo-i
finds "sudo without sudo -i" 'pam bad /etc/pam.d/sudo-i does not name pam_team.so, and is a way around sudo'
sed -i '/pam_team/d' /etc/pam.d/sudo /etc/pam.d/sudo-i
finds "no gate at all, and no module" 'pam bad no service in /etc/pam.d names pam_team.so' \
    'file bad pam_team.so is not where libpam looks for its modules: nothing can be gated'
cp /etc/pam.d/sudo /etc/pam.d/sudo.dpkg-old
sed -i "s/^account.*/account optional ${US//\//\\/}/" /etc/pam.d/sudo.dpkg-old
ignores "what a package left behind"
sed -i 's/pam_team.so/pam_team.so quiet/' /etc/pam.d/sudo
ignores "an option"
pam 'account required /usr/lib/pam_team.so' 'session required /usr/lib/pam_team.so'
finds "a module that is not there" 'file bad /usr/lib/pam_team.so: No such file'
pam 'account required pam_team.so' 'session required pam_team.so'
examine
like "a module by its name alone is looked for where libpam does" "$all" 'file (ok|bad) .*(/security/pam_team.so is root|names pam_team.so, and it is not there)'
restore

for file in "$SRC"/conf/pam.d/*; do
    sed "s|pam_team.so|$US|" "$file" >"/etc/pam.d/${file##*/}"
done
ignores "the shipped examples"

# ---- sudo ---------------------------------------------------------------------------------------

sudoers <<<'Defaults !pam_acct_mgmt'
finds "!pam_acct_mgmt" 'sudo warn /etc/sudoers.d/test:1: with !pam_acct_mgmt'
sudoers <<<'Defaults env_reset, !pam_session'
finds "!pam_session" 'sudo bad /etc/sudoers.d/test:1: with !pam_session'
sudoers <<<'Defaults:erin !pam_session,!pam_acct_mgmt'
finds "both, for one person" 'sudo bad .*!pam_session' 'sudo warn .*!pam_acct_mgmt' 'sudo bad where !pam_acct_mgmt and !pam_session meet, there is no gate'
sudoers <<<'Defaults!/bin/ls, /bin/cat !pam_session'
finds "for some commands" 'sudo bad .*!pam_session'
printf 'Defaults \\\n  !pam_session\n' | sudoers
finds "in a second line" 'sudo bad /etc/sudoers.d/test:1: with !pam_session'
echo 'Defaults !pam_ruser' >/etc/sudoers.d/more
chmod 440 /etc/sudoers.d/more
sed -i 's/^@includedir.*/@include sudoers.d\/more/' /etc/sudoers
finds "!pam_ruser, included by a relative path" 'sudo warn /etc/sudoers.d/more:1: with !pam_ruser'
echo 'Defaults pam_service=other' >>/etc/sudoers
finds "another service" 'sudo warn /etc/sudoers:[0-9]+: pam_service makes sudo ask PAM as "other"'
printf '%s\n' '# Defaults !pam_session' 'Defaults badpass_message="no, !pam_session" # !pam_session' | sudoers
echo 'Defaults !pam_session' >/etc/sudoers.d/left.dpkg-old
ignores "comments, quotes, and files that sudo does not read"
echo 'sudoers: files sss' >>/etc/nsswitch.conf
examine
like "sudoers from elsewhere cannot be looked at" "$found" '^sudo unknown sudoers also come from sss'
is "which is no finding" "$status" 0
restore

# ---- sockets, units ------------------------------------------------------------------------------

chmod 666 /run/team/gate.sock
finds "a gate that everybody can ask" 'socket bad /run/team/gate.sock belongs to uid 0 with mode 0666, not to root with 0600'
chmod 600 /run/team/gate.sock
chmod 600 /run/team/control.sock
finds "a control socket that people cannot reach" 'socket bad /run/team/control.sock .* with 0666'
chmod 666 /run/team/control.sock
chown alice /run/team/gate.sock
finds "somebody else's socket" 'socket bad /run/team/gate.sock belongs to uid 2001'
chown root /run/team/gate.sock
chmod 777 /run/team
finds "a directory where others can put sockets" 'socket bad /run/team is not root'
chmod 755 /run/team
mv /run/team/gate.sock /run/team/away.sock
finds "no gate socket" 'socket bad /run/team/gate.sock: No such file'
touch /run/team/gate.sock
finds "a file in its place" 'socket bad /run/team/gate.sock is no socket'
rm /run/team/gate.sock
mv /run/team/away.sock /run/team/gate.sock
printf '%s\n' active active failed active >/mnt/active
finds "a unit that failed" 'unit bad teamd.service is failed'
printf '%s\n' active active active active >/mnt/active
printf '%s\n' disabled enabled enabled enabled >/mnt/enabled
finds "a unit that is not enabled" 'unit warn team-gate.socket is disabled'
echo enabled >/mnt/enabled
finds "units that are not there" 'unit bad not all of team-gate.socket, team-control.socket, teamd.service and team-sessions.service are installed'
printf '%s\n' enabled enabled enabled enabled >/mnt/enabled

# ---- files, versions -----------------------------------------------------------------------------

chmod 666 /etc/team/team.conf
finds "a configuration that others can write" 'file bad /etc/team/team.conf belongs to uid 0 with mode 0666'
chmod 644 /etc/team/team.conf
chown alice /etc/team
finds "a configuration that others can replace" 'file bad /etc/team belongs to uid 2001'
chown root /etc/team
chmod 755 /var/lib/team
finds "a state that others can read" 'file bad /var/lib/team belongs to uid 2990 with mode 0755'
chmod 700 /var/lib/team
chown root /var/lib/team/store/data.mdb
finds "a store that is not teamd's" 'file bad /var/lib/team/store/data.mdb belongs to uid 0'
chown team /var/lib/team/store/data.mdb
mkdir /mnt/module
release=$(teamctl --version | cut -d' ' -f2)
sed "s/@(#) pam_team $release/@(#) pam_team 0.0.9/" "$US" >/mnt/module/pam_team.so
pam 'account required /mnt/module/pam_team.so' 'session required /mnt/module/pam_team.so'
finds "a module of another release" "version warn /mnt/module/pam_team.so is of 0.0.9, and teamctl of $release"
sed 's/@(#) pam_team/          /' "$US" >/mnt/module/pam_team.so
pam 'account required /mnt/module/pam_team.so' 'session required /mnt/module/pam_team.so'
finds "a module without a release" 'version warn /mnt/module/pam_team.so does not say its version'
chmod 777 /mnt/module
pam 'account required /mnt/module/pam_team.so' 'session required /mnt/module/pam_team.so'
finds "a module that others can replace" 'file bad /mnt/module belongs to uid 0 with mode 0777' 'version warn'
sed "s/$release/9.9.9/g" "$BUILD/teamctl" >/usr/local/bin/teamctl-9
chmod 755 /usr/local/bin/teamctl-9
echo teamctl-9 >/mnt/teamctl
finds "a teamd of another release" 'version warn .*pam_team.so is of' "version warn the teamd that runs is of $release, and teamctl of 9.9.9"
echo teamctl >/mnt/teamctl
config <<'CONF'
eligibility = ( { name = "sre"; who = ["nobody-of-this-name"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
CONF
run teamctl reload
finds "names that nobody bears" 'teamd warn the configuration names 1 users or groups'

# ---- the host -----------------------------------------------------------------------------------

config <<'CONF'
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
CONF
run teamctl reload
as_root_from()
{
    run as_from "$1" "$2" doctor --json
    found=$(jq -r 'select(.result != "ok") | "\(.check) \(.result) \(.what)"' <<<"$out")
}
as_root_from $UNSET_LOGINUID root
like "a login without a login uid is found" "$found" '^login warn this login has no login uid'
as_root_from 2002 alice
like "somebody else's login uid is found" "$found" 'login warn you are uid 2001 but logged in as uid 2002'
as_root_from 2002 root
is "root may have come from anybody" "$found" ""
mount -o remount,hidepid=2 /proc || die "no hidepid"
examine
like "a /proc that hides people is found" "$found" 'proc bad /proc hides the processes of others \(hidepid=(2|invisible)\): teamd cannot tell who asks'
mount -o remount,hidepid=2,gid=team /proc || die "no gid for hidepid"
ignores "one that teamd sees"
mount -o remount,hidepid=ptraceable,gid=team /proc || die "no hidepid=ptraceable"
examine
like "one that goes by no group is found" "$found" 'proc bad .*hidepid=ptraceable'
mount -o remount,hidepid=0,gid=0 /proc || die "hidepid stays"
touch /mnt/unsync
finds "a clock that nobody sets" 'clock warn the clock is not synchronised'
rm /mnt/unsync
for source in ldap nis; do
    sed -i "s/^group:.*/group: files [NOTFOUND=continue] $source/" /etc/nsswitch.conf
    finds "groups from $source" "names bad group come from \"$source\", which needs the network"
done
sed -i "s/^passwd:.*/passwd: files sss winbind systemd # ldap/" /etc/nsswitch.conf
ignores "people from sss and winbind"
mkdir /run/nslcd
"$BUILD/tests/system/fakegate" /run/nslcd/socket silence &
fake=$!
until_true 5 test -S /run/nslcd/socket
sed -i "s/^passwd:.*/passwd: files ldap/" /etc/nsswitch.conf
ignores "people from ldap by way of nslcd"
kill $fake
wait $fake 2>/dev/null
sed -i "s/^passwd:.*/passwd: files telepathy/" /etc/nsswitch.conf
examine
like "a source that nobody knows cannot be judged" "$found" '^names unknown passwd come from "telepathy"'
restore

# ---- no teamd -----------------------------------------------------------------------------------

kill_teamd
finds "no teamd" 'teamd bad cannot reach teamd at /run/team/control.sock: Connection refused' \
    'socket bad /run/team/control.sock: nobody listens there' \
    'socket bad /run/team/gate.sock: nobody listens there' 'version unknown which teamd runs'
rm -rf /run/systemd/system
examine
like "without systemd it cannot tell who starts teamd" "$found" 'unit unknown systemd does not run this host'
finish
