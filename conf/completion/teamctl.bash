# Completion of teamctl(1) for bash. teamctl itself knows what may come next: verbs, options, and the
# ids and targets that there are at this moment.
# shellcheck shell=bash

_teamctl()
{
    local words=() replies=() word breaks='' typed i

    # Readline ends words at : and =, teamctl does not.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((${#words[@]} > 0)) && [[ $word == [:=]* || ${words[-1]} == *[:=] ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    typed=${words[-1]-}

    while IFS=$'\t' read -r word _; do
        replies+=("$word")
    done < <(command teamctl __complete -- "${words[@]}" 2>/dev/null)

    if [[ ${replies[0]-} == :files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "${typed##*=}")
        return
    fi
    [[ $COMP_WORDBREAKS != *:* ]] || breaks+=:
    [[ $COMP_WORDBREAKS != *=* ]] || breaks+='='
    if [[ -n $breaks && $typed == *[$breaks]* ]]; then
        word=${typed%"${typed##*[$breaks]}"} # what readline takes for done
        replies=("${replies[@]#"$word"}")
    fi
    COMPREPLY=("${replies[@]}")
}

complete -F _teamctl teamctl
