#!/bin/bash
# `make demo-aws` goes as it is told: tests/demo_aws.sh checks its own steps.
# shellcheck source-path=SCRIPTDIR
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
if [ -z "${MOTO:-}" ]; then
    echo "ok 1 - no moto here # SKIP python3 with moto and awscli"
    echo "1..1"
    _finished=yes
    exit 0
fi
run env -u BASTION_INSIDE PATH="$MOTO/bin:$PATH" "$SRC/tests/demo_aws.sh"
is "the story with AWS ends well" "$status" 0
like "host and AWS are in one time line" "$out" 'session begins.*StopInstances.*AccessDenied'
[ "$status" -eq 0 ] || sed 's/^/# /' <<<"$out"
finish
