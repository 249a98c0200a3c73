#!/bin/bash
# teamctl pam install, confirm, undo, remove and status, with the real sudo, su and sshd: nobody is
# locked out, whatever happens in the middle, and the original comes back byte by byte.
# shellcheck disable=SC1091,SC2012,SC2016,SC2034,SC2046,SC2086,SC2154  # hosts_lib.sh; words for other shells
. "$(dirname "$0")/hosts_lib.sh"

# The module where libpam looks for it, without the machine's getting it.
module_dir=$(dirname "$(ls -d /usr/lib/*/security/pam_unix.so /usr/lib/security/pam_unix.so 2>/dev/null | head -n 1)")
mkdir -p /mnt/security/new /mnt/security/work
mount -t overlay -o "lowerdir=$module_dir,upperdir=/mnt/security/new,workdir=/mnt/security/work" overlay "$module_dir" ||
    die "no private $module_dir"
install -m 0644 "$BUILD/pam_team.so" "$module_dir/pam_team.so"

# Debian 12's.
cat >/etc/pam.d/sudo <<'PAM'
#%PAM-1.0

# Set up user limits from /etc/security/limits.conf.
session    required   pam_limits.so

@include common-auth
@include common-account
@include common-session-noninteractive
PAM
sed 's/-noninteractive//' /etc/pam.d/sudo >/etc/pam.d/sudo-i
setfattr -n user.test -v label /etc/pam.d/sudo 2>/dev/null
rm -f /etc/pam.d/polkit-1
cp -a /etc/pam.d /mnt/stock

policy 'gate: { exempt = ( { who = ["bob"]; classes = ["sudo", "su", "ssh"]; } ); };'
start_teamd || exit 1

# Everything about the files but the time of their last status change.
files()
{
    find /etc/pam.d ! -path '*/.team*' ! -path /etc/pam.d -printf '%P %y %i %U:%G %m %s %T@\n' | sort
    getfattr -dR /etc/pam.d 2>/dev/null | grep -v '^# file'
}
stock=$(files)
is_stock()
{
    [ "$(files)" = "$stock" ] && diff -r -x .team /mnt/stock /etc/pam.d
}
# What a test has put there by hand goes; the files are new ones then.
restock()
{
    rm -rf /etc/pam.d/.team
    rsync_like
    stock=$(files)
}
rsync_like()
{
    find /etc/pam.d -mindepth 1 -delete
    cp -a /mnt/stock/. /etc/pam.d/
}
guards()
{
    pgrep -f '^teamctl pam guard$'
}
no_guards()
{
    ! guards
}
no_keep()
{
    [ ! -e /etc/pam.d/.team ]
}
put_in()
{
    as root teamctl pam install --yes "$@"
}
state()
{
    teamctl pam status --service "$1" --json | jq -r .state
}

# ---- who, and what ------------------------------------------------------------------------------

for verb in install confirm undo remove status guard; do
    exits 3 "only root: pam $verb" as bob teamctl pam $verb
done
exits 2 "a service that nobody knows" teamctl pam install --service cron
like "is named, with those that are" "$out" 'cron: it is none of sudo, sudo-i, su, su-l'
exits 2 "the common stacks are no services" teamctl pam install --service common-auth
exits 2 "too long a time" teamctl pam install --within 2h
exits 2 "pam alone is no verb" teamctl pam
ok "but can be asked about" teamctl pam --help
like "with what each of them takes" "$out" $'usage: teamctl pam install .*\n  --service S .*\n\nusage: teamctl pam confirm\n'
run teamctl help pam
like "and help says the same" "$out" $'  --within D .*\n\nusage: teamctl pam confirm\n'
exits 2 "for how long to ask, and not that it asks" teamctl pam install --prompt-for 30m
exits 2 "a wait that is no time" teamctl pam install --wait=soon
exits 2 "a wait that the module does not take" teamctl pam install --wait=2h
like "is named" "$out" 'pam_team.so does not take "wait=2h", as 1h is the most'
mv "$module_dir/pam_team.so" /mnt/pam_team.so
exits 1 "without the module nothing is installed" teamctl pam install --yes
like "and it is said what is missing" "$out" 'pam_team.so is not where libpam looks for its modules.*make install'
run teamctl doctor
like "by the doctor, too" "$out" 'bad +file +pam_team.so is not where libpam looks for its modules: nothing can be gated'
mv /mnt/pam_team.so "$module_dir/pam_team.so"
run teamctl doctor
unlike "who says nothing of it when it is there" "$out" 'where libpam looks'
exits 2 "nor with a word that there is not" teamctl pam instal
like "but one is near" "$out" 'did you mean pam install\?'
exits 4 "a service that is not there" teamctl pam install --service polkit-1
exits 5 "nothing to confirm" as root teamctl pam confirm
exits 5 "nothing to undo" as root teamctl pam undo
ok "nothing to remove" as root teamctl pam remove
ok "no guard stays where nothing waits" as root teamctl pam guard
ok "and nothing was changed" is_stock
ok "at all" no_keep
is "status says so" "$(teamctl pam status --csv | tr '\n' ' ')" \
    "service,state,until,original,note,arguments sudo,open,,,, sudo-i,open,,,, su,open,,,, su-l,open,,,, runuser,open,,,, runuser-l,open,,,, sshd,open,,,, login,open,,,, polkit-1,absent,,,, "

