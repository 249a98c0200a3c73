#!/bin/bash
# teamctl backup: a copy of the store as it is at that moment, and back to it.
. "$(dirname "$0")/lib.sh"

config <<'CONF'
settings: { admins = ["dave"]; auditors = ["@security"]; require_comment = false; };
eligibility = ( { name = "sre"; who = ["@sre"]; targets = ["host:*/sudo"]; max_duration = "4h"; approval_required = false; } );
CONF
start_teamd || exit 1

descriptors()
{
    ls "/proc/$TEAMD_PID/fd" | wc -l
}

run as alice teamctl request sudo --for 4h --reason "before the backup"
before=${out:0:8}
at_rest=$(descriptors)
trail=$(teamctl audit --json)

ok "root makes a backup" teamctl backup /mnt/backup.mdb
like "and is told how large it is" "$out" '^/mnt/backup\.mdb: [0-9]+ bytes$'
is "which is true" "$out" "/mnt/backup.mdb: $(stat -c %s /mnt/backup.mdb) bytes"
is "it is root's, and for nobody else" "$(stat -c '%U %a' /mnt/backup.mdb)" "root 600"
ok "an admin makes one, where they may write" as dave teamctl backup copy.mdb
is "which is theirs" "$(stat -c '%U %a' /home/dave/copy.mdb)" "dave 600"
ok "the log tells who did" grep -q 'backup by dave: done' "$TEAM_LOG"
exits 3 "a requester does not" as alice teamctl backup copy.mdb
like "and is told so" "$out" 'only root and admins copy the store'
is "nor is anything left" "$(ls /home/alice)" ""
exits 3 "an auditor does not" as carol teamctl backup copy.mdb
exits 3 "who became an admin does not" as_from 2001 dave teamctl backup /home/dave/other.mdb
is "the trail has each, and who was refused" \
    "$(teamctl audit --action store.backup --json | jq -r '[.actor, .outcome] | join(" ")' | sort | uniq -c | xargs)" \
    "1 alice refused 1 carol refused 1 dave done 1 dave refused 1 root done"
echo precious >/mnt/precious
exits 1 "a file that is there is not overwritten" teamctl backup /mnt/precious
is "and is what it was" "$(cat /mnt/precious)" precious
ln -s /mnt/nowhere /mnt/link
exits 1 "nor is a link followed" teamctl backup /mnt/link
exits 1 "a directory that is not there" teamctl backup /mnt/nowhere/file
exits 2 "no file" teamctl backup
mkdir /mnt/small
mount -t tmpfs -o size=16k bastion /mnt/small
exits 1 "a full disk" teamctl backup /mnt/small/backup.mdb
like "is named" "$out" 'No space left on device'
is "and nothing is left on it" "$(ls /mnt/small)" ""
ok "teamd is none the worse for it" as alice sudo -n true

# What teamctl would never pass.
passfile=$BUILD/tests/system/passfile
mkfifo /mnt/fifo
exits 1 "a pipe is no place for a backup" "$passfile" rw /mnt/fifo
like "and is told so" "$out" 'it is no file'
touch /mnt/readable
exits 1 "a file that is open for reading is none either" "$passfile" r /mnt/readable
exits 3 "whoever may not is refused, whatever they pass" as alice /mnt/build/tests/system/passfile rw /dev/null
ok "no descriptor is left of all this" until_true 5 test "$(descriptors)" -le "$at_rest"

# Interrupted, with teamd too slow to answer.
kill -STOP "$TEAMD_PID"
run timeout --preserve-status -s INT 1 teamctl backup /mnt/never.mdb
is "an interrupted backup fails" "$status" 1
is "and leaves nothing" "$(ls /mnt/never.mdb 2>&1)" "ls: cannot access '/mnt/never.mdb': No such file or directory"
kill -CONT "$TEAMD_PID"
until_true 5 teamctl status
ok "the next one works" teamctl backup /mnt/next.mdb

# Back to it.
run as alice teamctl request sudo --for 1h --reason "after the backup"
after=${out:0:8}
ok "after the backup there is more" as alice teamctl show "$after"
stop_teamd
rm /var/lib/team/store/*
install -o team -g team -m 0600 /mnt/backup.mdb /var/lib/team/store/data.mdb
start_teamd || exit 1
is "the elevation is there" "$(as alice teamctl show "$before" --json | jq -r .state)" active
ok "and is one" as alice sudo -n true
exits 4 "what came later is not" as alice teamctl show "$after"
is "the trail is what it was" "$(teamctl audit --json | head -n "$(wc -l <<<"$trail")")" "$trail"
finish
