#!/bin/bash
# Text that would act on somebody else's terminal or spreadsheet: refused or made harmless, in every
# field a person can write, and never alive in what anybody else sees.
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { auditors = ["@security"]; require_comment = false; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF
start_teamd || exit 1

esc=$'\e]0;owned\a' csi=$'\e[2J' c1=$'\xc2\x9b31m' bidi=$'\xe2\x80\xae' del=$'\x7f'
bad_utf8=$'\xff\xfe' overlong=$'\xc0\xaf' newline=$'one\ntwo' cr=$'one\rtwo' tab=$'a\tb'
long=$(printf 'x%.0s' {1..1001})

for name in esc csi c1 bidi del bad_utf8 overlong newline cr tab long; do
    text="now ${!name} end"
    exits 2 "a reason with $name" as alice teamctl request sudo --for 1h --reason "$text"
    exits 2 "a ticket with $name" as alice teamctl request sudo --for 1h --reason fine --ticket "$text"
    exits 2 "a target with $name" as alice teamctl request "host:$text/sudo" --for 1h --reason fine
done

# What is harmless in one place and alive in another.
run as alice teamctl request sudo --for 1h --ticket '=1+1' --reason '=HYPERLINK("http://evil","x"), "quoted", ünï – 日本'
id=${out:0:8}
for name in esc csi c1 bidi del bad_utf8 newline long; do
    exits 2 "a comment with $name" as bob teamctl approve "$id" --comment "now ${!name} end"
done
run as bob teamctl approve "$id" --comment '@SUM(1)'
run as alice teamctl extend "$id" --for 30m --reason '+cmd|calc'
run as bob teamctl revoke "$id" --yes --comment '-2+3'
for cmd in "list --csv" "list --limit 1 --csv" "audit --csv"; do
    # shellcheck disable=SC2086
    run as carol teamctl $cmd
    unlike "no formula is alive in: teamctl $cmd" "$out" '(^|,|'$'\n'')"?[=+@-][A-Za-z0-9(]'
done
run as carol teamctl show "$id"
like "what was written is shown as it was written" "$out" '=HYPERLINK\("http://evil","x"\), "quoted", ünï – 日本'
run as carol teamctl show "$id" --json
is "and is JSON" "$(jq -r .reason <<<"$out")" '=HYPERLINK("http://evil","x"), "quoted", ünï – 日本'

# What others than teamctl put on the wire is not trusted either: raw packets, and PAM's own fields.
wire="$BUILD/tests/system/rawask"
exits 1 "a reason with an escape, past teamctl" as alice "$wire" reason "$esc"
like "is not even understood" "$out" 'not understood'
exits 1 "a reason that is too long, past teamctl" as alice "$wire" reason "$long"
exits 1 "an id that is none, past teamctl" as alice "$wire" id 'K7QF; x'

# A command line and a host name are the caller's own words.
run as alice teamctl request sudo --for 1h --reason fine
id=${out:0:8}
run as bob teamctl approve "$id"
ok "a command with an escape in it runs" as alice sudo -n true "$esc$bidi"
# shellcheck disable=SC2046
run as carol bash -c "teamctl audit; teamctl audit --json; teamctl audit --csv; teamctl list; teamctl show $id; teamctl show $id --json"
unlike "nothing alive is in anybody's output" "$out" $'[\e\a\x7f\r]|\xc2\x9b|\xe2\x80\xae'
run cat "$SYSLOG" "$TEAM_LOG"
unlike "nor in our lines of the log" "$(grep -E 'pam_team|teamd' <<<"$out")" $'[\e\a\x7f]|\xc2\x9b|\xe2\x80\xae'

# Who has installed this has no design papers.
pages=$(find "$SRC/teamd" "$SRC/teamctl" "$SRC/pam_team" -name '*.[1-8]')
is "no page sends people to papers that they have not" "$(grep -l 'DESIGN' $pages "$SRC/README.md" -r "$SRC/conf")" ""
run make --no-print-directory -C "$SRC" help
unlike "nor does make help" "$out" 'DESIGN'
like "which has the targets" "$out" 'make purity'
finish
