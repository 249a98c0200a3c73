#!/bin/bash
# The courier's hands are killed again and again while assignments come and go and AWS stumbles. At the
# end there is what was wanted, what was there before, and nothing else.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
start_double
ok "60 times killed: nothing is left, nothing is missing" python3 "$SRC/tests/aws/killed.py" "$HANDS" "$DOUBLE" 60
ok "much came and went" test "$(GET history | wc -l)" -gt 15
unbroken "no rule was broken"
finish
