# What the tests of the end share: every process of a session is gone when its elevation ends, for
# whatever reason, in whatever host, whatever the session does to stay. Sourced after lib.sh or
# systemd_lib.sh; DISK is where the bastion's disk is seen from here, `inside` runs there as root. (Many
# sessions begin at once: the module has to be patient.)
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2086,SC2154

# Of what is asked for again and again: everything at once, for alice; and sudo for bob.
policy() # WHO
{
    config <<CONF
settings: { require_comment = false; };
sessions: { grace = "1s"; warn = []; };
eligibility = ( { name = "all"; who = [$1]; targets = ["host:*/*"]; max_duration = "4h"; approval_required = false; } );
CONF
}

# hold CASE NAME: the processes of a session that are called NAME, and how they try to stay.
install_hold()
{
    install -m 755 "$BUILD/tests/system/bomb" "$DISK/usr/local/bin/hold-bomb"
    cat >"$DISK/usr/local/bin/hold" <<'SH'
#!/bin/bash
name=$2
stay() { exec -a "$name" sleep 300; }
daemon() { setsid -f bash -c "exec -a $name sleep 300" >/dev/null 2>&1 </dev/null; }
v2() { sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/self/mounts | head -n 1; }
mine() { echo "$(v2)$(sed -n 's/^0:://p' /proc/self/cgroup)"; }
case $1 in
plain) stay ;;
nohup) nohup bash -c "exec -a $name sleep 300" >/dev/null 2>&1 & wait ;;
setsid) daemon; stay ;;
daemon) (bash -c "setsid bash -c '(exec -a $name sleep 300) &' &" >/dev/null 2>&1 &); sleep 1 ;; # outlives its host
ignores) trap '' HUP TERM INT QUIT; (stay); while :; do sleep 1; done ;;
200) for _ in {1..200}; do (stay) & done; wait ;;
bomb) exec -a "$name" hold-bomb 500 ;;
tmux) tmux -L "$name" -f /dev/null new-session -d "exec -a $name sleep 300"; sleep 1 ;;
respawn) trap '' TERM; again() { (exec -a "$name" sleep 0.3); again & }; again; sleep 300 ;;
stopped) (stay) & sleep 0.3; kill -STOP $! $$; wait ;;
su) su - bob -c "exec -a $name sleep 300" ;;
sudo-b) sudo -b bash -c "exec -a $name sleep 300"; sleep 300 ;;
sudo-sudo) sudo sudo bash -c "exec -a $name sleep 300" ;;
frozen) trap '' TERM; (stay) & echo 1 >"$(mine)/cgroup.freeze"; wait ;;
deep)
    cd "$(mine)" || exit 1
    for _ in {1..40}; do mkdir -p below && cd below || exit 1; done
    (trap '' TERM; stay) &
    echo $! >cgroup.procs
    wait
    ;;
stray) (trap '' TERM HUP; stay) & echo $! >"$(v2)/cgroup.procs"; wait ;;
esac
SH
    chmod 755 "$DISK/usr/local/bin/hold"
}

FOR_ANYBODY='plain nohup setsid daemon ignores 200 bomb tmux respawn stopped'
FOR_ROOT='su sudo-b sudo-sudo frozen deep stray'
SOME='plain ignores daemon'

# start HOST CASE NAME: in the background, in a session of that host.
start()
{
    case $1 in
    sudo) as alice sudo -n hold "$2" "$3" >/dev/null 2>&1 ;;
    sudo-pty) as_tty alice sudo hold "$2" "$3" >/dev/null 2>&1 ;;
    su) as alice su root -c "hold $2 $3" >/dev/null 2>&1 ;;
    su-pty) as_tty alice su - root -c "hold $2 $3" >/dev/null 2>&1 ;;
    ssh) as alice ssh -o BatchMode=yes localhost "hold $2 $3" >/dev/null 2>&1 ;;
    ssh-pty) as alice ssh -o BatchMode=yes -tt localhost "hold $2 $3" <>/mnt/idle >/dev/null 2>&1 ;;
    login) inside env HOLD="$2 $3" setsid -w script -qec 'login -p -f alice' /dev/null <>/mnt/idle >/dev/null 2>&1 ;;
    esac &
}

