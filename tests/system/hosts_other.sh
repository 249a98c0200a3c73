#!/bin/bash
# The hosts beside sudo, su, ssh and login: polkit, whose conversation must not be spoken to, and
# cron, which is nobody's class: untouched without the module's lines, refused with them.
# shellcheck disable=SC1091,SC2012,SC2016,SC2034,SC2119,SC2154  # hosts_lib.sh; words for other shells
. "$(dirname "$0")/hosts_lib.sh"

# ---- the shipped stacks -------------------------------------------------------------------------

# order FILE: is the module asked before common-account, and what is the last line for sessions?
order()
{
    awk '$1 == "account" && $3 == "pam_team.so" { asked = 1 }
        $0 == "@include common-account" { account = asked ? "before" : "after" }
        /^-?session|^@include common-session/ { last = $3 }
        END { print account ? account : "none", last }' "$1"
}
for file in "$SRC"/conf/pam.d/*; do
    name=${file##*/}
    want="before pam_team.so"
    [ "$name" != runuser ] || want="none pam_team.so" # it never asks for an account
    is "in $name the module comes before common-account, and last of all sessions" "$(order "$file")" "$want"
    is "in $name nothing may skip it" "$(grep -cE '^(account|session) +required +pam_team.so$' "$file")" \
        "$(grep -c '^[^#]*pam_team' "$file")"
done

# ---- polkit -------------------------------------------------------------------------------------

