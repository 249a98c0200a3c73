#!/bin/bash
# README.md, tried line by line, in its own order. In its fenced blocks
#
#   sh       is run as root, in the tree; every command has to succeed
#   conf     becomes /etc/team/team.conf
#   console  is what people type ("alice$ ...", "root# ...") and what they see on a terminal of 96
#            columns. "# exit N" after a command is its exit status, 0 if there is none
#   pam      are lines that the shipped PAM files have to hold
#
# and the others are only read. In what people see, a request's id stands for the one that is met in
# its place, then and later; times, hashes and numbers of three or more digits stand for others;
# "..." is anything. Installing happens for real, on a private copy of /usr and /etc. There is no
# systemd in here: of systemctl, what README needs of it is put in its place, below.

# What installing would change, if it got out of here.
machine()
{
    cat /proc/self/mounts /etc/passwd /etc/group /etc/sudoers /etc/pam.d/sudo 2>/dev/null
    ls -ld /etc/team /run/team /var/lib/team /usr/sbin/teamd /usr/bin/teamctl /lib/*/security/pam_team.so \
        /lib/systemd/system/team* /usr/share/doc/team /usr/local/sbin/systemctl 2>&1
}

# Outside: runs itself as a test inside, then looks at the machine.
if [ -z "${README_INSIDE:-}" ]; then
    before=$(machine)
    README_INSIDE=1 bash "$0"
    status=$?
    [ "$(machine)" = "$before" ] || echo -n "not "
    echo "ok - the machine is as it was"
    exit $status
fi

[ ! -d /var/lib/dpkg ] || exec 6</var/lib/dpkg # make deps asks what is installed
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"

readme=$SRC/README.md
ID='[0-9A-HJKMNP-TV-Z]{8}'
declare -A met # ids in README -> ids here

# ---- a machine to install on ------------------------------------------------------------------------

private_usr()
{
    mkdir -p /mnt/usr/new /mnt/usr/work
    [ ! -e /proc/self/fd/6 ] || _show 6 /var/lib/dpkg
    mount -t overlay -o lowerdir=/usr,upperdir=/mnt/usr/new,workdir=/mnt/usr/work overlay /usr ||
        die "no private /usr"
    exec 6<&-
    rm -rf /usr/local/bin /usr/local/sbin
    mkdir -p /usr/local/bin /usr/local/sbin
    ungate_sudo
    sed -i -E '/^(team|team-courier):/d; :tty; s/^(tty:.*[:,])team(,|$)/\1/; t tty' \
        /etc/passwd /etc/shadow /etc/group
}

# Of systemd: units that are enabled must have been installed; teamd is checked, started and stopped.
stand_in_for_systemctl()
{
    install -m 0755 /dev/stdin /usr/local/sbin/systemctl <<'SH'
#!/bin/bash
start()
{
    /usr/sbin/teamd --check || exit 1
    /usr/sbin/teamd >>/var/log/teamd.log 2>&1 </dev/null &
    echo $! >/mnt/teamd.pid
    for _ in {1..200}; do teamctl status >/dev/null 2>&1 && return; sleep 0.05; done
    exit 1
}
stop()
{
    kill "$(cat /mnt/teamd.pid)" || exit 1
    for _ in {1..200}; do readlink "/proc/$(cat /mnt/teamd.pid)/exe" >/dev/null || return 0; sleep 0.05; done
    exit 1
}
units()
{
    for unit; do [ -f "/lib/systemd/system/$unit" ] || { echo "no unit $unit"; exit 1; }; done
}
case "$1 ${2-}" in
"daemon-reload ") ;;
"enable --now") units "${@:3}" && start ;;
"disable --now") units "${@:3}" && stop ;;
"restart teamd.service") units "$2" && stop && start ;;
*) echo "systemctl $*: not in this test"; exit 1 ;;
esac
SH
}

# ---- what README shows against what is seen ---------------------------------------------------------

# Blanks that only align are one blank; those at the end of a line are none.
squeezed()
{
    sed -E 's/[ \t]+/ /g; s/ $//'
}

# What README shows, as an extended regular expression.
pattern()
{
    squeezed <<<"$1" |
        sed -E 's/[][\\.*^$+?(){}|]/\\&/g
            s/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}/@time@/g
            s/\b[0-9]{2}:[0-9]{2}\b/@time@/g
            s/\b[0-9a-f]{64}\b/@hash@/g
            s/\b[0-9]{3,}\b/[0-9]+/g
            s/@time@/([0-9-]{10} )?[0-9:]{5,8}/g
            s/@hash@/[0-9a-f]{64}/g' |
        sed "s/^\\\\.\\\\.\\\\.\$/.*/; s/\\\\.\\\\.\\\\./[^\n]*/g"
}

