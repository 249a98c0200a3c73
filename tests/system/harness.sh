#!/bin/bash
# The bastion that the other system tests stand on: the real sudo works in it, people are who they
# are meant to be, and nothing of it reaches the machine.

# Everything of the machine that the tests inside could have changed.
machine()
{
    cat /proc/self/mounts /etc/passwd /etc/group /etc/shadow /etc/sudoers /etc/pam.d/sudo 2>/dev/null
    hostname
    ls -d /etc/team /run/team /var/lib/team /dev/log /home/alice 2>&1
}

# Outside: runs itself as a test inside, then looks at the machine.
if [ -z "${HARNESS_INSIDE:-}" ]; then
    before=$(machine)
    HARNESS_INSIDE=$$ bash "$0"
    status=$?
    [ "$(machine)" = "$before" ] || echo -n "not "
    echo "ok - the machine is as it was"
    ! pgrep -f "[s]leep 86400.$$" >/dev/null || echo -n "not "
    echo "ok - no process is left"
    exit $status
fi

# shellcheck disable=SC1091,SC2016
. "$(dirname "$0")/lib.sh"

is "the host is bastion-1" "$(hostname)" bastion-1
like "processes are the bastion's own" "$(tr '\0' ' ' </proc/1/cmdline)" 'harness\.sh'
is "alice is 2001" "$(as alice id -u)" 2001
is "dave is in his groups" "$(as dave id -Gn)" "dave sre team-admins"
is "team is in tty" "$(id -Gn team)" "team tty"
is "a person's login uid is their uid" "$(as bob cat /proc/self/loginuid)" 2002
is "su leaves the login uid behind" \
    "$(as_from 2001 bob sh -c 'id -u; cat /proc/self/loginuid' | xargs)" "2002 2001"
is "a login uid can be unset" \
    "$(as_from "$UNSET_LOGINUID" bob cat /proc/self/loginuid)" "$UNSET_LOGINUID"
is "a login starts at home with a clean environment" \
    "$(BASTION_SECRET=1 as carol sh -c 'pwd; echo $USER $HOME $BASTION_SECRET' | xargs)" \
    "/home/carol carol /home/carol"
is "without a terminal there is none" \
    "$(as alice sh -c 'tty; : </dev/tty' 2>&1 </dev/null | head -n 1)" "not a tty"
like "as_tty gives a terminal" "$(as_tty alice tty)" '^/dev/pts/[0-9]+$'
exits 7 "as_tty hands the exit status on" as_tty alice sh -c 'exit 7'
exits 8 "as hands the exit status on" as alice sh -c 'exit 8'
refused "alice cannot read shadow" as alice cat /etc/shadow

ungate_sudo
is "sudo without a password makes root" "$(as alice sudo -n id -u)" 0
is "sudo on a terminal makes root" "$(as_tty alice sudo id -u)" 0
refused "sudo -n refuses whom it would have to ask for a password" as dave sudo -n id -u
like "the right password makes root" "$(as_typing dave "$PASSWORD" sudo id -u)" $'\n0$'
refused "the wrong password does not" as_typing dave wrong sudo -k id -u
is "sudo -i has root's home" "$(as alice sudo -n -i pwd)" /root
ok "syslog hears sudo" logged 'sudo.*alice : .*USER=root ; COMMAND=/usr/bin/id -u'
sudoers <<<'erin ALL=(ALL:ALL) ALL'
refused "more rules for sudo count" as erin sudo -n true

# The gate's place in the stack, by a module that always says no, whatever the tree holds so far.
sed -i '1a account required pam_deny.so' /etc/pam.d/sudo
refused "a no in account is a no of sudo" as alice sudo -n true

as alice sh -c "setsid sleep 86400.$HARNESS_INSIDE & setsid sleep 86400.$HARNESS_INSIDE &"
ok "people's processes may outlive their logins here" pgrep -f "[s]leep 86400.$HARNESS_INSIDE"
finish