# ---- asking ---------------------------------------------------------------------------------------

# answering ANSWER CMD...: on a terminal, at which that is typed when a question shows.
answering()
{
    as root expect -f - -- "$@" <<'EXPECT'
set timeout 20
spawn -noecho {*}[lrange $argv 1 end]
expect "y/N] "
send "[lindex $argv 0]\r"
expect eof
exit [lindex [wait] 3]
EXPECT
}
exits 1 "on a terminal it is asked, and no is no" answering n teamctl pam install
like "after everything was shown" "$out" '\+account    required   pam_team.so.*Change these files\? Without a confirmation they are changed back. \[y/N\]'
ok "nothing was changed then" is_stock
exits 1 "nor is it by an empty line" answering '' teamctl pam install
ok "yes is yes" answering y teamctl pam install --within 1m
is "and it waits" "$(state sudo)" unconfirmed
run teamctl pam undo
ok "and back" is_stock
until_true 2 no_guards
run as_from 2001 root teamctl pam install --within 1m
like "who installs is told that they would be refused" "$out" 'sudo: you, alice, would be refused: Permission denied: no active elevation for sudo on bastion-1'
run teamctl pam undo
until_true 2 no_guards

# ---- installing, and nobody confirms ------------------------------------------------------------

run put_in --within 12s
is "install works" "$status" 0
like "it shows what it changes" "$out" $'\n @include common-auth\n\+# teamctl pam install: .*\n\+account    required   pam_team.so\n @include common-account\n'
like "and says what is to be done" "$out" 'sudo, sudo-i: behind the gate. At [0-9:]{8} this is taken back, unless somebody gets through before, in another login than this one, and runs: sudo teamctl pam confirm'
like "and who gets through" "$out" 'sudo, sudo-i: from now on only who has an active elevation, or is exempt in team.conf, gets through'
is "owner, mode and attributes are kept" \
    "$(stat -c '%U:%G %a' /etc/pam.d/sudo; getfattr -n user.test --only-values /etc/pam.d/sudo 2>/dev/null)" \
    "$(stat -c '%U:%G %a' /mnt/stock/sudo; getfattr -n user.test --only-values /mnt/stock/sudo 2>/dev/null)"
is "it waits" "$(state sudo)" unconfirmed
is "until when, status says" "$(teamctl pam status --service sudo --json | jq -r '.until | fromdateiso8601 - now | . > 0 and . < 13')" true
is "others are as they were" "$(state su)" open
is "somebody watches" "$(guards | wc -l)" 2
run teamctl doctor
like "the doctor says that it waits" "$out" 'warn +pam +an installation of the gate is not confirmed, and will be taken back'
exits 5 "a second installation has to wait" put_in --service su
like "and says why" "$out" 'waits for its confirmation already'
exits 5 "so does removing" as root teamctl pam remove
refused "alice's sudo is refused" as alice sudo -n true
ok "an exempt person's works" as bob sudo -n true
ok "root's works" as root sudo -n true
ok "unconfirmed, it is taken back" until_true 25 is_stock
ok "with all that it had, and nothing is left" until_true 2 no_keep
ok "alice's sudo works as before" as alice sudo -n true
ok "the log says so" logged 'teamctl\[[0-9]+\]: pam: sudo is as it was before the installation, which nobody confirmed'
ok "nobody watches any more" until_true 2 no_guards
exits 5 "it is too late to confirm" as root teamctl pam confirm

