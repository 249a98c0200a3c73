#!/bin/bash
# The second sshd of conf/ssh, as it is shipped: people ask there where ssh itself is gated, and do
# nothing else. Whatever they write, and whatever they have left in their home, it runs teamctl.
# shellcheck disable=SC1091,SC2012,SC2016,SC2034,SC2119,SC2154  # hosts_lib.sh; words for other shells
. "$(dirname "$0")/hosts_lib.sh"

policy
start_teamd || exit 1
make_keys alice bob root
mark

# Installed as sshd_ask_config says; only the path of teamctl is this bastion's.
sed 's|/usr/bin/teamctl|/usr/local/bin/teamctl|' "$SRC/conf/ssh/sshd_ask_config" >/etc/ssh/sshd_ask_config
install -m 0644 "$SRC/conf/ssh/sshd-ask.pam" /etc/pam.d/sshd-ask
ln -s /usr/sbin/sshd /usr/local/sbin/sshd-ask
install -d /run/sshd
ok "sshd finds the configuration good" /usr/local/sbin/sshd-ask -t -f /etc/ssh/sshd_ask_config
echo 'ListenAddress 127.0.0.1' >>/etc/ssh/sshd_ask_config
gate sshd
printf '%s\n' 'ListenAddress 127.0.0.1' 'UsePAM yes' 'PidFile /run/sshd.pid' 'AcceptEnv LC_*' \
    'Subsystem sftp internal-sftp' >/etc/ssh/sshd_config
start_sshd /usr/sbin/sshd /etc/ssh/sshd_config 22
start_sshd /usr/local/sbin/sshd-ask /etc/ssh/sshd_ask_config 2222

# ask USER WORD...: as the person types it after "ssh -p 2222 localhost".
ask()
{
    local user=$1
    shift
    as "$user" "${BY_KEY[@]}" -p 2222 localhost "$@"
}

# ---- what it is there for -----------------------------------------------------------------------

refused "ssh itself is gated" as bob "${BY_KEY[@]}" localhost true
asked "the gate said no there" "$(no_of bob)"
ok "bob asks" ask bob 'request ssh --for 1h --reason "rotate the certs, all of them"'
id=${out:0:8}
is "what was in quotes stayed together" "$(teamctl show "$id" --json | jq -r .reason)" "rotate the certs, all of them"
ok "with a password too" as alice "${BY_PASSWORD[@]}" -p 2222 localhost request sudo --for 1h --reason certs
alices=${out:0:8}
run as erin teamctl approve "$id"
ok "bob looks" ask bob show "$id"
like "and it is active" "$out" 'active'
ok "without a command he sees what is his" ask bob
like "that request too" "$out" "$id"
ok "on a terminal too" ask bob -tt
like "that request there, too" "$out" "$id"
exits 4 "the exit status is teamctl's" ask bob show 00000000
ok "with the elevation he is let in at the other door" as bob "${BY_KEY[@]}" localhost true
asked "nothing but the other door has asked the gate" "$(yes_of bob)"
refused "root is nobody here" "${BY_KEY[@]}" -p 2222 localhost list

# ---- what it is not there for -------------------------------------------------------------------

refused "no port is forwarded" ask alice -W localhost:22
like "and ssh says so" "$out" 'administratively prohibited'
exits 255 "no port is forwarded back" ask alice -N -R 8022:localhost:22 -o ExitOnForwardFailure=yes
refused "no sftp" as alice timeout 20 sftp -o BatchMode=yes -P 2222 localhost </dev/null
install -d -m 1777 /mnt/owned
for words in '; touch /mnt/owned/a' '$(touch /mnt/owned/b)' '`touch /mnt/owned/c`' '| touch /mnt/owned/d' \
    '" ; touch /mnt/owned/e ; "' "' ; touch /mnt/owned/f ; '" $'\ntouch /mnt/owned/g\n' '&& touch /mnt/owned/h' \
    '-S touch /mnt/owned/i' 'A=b touch /mnt/owned/j' '\ntouch\t/mnt/owned/k' '>/mnt/owned/l'; do
    refused "is not run: ${words//$'\n'/ }" ask alice -- "$words"
done
is "nothing of it ran" "$(ls -A /mnt/owned)" ""
run ask alice 'request sudo --for 30m --reason "* ; ${HOME}x \$(id) | # `id`"'
is "it is text, and a variable is the shell's, not the person's" \
    "$(teamctl show "${out:0:8}" --json | jq -r .reason)" '* ; /nonexistentx $(id) | # `id`'

# ---- what a person may have left in the home ----------------------------------------------------

leave()
{
    printf '%s\n' "$2" >"/home/alice/$1"
    chown alice: "/home/alice/$1"
}
as alice mkdir -p .config/fish
for file in .bashrc .bash_profile .bash_login .profile .bash_env .zshenv .zshrc .zprofile .tcshrc .cshrc \
    .login .kshrc .config/fish/config.fish .ssh/rc; do
    leave $file "touch /mnt/owned/${file//\//_}"
done
leave .ssh/environment BASH_ENV=/home/alice/.bash_env
printf '%s DEFAULT=/home/alice/.bash_env\n' BASH_ENV ENV >/home/alice/.pam_environment
leave .ssh/authorized_keys "environment=\"ENV=/home/alice/.bash_env\",command=\"touch /mnt/owned/command\" $(cat /home/alice/.ssh/id.pub)"

for shell in bash dash zsh tcsh fish ksh; do
    path=$(PATH=/bin:/usr/bin command -v $shell) || continue
    sed -i "s|^\(alice:.*\):.*|\1:$path|" /etc/passwd
    ok "with $shell she looks" ask alice -o SetEnv=BASH_ENV=/home/alice/.bash_env list
    like "by teamctl" "$out" "$alices"
    run ask alice -tt list
    is "and $shell runs nothing of hers" "$(ls -A /mnt/owned)" ""
done
sed -i 's|^\(alice:.*\):.*|\1:/bin/bash|' /etc/passwd
cp /home/alice/.ssh/id.pub /home/alice/.ssh/authorized_keys
elevate alice ssh
run as alice "${BY_KEY[@]}" localhost env
is "which the other door does, under an elevation" "$(ls -A /mnt/owned | paste -sd' ')" ".bashrc .ssh_rc"
like "and takes her environment" "$out" 'BASH_ENV=/home/alice'

# ---- without teamd ------------------------------------------------------------------------------

stop_teamd
exits 6 "without teamd there is nobody to ask" ask alice list
like "and it says so" "$out" 'teamd'
refused "and the other door is closed" as bob "${BY_KEY[@]}" localhost true
finish
