# A story that is told and checked, step by step, in a bastion of its own (tests/system/lib.sh): for
# tests/demo*.sh. What people type is shown, and what they see; a step that goes otherwise is pointed
# at, and the story ends with exit 1.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # names that the stories use, and the bastion's

if [ -z "${BASTION_INSIDE:-}" ] && [ "$(id -u)" -ne 0 ]; then
    echo "${0##*/} needs root, for namespaces in which nothing of this machine is touched" >&2
    exit 1
fi
. "$(dirname "${BASH_SOURCE[0]}")/system/lib.sh"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' dim='' plain=''
fi
wrong=0

chapter()
{
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# says WHO EXPECT REGEX CMD...: shows what WHO types and sees. EXPECT: yes or no (exit 0 or not).
says()
{
    local who=$1 expect=$2 regex=$3
    shift 3

    printf '%s%s$%s %s\n' "$dim" "$who" "$plain" "$(_quoted "$@")"
    if [ "$who" = root ]; then run "$@"; else run as "$who" "$@"; fi
    [ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/    /'
    _judge "$expect" "$regex"
}

_quoted()
{
    local word line=''

    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=@+-]*) line+=" \"$word\"" ;;
        *) line+=" $word" ;;
        esac
    done
    printf '%s' "${line# }"
}

# asks WHO ARG...: teamctl request, and remembers the id.
asks()
{
    local who=$1
    shift

    says "$who" yes '^[0-9A-Z]{8}' teamctl request "$@"
    id=${out:0:8}
}

# types WHO EXPECT REGEX REASON CMD...: the same at a terminal, where WHO presses Enter, and gives a reason
# if there is one.
types()
{
    local who=$1 expect=$2 regex=$3 reason=$4
    shift 4

    {
        printf 'set timeout 20\nspawn -noecho %s\nexpect "give up: "\nsend "\\r"\n' "$*"
        [ -z "$reason" ] || printf 'expect "Reason: "\nsend "%s\\r"\n' "$reason"
        printf 'expect eof\nexit [lindex [wait] 3]\n'
    } >/mnt/keys.exp
    printf '%s%s$%s %s\n' "$dim" "$who" "$plain" "$(_quoted "$@")"
    run as "$who" expect /mnt/keys.exp
    printf '%s\n' "$out" | tr -d '\r' | sed $'s/\e\\[A\e\\[K//; s/^/    /'
    _judge "$expect" "$regex"
}

_judge()
{
    if { [ "$1" = yes ] && [ "$status" -ne 0 ]; } || { [ "$1" = no ] && [ "$status" -eq 0 ]; } ||
        [[ ! $out =~ $2 ]]; then
        printf '    ^ exit %s: the story wanted %s, and: %s\n' "$status" "$1" "$2"
        wrong=$((wrong + 1))
    fi
}

story_ends()
{
    _finished=yes
    if [ "$wrong" -gt 0 ]; then
        printf '\nThe story went wrong in %s places.\n' "$wrong"
        exit 1
    fi
    printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}
