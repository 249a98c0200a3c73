# The rows of `make bench`: for each what it is, ours, what it is compared with, the ratio, what is to
# be reached (DESIGN.md 7), and whether it is. Sourced inside the bastion of ../system/lib.sh, by
# bench.sh and, with tiny counts, by ../system/bench.sh.
# shellcheck shell=bash
# shellcheck disable=SC2015,SC2034

B=$BUILD/tests/bench
STORES=/var/lib/bench # on the disk where the tree is: that of the bastion is memory
FIRST=3000            # uid of the first of 64 people, b000 to b063
declare -A DAEMON     # pids of the teamds, by name
tried=0 missed=0

# ---- the machine --------------------------------------------------------------------------------

# times FULL QUICK: how often something is done.
times()
{
    [ -n "${BENCH_QUICK:-}" ] && echo "$2" || echo "$1"
}

bench_people()
{
    local i

    for i in $(seq 0 63); do
        printf 'b%03d:x:%d:%d::/:/bin/sh\n' "$i" $((FIRST + i)) $((FIRST + i)) >>/etc/passwd
        printf 'b%03d:x:%d:\n' "$i" $((FIRST + i)) >>/etc/group
    done
    echo "bench:x:3999:alice,$(seq -s, -f 'b%03.0f' 0 63)" >>/etc/group
}

# One line each: pam_start reads `other` every time, and Debian's costs more than what is measured.
bench_pam()
{
    local service=$1
    shift

    printf 'auth required pam_permit.so\n' >"/etc/pam.d/$service"
    printf '%s\n' "$@" >>"/etc/pam.d/$service"
}

bench_setup()
{
    ulimit -n 1024 # pam_exec closes every descriptor there could be
    mkdir -p "$STORES"
    disk=$(mktemp -d "$BUILD/bench.XXXXXX") && chmod 0755 "$disk" || die "no room in $BUILD"
    mount --bind "$disk" "$STORES" || die "no $STORES"
    bench_people
    printf '%s required pam_deny.so\n' auth account password session >/etc/pam.d/other
    mkdir -p /mnt/bench /run/systemd/journal
    "$BUILD/tests/system/logsink" /run/systemd/journal/socket /dev/null & # stands for the journal
    install -m 4755 "$(command -v pamtester)" /mnt/bench/pamtester # people's uid, root's rights
}

# policy NAME CGROUP: the configuration of a teamd.
policy()
{
    mkdir -p /etc/team
    cat >"/etc/team/$1.conf" <<CONF
settings: { admins = ["@team-admins"];  auditors = ["@security"];  require_comment = false; };
host: { name = "bastion-1"; };
gate: { classes = { sudo = ["bench-team", "bench-in", "bench-off", "bench-cut"]; }; };
sessions: { grace = "0s";  warn = [];  cgroup = "$2"; };
eligibility = (
  { name = "asked";  who = ["@bench"];  targets = ["host:bastion-1/sudo"];  max_duration = "4h"; },
  { name = "free";  who = ["@bench"];  targets = ["host:bastion-1/su"];  max_duration = "4h";
    approval_required = false; },
  { name = "alice";  who = ["alice"];  targets = ["host:bastion-1/sudo"];  max_duration = "4h";
    approval_required = false; }
);
approvers = ( { name = "leads";  who = ["bob"];  targets = ["host:*/*"]; } );
CONF
}

gate_of() { echo "/run/bench/$1/gate.sock"; }
control_of() { echo "/run/bench/$1/control.sock"; }
private_dirty() { awk '/^Private_Dirty/ { print $2 / 1024 }' "/proc/$1/smaps_rollup"; }

# command NAME [PROGRAM]: how this teamd is started.
command_of()
{
    echo "${2:-$BUILD/teamd} --config /etc/team/$1.conf --state-dir $STORES/$1 --runtime-dir /run/bench/$1"
}

# daemon NAME [CGROUP [PROGRAM]]: a teamd of this name; its store is filled already, or new.
daemon()
{
    mkdir -p "$STORES/$1" /run/bench
    chown -R team:team "$STORES/$1"
    policy "$1" "${2:-auto}"
    $(command_of "$1" "${3:-}") >>"$TEAM_LOG" 2>&1 </dev/null &
    DAEMON[$1]=$!
    until_true 30 teamctl --socket "$(control_of "$1")" status || die "teamd $1: $(tail -n 5 "$TEAM_LOG")"
}