# begin HOST CASE...: sessions of the round, remembered in $held.
begin()
{
    local host=$1 case
    shift

    for case; do
        held+=("$host $case R$round-$host-$case")
        start "$host" "$case" "R$round-$host-$case"
    done
}

everything()
{
    begin sudo $FOR_ANYBODY $FOR_ROOT
    begin sudo-pty plain ignores stopped frozen
    begin su $SOME 200 tmux frozen
    begin su-pty plain ignores
    begin ssh $FOR_ANYBODY
    begin ssh-pty plain ignores
    begin login $SOME tmux respawn
}
something()
{
    begin sudo $SOME tmux frozen stray
    begin sudo-pty plain ignores
    begin su $SOME
    begin ssh $SOME
    begin login $SOME
}

# Processes called NAME; and, gone, also the shells that start them. (What starts itself anew is not
# there at every moment.)
there() { pgrep -f "^$1( |\$)|tmux.* $1 |^/bin/bash /usr/local/bin/hold respawn $1\$" >/dev/null; }
none_of() { ! pgrep -f "^$1( |\$)|tmux.* $1 |^/bin/bash /usr/local/bin/hold [^ ]+ $1\$" >/dev/null; }
none_at_all() { ! pgrep -f "^R$round-|^/bin/bash /usr/local/bin/hold [^ ]+ R$round-" >/dev/null; }
# all_there [CMD...]: CMD is run for each that is not.
all_there()
{
    local host case name missing=

    while read -r host case name; do
        there "$name" && continue
        missing+=" $name"
        [ $# -eq 0 ] || "$@" "$host" "$case" "$name"
    done < <(printf '%s\n' "${held[@]}")
    echo "missing:$missing"
    [ -z "$missing" ]
}
state() { as alice teamctl show "$id" --json | jq -r "$1"; }
# left: how many processes are in cgroups of sessions; $CONTAINERS is the pattern of where they are.
left() { find /sys/fs/cgroup -path "$CONTAINERS/s*/cgroup.procs" -exec cat {} + 2>/dev/null | wc -l; }
is_over() { [ "$(state .state)" = "$1" ]; }

# elevate FOR: alice, for everything.
elevate()
{
    run as alice teamctl request sudo su ssh login --for "$1" --reason "round $round"
    id=${out:0:8}
    [ "$status" -eq 0 ] || die "no elevation: $out"
}

# cause NAME: what NAME says is done, so that the elevation ends.
cause()
{
    case $1 in
    *revoked*) as alice teamctl revoke "$id" --yes >/dev/null || echo "# not revoked" ;;
    *eligible*)
        policy '"bob"'
        inside teamctl reload >/dev/null
        ;;
    *"own end"*)
        is "$1: it had not ended before" "$(state .state)" active
        until_true 60 is_ending
        ;;
    esac
}
is_ending() { ! is_over active; }

# round NAME FOR STATE WHAT...: sessions are begun by WHAT; then on_end NAME makes them end; the request has to
# come to STATE.
round=0
round()
{
    local what=$1 for=$2 final=$3 host case name
    shift 3

    round=$((round + 1))
    held=()
    elevate "$for"
    "$@"
    until_true 20 all_there || all_there start # a host that is slow may have given up
    until_true 60 all_there
    ok "$what: ${#held[@]} sessions hold on" all_there
    on_end "$what"
    until_true 20 none_at_all
    while read -r host case name; do
        ok "$what, $host: $case is gone" none_of "$name"
    done < <(printf '%s\n' "${held[@]}")
    ok "$what: the request is $final" until_true 10 is_over "$final"
    is "$what: every session of it has ended" "$(state '[.sessions[] | select(.ended_at == null)] | length')" 0
    ok "$what: bob's session is untouched" pgrep -f '^BOBS'
    ok "$what: so is alice's own process" pgrep -f '^OWN'
}