# ---- who may confirm ----------------------------------------------------------------------------

# Logins from before: they run what comes through their pipes, and answer.
login_before()
{
    mkfifo "/mnt/$1.in" "/mnt/$1.out"
    as "$2" bash -c 'while read -r line; do eval "$line" 2>&1; echo "exit $?"; done' <>"/mnt/$1.in" >"/mnt/$1.out" &
    eval "exec $3<>/mnt/$1.out"
}
in_login()
{
    local line

    echo "$2" >"/mnt/$1.in"
    while read -r -t 20 -u "$3" line && echo "$line" && [[ $line != exit* ]]; do :; done
}
login_before root root 11
login_before bob bob 12

same=$(as root bash -c 'teamctl pam install --yes --within 1m >/dev/null 2>&1; teamctl pam confirm; echo "exit $?"' 2>&1)
like "the same login cannot confirm" "$same" 'this is the login that installed it, and proves nothing; log in anew, before [0-9:]+, and run it there: sudo teamctl pam confirm.*exit 3'
like "a root shell from before neither" "$(in_login root 'teamctl pam confirm' 11)" 'this shell was there before the change, and proves nothing.*exit 3'
like "however deep" "$(in_login root "bash -c 'teamctl pam confirm; true'" 11)" 'was there before the change'
exits 3 "what is no login neither" fresh teamctl pam confirm
like "and is told so" "$out" 'this is no login: it has no audit session'
is "it still waits" "$(state sudo)" unconfirmed
like "who came by sudo since can, in a login from before" "$(in_login bob 'sudo -n teamctl pam confirm' 12)" 'confirmed: sudo, sudo-i stay behind the gate.*exit 0'
is "it is gated" "$(state sudo) $(state sudo-i)" "gated gated"
is "and says where the original is" "$(teamctl pam status --service sudo --json | jq -r .original)" /etc/pam.d/.team/sudo.old
ok "nobody watches any more" until_true 2 no_guards
exits 5 "it cannot be confirmed twice" as root teamctl pam confirm
run teamctl doctor
like "the doctor finds it good" "$out" 'ok +pam +/etc/pam.d/sudo: nobody passes by the gate'
ok "install again has nothing to do" put_in
like "and says so" "$out" 'sudo: there is nothing to do'
ok "nothing waits then" no_guards
cp -a /etc/pam.d/sudo /mnt/gated

run as root teamctl pam remove
is "remove works" "$status" 0
like "and says what it does" "$out" 'sudo: the original is back, byte by byte'
ok "the files are what they were, to the inode" is_stock
ok "nothing is left" no_keep

ok "another login of root" put_in --within 1m
ok "can confirm" as root teamctl pam confirm
ok "and the time passes" sleep 1
is "without a consequence" "$(state sudo)" gated
ok "and back" as root teamctl pam remove
ok "to the original" is_stock

put_in --within 5s >/dev/null 2>&1
ok "confirmed in time" as bob sudo -n teamctl pam confirm
sleep 6
is "it stays when the time is over" "$(state sudo)" gated
as root teamctl pam remove >/dev/null 2>&1

put_in --within 1m >/dev/null 2>&1
as root teamctl pam confirm >/dev/null 2>&1
sed -i 's/^account    required   pam_team.so$/& wait=5m prompt/' /etc/pam.d/sudo
is "arguments can be added" "$(grep -c 'pam_team.so wait=5m prompt$' /etc/pam.d/sudo) $(state sudo)" "1 gated"
as root teamctl pam remove >/dev/null 2>&1
ok "and remove gives the original back all the same" is_stock

# Or given.
run put_in --within 1m --wait --prompt --prompt-for 30m --service sudo --service sshd
is "arguments can be given" "$status $(grep -h pam_team.so /etc/pam.d/sudo | grep -v '^#' | tr -s ' ' | xargs)" \
    "0 account required pam_team.so wait=5m prompt prompt_for=30m session required pam_team.so"
