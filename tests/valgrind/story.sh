#!/bin/bash
# The whole story with teamd and teamctl under valgrind.
. "$(dirname "$0")/../system/lib.sh"
. "$SRC/tests/valgrind/lib.sh"

config <<'CONF'
settings: { require_comment = false; auditors = ["carol"]; admins = ["dave"]; };
sessions: { grace = "1s"; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/*"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF
gate_sudo timeout=10s
"${CC:-cc}" -shared -fPIC -O1 -o /mnt/pidfd.so "$SRC/tests/valgrind/pidfd.c" || die "no pidfd.so"
under /mnt/teamd.log
LD_PRELOAD=/mnt/pidfd.so "${VALGRIND[@]}" "$BUILD/teamd" >>"$TEAM_LOG" 2>&1 </dev/null &
TEAMD_PID=$!
until_true 60 teamctl status || die "teamd does not start under valgrind: $(cat /mnt/teamd.log $TEAM_LOG)"

# clean NAME [EXIT] WHO ARG...: teamctl does it, and valgrind finds nothing.
clean()
{
    local name=$1 wanted=0
    shift
    [[ $1 == [0-9] ]] && { wanted=$1; shift; }
    local who=$1
    shift
    install -m 0666 /dev/null /mnt/teamctl.log
    under /mnt/teamctl.log
    run as "$who" "${VALGRIND[@]}" /mnt/build/teamctl "$@"
    is "$name" "$status: $(complaints /mnt/teamctl.log)" "$wanted: "
}

clean "request" alice request sudo --for 1h --reason "rotate certs"
id=$(teamctl list --json | jq -r .id)
clean "pending" bob pending
clean "show, in JSON" alice show "$id" --json
clean "one's own cannot be approved" 3 alice approve "$id"
clean "approve" bob approve "$id" --comment "go ahead"
ok "sudo" as alice sudo -n true
clean "extend" alice extend "$id" --for 30m --reason "more"
clean "approve the extension" erin approve "$id"
as alice sudo -n sleep 600 &
until_true 10 pgrep -x sleep
clean "sessions" carol sessions
clean "revoke" alice revoke "$id" --yes
ok "and its session ends" until_true 20 sh -c '! pgrep -x sleep'
refused "no sudo without" as alice sudo -n true
clean "request, and wait in vain" 7 alice request sudo --for 1h --reason "in vain" --wait=1s
clean "list as CSV" carol list --csv
clean "audit as a table" carol audit
clean "audit in JSON" carol audit --json --action request.approve
clean "why" 3 alice why sudo --for 9h
clean "targets" alice targets
clean "the dashboard" bob
clean "reload" dave reload
echo 'nonsense = 1;' >>/etc/team/team.conf
clean "a reload that fails" 1 dave reload
clean "no such request" 4 alice show 00000000
clean "a mistake" 2 alice request sudo
stop_teamd
is "teamd ends with 0, and valgrind finds nothing" "$?: $(complaints /mnt/teamd.log)" "0: "
finish
