# What the tests of the hosts share: the lines of conf/pam.d in /etc/pam.d, and what the gate was
# asked. Source it instead of lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154  # lib.sh; words for other shells; names that scripts use
. "$(dirname "$0")/lib.sh"

# ---- stacks -------------------------------------------------------------------------------------

# gate SERVICE [ARG...]: the shipped stack of the service, with the module of this tree.
gate()
{
    local service=$1
    shift

    sed -E "s|^(\w+ +required +)pam_team.so|\1$BUILD/pam_team.so${*:+ $*}|" \
        "$SRC/conf/pam.d/$service" >"/etc/pam.d/$service"
    grep -q "$BUILD/pam_team.so" "/etc/pam.d/$service" || die "no gate in $service"
}

# gate_only TYPE SERVICE: the same, and of the module's lines only that of this type.
gate_only()
{
    gate "$2"
    sed -i "/pam_team.so/{/^$1/!d}" "/etc/pam.d/$2"
}

# ungate SERVICE: the shipped stack without the module.
ungate()
{
    gate "$1"
    sed -i '/pam_team.so/d' "/etc/pam.d/$1"
}

# ---- policy -------------------------------------------------------------------------------------

# policy [LINE...]: @sre and erin may have everything on this host at once; and these lines.
policy()
{
    {
        printf '%s\n' 'settings: { auditors = ["@security"]; require_comment = false; };' "$@"
        cat <<'CONF'
eligibility = ( { name = "sre"; who = ["@sre", "erin"]; targets = ["host:*/*"]; max_duration = "4h"; approval_required = false; },
                { name = "asks"; who = ["bob"]; targets = ["host:*/*"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF
    } | config
}

# repolicy [LINE...]: the same, for the teamd that runs.
repolicy()
{
    policy "$@"
    run teamctl reload
    [ "$status" -eq 0 ] || die "the policy is not loaded: $out"
}

# elevate USER CLASS [FOR]: at once; the id is in $id.
elevate()
{
    run as "$1" teamctl request "$2" --for "${3:-1h}" --reason "test of $2"
    id=${out:0:8}
    [ "$status" -eq 0 ] || die "no elevation: $out"
}

# drop USER: the last elevation ends, after the grace if its sessions insist.
drop()
{
    run as "$1" teamctl revoke "$id" --yes
    until_true 30 _is_over "$id" || die "it does not end: $out"
}

_is_over()
{
    teamctl show "$1" --json | jq '.state == ("revoked", "ended")' | grep -q true
}

# ---- what the gate was asked --------------------------------------------------------------------

# mark: the trail is looked at from here on.
mark()
{
    _marked=$(teamctl audit --json | jq -s 'map(.seq) | max // 0')
}

# trail FILTER: the gate's and the sessions' events since the mark, each as the jq filter says it.
trail()
{
    teamctl audit --json | jq -r 'select(.seq > '"${_marked:-0}"') |
        select(.action == ("gate.account", "session.open", "session.end")) | '"$1"
}

_asked()
{
    trail '"\(.action) \(.actor) \(.outcome)"' | sort -u | paste -sd, -
}

_asked_is()
{
    [ "$(_asked)" = "$1" ]
}

# asked NAME WANTED: since the mark the trail says this: "action person outcome" of each event, equal
# ones once, sorted, with commas. Marks. Waits: answers of account are written a second later at
# most, and a session ends a moment after its command.
asked()
{
    [[ $2 == *gate.account* ]] || sleep 1
    until_true 3 _asked_is "$2"
    is "$1" "$(_asked)" "$2"
    mark
}

# What `asked` says of one person's session that went well, and of one refused in account.
yes_of()
{
    echo "gate.account $1 yes,session.end $1 done,session.open $1 yes"
}
no_of()
{
    echo "gate.account $1 no"
}

# sessions_of ID FILTER: the sessions of an elevation, each as the jq filter says it.
sessions_of()
{
    teamctl show "$1" --json | jq -r ".sessions[] | $2"
}

# ---- hosts --------------------------------------------------------------------------------------

# as: here who acts has logged in as who they are, or as $from.
from=
as()
{
    as_from "${from:-$(id -u "$1")}" "$@"
}

# fresh CMD...: as systemd starts a service: nobody's login.
fresh()
{
    as_from $UNSET_LOGINUID root "$@"
}

# make_keys USER...: host keys that people know, and keys of their own in ~/.ssh/id for those named.
make_keys()
{
    local user home

    rm -f /etc/ssh/ssh_host_* /etc/ssh/ssh_known_hosts
    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    echo "localhost,[localhost]:2222 $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >/etc/ssh/ssh_known_hosts
    for user in "$@"; do
        home=$(_home "$user")
        install -d -m 700 "$home/.ssh"
        ssh-keygen -q -t ed25519 -N '' -f "$home/.ssh/id"
        cp "$home/.ssh/id.pub" "$home/.ssh/authorized_keys"
        printf 'IdentityFile ~/.ssh/id\nNumberOfPasswordPrompts 1\n' >"$home/.ssh/config"
        chown -R "$user:" "$home/.ssh"
    done
    printf '#!/bin/sh\necho "%s"\n' "$PASSWORD" >/usr/local/bin/askpass
    chmod 755 /usr/local/bin/askpass
}

# start_sshd PROGRAM CONFIG PORT [LOGINUID]: back when it listens. Its process is $sshd.
start_sshd()
{
    install -d -m 755 /run/sshd
    as_from "${4:-$UNSET_LOGINUID}" root "$1" -D -f "$2" &
    until_true 5 bash -c ": </dev/tcp/127.0.0.1/$3" || die "sshd does not listen"
    until_true 5 test -s "$(_pid_file "$2")" || die "sshd has no pid file"
    sshd=$(<"$(_pid_file "$2")")
}

_pid_file()
{
    sed -n 's/^PidFile //p' "$1"
}

stop_sshd()
{
    kill "$sshd"
    until_true 5 test ! -e "/proc/$sshd" || die "sshd does not end"
}

# The ways to prove who one is.
BY_KEY=(timeout 20 ssh -o PreferredAuthentications=publickey -o BatchMode=yes)
BY_ASKPASS=(timeout 20 env SSH_ASKPASS=/usr/local/bin/askpass SSH_ASKPASS_REQUIRE=force ssh)
BY_PASSWORD=("${BY_ASKPASS[@]}" -o PreferredAuthentications=password)
BY_QUESTIONS=("${BY_ASKPASS[@]}" -o PreferredAuthentications=keyboard-interactive)