like "where nobody can be asked they are left out" "$out" 'sshd: nobody can be asked there, so "wait=5m prompt prompt_for=30m" is left out'
is "they are" "$(grep -h pam_team.so /etc/pam.d/sshd | grep -v '^#' | tr -s ' ' | xargs)" \
    "account required pam_team.so session required pam_team.so"
is "status shows them" "$(teamctl pam status --csv --service sudo | tail -n 1 | cut -d, -f6)" "wait=5m prompt prompt_for=30m"
as root teamctl pam undo >/dev/null 2>&1
ok "and undo gives the originals back" is_stock
put_in --within 1m >/dev/null 2>&1
as bob sudo -n teamctl pam confirm >/dev/null
run put_in --wait
like "they are not changed where the gate is" "$out" 'sudo: there is nothing to do; .*; its arguments stay'
as root teamctl pam remove >/dev/null 2>&1
ok "which is taken out" is_stock

# A host without login uids: terminals tell logins apart.
nobodys()
{
    as_from $UNSET_LOGINUID root script -qec "$1" /dev/null <>/mnt/idle | tr -d '\r'
}
same=$(nobodys 'teamctl pam install --yes --within 1m >/dev/null 2>&1; sudo -n teamctl pam confirm; sudo -n teamctl pam undo')
like "without audit sessions: the same terminal cannot confirm, also not by a pty of sudo's" "$same" 'this is the login that installed it'
as_from $UNSET_LOGINUID root teamctl pam install --yes --within 1m >/dev/null 2>&1
exits 3 "without audit sessions: what has no terminal is no login" fresh teamctl pam confirm
like "without audit sessions: another one that came by sudo can" "$(nobodys 'sudo -n teamctl pam confirm')" 'confirmed: sudo, sudo-i'
as root teamctl pam remove >/dev/null 2>&1
ok "and back" is_stock

# ---- undo by hand, and by a host that goes down ----------------------------------------------------

put_in --within 1m >/dev/null 2>&1
run as root teamctl pam undo
is "undo works at once" "$status" 0
ok "and the original is back" is_stock
ok "and nothing is left" no_keep
until_true 2 no_guards

put_in --within 1m >/dev/null 2>&1
kill -TERM "$(guards | head -n 1)"
ok "a guard that is told to end, as when the host goes down, takes it back" until_true 3 is_stock
until_true 2 no_guards

# ---- kill -9, everywhere --------------------------------------------------------------------------

put_in --within 10s >/dev/null 2>&1
for _ in 1 2 3 4; do
    guard=$(guards | head -n 1)
    kill -KILL "$guard"
    until_true 2 test ! -e "/proc/$guard/exe"
    until_true 2 eval '[ "$(guards | wc -l)" -eq 2 ]' || echo "# a guard was not replaced"
done
is "a guard that is killed is replaced by the other" "$(guards | wc -l)" 2
ok "and it is taken back in time" until_true 20 is_stock
until_true 2 no_guards

broken=''
for i in {1..25}; do
    as root teamctl pam install --yes --within 1s >/dev/null 2>&1 &
    installer=$!
    sleep "$(printf '0.%03d' $((i * 13)))"
    for pid in $(pgrep -f '^teamctl pam install'); do kill -KILL "$pid" 2>/dev/null; done
    wait $installer 2>/dev/null
    as bob sudo -n true || broken+=" $i:bob"
    as root sudo -n true || broken+=" $i:root"
    until_true 5 is_stock || broken+=" $i:files"
    until_true 3 no_guards || broken+=" $i:guards"
    run as root teamctl pam remove
    is_stock >/dev/null || broken+=" $i:remove"
done
is "killed at 25 moments, install leaves nobody out and nothing behind" "$broken" ""
rm -rf /run/team-pam-*

# Somebody who was stopped in the middle holds the lock, and does not let go.
put_in --within 3s >/dev/null 2>&1
flock /etc/pam.d/.team sleep 60 &
holder=$!
until_true 2 eval '! flock -n /etc/pam.d/.team true'
exits 5 "who has to wait for another too long gives up" as bob sudo -n teamctl pam confirm
like "and says why" "$out" 'another teamctl pam is at work; nothing was changed'
ok "it is taken back whoever holds the lock" until_true 30 is_stock
kill $(pgrep -P $holder) $holder
wait $holder 2>/dev/null
until_true 2 no_guards