# Puts the ids of this run in the place of README's.
with_ids_of_here()
{
    local text=$1 id

    for id in "${!met[@]}"; do text=${text//"$id"/"${met[$id]}"}; done
    printf '%s' "$text"
}

# meet SHOWN SEEN: an id that README shows for the first time is the first one that is new here.
meet()
{
    local id here

    for id in $(grep -oE "\b$ID\b" <<<"$1"); do
        [ -z "${met[$id]:-}" ] || continue
        for here in $(grep -oE "\b$ID\b" <<<"$2"); do
            [[ " ${met[*]} " == *" $here "* ]] || { met[$id]=$here; break; }
        done
    done
}

# shows SHOWN SEEN: is this what README shows?
shows()
{
    local seen regex

    seen=$(squeezed <<<"$2")
    regex=$(pattern "$(with_ids_of_here "$1")")
    [[ $seen =~ ^$regex$ ]]
}

# ---- the blocks -------------------------------------------------------------------------------------

types()
{
    local who=$1 cmd=$2

    if [ "$who" = root ]; then
        run bash -c "cd /root; $cmd"
    else
        run as_tty "$who" env LC_ALL=C.UTF-8 NO_COLOR=1 bash -c "stty cols 96; $cmd"
    fi
}

# example LINE WHO CMD SHOWN
example()
{
    local name="README:$1: $2: $3" code=0

    [[ ! $3 =~ '# exit '([0-9]+)$ ]] || code=${BASH_REMATCH[1]}
    types "$2" "$(with_ids_of_here "$3")"
    meet "$4" "$out"
    if [ "$status" -eq "$code" ] && shows "$4" "$out"; then _passes "$name"; else
        _fails "$name" "exit: $status, README says $code" "README shows:" "$4" "seen:" "$out"
    fi
}

console()
{
    local number=$1 line at='' who='' cmd='' shown=''

    while IFS= read -r line; do
        if [[ $line =~ ^[a-z]+[\$#]' ' ]]; then
            [ -z "$who" ] || example "$at" "$who" "$cmd" "$shown"
            at=$number who=${line%%[\$#]*} cmd=${line#*[\$#] } shown=''
        else
            shown+=${shown:+$'\n'}$line
        fi
        number=$((number + 1))
    done <<<"$2"
    example "$at" "$who" "$cmd" "$shown"
}

# In it may be a demo, which makes a bastion of its own.
commands()
{
    ok "README:$1: $(head -n 1 <<<"$2") ..." env -u BASTION_INSIDE -C "$SRC" bash -ec "$2"
}

pam_lines()
{
    local line service

    while IFS= read -r line; do
        for service in sudo sudo-i; do
            ok "README:$1: the shipped $service has: $line" grep -qxF -e "$line" "$SRC/conf/pam.d/$service"
        done
    done <<<"$2"
}

block()
{
    case $2 in
    sh) commands "$1" "$3" ;;
    conf) config <<<"$3" && ok "README:$1: teamd takes this configuration" teamd --check ;;
    console) console "$1" "$3" ;;
    pam) pam_lines "$1" "$3" ;;
    '' | text | mermaid) ;;
    *) ok "README:$1: \"$2\" is a kind of block that this test knows" false ;;
    esac
}

blocks()
{
    local number=0 line kind='' begin='' text=''

    while IFS= read -r line <&5; do
        number=$((number + 1))
        if [ -z "$begin" ] && [[ $line == '```'* ]]; then
            begin=$((number + 1)) kind=${line#'```'} text=''
        elif [ "$line" = '```' ]; then
            block "$begin" "$kind" "$text"
            begin=''
        elif [ -n "$begin" ]; then
            text+=${text:+$'\n'}$line
        fi
    done 5<"$1"
}

# ---- does this test notice? -------------------------------------------------------------------------

met=([K7QF2M9X]=ABCD1234)
ok "the same is the same" shows 'a  b 12:30 4711' 'a b     2026-11-22 09:07 12'
ok "an id is the one that was met" shows 'K7QF2M9X: done' 'ABCD1234: done'
refused "another id is noticed" shows 'K7QF2M9X: done' 'ABCD1235: done'
refused "another word is noticed" shows 'active for 1h' 'active for 2h'
refused "a further line is noticed" shows 'one' $'one\ntwo'
refused "a missing line is noticed" shows $'one\ntwo' 'one'
refused "a dot is a dot" shows 'a.b' 'axb'
ok "dots are anything in a line" shows 'a "..." b' 'a "x y" b'
refused "dots end with the line" shows 'a ... b' $'a x\ny b'
ok "a line of dots is any lines" shows $'a\n...\nb' $'a\n1\n2\nb'
met=()

# ---- README -----------------------------------------------------------------------------------------

private_usr
stand_in_for_systemctl
# shellcheck disable=SC2016  # those are README's quotes
for verb in $(sed -nE 's/^- \*\*In teamctl\*\*: (.*)\.$/\1/p' "$readme" | sed 's/`//g; s/, /\n/g; s/ /+/g'); do
    exits 2 "README says that it is not there yet: teamctl ${verb//+/ }" "$BUILD/teamctl" ${verb//+/ }
done
blocks "$readme"
is "what was installed is gone" \
    "$(cd /mnt/usr/new && find . -type f ! -path './local/*' ! -path './share/man/*.db' ! -name mimeinfo.cache)" ""
is "so are policy, history and sockets" "$(ls -d /etc/team /var/lib/team /run/team 2>/dev/null)" ""
refused "and the user" id team
is "sudo is what it was" "$(as alice sudo -n id -u)" 0
finish
