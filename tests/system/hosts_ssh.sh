#!/bin/bash
# What sshd asks the gate, and what it answers: the table in pam_team(8), with the real sshd on the
# loopback of this bastion and the shipped stack.
# shellcheck disable=SC1091,SC2012,SC2016,SC2034,SC2119,SC2154  # hosts_lib.sh; words for other shells
. "$(dirname "$0")/hosts_lib.sh"

policy
start_teamd || exit 1
make_keys alice bob root
mark
gate sshd
printf '%s\n' 'ListenAddress 127.0.0.1' 'UsePAM yes' 'KbdInteractiveAuthentication yes' 'PermitRootLogin yes' \
    'Subsystem sftp /usr/lib/openssh/sftp-server' 'PidFile /run/sshd.pid' >/etc/ssh/sshd_config
start_sshd /usr/sbin/sshd /etc/ssh/sshd_config 22
WHO='id -un; cat /proc/self/loginuid'
ADVICE='no active elevation for ssh on bastion-1; run: teamctl request ssh --for 1h --reason "\.\.\."'

# ---- each way to log in, without an elevation and with one --------------------------------------

for way in KEY PASSWORD QUESTIONS; do
    declare -n ssh=BY_$way
    refused "by ${way,,}: refused without an elevation" as alice "${ssh[@]}" localhost "$WHO"
    like "by ${way,,}: the person reads what to do" "$out" "$ADVICE"
    unlike "by ${way,,}: nothing runs" "$out" '(^|'$'\n'')alice'$'\n'
    asked "by ${way,,}: what the gate answered" "$(no_of alice)"
done
gate sshd wait=1m prompt
for way in KEY PASSWORD QUESTIONS; do
    declare -n ssh=BY_$way
    begun=$SECONDS
    refused "by ${way,,}, where sudo would ask and wait: refused" as alice "${ssh[@]}" localhost "$WHO"
    like "by ${way,,}: with the same words" "$out" "$ADVICE"
    unlike "by ${way,,}: nobody is asked anything" "$out" 'Reason'
    ok "by ${way,,}: and nothing waits" test $((SECONDS - begun)) -lt 15
    asked "by ${way,,}: the gate said no, once" "$(no_of alice)"
done
gate sshd
elevate alice ssh
for way in KEY PASSWORD QUESTIONS; do
    declare -n ssh=BY_$way
    ok "by ${way,,}: lets in under an elevation" as alice "${ssh[@]}" localhost "$WHO"
    like "by ${way,,}: as alice, logged in as alice" "$out" 'alice'$'\n''2001'
    asked "by ${way,,}: what the gate answered then" "$(yes_of alice)"
done
is "the sessions say what they are" "$(sessions_of "$id" '"\(.user) \(.service) \(.target_user) \(.rhost) \(.state)"' | sort | uniq -c | xargs)" \
    "3 alice sshd alice 127.0.0.1 ended"
refused "one's elevation is not another's" as bob "${BY_KEY[@]}" localhost true
asked "the gate said no to him" "$(no_of bob)"
refused "one's elevation is not for another's account" as alice "${BY_PASSWORD[@]}" bob@localhost true
asked "the gate said no" "$(no_of bob)"
refused "an elevation is no key" as alice "${BY_KEY[@]}" -F /dev/null localhost true
asked "and the gate is not asked" ""

# ---- more than a command ------------------------------------------------------------------------

ok "sftp" as alice timeout 20 sftp -q -o BatchMode=yes localhost <<<'ls /etc/hosts'
like "works" "$out" '/etc/hosts'
asked "is a session" "$(yes_of alice)"

as alice "${BY_KEY[@]}" -N -L 8022:localhost:22 localhost &
until_true 5 bash -c ': </dev/tcp/127.0.0.1/8022'
like "a forwarded port (-N -L) works" "$(timeout 5 head -c 7 </dev/tcp/127.0.0.1/8022)" 'SSH-2.0'
is "it is a session without a shell" "$(sessions_of "$id" 'select(.state == "live") | .service')" sshd
leader=$(sessions_of "$id" 'select(.state == "live") | .leader')
is "its leader is sshd's monitor" "$(tr -d '\0' </proc/"$leader"/cmdline)" 'sshd: alice [priv]'
kill "$(pgrep -u alice -x ssh)"
asked "and ends with the connection" "$(yes_of alice)"

mux=(timeout 20 ssh -o BatchMode=yes -o ControlPath=/home/alice/.ssh/mux)
as alice "${mux[@]}" -M -N -f localhost
ok "a first shell over a master connection" as alice "${mux[@]}" localhost true
ok "a second one" as alice "${mux[@]}" localhost true
until_true 2 _asked_is "gate.account alice yes,session.open alice yes"
is "are one question and one session, which is live" "$(trail .action | sort | uniq -c | xargs)" "1 gate.account 1 session.open"
run as alice "${mux[@]}" -O exit localhost
asked "and ends with the connection" "$(yes_of alice)"

# ---- who is who ---------------------------------------------------------------------------------