# Both guards at once: then nobody takes it back, until somebody comes by.
put_in --within 3s >/dev/null 2>&1
kill -KILL $(guards)
until_true 2 no_guards
run teamctl doctor
like "without guards the doctor complains" "$out" 'bad +pam +an installation of the gate is not confirmed, and nobody is there to take it back'
like "without guards status says what to do" "$(teamctl pam status --service sudo --json)" 'nobody watches it; take it back: teamctl pam undo'
sleep 3
exits 5 "too late is too late" as bob sudo -n teamctl pam confirm
like "and is said" "$out" 'it is too late: the time is over'
ok "and it is taken back then" is_stock

# The next boot, as far as boot ids tell; what the unit runs then is the guard.
put_in --within 1m >/dev/null 2>&1
kill -KILL $(guards)
until_true 2 no_guards
cat /proc/sys/kernel/random/uuid >/mnt/boot_id
mount --bind /mnt/boot_id /proc/sys/kernel/random/boot_id
as root teamctl pam guard &
ok "after a reboot the guard takes it back at once" until_true 3 is_stock
wait $!
ok "and is done" until_true 2 no_guards
put_in --within 1m >/dev/null 2>&1
umount /proc/sys/kernel/random/boot_id
ok "and so does the one that sees another boot" until_true 3 is_stock
until_true 2 no_guards

# ---- somebody else's changes ------------------------------------------------------------------------

put_in --within 5s >/dev/null 2>&1
echo '# mine' >>/etc/pam.d/sudo
ok "what was changed since is kept when it is taken back" until_true 12 eval '[ "$(tail -n 1 /etc/pam.d/sudo)" = "# mine" ] && ! grep -q pam_team /etc/pam.d/sudo'
ok "and nothing else is different" diff <(cat /mnt/stock/sudo; echo '# mine') /etc/pam.d/sudo
ok "and the original is kept" cmp /mnt/stock/sudo /etc/pam.d/.team/sudo.kept
ok "and the log says so" logged 'pam: sudo was changed since the installation'
until_true 2 no_guards
restock

put_in --within 1m >/dev/null 2>&1
echo '# mine' >>/etc/pam.d/sudo
mv /etc/pam.d/sudo-i /mnt/
run as root teamctl pam undo
is "undo by hand works then, too" "$status" 0
like "and says what it did, and where the originals are" "$out" 'sudo: it was changed since the installation; what it was before is kept: /etc/pam.d/.team/sudo.kept.*sudo-i: it is no file any more, and left alone; what it was before is kept: /etc/pam.d/.team/sudo-i.kept'
ok "there" cmp /mnt/stock/sudo-i /etc/pam.d/.team/sudo-i.kept
until_true 2 no_guards
restock

put_in --within 1m >/dev/null 2>&1
as root teamctl pam confirm >/dev/null 2>&1
sed -i 's/limits.so/limits.so debug/' /etc/pam.d/sudo
run as root teamctl pam remove
is "remove works on a file that was changed since" "$status" 0
like "and says what it did" "$out" 'sudo: the lines of pam_team.so are taken out, and nothing else.*sudo: it was changed since the installation; what it was before is kept: /etc/pam.d/.team/sudo.kept'
is "the change stays" "$(diff /mnt/stock/sudo /etc/pam.d/sudo | grep -c '^[<>]')" 2
ok "the other file is the original" cmp /mnt/stock/sudo-i /etc/pam.d/sudo-i
restock

sed -i 's/^@include common-account/account required pam_team.so timeout=5s\n&/' /etc/pam.d/sudo
cp -a /etc/pam.d/sudo /mnt/half
ok "an account line of somebody's own stays" put_in --within 1m --service sudo
is "and the session line comes" "$(grep -c '^[as].*pam_team.so' /etc/pam.d/sudo)" 2
as root teamctl pam confirm >/dev/null 2>&1
exits 1 "removing leaves it, and says that" as root teamctl pam remove
like "with a word on what to do" "$out" 'pam_team.so is still named there, in a line that is older than the installation'
ok "the file is what it was" cmp /mnt/half /etc/pam.d/sudo
ok "what teamctl has no original of" as root teamctl pam remove --service sudo
ok "goes when it is told once more" cmp /mnt/stock/sudo /etc/pam.d/sudo
restock

