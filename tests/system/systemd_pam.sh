#!/bin/bash
# teamctl pam install under a real systemd as PID 1: the unit that takes it back, killed, stopped, and
# after the next boot.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154
. "$(dirname "$0")/systemd_lib.sh"

install_team || die "$(cat /mnt/install)"
config <<'CONF'
settings: { require_comment = false; };
gate: { exempt = ( { who = ["bob"]; classes = ["sudo"]; } ); };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
for service in sudo sudo-i; do
    cat >$ROOT/etc/pam.d/$service <<'PAM'
#%PAM-1.0

# Set up user limits from /etc/security/limits.conf.
session    required   pam_limits.so

@include common-auth
@include common-account
@include common-session-noninteractive
PAM
done
mkdir /mnt/stock
cp -a $ROOT/etc/pam.d/sudo $ROOT/etc/pam.d/sudo-i /mnt/stock/
boot
inside systemd-sysusers
inside systemd-tmpfiles --create team.conf
inside systemctl -q enable --now team-sessions.service team-gate.socket team-control.socket teamd.service
until_true 10 inside teamctl status

UNIT=team-pam-undo.service
put_in()
{
    as root teamctl pam install --yes "$@" >/mnt/said 2>&1
}
is_stock()
{
    cmp -s /mnt/stock/sudo $ROOT/etc/pam.d/sudo && cmp -s /mnt/stock/sudo-i $ROOT/etc/pam.d/sudo-i &&
        [ ! -e $ROOT/etc/pam.d/.team ]
}
is_gated()
{
    ! as alice sudo -n true && as bob sudo -n true && as root sudo -n true
}
unit()
{
    inside systemctl show -P "$1" $UNIT
}
unit_is()
{
    [ "$(unit "$1")" = "$2" ]
}

is "who enables teamd has the unit for the next boot" "$(inside systemctl is-enabled $UNIT)" enabled
is "which does nothing where nothing waits" "$(inside systemctl start $UNIT && unit ActiveState)" inactive

# ---- nobody confirms ----------------------------------------------------------------------------

ok "install works" put_in --within 15s
ok "the gate is there" is_gated
is "the unit watches" "$(unit ActiveState) $(unit SubState)" "active running"
for _ in 1 2 3; do
    pid=$(unit MainPID)
    inside kill -KILL "$pid"
    until_true 5 eval 'unit_is ActiveState active && ! unit_is MainPID '"$pid"
done
is "killed, it is there again" "$(unit NRestarts)" 3
ok "unconfirmed, it is taken back" until_true 30 is_stock
ok "and the unit is done" until_true 3 unit_is ActiveState inactive
is "in good order" "$(unit Result)" success
ok "alice's sudo works as before" as alice sudo -n true
like "the journal says so" "$(inside journalctl -q -u $UNIT -o cat)" 'sudo is as it was before the installation, which nobody confirmed'

ok "install again" put_in --within 5m
ok "stopping the unit" inside systemctl stop $UNIT
ok "takes it back at once" is_stock

# ---- reboot ---------------------------------------------------------------------------------------

ok "install once more" put_in --within 1h
ok "and the power fails" is_gated
cut_power
refused "with the gate in place" is_stock
boot
ok "after the next boot it is taken back" until_true 5 is_stock
ok "alice's sudo works" as alice sudo -n true
is "no unit has failed" "$(inside systemctl --failed --no-legend)" ""

ok "install, and a reboot in good order" put_in --within 1h
ok "the machine shuts down" shut_down
ok "which takes it back" is_stock
boot

# ---- somebody confirms ------------------------------------------------------------------------------

ok "install for good" put_in --within 1m
ok "who comes by the new sudo confirms" as bob sudo -n teamctl pam confirm
ok "the unit is done" until_true 3 unit_is ActiveState inactive
cut_power
boot
until_true 10 inside teamctl status
ok "it stays over a reboot" is_gated
is "and nothing waits" "$(inside teamctl pam status --service sudo --json | jq -r .state)" gated
ok "remove works" as root teamctl pam remove --yes
ok "byte by byte" is_stock

# ---- without the unit --------------------------------------------------------------------------------

inside systemctl -q disable $UNIT
ok "install enables the unit itself" put_in --within 1m
is "for the next boot" "$(inside systemctl is-enabled $UNIT)" enabled
as root teamctl pam undo >/dev/null 2>&1
ok "undone" is_stock
until_true 3 unit_is ActiveState inactive
inside systemctl -q mask $UNIT 2>/dev/null || ln -sf /dev/null $ROOT/etc/systemd/system/$UNIT
inside systemctl daemon-reload
mv $ROOT/lib/systemd/system/$UNIT /mnt/
inside systemctl daemon-reload
exits 1 "without the unit nothing is installed" put_in --within 1m
like "and it says what is missing" "$(cat /mnt/said)" 'there is nobody who would take it back \(team-pam-undo.service cannot be enabled and started'
ok "nothing was changed" is_stock
finish
