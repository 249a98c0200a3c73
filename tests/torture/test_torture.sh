#!/bin/bash
# Fails the nth call of malloc, write, fdatasync, send, recv, connect and accept in a real teamd that
# plays a short story (torture.c), and in teamctl. A sample of the calls in seconds; all of them with
# WHOLE=1, in minutes. SEED=n draws the same sample again; ONLY="malloc" does one kind.
# shellcheck disable=SC2086
. "$(dirname "$0")/../system/lib.sh"

seed=${SEED:-$((RANDOM % 1000))}
jobs=$(($(nproc) * 4)) # they mostly wait
echo "# SEED=$seed"
mkdir -m 755 /mnt/torture
cat >/mnt/team.conf <<'CONF'
settings: { require_comment = false; };
identity: { loginuid = "check"; };
sessions: { cgroup = "off"; grace = "0s"; };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["bob"]; targets = ["host:*/*"]; } );
CONF
echo $UNSET_LOGINUID >/proc/self/loginuid

# CALL ERRNO STEP [on]: STEP is how many calls of the sample lie between two.
errno() { echo "#include <errno.h>
$1" | gcc -E -P - | tail -n 1; }
KINDS="malloc ENOMEM 40
write ENOSPC 5
write EIO 9
write SHORT 9
write ENOSPC 11 on
sync EIO 3
sync ENOSPC 5
sync EIO 7 on
send EPIPE 7
send ENOBUFS 7
recv ECONNRESET 9
recv EINTR 9
connect ECONNREFUSED 2
accept EMFILE 5
accept ECONNABORTED 5"

# part NAME CALL ERRNO FIRST STEP [on]: in a directory of its own.
part()
{
    local dir=/mnt/torture/$1 number
    shift
    mkdir -m 755 "$dir"
    cp /mnt/team.conf "$dir/team.conf"
    number=-1
    [ "$2" = SHORT ] || number=$(errno "$2")
    "$BUILD/tests/torture/torture" "$BUILD" "$dir" "$1" "$number" "${@:3}" >"$dir.out" 2>&1
    echo $? >"$dir.status"
}

all_done() { [ "$(find /mnt/torture -name "*.status" | wc -l)" -eq "$n" ]; }

n=0
while read -r call error step on; do
    [[ " ${ONLY:-$call} " == *" $call "* ]] || continue
    # The whole is cut into as many parts as run at once; a sample is one part.
    if [ "${WHOLE:-}" ]; then parts=$jobs step=$jobs first=1; else parts=1 first=$((seed % step + 1)); fi
    for ((p = 0; p < parts; p++)); do
        while [ "$(jobs -rp | wc -l)" -gt $jobs ]; do wait -n; done
        n=$((n + 1))
        part "$n-$call-$error$on" $call $error $((first + p)) $step $on &
    done
done <<<"$KINDS"
until_true 36000 all_done

for status in /mnt/torture/*.status; do
    said=${status%.status}.out
    run cat "$said"
    is "$(tail -n 1 <<<"$out")" "$(grep '^#' <<<"$out" | head -n 60)" ""
done

# ---- teamctl ---------------------------------------------------------------------------------------

config </mnt/team.conf
start_teamd || exit 1
run as alice teamctl request sudo --for 1h --reason "a story"
id=${out:0:8}
as bob teamctl approve "$id" >/dev/null
install -m 0666 /dev/null /mnt/tell

# failing KIND ERROR N VERB...: teamctl as alice. Its status is in $status, what it said in $out and
# $err; true if a call has failed.
failing()
{
    local kind=$1 error=$2 nth=$3
    shift 3
    : >/mnt/tell
    as alice env LD_PRELOAD=/mnt/build/tests/torture/fail.so FAIL_TELL=/mnt/tell FAIL_CALL="$kind" \
        FAIL_ERRNO="$error" FAIL_NTH="$nth" teamctl "$@" >/mnt/out 2>/mnt/err
    status=$? out=$(</mnt/out) err=$(</mnt/err)
    grep -q ^failed /mnt/tell
}

# What it says with 0 is all of it; with anything else it says why.
try_verb()
{
    local kind=$1 error whole tried=0 bad="" nth step=3
    error=$(errno "$2")
    shift 2
    whole=$(as alice teamctl "$@" 2>/dev/null)
    [ -z "${WHOLE:-}" ] || step=1
    for ((nth = seed % step + 1; ; nth += step)); do
        failing "$kind" "$error" "$nth" "$@" || break
        tried=$((tried + 1))
        if [ $status -ge 8 ]; then
            bad+="exit $status at $nth; "
        elif [ $status -eq 0 ] && [ "$out" != "$whole" ]; then
            bad+="part of it at $nth; "
        elif [ $status -ne 0 ] && [ -z "$err" ]; then
            bad+="exit $status without a word at $nth; "
        fi
    done
    is "teamctl $*: $tried failures of $kind" "$bad" ""
}

for verb in list "list --json" "show $id" "list --csv" targets sessions; do
    for kind in "malloc ENOMEM" "recv ECONNRESET" "send ENOBUFS" "connect EACCES"; do
        [ "${WHOLE:-}" ] || [ "$kind" = "malloc ENOMEM" ] || continue
        try_verb $kind $verb
    done
done

# A request that was answered with an id is there.
lost=''
for ((nth = 1; ; nth += 9)); do
    failing malloc "$(errno ENOMEM)" "$nth" request sudo --for 1h --reason "a story" || break
    [ "$status" -ne 0 ] || teamctl show "${out:0:8}" >/dev/null || lost+="${out:0:8} "
    [ "$status" -lt 8 ] || lost+="exit $status at $nth "
    teamctl revoke "$(as alice teamctl list --mine --state pending --json | jq -r '.id' | head -n 1)" --yes >/dev/null 2>&1
done
is "no request that teamctl told the id of is lost ($nth calls)" "$lost" ""
finish
