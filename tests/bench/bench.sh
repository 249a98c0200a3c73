#!/bin/bash
# Measures, and compares with what else would do: `make bench`, `make bench-history N=1000000`.
#   bench.sh          every row of DESIGN.md 7
#   bench.sh history  what a store of N requests with ten events each costs
# Figures of a machine that others use drift: only the ratios, of things that took turns in this run, say
# much. It ends with exit 0 whatever they are. With REALTIME=1 all that is measured, teamd and what it is
# compared with, goes before the machine's other work (chrt(1)).
set -u
if [ -z "${BASTION_INSIDE:-}" ] && [ "$(id -u)" -ne 0 ]; then
    echo "measuring needs root, for namespaces in which nothing of this machine is touched" >&2
    exit 1
fi
if [ -n "${REALTIME:-}" ]; then
    REALTIME='' exec chrt -r 1 bash "$0" "$@"
fi
# shellcheck disable=SC1091
. "$(dirname "$0")/../system/lib.sh"
# shellcheck disable=SC1091
. "$SRC/tests/bench/rows.sh"
trap 'bench_end; _at_exit' EXIT

rows()
{
    row_load
    row_account
    row_memory
    row_gate_delay
    row_submit
    row_flood
    row_cut
    row_csv
    rows_of_activity
    row_pour
    fill_history 1
    row_start
    daemon big
    row_gate_rate
    row_memory_of_history
    end_daemon big
    row_sudo
}

history()
{
    fill_history 10
    row_start
    daemon big
    daemon hundred
    elevated hundred
    row_gate_rate
    rows_of_questions
    row_memory_of_history
}

HISTORY=${N:-1000000}
bench_setup
echo "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg), Linux $(uname -r)"
head_of_table
if [ "${1:-}" = history ]; then history; else rows; fi
echo "$((tried - missed)) of $tried reached"