cp "$SRC/conf/pam.d/sudo" /etc/pam.d/sudo
sed -i 's/^account.*pam_team/account optional pam_team/' /etc/pam.d/sudo
exits 1 "lines that are there and wrong are for a person to put right" put_in --service sudo
like "who is told how" "$out" '"optional": a no of teamd is not a no; write "required" before pam_team.so'
sed -i '/^session.*pam_team/d; 1a session required pam_team.so' /etc/pam.d/sudo
exits 1 "a session line in the wrong place too" put_in --service sudo
restock

put_in --within 5s >/dev/null 2>&1
rm /etc/pam.d/sudo
ln -sf sudo-i /etc/pam.d/sudo
ok "what somebody has put in the place of a file is left alone" until_true 12 no_guards
is "when it is taken back" "$(readlink /etc/pam.d/sudo)" sudo-i
ok "and the log says so" logged 'pam: sudo is no file any more, and left alone; the one that it was before .* is /etc/pam.d/.team/sudo.kept'
ok "with the original kept" cmp /mnt/stock/sudo /etc/pam.d/.team/sudo.kept
ok "and the rest is taken back" cmp /mnt/stock/sudo-i /etc/pam.d/sudo-i
exits 1 "a symbolic link is not followed" put_in --service sudo
like "and the way out is said" "$out" 'it is a symbolic link, and what it leads to is not teamctl.s to change'
restock

echo '@include common-nothing' >>/etc/pam.d/sudo
is "status tells what libpam would not read" "$(teamctl pam status --service sudo --json | jq -r '.state + ": " + .note')" \
    "unsound: it wants /etc/pam.d/common-nothing: No such file or directory"
exits 1 "and install leaves it alone" put_in --service sudo
restock
put_in --within 1m >/dev/null 2>&1
kill -KILL $(guards)
echo garbage >/etc/pam.d/.team/pending
exits 1 "what waits and cannot be read is no reason for status to end" teamctl pam status
like "and it says what to do" "$out" '/etc/pam.d/.team/pending cannot be read: it is garbled; look at it, remove it, and run: teamctl pam remove.*sudo +gated'
exits 1 "nobody can confirm it" as root teamctl pam confirm
rm /etc/pam.d/.team/pending
ok "and remove works" as root teamctl pam remove
ok "as ever" is_stock

# ---- files and disks that will not do ---------------------------------------------------------------

unchanged()
{
    local name=$1 regex=$2
    shift 2

    exits 1 "$name: install fails" put_in "$@"
    like "$name: and says why" "$out" "$regex"
    ok "$name: nothing was changed" is_stock
    ok "$name: and nobody watches" no_guards
}
chmod 0666 /etc/pam.d/sudo
stock=$(files)
unchanged "a file that others can write" '/etc/pam.d/sudo: others than root could change it'
restock
chown alice /etc/pam.d/sudo
stock=$(files)
unchanged "a file that is somebody's" '/etc/pam.d/sudo: others than root could change it'
restock
mount --bind /etc/pam.d /etc/pam.d && mount -o remount,bind,ro /etc/pam.d
unchanged "a disk that cannot be written" 'Read-only file system; nothing was changed'
umount /etc/pam.d
: >/mnt/one && cp /mnt/stock/sudo /mnt/one
mount --bind /mnt/one /etc/pam.d/sudo
exits 1 "a file that is mounted there: install fails" put_in --service sudo
like "a file that is mounted there: and says why" "$out" 'something is mounted there'
umount /etc/pam.d/sudo
ok "a file that is mounted there: nothing was changed" is_stock
until_true 2 no_guards
rm -rf /etc/pam.d/.team
mount -t tmpfs -o size=256k full /etc/pam.d && cp -a /mnt/stock/. /etc/pam.d/
dd if=/dev/zero of=/etc/pam.d/.fill bs=4k 2>/dev/null
stock=$(files | grep -v '^.fill')
exits 1 "a full disk: install fails" put_in
like "a full disk: and says why" "$out" 'No space left on device'
is "a full disk: nothing was changed" "$(files | grep -v '^.fill')" "$stock"
rm /etc/pam.d/.fill
put_in --within 5s >/dev/null 2>&1
dd if=/dev/zero of=/etc/pam.d/.fill bs=4k 2>/dev/null
ok "a disk that is full by then: it is taken back all the same" until_true 12 diff -r -x .team -x .fill /mnt/stock /etc/pam.d
until_true 2 no_guards
umount /etc/pam.d
restock