empty_server()
{
    [ -z "${DAEMON[empty]:-}" ] || return 0
    mkdir -p /run/bench
    "$B/empty" /run/bench/empty.sock &
    DAEMON[empty]=$!
    until_true 5 test -S /run/bench/empty.sock || die "no empty server"
}

end_daemon()
{
    kill -TERM "${DAEMON[$1]}" 2>/dev/null && wait "${DAEMON[$1]}"
    unset "DAEMON[$1]"
}

# Cgroups outlive namespaces: they are named after the state directories.
bench_end()
{
    local name

    for name in "${!DAEMON[@]}"; do end_daemon "$name"; done
    for name in "$STORES"/*/; do
        find /sys/fs/cgroup -depth -type d \
            -path "*/$(printf 'team-sessions-%x-%x' $(stat -c '%d %i' "${name%/}"))*" -exec rmdir {} + 2>/dev/null
    done
    [ -z "${CGROUP:-}" ] || rmdir "$CGROUP" 2>/dev/null
    rm -rf "${STORES:?}"/*
    umount -l "$STORES" && rmdir "$disk"
}

# elevated NAME: alice may use sudo there.
elevated()
{
    as alice teamctl --socket "$(control_of "$1")" request sudo --for 4h --reason bench >/dev/null 2>&1 ||
        die "alice has no elevation"
}

# filled NAME REQUESTS EVENTS: a store of these.
filled()
{
    mkdir -p "$STORES/$1"
    "$B/fill" "$STORES/$1" "$2" "$3" $FIRST >/dev/null || die "cannot fill $1"
}

# fill_history EVENTS: stores of HISTORY and of a hundred requests, with so many events each.
fill_history()
{
    filled hundred 100 "$1"
    filled big "$HISTORY" "$1"
    FILLED_AT=$(date +%s)000000
}

# ---- the table ----------------------------------------------------------------------------------

head_of_table()
{
    printf '%-46s %10s %10s %7s %8s  %s\n' "what" ours compared ratio bound ""
}

# row WHAT UNIT OURS OTHER RATIO ('<=' or '>=') BOUND [COMPARED-WITH]
row()
{
    local verdict

    [[ $3 =~ ^-?[0-9] && $5 =~ ^-?[0-9] ]] || die "$1: no figure"
    tried=$((tried + 1))
    verdict=$(awk -v r="$5" -v b="$7" -v op="$6" \
        'BEGIN { print (op == "<=" ? r <= b : r >= b) ? "reached" : "NOT reached" }')
    [ "$verdict" = reached ] || missed=$((missed + 1))
    printf '%-46s %10s %10s %7.2f %5s%s  %s\n' "$1" "$(say "$3" "$2")" "$(say "$4" "$2")" "$5" "$6" "$7" \
        "$verdict"
    [ -z "${8:-}" ] || printf '    %s\n' "$8"
}

# say VALUE UNIT: us are shown as ms.
say()
{
    [ "$1" != - ] || set -- - -
    case $2 in
    -) echo - ;;
    us) awk -v v="$1" 'BEGIN { printf v < 10000 ? "%.3f ms" : "%.0f ms", v / 1000 }' ;;
    /s) printf '%.0f/s' "$1" ;;
    *) printf '%.2f %s' "$1" "$2" ;;
    esac
}

# The second words of lines: what `pair` found as differences.
second() { printf '%s\n' "$@" | awk '{ print $2 }'; }

# plain_row WHAT UNIT VALUE OP BOUND [WORDS]: nothing to compare with.
plain_row() { row "$1" "$2" "$3" - "$3" "$4" "$5" "${6:-}"; }

divided() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a / b }'; }

# ---- PAM and sudo -------------------------------------------------------------------------------

# What each of the four adds to pam_permit in pamtester's account phase.
row_account()
{
    local lines

    daemon account
    elevated account
    empty_server
    bench_pam bench-permit 'account required pam_permit.so'
    bench_pam bench-unix 'account required pam_unix.so'
    bench_pam bench-ask "account required $B/pam_ask.so /run/bench/empty.sock"
    bench_pam bench-team "account required $BUILD/pam_team.so socket=$(gate_of account)"
    mapfile -t lines < <(as alice "$B/pair" "$(times 400 3)" 0 \
        "0:/mnt/bench/pamtester bench-permit alice acct_mgmt" \
        "0:/mnt/bench/pamtester bench-team alice acct_mgmt" \
        "0:/mnt/bench/pamtester bench-unix alice acct_mgmt" \
        "0:/mnt/bench/pamtester bench-ask alice acct_mgmt")
    [ ${#lines[@]} -eq 4 ] || die "account: no figures"
    set -- $(second "${lines[@]:1}")
    row "account in pamtester, added: pam_unix" us "$1" "$2" "$(divided "$1" "$2")" '<=' 0.5 \
        "to ${lines[0]%% *} us with pam_permit"
    row "account in pamtester, added: empty server" us "$1" "$3" "$(divided "$1" "$3")" '<=' 1.5
    end_daemon account
}

# A cgroup of our own, beside those that teamd makes.
bench_cgroup()
{
    local root

    root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$root" ] || return 1
    [ -n "${CGROUP:-}" ] || CGROUP=$(mktemp -d "$root/team-bench.XXXXXX")
}

# sudo with half a second in between: a move into a cgroup costs most after a pause.
row_sudo()
{
    local lines command session='session required pam_permit.so'

    daemon off off
    daemon in auto
    elevated off
    elevated in
    bench_cgroup || die "no cgroups of version 2"
    bench_pam bench-permit 'account required pam_permit.so' "$session"
    bench_pam bench-exec 'account required pam_exec.so /bin/true' "$session"
    for command in off in; do
        bench_pam bench-$command "account required $BUILD/pam_team.so socket=$(gate_of $command)" \
            "session required $BUILD/pam_team.so socket=$(gate_of $command)"
    done
    for command in permit exec off in; do
        cp /bin/true /mnt/bench/true-$command
        echo "Defaults!/mnt/bench/true-$command pam_service=bench-$command"
    done | sudoers
    install -m 4755 "$B/move" /mnt/bench/move
    mapfile -t lines < <(as alice "$B/pair" "$(times 50 2)" "$(times 500 10)" \
        "0:sudo -n /mnt/bench/true-permit" "0:sudo -n /mnt/bench/true-exec" \
        "0:sudo -n /mnt/bench/true-off" "2:sudo -n /mnt/bench/true-in" \
        "4:/mnt/bench/move -" "4:/mnt/bench/move $CGROUP")
    [ ${#lines[@]} -eq 6 ] || die "sudo: no figures"
    set -- $(second "${lines[@]:1}")
    row "sudo true, account+open+close, cgroup off: added" us "$2" "$1" "$(divided "$2" "$1")" '<=' 1 \
        "to ${lines[0]%% *} us with pam_permit; compared with what pam_exec /bin/true adds"
    row "sudo true, contained: added to cgroup off" us "$3" "$5" "$(divided "$3" "$5")" '<=' 1.2 \
        "compared with one bare cgroup move"
    end_daemon off
    end_daemon in
}

# ---- the gate and the store ---------------------------------------------------------------------

# row_of WHAT UNIT OP BOUND LINE [COMPARED-WITH]: of what a program prints: name, ours, other, ratio.
row_of()
{
    set -- "$1" "$2" "$3" "$4" "${6:-}" $5
    [ $# -eq 9 ] || die "$1: no figures"
    row "$1" "$2" "$7" "$8" "$9" "$3" "$4" "$5"
}

# With the big store running as `big`.
row_gate_rate()
{
    elevated big
    empty_server
    row_of "gate answers, 32 clients, $HISTORY stored" /s '>=' 0.7 \
        "$("$B/gate" rate "$(times 12 2)" "$(times 1 0.1)" 32 2001 "$(gate_of big)" /run/bench/empty.sock)" \
        "compared with an empty server on a socket of this kind"
}

row_gate_delay()
{
    local lines

    daemon small
    elevated small
    mapfile -t lines < <("$B/gate" delay "$(times 7 1)" "$(times 1000 20)" "$(times 64 4)" 2001 \
        "$(gate_of small)" "$(control_of small)" $FIRST)
    [ ${#lines[@]} -eq 3 ] || die "delay: no figures"
    row_of "gate p99 while 64 clients submit durably" us '<=' 10 "${lines[0]}" \
        "compared with p99 when idle; medians: ${lines[1]#p50 }; ${lines[2]}/s"
    end_daemon small
}

row_submit()
{
    daemon one auto "$B/teamd-one-by-one"
    daemon small
    row_of "durable submits, 64 clients, new connections" /s '>=' 6 \
        "$("$B/submit" rate "$(times 9 1)" "$(times 20 2)" "$(times 64 4)" $FIRST "$(control_of small)" \
            "$(control_of one)")" "compared with the same teamd with one commit for each request"
    end_daemon small
    end_daemon one
}

# The same bound as beside 64 people who submit: one who floods is no worse for others. Their last
# requests stay open.
row_flood()
{
    local lines

    daemon small
    elevated small
    mapfile -t lines < <("$B/gate" flood "$(times 7 1)" "$(times 1000 20)" "$(times 16 2)" 2001 \
        "$(gate_of small)" "$(control_of small)" $FIRST)
    [ ${#lines[@]} -eq 3 ] || die "flood: no figures"
    row_of "gate p99 while one person floods" us '<=' 10 "${lines[0]}" \
        "compared with p99 when idle; medians: ${lines[1]#p50 }; ${lines[2]}/s"
    end_daemon small
}

row_cut()
{
    local command

    bench_cgroup || die "no cgroups of version 2"
    daemon cut
    mkdir -p "$STORES/bare"
    bench_pam bench-cut "account required $BUILD/pam_team.so socket=$(gate_of cut)" \
        "session required $BUILD/pam_team.so socket=$(gate_of cut)"
    bench_pam bench-bare 'account required pam_permit.so' 'session required pam_permit.so'
    for command in cut bare; do
        cp "$B/cut" /mnt/bench/tree-$command
        mkfifo /mnt/bench/fifo-$command 2>/dev/null
        echo "Defaults!/mnt/bench/tree-$command pam_service=bench-$command"
    done | sudoers
    row_of "revoke: 20 detached processes gone, grace 0" us '<=' 1.5 \
        "$("$B/cut" "$(times 60 2)" 2001 "sudo -n /mnt/bench/tree-cut tree /mnt/bench/fifo-cut" \
            "sudo -n /mnt/bench/tree-bare tree /mnt/bench/fifo-bare" "$(control_of cut)" "$CGROUP/bare" \
            "$STORES/bare")" "compared with a bare LMDB commit and cgroup.kill of the same tree; no survivor"
    end_daemon cut
}

# A million events, by teamctl and by sqlite3 from the same rows.
row_csv()
{
    local lines requests before after

    requests=$(times 100000 100)
    filled csv "$requests" 10
    daemon csv
    as carol teamctl --socket "$(control_of csv)" audit --csv >"$STORES/events.csv"
    sqlite3 "$STORES/events.db" ".import --csv $STORES/events.csv audit" || die "sqlite3 does not take it"
    before=$(private_dirty "${DAEMON[csv]}")
    mapfile -t lines < <(as carol "$B/pair" "$(times 9 1)" 0 \
        "0:sqlite3 -csv $STORES/events.db $(printf 'select\t*\tfrom\taudit')" \
        "0:teamctl --socket $(control_of csv) audit --csv")
    [ ${#lines[@]} -eq 2 ] || die "audit: no figures"
    after=$(private_dirty "${DAEMON[csv]}")
    set -- ${lines[0]} ${lines[1]}
    row "audit --csv of $((requests * 10)) events, times faster" us "$4" "$1" "$(divided "$1" "$4")" '>=' 3 \
        "compared with sqlite3 -csv of the same rows; teamctl had $(divided "$6" 1024) MiB resident"
    plain_row "the same: teamd's private dirty memory grows by" MiB \
        "$(awk -v a="$after" -v b="$before" 'BEGIN { print a - b }')" '<=' 0.5
    end_daemon csv
    rm -f "$STORES"/events.*
}

# ---- activity -------------------------------------------------------------------------------------

# A million calls of 2,000 requests, and their texts as a file for grep. The needle is in none of the others.
rows_of_activity()
{
    local requests lines id needle

    requests=$(times 2000 10)
    mkdir -p "$STORES/calls"
    id=$("$B/activity" fill "$STORES/calls" "$requests" 500 2001 "$STORES/texts") || die "no calls"
    needle=$(sed -n '777s/.*"eventID":"\([^"]*\)".*/\1/p' "$STORES/texts") # there once
    printf '#!/bin/sh\ngrep -c "$@" | cat\n' >/mnt/bench/grep # it stops early where nobody reads
    chmod 755 /mnt/bench/grep
    daemon calls
    teamctl --socket "$(control_of calls)" logs "$id" --json 2>/dev/null | wc -l | grep -qx 500 || die "not 500 calls"
    mapfile -t lines < <(as carol "$B/pair" "$(times 100 2)" 0 "0:teamctl --socket $(control_of calls) logs $id --json")
    plain_row "logs of 500 calls among $((requests * 500))" us "${lines[0]%% *}" '<=' 50000 "with the start of teamctl"
    mapfile -t lines < <(as carol "$B/pair" "$(times 9 1)" 0 "0:/mnt/bench/grep $needle $STORES/texts" \
        "0:teamctl --socket $(control_of calls) logs --search $needle --json")
    [ ${#lines[@]} -eq 2 ] || die "search: no figures"
    set -- ${lines[0]} ${lines[1]}
    row "search in $((requests * 500)) calls, times as fast" us "$4" "$1" "$(divided "$1" "$4")" '>=' 0.5 \
        "compared with grep -c in the same $(du -m "$STORES/texts" | cut -f1) MiB"
    end_daemon calls
    rm -rf "${STORES:?}/calls" "$STORES/texts"
}

# Calls pour in through courier.sock as fast as teamd takes them.
row_pour()
{
    local lines pourer id

    daemon pour
    cat >>/etc/team/pour.conf <<CONF
aws: { region = "eu-west-1"; activity = ( { source = "logs"; log_group = "trail"; } ); };
CONF
    sed -i 's|targets = \["host:bastion-1/su"\]|targets = ["host:bastion-1/su", "aws:*/*"]|; s|who = \["alice"\];  targets = \["host|&|;
        s|{ name = "alice";  who = \["alice"\];  targets = \["host:bastion-1/sudo"\]|{ name = "alice";  who = ["alice"];  targets = ["host:bastion-1/sudo", "aws:*/*"]|' /etc/team/pour.conf
    teamctl --socket "$(control_of pour)" reload >/dev/null || die "pour: no AWS"
    elevated pour
    setpriv --reuid team-courier --regid team-courier --clear-groups "$B/activity" pour \
        /run/bench/pour/courier.sock >>"$TEAM_LOG" 2>&1 &
    pourer=$!
    until_true 10 as alice teamctl --socket "$(control_of pour)" request aws:prod/Admin --for 1h --reason bench
    id=$(as alice teamctl --socket "$(control_of pour)" list --mine --state active --target 'aws:*/*' --json | jq -r .id)
    until_true 10 sh -c "[ \$(teamctl --socket $(control_of pour) show $id --json | jq '.activity[0].calls') -gt 100 ]" ||
        die "nothing pours: $(tail -n 3 "$TEAM_LOG")"
    mapfile -t lines < <("$B/gate" beside "$(times 7 1)" "$(times 1000 20)" 2001 "$(gate_of pour)" "$pourer")
    [ ${#lines[@]} -eq 2 ] || die "pour: no figures"
    row_of "gate p99 while activity pours in" us '<=' 10 "${lines[0]}" \
        "compared with p99 when idle; medians: ${lines[1]#p50 }; $(teamctl --socket "$(control_of pour)" show "$id" --json |
            jq '.activity[0].calls') calls stored"
    kill "$pourer"
    wait "$pourer" 2>/dev/null
    end_daemon pour
}

# ---- memory, loading, starting --------------------------------------------------------------------

row_memory()
{
    local all

    all=$(times 50 10)
    daemon memory
    plain_row "private dirty memory, idle" MiB "$(private_dirty "${DAEMON[memory]}")" '<=' 2
    "$B/submit" live 20 "$all" $FIRST su "$(control_of memory)" >/dev/null || die "no live elevations"
    plain_row "private dirty memory, $((all * 20)) live elevations" MiB \
        "$(private_dirty "${DAEMON[memory]}")" '<=' 6
    end_daemon memory
}

# With the big store running as `big`, after all that was asked of it.
row_memory_of_history()
{
    plain_row "private dirty memory, $HISTORY stored requests" MiB "$(private_dirty "${DAEMON[big]}")" '<=' 6
}

row_load()
{
    local needed

    row_of "module: dlopen and dlclose" us '<=' 1.2 \
        "$("$B/load" "$(times 400 3)" "$BUILD/pam_team.so" \
            "$(ls /lib/*/security/pam_permit.so | head -n 1)")" "compared with pam_permit"
    needed=$(readelf -d "$BUILD/pam_team.so" | grep -c NEEDED)
    plain_row "module: libraries needed" "" "$needed" '<=' 2 \
        "$(readelf -d "$BUILD/pam_team.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | xargs)"
}

# Of stores `big` and `hundred`, none of which is running.
row_start()
{
    local line

    policy hundred auto
    policy big auto
    mkdir -p /run/bench
    chown -R team:team "$STORES/big" "$STORES/hundred"
    line=$("$B/start" "$(times 15 1)" "$(command_of big)" "$(command_of hundred)" 2>>"$TEAM_LOG")
    row_of "start with $HISTORY stored requests" us '<=' 1.5 "$line" "compared with a hundred"
    set -- $line
    plain_row "the same, in seconds" s "$(divided "$2" 1000000)" '<=' 1
}

# ---- history --------------------------------------------------------------------------------------

# questions WHO PERIOD QUESTION...: asked of `big` and `hundred` in turns.
questions()
{
    local who=$1 period=$2 lines i
    shift 2

    mapfile -t lines < <(as "$who" taskset -c 0 "$B/questions" "$(times 200 3)" "$(control_of big)" \
        "$(control_of hundred)" "$@")
    [ ${#lines[@]} -eq $# ] || die "questions: no figures"
    for i in "${!lines[@]}"; do
        row_of "${1/$period/of an hour}" us '<=' 1.25 "${lines[i]}"
        shift
    done
}

# Both hold the same last hundred requests.
rows_of_questions()
{
    local id name period="SINCE=$((FILLED_AT - 3600000000)) UNTIL=$FILLED_AT"

    for name in big hundred; do # which processor it wakes up on is as good as half the time
        taskset -a -cp 0 "${DAEMON[$name]}" >/dev/null
    done
    id=$(as carol teamctl --socket "$(control_of hundred)" list --user b000 --limit 1 --json | jq -r .id)
    row_of "the gate's answer" us '<=' 1.25 "$(taskset -c 0 "$B/gate" pace "$(times 5000 3)" 2001 \
        "$(gate_of big)" "$(gate_of hundred)")" "compared with a store of a hundred requests; so is what follows"
    questions carol "$period" "LIST LIMIT=20" "LIST LIMIT=20 USER=b000" "LIST LIMIT=20 USER=gone" \
        "LIST LIMIT=5 STATES=revoked" "LIST STATES=pending,active" "LIST LIMIT=20 USER=b001 STATES=ended" \
        "LIST LIMIT=20 TARGET_NAME=host:bastion-1/sudo" "LIST LIMIT=20 TARGET_NAME=host:*/sudo" \
        "LIST $period" "LIST USER=b002 $period" "SHOW ID=$id" "SESSIONS" \
        "AUDIT ID=$id" "AUDIT USER=b000" "AUDIT $period" "AUDIT $period ACTION=session.open" \
        "AUDIT USER=b000 ACTION=session.open" "AUDIT USER=b000 ACTION=session.open $period" \
        "AUDIT USER=gone"
    questions bob - "PENDING"
    questions dave - "STATUS"
    questions b000 - "LIST MINE=1" "LIST MINE=1 STATES=ended LIMIT=5"
}