# An sshd that somebody restarted from a login has that login uid; pam_loginuid sets the right one
# before the session is opened, but after account.
stop_sshd
start_sshd /usr/sbin/sshd /etc/ssh/sshd_config 22 2002
ok "under an sshd of bob's login alice is alice" as alice "${BY_KEY[@]}" localhost "$WHO"
like "by pam_loginuid" "$out" '2001'
asked "who has asked in account already" "$(yes_of alice)"
sed -i '/pam_loginuid/d' /etc/pam.d/sshd
refused "without pam_loginuid she would be bob" as alice "${BY_KEY[@]}" localhost "$WHO"
asked "which the session refuses" "gate.account alice yes,session.open alice no"
as alice "${mux[@]}" -M -N -f -L 127.0.0.1:2299:127.0.0.1:22 localhost 2>/dev/null
ok "sshd keeps a connection whose session is refused" until_true 5 pgrep -u alice -x sshd
refused "but no shell opens over it" as alice "${mux[@]}" localhost true
read_from_port='read -r line </dev/tcp/127.0.0.1/2299 && [ "$line" ]'
refused "and nothing is forwarded" as alice timeout 5 bash -c "$read_from_port"
pkill -u alice -x ssh
until_true 5 sh -c '! pgrep -u alice -x "ssh|sshd"'
mark
stop_sshd
start_sshd /usr/sbin/sshd /etc/ssh/sshd_config 22
ok "without a login uid the session passes" as alice "${BY_KEY[@]}" localhost true
asked "which is compared only where it is set" "$(yes_of alice)"

# A master connection would open shells for ever.
as alice "${mux[@]}" -M -N -f localhost
ok "over a master connection a shell opens while the elevation lasts" as alice "${mux[@]}" localhost true
drop alice
refused "over a master connection no shell opens after its end" as alice "${mux[@]}" localhost true
refused "because nothing of the connection is left" pgrep -u alice -x sshd
asked "and a new one is refused" "$(no_of alice),$(yes_of alice)"
refused "nor the connection itself" as alice "${mux[@]}" -O check localhost

elevate alice ssh
as alice "${mux[@]}" -M -N -f -L 127.0.0.1:2299:127.0.0.1:22 localhost # its session may not be open yet
until_true 5 sh -c 'teamctl sessions --json | grep -q sshd'
ok "while the elevation lasts a port is forwarded" as alice timeout 5 bash -c "$read_from_port"
drop alice
refused "a master connection without a shell ends, too" pgrep -u alice -x 'ssh|sshd'

elevate alice ssh
as alice "${mux[@]}" -M -N -f localhost
as alice "${mux[@]}" localhost 'trap "" HUP TERM; (exec -a SHELL-1 sleep 60); exec sleep 60' &
as alice "${mux[@]}" -tt localhost 'trap "" HUP TERM; (exec -a SHELL-2 sleep 60); exec sleep 60' <>/mnt/idle >/dev/null 2>&1 &
until_true 5 pgrep -f ^SHELL-1
until_true 5 pgrep -f ^SHELL-2
drop alice
refused "with shells over it that stay, all of it ends" pgrep -u alice -x 'ssh|sshd|sleep'
mark

# ---- warnings -----------------------------------------------------------------------------------

repolicy 'sessions: { warn = ["3s"]; grace = "1s"; };'
elevate alice ssh 6s
as alice "${BY_KEY[@]}" -tt localhost 'exec sleep 60' <>/mnt/idle >/mnt/screen 2>&1
like "who came by ssh is warned on the terminal there" "$(tr -d '\r' </mnt/screen)" \
    "your elevation $id ends in 3s, and this session with it; to go on: teamctl extend $id"
repolicy
until_true 5 _is_over "$id"
mark

# ---- one line of the two ------------------------------------------------------------------------

gate_only session sshd
refused "with the session line alone: no command" as alice "${BY_KEY[@]}" localhost "$WHO"
unlike "with the session line alone: nothing runs" "$out" '2001'
refused "with the session line alone: no forwarded port" as alice "${BY_KEY[@]}" -W localhost:22 localhost
unlike "with the session line alone: nothing answers there" "$out" 'SSH-2.0'
refused "with the session line alone: no sftp" as alice timeout 20 sftp -q -o BatchMode=yes localhost <<<'ls /etc/hosts'
asked "with the session line alone: what the gate answered" "session.open alice no"
gate sshd

# ---- root, exempt people, and without teamd -----------------------------------------------------

refused "root needs an elevation or an exemption like anybody else" "${BY_KEY[@]}" localhost true
asked "root is refused" "$(no_of root)"
repolicy 'gate: { exempt = ( { who = ["bob"]; classes = ["sudo"]; }, { who = ["root"]; classes = ["ssh"]; } ); };'
ok "root passes when exempt for ssh" "${BY_KEY[@]}" localhost true
asked "and is recorded" "$(yes_of root)"
refused "who is exempt for sudo is not for ssh" as bob "${BY_KEY[@]}" localhost true
repolicy 'gate: { exempt = ( { who = ["bob"]; classes = ["ssh"]; } ); };'
ok "who is exempt for ssh is" as bob "${BY_KEY[@]}" localhost true
elevate alice ssh
stop_teamd
for user in alice bob root; do
    refused "without teamd: $user is refused" as $user "${BY_KEY[@]}" localhost true
    like "without teamd: $user reads why" "$out" 'teamd does not answer \(it is not running\); tell an administrator'
done
run as alice "${BY_QUESTIONS[@]}" localhost true
like "without teamd: by questions, too" "$out" 'teamd does not answer \(it is not running\); tell an administrator'
finish