policy
start_teamd || exit 1
mark
gate polkit-1
install -d /run/dbus /etc/polkit-1/rules.d
install -d -o polkitd -m 0700 /var/lib/polkit-1
rm -f /etc/polkit-1/rules.d/*
echo 'polkit.addRule(function(action, subject) { return polkit.Result.YES; });' >/etc/polkit-1/rules.d/00-yes.rules
fresh dbus-daemon --system --nofork --nopidfile >/mnt/dbus.log 2>&1 &
until_true 5 test -S /run/dbus/system_bus_socket || die "no system bus: $(</mnt/dbus.log)"
fresh /usr/lib/polkit-1/polkitd --no-debug >/mnt/polkitd.log 2>&1 &
until_true 5 pkcheck --action-id org.freedesktop.policykit.exec --process $$ || die "no polkitd: $(</mnt/polkitd.log)"
# pkexec serves nobody whose parent is process 1, which this script is.
cat >/usr/local/bin/elevated <<'SH'
#!/bin/bash
pkexec "$@"
exit $?
SH
# What polkit's agents start to ask for a password: USER, a cookie that polkitd does not know, and a
# password. So it never ends well; but PAM has said its word before.
cat >/usr/local/bin/agent-asks <<'SH'
#!/bin/bash
printf 'cookie\n%s\n' "$2" | timeout 10 /usr/lib/polkit-1/polkit-agent-helper-1 "$1"
SH
chmod 755 /usr/local/bin/*

exits 127 "pkexec, which polkit allows, is refused without an elevation" as alice elevated id -u
is "nothing is said to it: its conversation would abort" "$out" "pam_open_session() failed: Permission denied"
ok "the log has why" logged 'pam_team\(polkit-1:session\): uid=2001 user=root denied: no active elevation for su'
asked "it asks in the session alone, and whoever runs it counts" "session.open alice no"
run as alice agent-asks bob "$PASSWORD"
like "the helper is refused after the right password, and its agent told why" "$out" \
    'PAM_ERROR_MSG no active elevation for su on bastion-1; run: teamctl request su'
asked "it asks in account alone, and whoever started it counts" "$(no_of alice)"
gate polkit-1 wait=1m prompt
run as alice agent-asks bob "$PASSWORD"
like "with wait and prompt its agent is told the same" "$out" \
    'PAM_ERROR_MSG no active elevation for su on bastion-1; run: teamctl request su'
unlike "and asked nothing" "$out" 'Reason'
gate polkit-1
asked "polkit waits for nobody" "$(no_of alice)"
elevate alice su
ok "pkexec runs under an elevation" as alice elevated id -u
is "as root" "$out" 0
asked "and is recorded until the command ends" "session.end alice done,session.open alice yes"
is "as what it is" "$(sessions_of "$id" '"\(.service) \(.target_user) \(.state)"')" "polkit-1 root ended"
run as alice agent-asks bob "$PASSWORD"
unlike "the helper passes under an elevation" "$out" 'PAM_ERROR_MSG|pam_acct_mgmt failed'
like "up to polkitd, which does not know this cookie" "$out" 'No session for cookie'
asked "account alone" "gate.account alice yes"
run as alice agent-asks bob wrong
like "an elevation is no password" "$out" 'pam_authenticate failed'
asked "and the gate is not asked" ""
from_bob() { as_from 2002 alice elevated id -u; }
exits 127 "bob, become alice, does not run on her elevation" from_bob
asked "she is refused" "session.open alice no"
drop alice
exits 127 "root has no elevation, and polkit's helpers can be root for anybody" elevated id -u
asked "it is refused" "session.open root no"
repolicy 'gate: { exempt = ( { who = ["bob"]; classes = ["su"]; } ); };'
ok "who is exempt passes" as bob elevated id -u
asked "and is recorded" "session.end bob done,session.open bob yes"

# ---- cron ---------------------------------------------------------------------------------------

# The machine's tables are not for this bastion.
_hide /var/spool/cron
install -d -m 1730 -g crontab /var/spool/cron/crontabs
rm -f /etc/crontab /etc/cron.d/*
install -d -m 1777 /mnt/jobs
printf '%s\n' 'MAILTO=""' '@reboot alice id -un >/mnt/jobs/ran' >/etc/cron.d/test

# boot: cron starts as at boot, runs the job or not, and ends. Has the job run? Says why not.
boot()
{
    local cron

    rm -f /run/crond.reboot /run/crond.pid /mnt/jobs/ran
    forget_log
    fresh cron -f &
    cron=$!
    until_true 5 _job_is_over
    kill "$cron"
    wait "$cron" 2>/dev/null
    grep pam_team "$SYSLOG"
    [ -s /mnt/jobs/ran ]
}

_job_is_over()
{
    [ -s /mnt/jobs/ran ] || grep -Eq 'CRON.*pam_team.* denied' "$SYSLOG"
}

# gate_cron: the module's lines in a service that is nobody's.
cp /etc/pam.d/cron /mnt/cron
gate_cron()
{
    sed "s|^@include common-account|account required $BUILD/pam_team.so\n&|; \$a session required $BUILD/pam_team.so" \
        /mnt/cron >/etc/pam.d/cron
}

ok "cron without the module's lines runs alice's job" boot
asked "and asks nobody" ""
gate_cron
refused "cron with them does not" boot
ok "and says why" logged 'pam_team\(cron:account\): uid=0 user=alice denied: teamd knows no service cron; an admin can add it to gate.classes'
asked "the gate said no" "$(no_of alice)"
is "the trail names the service, which is in no class" \
    "$(teamctl audit --json | jq -r 'select(.action == "gate.account") | .target' | tail -n 1)" "host:bastion-1/cron"
repolicy 'gate: { classes = { login = ["login", "cron"]; }; };'
refused "in the class login it asks for an elevation" boot
ok "and says so" logged 'pam_team\(cron:account\): uid=0 user=alice denied: no active elevation for login'
asked "of the job's owner" "$(no_of alice)"
elevate alice login
ok "under which the job runs" boot
asked "and is a session" "$(yes_of alice)"

# ---- without teamd ------------------------------------------------------------------------------

stop_teamd
exits 127 "without teamd: pkexec is refused" as alice elevated id -u
exits 127 "without teamd: root's pkexec too" elevated id -u
run as bob agent-asks bob "$PASSWORD"
like "without teamd: the helper is refused, and its agent told why" "$out" 'PAM_ERROR_MSG access is denied: teamd does not answer'
refused "without teamd: a gated cron runs nothing" boot
finish
