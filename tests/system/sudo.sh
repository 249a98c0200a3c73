#!/bin/bash
# What sudo asks the gate, and what the gate answers: the table in pam_team(8), row by row, with the
# real sudo. Each row is seen twice: without an elevation (no) and with one (yes).
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { auditors = ["@security"]; require_comment = false; };
eligibility = ( { name = "sre"; who = ["@sre", "erin"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF

# What the trail says since the last call: "action outcome" of the gate's answers, without numbers.
seen()
{
    sleep 0.95 # questions are folded for a little less
    teamctl audit --json |
        jq -r 'select(.seq > '"${last_seq:-0}"') | select(.action | test("^(gate|session)")) | "\(.action) \(.outcome)"' |
        sort | uniq | paste -sd, -
    return 0
}
mark()
{
    sleep 1
    last_seq=$(teamctl audit --json | jq -s 'map(.seq) | max')
}

elevate()
{
    run as "$1" teamctl request sudo --for 1h --reason "test of sudo"
    id=${out:0:8}
}
drop()
{
    run as "$1" teamctl revoke "$id"
}

start_teamd || exit 1

# both NAME USER EXPECTED-NO EXPECTED-YES CMD...
both()
{
    local name=$1 user=$2 no=$3 yes=$4
    shift 4

    mark
    refused "$name: refused without an elevation" as "$user" "$@"
    is "$name: what the gate answered" "$(seen)" "$no"
    elevate "$user"
    mark
    ok "$name: runs under an elevation" as "$user" "$@"
    is "$name: what the gate answered then" "$(seen)" "$yes"
    drop "$user"
    sleep 0.2
}

NO='gate.account no'
YES='gate.account yes,session.end done,session.open yes'

both "a command without a password" alice "$NO" "$YES" sudo -n true
both "a login shell (-i)" alice "$NO" "$YES" sudo -n -i true
both "another user (-u)" alice "$NO" "$YES" sudo -n -u carol true
both "a list (-l)" alice "$NO" 'gate.account yes' sudo -n -l
both "a validation (-v)" alice "$NO" 'gate.account yes' sudo -n -v

# sudo -e has become root before it opens its session: the subject is still who ran it.
printf '#!/bin/sh\ntrue\n' >/usr/local/bin/no-editor
chmod 755 /usr/local/bin/no-editor
touch /etc/edited
both "an edit (-e)" alice "$NO" "$YES" env SUDO_EDITOR=/usr/local/bin/no-editor sudo -n -e /etc/edited
sudoers <<'RULES'
Defaults !pam_acct_mgmt
RULES
both "an edit with Defaults !pam_acct_mgmt" alice 'session.open no' 'session.end done,session.open yes' \
    env SUDO_EDITOR=/usr/local/bin/no-editor sudo -n -e /etc/edited
sudoers </dev/null

# On a terminal, and with a password.
mark
run as_tty alice sudo id
like "on a terminal: refused without an elevation" "$out" 'no active elevation for sudo on bastion-1; run: teamctl request sudo --for 1h --reason "\.\.\."'
elevate alice
run as_tty alice sudo id
like "on a terminal: runs under an elevation" "$out" 'uid=0\(root\)'
drop alice
mark
run as_typing dave "$PASSWORD" sudo id
like "with a password: refused without an elevation, after the password" "$out" 'no active elevation'
unlike "with a password: nothing ran" "$out" 'uid=0'
elevate dave
run as_typing dave "$PASSWORD" sudo id
like "with a password: runs under an elevation" "$out" 'uid=0\(root\)'
run as_typing dave "wrong" sudo id
unlike "with a wrong password: an elevation is no password" "$out" 'uid=0'

# A cached timestamp skips auth, and is asked about all the same.
cat >/usr/local/bin/twice <<'SH'
#!/bin/bash
sudo true || exit 9
/usr/local/bin/between
sudo -n id
SH
printf '#!/bin/bash\ntrue\n' >/usr/local/bin/between
chmod 755 /usr/local/bin/twice /usr/local/bin/between
run as_typing dave "$PASSWORD" twice
like "with a cached timestamp: runs under an elevation" "$out" 'uid=0\(root\)'
printf '#!/bin/bash\nteamctl revoke %s\n' "$id" >/usr/local/bin/between
run as_typing dave "$PASSWORD" twice
like "with a cached timestamp: refused once the elevation is revoked" "$out" 'no active elevation'
unlike "with a cached timestamp: nothing ran" "$out" 'uid=0'

# sudo's own options.
sudoers <<'RULES'
Defaults:erin rootpw
RULES
both "Defaults rootpw: the subject is who runs sudo" erin "$NO" "$YES" sudo -n true
sudoers <<'RULES'
Defaults !pam_session
RULES
both "Defaults !pam_session: account alone, no session is recorded" alice "$NO" 'gate.account yes' sudo -n true
sudoers <<'RULES'
Defaults !pam_acct_mgmt
RULES
both "Defaults !pam_acct_mgmt: the session is the gate" alice 'session.open no' \
    'session.end done,session.open yes' sudo -n true
sudoers <<'RULES'
Defaults !use_pty
RULES
both "without a pty (!use_pty)" alice "$NO" "$YES" sudo -n true
sudoers </dev/null

# Who is not asked for, and who passes.
refused "nobody runs a command as teamd's own user" as alice sudo -n -u team true
mark
ok "root's own sudo passes" sudo -n true
is "root's own sudo is in the trail" "$(seen)" "$YES"
elevate alice
refused "nobody runs a command as teamd's own user under an elevation either" as alice sudo -n -u team id
ok "several at once" as alice bash -c 'for i in 1 2 3 4 5 6 7 8; do sudo -n true & done; wait -n; wait'
run as alice teamctl show "$id" --json
is "show lists every session" "$(jq '.sessions | length' <<<"$out")" 8
like "a session names what it was for" "$out" '"service":"sudo","target_user":"root"'
drop alice

# After su nobody runs on somebody else's elevation.
elevate alice
run as_from "$(id -u bob)" alice sudo -n id
like "bob, become alice, does not run on her elevation" "$out" 'logged in as uid 2002'
run as_from $UNSET_LOGINUID alice sudo -n id
like "without a login uid: refused, and told how to allow it" "$out" 'identity.loginuid = "check"'
drop alice

# The module that is not there for everybody: who is exempt.
config <<'CONF'
settings: { require_comment = false; };
gate: { exempt = ( { who = ["bob"]; classes = ["sudo"]; } ); };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF
ok "the policy is loaded" teamctl reload
mark
ok "who is exempt passes" as bob sudo -n true
is "who is exempt is in the trail" "$(seen)" "$YES"
refused "who is not exempt does not" as erin sudo -n true
run as erin sudo -n true
like "who can never have it is told so" "$out" 'no policy lets you have sudo on bastion-1'
finish
