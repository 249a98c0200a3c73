#!/bin/bash
# Completion in bash and zsh, with the ids and targets that there are; and nothing that others wrote
# is ever typed for somebody who would then run it.
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { auditors = ["@security"]; require_comment = false; };
eligibility = (
  { name = "quick"; who = ["alice"]; targets = ["host:*/su"]; max_duration = "4h"; approval_required = false; },
  { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; } );
approvers = ( { name = "leads"; who = ["@sre-leads"]; targets = ["host:*/*"]; } );
CONF
start_teamd || exit 1

# request USER TARGET REASON: its id.
request()
{
    as "$1" teamctl request "$2" --for 1h --reason "$3" 2>/dev/null
}
waits=$(request alice sudo 'rotate the $(touch /tmp/owned); `certs`')
other=$(request dave sudo 'look at a disk')
active=$(request alice su 'an active one')

# ---- bash ---------------------------------------------------------------------------------------

cp "$SRC/conf/completion/teamctl.bash" "$SRC/conf/completion/_teamctl" /mnt/
cat >/mnt/bash-words <<'SH'
# WORD...: what bash offers when the last one is being typed. Words are given as readline has them.
. /mnt/teamctl.bash
COMP_WORDS=(teamctl "$@")
COMP_CWORD=$#
COMP_LINE="teamctl $*"
COMP_POINT=${#COMP_LINE}
$(complete -p teamctl | sed 's/.*-F \([^ ]*\) .*/\1/')
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
SH

# offers NAME USER WANTED WORD...: USER is offered these words, in any order.
offers()
{
    local name=$1 user=$2 wanted=$3
    shift 3
    is "$name" "$(as "$user" bash --norc -ic '. /mnt/bash-words' bash "$@" 2>/dev/null | sort | xargs)" \
        "$(tr ' ' '\n' <<<"$wanted" | sort | xargs)"
}

offers "verbs by their beginning" alice "reconcile refresh reject reload request revoke" re
offers "the one verb" alice "extend" ext
offers "the first of two words, once" alice "pam" pa
offers "and the second" alice "install" pam in
offers "all of them" alice "confirm guard install remove status undo" pam ""
offers "and then options" alice "--help --prompt --prompt-for --service --socket --wait --within --yes" pam install --
offers "services" alice "su su-l sudo sudo-i" pam install --service su
offers "one after the other" alice "sshd" pam install --service sudo --service ss
offers "actions of the trail" alice "session.open" audit --action session.o
actions=$(as carol teamctl __complete -- audit --action '' | cut -f1)
is "there are some" "$([ "$(wc -l <<<"$actions")" -ge 40 ] && echo yes)" yes
for action in $actions; do
    grep -Eq "^\.Li (${action%.*})?\.?${action##*.}( [,;.])?$" "$SRC/teamctl/teamctl.1" || echo "# teamctl(1) lacks $action"
    grep '^| `action`' "$SRC/README.md" | grep -Eq "${action%.*}\.[^;]*${action##*.}" || echo "# README lacks $action"
done >/mnt/lacking
is "the pages have all of them" "$(cat /mnt/lacking)" ""
exits 2 "an action that is nothing like any is a mistake" as carol teamctl audit --action zzz
like "and all are named" "$out" "there are $(paste -sd, <<<"$actions" | sed 's/,/, /g')"
offers "how long to wait" alice "1m 10m" pam install --within 1
offers "what is for shells is not offered" alice "" __
offers "the options of a verb" alice "--for --help --json --reason --socket --start --ticket --wait" request sudo --
offers "but those that are there" alice "--reason" extend "$active" --for 1h --re
offers "the options without a verb" alice "--csv --json --help --socket --version" --
offers "nothing after a verb that there is not" alice "" aprove ""
offers "what waits for an approver" bob "$waits $other" approve ""
offers "what waits for them, by its beginning" bob "$waits" approve "${waits:0:5}"
offers "in the case in which it is typed" bob "${waits,,}" approve "$(tr '[:upper:]' '[:lower:]' <<<"${waits:0:5}x" | cut -c1-5)"
offers "what was not named yet" bob "$other" reject "$waits" ""
offers "nothing waits for who asked" alice "" approve ""
offers "one's own to cancel" alice "$waits" cancel ""
offers "the active one to extend" alice "$active" extend ""
offers "one, and not two" alice "" extend "$active" ""
offers "what can be revoked" bob "$active" revoke ""
offers "what can be shown" carol "$waits $other $active" show ""
offers "ids as values" carol "$waits" audit --request "${waits:0:5}"
offers "targets by their service" alice "sudo su" request ""
offers "and what was not named yet" alice "su" request sudo ""
offers "only what one may ask for" dave "sudo" why ""
offers "whole targets, from the colon on" alice "bastion-1/sudo bastion-1/su" why host : b
offers "nothing of teamd's for a value that it does not know" alice "" request sudo --reason ""
offers "durations" alice "15m 1h" request sudo --for 1
offers "durations behind =" alice "30m" request sudo --wait = 3
offers "states" alice "pending" list --state p
offers "states behind = and a comma" alice "pending,active pending,activating" list --state = pending,act
offers "verbs to help with" alice "request reject reload revoke reconcile refresh" help re
offers "files for a socket" alice "/etc/passwd /etc/passwd-" --socket /etc/passwd
offers "another teamd's words are asked there" alice "" --socket /nowhere request ""
is "nothing was run on the way" "$(ls /tmp/owned 2>&1)" "ls: cannot access '/tmp/owned': No such file or directory"

# With a real key on a real terminal: TAB, and what stands on the line then is run.
cat >/mnt/typing <<'SH'
exec expect -f - <<'EXPECT'
set timeout 10
spawn -noecho bash --norc -i
expect "\\$"
send "PS1='> '; . /mnt/teamctl.bash\r"
expect "> $"
send "teamctl sho\t$env(ID)\t --json | head -c 20\r"
expect -re "\"id\":\"(\[0-9A-Z\]+)\"" { puts "\nshown: $expect_out(1,string)" }
send "exit\r"
expect eof
EXPECT
SH
run as alice env ID="${waits:0:5}" bash /mnt/typing
like "TAB completes a verb and an id" "$out" "shown: $waits"

# ---- zsh ----------------------------------------------------------------------------------------

cat >/mnt/zsh-words <<'SH'
_describe() { print -rl -- "${(@P)4}"; }
compset() { : }
_files() { print -r -- files; }
words=(teamctl "$@")
CURRENT=$#words
PREFIX=$words[-1]
complete_teamctl() { . /mnt/_teamctl; }
complete_teamctl
SH
zoffers()
{
    local name=$1 user=$2 wanted=$3
    shift 3
    is "zsh: $name" "$(as "$user" zsh -f /mnt/zsh-words "$@" | sort)" "$wanted"
}
zoffers "verbs, described" alice $'reload:make teamd read its configuration again (admins and root)' rel
zoffers "ids, described" alice "$active:alice active host:bastion-1/su: an active one" extend ""
zoffers "what others wrote is a description" bob "$waits:alice pending host:bastion-1/sudo: rotate the \$(touch /tmp/owned); \`certs\`" approve "${waits:0:5}"
zoffers "whole targets" alice $'host\\:bastion-1/su:quick\nhost\\:bastion-1/sudo:sre' request host:
zoffers "behind =" alice "--state=pending:" list --state=p
zoffers "files" alice "files" --socket ""
is "nothing was run there either" "$(ls /tmp/owned 2>&1)" "ls: cannot access '/tmp/owned': No such file or directory"

# ---- without teamd ------------------------------------------------------------------------------

stop_teamd
offers "without teamd: verbs" alice "extend" ext
offers "without teamd: no ids, and no words about it" alice "" show ""
finish
