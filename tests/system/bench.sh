#!/bin/bash
# `make bench` in little: every row comes about, with a few repetitions and a small store. What the
# figures are is not looked at: they mean something only when they are many.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"
BENCH_QUICK=1
HISTORY=300
# shellcheck disable=SC1091
. "$SRC/tests/bench/rows.sh"
trap 'bench_end; _at_exit' EXIT

# rows FUNCTION NAME...: prints a line for each, with its bound and whether it is reached.
rows()
{
    local what
    run "$1"
    shift
    for what in "$@"; do
        like "row: $what" "$out" "$what.* [<>]=[0-9.]+ +(NOT )?reached"
    done
}

bench_setup
rows row_load "module: dlopen and dlclose" "module: libraries needed"
rows row_account "account in pamtester, added: pam_unix" "account in pamtester, added: empty server"
rows row_memory "private dirty memory, idle" "private dirty memory, 200 live elevations"
rows row_gate_delay "gate p99 while 64 clients submit durably"
rows row_submit "durable submits, 64 clients, new connections"
rows row_flood "gate p99 while one person floods"
if bench_cgroup; then
    rows row_cut "revoke: 20 detached processes gone, grace 0"
    rows row_sudo "account\+open\+close, cgroup off" "contained: added to cgroup off"
fi
rows row_csv "audit --csv of 1000 events, times faster" "private dirty memory grows by"
rows rows_of_activity "logs of 500 calls among 5000" "search in 5000 calls, times as fast"
rows row_pour "gate p99 while activity pours in"
fill_history 10
rows row_start "start with 300 stored requests" "the same, in seconds"
daemon big
daemon hundred
elevated hundred
rows row_gate_rate "gate answers, 32 clients, 300 stored"
rows rows_of_questions "the gate's answer" "LIST LIMIT=20 USER=b000" "SHOW ID=" "PENDING" \
    "AUDIT of an hour ACTION=session.open" "LIST MINE=1"
rows row_memory_of_history "private dirty memory, 300 stored requests"
finish