# A layer below, as in containers.
mkdir -p /mnt/layer/new /mnt/layer/work
mount -t overlay -o lowerdir=/mnt/stock,upperdir=/mnt/layer/new,workdir=/mnt/layer/work layer /etc/pam.d
ok "files of a lower layer of an overlay are changed" put_in --within 1m
ok "confirmed" as bob sudo -n teamctl pam confirm
ok "removed" as root teamctl pam remove
ok "and byte by byte what they were" diff -r /mnt/stock /etc/pam.d
until_true 2 no_guards
umount /etc/pam.d

# ---- a gate that does not work is not installed -------------------------------------------------------

mv "$module_dir/pam_team.so" /mnt/
unchanged "without the module" 'pam_team.so is not where libpam looks for its modules'
mv /mnt/pam_team.so "$module_dir/"
sed -i '1a account required pam_team.so socket=/nowhere' /etc/pam.d/sudo
stock=$(files)
exits 1 "a line that asks nobody: install fails" put_in --service sudo
restock
sed -i 's/^@include common-account/account required pam_deny.so\n&/' /etc/pam.d/sudo
ok "a stack that lets nobody in anyway is no reason" put_in --within 1m --service sudo
as root teamctl pam undo >/dev/null 2>&1
until_true 2 no_guards
restock
stop_teamd
unchanged "without teamd" 'the gate does not answer, so the user nobody would be refused: Authentication service cannot retrieve.*does teamd run'
start_teamd

# ---- su, ssh, login, runuser ---------------------------------------------------------------------------

make_keys alice bob root
printf '%s\n' 'ListenAddress 127.0.0.1' 'UsePAM yes' 'PermitRootLogin yes' 'PidFile /run/sshd.pid' >/etc/ssh/sshd_config
start_sshd /usr/sbin/sshd /etc/ssh/sshd_config 22
run put_in --within 1m --service su --service su-l --service sshd --service login --service runuser --service sudo
is "su, sshd, login, runuser and sudo together" "$status" 0
like "who cannot get in by ssh is told so before" "$out" 'sshd: root will be refused too, without an elevation or an exemption'
like "su-l has what it includes" "$out" 'su-l: there is nothing to do'
ok "root's su works" as root su -c true
ok "and su -" as root su - -c true
ok "and runuser" as root runuser -u alice true
ok "the exempt person's ssh works" as bob "${BY_KEY[@]}" localhost true
like "and their su" "$(as_typing bob "$PASSWORD" su alice -c 'id -un')" alice
ok "and sudo" as bob sudo -n true
refused "who is not elevated is refused by ssh" as alice "${BY_KEY[@]}" localhost true
refused "and by sudo" as alice sudo -n true
like "and by su" "$(as_typing alice "$PASSWORD" su bob -c 'id -un' 2>&1)" 'no active elevation for su on bastion-1'
elevate alice ssh
ok "under an elevation ssh works" as alice "${BY_KEY[@]}" localhost true
ok "a login by ssh confirms it all" as bob "${BY_KEY[@]}" localhost sudo -n teamctl pam confirm
is "they are gated" "$(for s in su su-l sshd login runuser sudo sudo-i; do state $s; done | xargs)" \
    "gated gated gated gated gated gated open"
ok "and back" as root teamctl pam remove
ok "byte by byte" is_stock
ok "with ssh as before" as alice "${BY_KEY[@]}" localhost true
stop_sshd

# ---- in a session of an elevation that ends ------------------------------------------------------------

put_in --within 1m >/dev/null 2>&1
as root teamctl pam confirm >/dev/null 2>&1
elevate alice sudo
run as alice sudo -n teamctl pam install --yes --within 10s --service su
is "who is elevated can install" "$status" 0
drop alice
ok "when the elevation is over, somebody still watches" guards
ok "and takes it back" until_true 20 cmp -s /mnt/stock/su /etc/pam.d/su
as root teamctl pam remove >/dev/null 2>&1
ok "and all is as it was" is_stock
is "nothing is left in /run" "$(ls -d /run/team-pam-* 2>/dev/null)" ""
finish
