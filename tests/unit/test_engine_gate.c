/* The gate, and sessions: who comes through, what a denial says, and what becomes of sessions when
 * elevations end. script.h says how a row reads. */
#include "script.h"

#define PEOPLE       \
    "admins grace\n" \
    "auditors frank\n"
#define MAY   "may sre @sre host:bastion-1/sudo,host:bastion-1/su,host:bastion-1/ssh 4h\n" PEOPLE
#define PLAIN MAY "rule leads bob,carol host:*/*\n"
#define ALL   "may all @sre host:*/* 4h free\n" PEOPLE

/* The words that everybody sees. */
#define RUN(class)                                                                                 \
    "no: no active elevation for " class " on bastion-1; run: teamctl request " class " --for 1h " \
                                                                                      "--reason "  \
                                                                                      "\"...\"\n"

static const struct row ROWS[] = {
    /* ---- denials ---- */
    {"without an elevation the denial says what to type", PLAIN,
     "alice gate sudo => " RUN("sudo") "alice gate su => " RUN("su") "alice open sudo => " RUN(
         "sudo") "trail => session.open alice no\n"
                 "detail => host:bastion-1/sudo; service sudo for root, no active elevation for "
                 "sudo "
                 "on bastion-1; run: teamctl request sudo --for 1h --reason \"...\"\n"},
    {"who may not ask is told where to look", PLAIN,
     "mallory gate sudo => no: no policy lets you have sudo on bastion-1; see what you may ask "
     "for: "
     "teamctl targets\n"
     "root@unset gate login user=alice => no:~ no policy\n"},
    {"somebody who is not known is told what to type", PLAIN, "4242 gate sudo => " RUN("sudo")},
    {"a pending request is told with who could approve", PLAIN,
     "alice request sudo 1h\n"
     "alice gate sudo => no: request REQ00001 is waiting for bob or carol\n"
     "alice gate su => " RUN("su")},
    {"of several requests the one nearest to access is told", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "alice request sudo 1h start=+2h\n"
     "alice request sudo 2h\n"
     "bob approve R2\n"
     "alice gate sudo => no: request REQ00002 is approved and starts in 2h\n"},
    {"the one nearest to access is told whatever the order", PLAIN,
     "alice request sudo 1h start=+2h\n"
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice gate sudo => no: request REQ00001 is approved and starts in 2h\n"},
    {"what is over is not told", PLAIN,
     "alice request sudo 1h\n"
     "bob reject R1\n"
     "alice gate sudo => " RUN("sudo")},

    /* ---- what can be done in place ---- */
    {"in sudo and su one can wait for what is on its way, and ask for what is not", PLAIN,
     "alice offer sudo => reason\nalice offer sudo-i => reason\nalice offer su => reason\n"
     "alice request sudo 1h\n"
     "alice offer sudo => REQ00001\nalice offer sudo-i => REQ00001\nalice offer su => reason\n"
     "dave offer sudo => reason\n"
     "bob reject R1\n"
     "alice offer sudo => reason\n"},
    {"what is scheduled can be waited for", PLAIN,
     "alice request sudo 1h start=+1h\nbob approve R1\nalice offer sudo => REQ00001\n"},
    {"a yes needs nothing", PLAIN,
     "alice request sudo 1h\nbob approve R1\nalice offer sudo => yes, nothing\n"
     "root offer sudo => yes, nothing\n"},
    {"a request may need a ticket as well", PLAIN "set ticket yes\n",
     "alice offer sudo => reason and ticket for up to 4h\n"},
    {"more than the policy allows is not offered", "may all @sre host:*/sudo 30m\n" PEOPLE,
     "alice offer sudo => reason for up to 30m\n"
     "alice gate sudo => no: no active elevation for sudo on bastion-1; run: teamctl request sudo "
     "--for 30m --reason \"...\"\n"
     "4242 offer sudo => reason\n"},
    {"nobody waits in polkit, ssh or login, or in no class", PLAIN,
     "alice offer polkit-1 => nothing\nalice@unset offer sshd user=alice => nothing\n"
     "alice@unset offer login user=alice => nothing\nalice offer cron => nothing\n"
     "alice request su 1h\nalice request ssh 1h\n"
     "alice offer polkit-1 => nothing\nalice@unset offer sshd user=alice => nothing\n"
     "alice offer su => REQ00001\n"},
    {"who may never have it is not asked for a reason", PLAIN, "mallory offer sudo => nothing\n"},
    {"who is not known could ask: the answer is looked up then", PLAIN,
     "4242 offer sudo => reason\n"},
    {"who is elevated can wait, but not ask", PLAIN,
     "alice! offer sudo => nothing\nalice request sudo 1h\nalice! offer sudo => REQ00001\n"},
    {"somebody else's login is offered nothing", PLAIN,
     "alice request sudo 1h\nalice@bob offer sudo => nothing\nalice@unset offer sudo => nothing\n"},
    {"where a login uid need not be set, one can ask without", PLAIN "set loginuid check\n",
     "alice@unset offer sudo => reason\nalice@bob offer sudo => nothing\n"},

    /* ---- services ---- */
    {"sudo -i is sudo", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice gate sudo-i => yes: under REQ00001\n"
     "alice gate su => " RUN("su")},
    {"su, runuser and polkit are su", PLAIN,
     "alice request su 1h\nbob approve R1\n"
     "alice gate su => yes\nalice gate su-l => yes\nalice gate runuser => yes\n"
     "alice gate runuser-l => yes\nalice gate polkit-1 => yes\nalice gate sudo => " RUN("sudo")},
    {"sudo that asks as root for somebody (sudo -e) asks for them", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "root@alice gate sudo ruser=alice => yes: under REQ00001\n"
     "root@alice gate sudo ruser=dave => no\n"
     "root@dave gate sudo ruser=dave => " RUN(
         "sudo") "root@dave gate sudo ruser=nobody => no: this "
                 "host does not know who you are; try again\n"
                 "root@alice gate sudo ruser=root => yes\n"},
    {"sudo that asks as root in somebody's login has to say for whom", PLAIN,
     "root@alice gate sudo ruser= => no: sudo does not say who runs it (pam_ruser is off in "
     "sudoers)\n"
     "root@unset gate sudo ruser= => yes\nroot gate sudo ruser= => yes\nroot@alice gate su ruser= "
     "=> yes\n"},
    {"polkit may be root for anybody, so root does not pass there", PLAIN,
     "root@unset gate polkit-1 => no\nroot@unset gate su => yes\n"},
    {"a service in no class is denied, root included", PLAIN,
     "alice gate cron => no: teamd knows no service cron; an admin can add it to gate.classes\n"
     "root gate cron => no\n"
     "alice open cron => no\n"
     "detail => host:bastion-1/cron; service cron for root, teamd knows no service cron; an admin "
     "can add it to gate.classes\n"},
    {"a class that was added has its elevations", ALL "class cockpit\n",
     "alice request cockpit 1h => done active\n"
     "root@unset gate cockpit user=alice => yes: under REQ00001\n"
     "root@unset gate cockpit user=dave => " RUN("cockpit")},

    /* ---- ssh and login speak for PAM_USER ---- */
    {"ssh asks for whom it logs in", PLAIN,
     "alice request ssh 1h\nbob approve R1\n"
     "root@unset gate sshd user=alice => yes: under REQ00001\n"
     "root@unset gate sshd user=dave => " RUN("ssh") "root@unset gate sshd user=alicia => yes\n"},
    {"the account phase of ssh ignores the login uid, the session does not", PLAIN,
     "alice request ssh 1h\nbob approve R1\n"
     "root@dave gate sshd user=alice => yes\n"
     "root@dave open sshd user=alice => no: the login uid is that of somebody else\n"
     "root@unset open sshd user=alice => yes\n"
     "root@alice open sshd user=alice => yes\n"},
    {"an elevation for sudo opens no door", ALL,
     "alice request sudo 1h\n"
     "root@unset gate sshd user=alice => " RUN("ssh") "root@unset gate login user=alice => " RUN(
         "login")},
    {"somebody whose uid is not found comes nowhere", PLAIN,
     "root@unset gate sshd user=ghost => no: this host does not know who you are; try again\n"
     "root@unset open sshd user=ghost => no\n"},

    /* ---- login uids at the gate ---- */
    {"after su bob nobody runs on bob's elevation", "may all @leads host:*/sudo 4h free\n" PEOPLE,
     "bob request sudo 1h\n"
     "bob gate sudo => yes\n"
     "bob@alice gate sudo => no: you are uid 1002 but logged in as uid 1001; log in as yourself\n"
     "bob@alice open sudo => no\n"},
    {"sudo needs a login uid", ALL,
     "alice request sudo,su 1h\n"
     "alice@unset gate sudo => no:~ your login uid is not set\n"
     "alice@unset gate su => no:~ your login uid is not set\n"},
    {"unless the host has none", ALL "set loginuid check\n",
     "alice request sudo 1h\n"
     "alice@unset gate sudo => yes\n"
     "alice@bob gate sudo => no\n"},
    {"sudo inside a session goes on under the elevation", ALL,
     "alice request sudo 1h\n"
     "alice! gate sudo => yes\n"},

    /* ---- root ---- */
    {"root is root in sudo, su and at the console", PLAIN,
     "root gate sudo => yes\nroot@unset gate su => yes\nroot@alice! gate sudo => yes\n"
     "root@unset gate login => yes\n"
     "root open sudo => yes\n"
     "trail => session.open root yes\n"
     "detail => host:bastion-1/sudo; service sudo for root, by root, session 1\n"
     "session S1 => live\n"},
    {"root over ssh needs what anybody needs", PLAIN,
     "root@unset gate sshd user=root => no: no policy lets you have ssh on bastion-1; see what you "
     "may ask for: teamctl targets\n"},
    {"or an exemption", PLAIN "exempt root ssh\n", "root@unset gate sshd user=root => yes: \n"},

    /* ---- exempt people ---- */
    {"exempt people pass for the listed classes", PLAIN "exempt erin,@sec sudo,ssh\n",
     "erin gate sudo => yes: \nivan gate sudo => yes\n"
     "root@unset gate sshd user=ivan => yes\n"
     "erin gate su => no\n"
     "alice gate sudo => no\n"
     "erin open sudo => yes\n"
     "detail => host:bastion-1/sudo; service sudo for root, by exempt, session 1\n"
     "session S1 => live\n"},
    {"exempt people are who they are, too", PLAIN "exempt erin sudo\n",
     "erin@alice gate sudo => no\nerin@unset gate sudo => no\n"},

    /* ---- our own accounts ---- */
    {"nobody becomes a service account of teamd", ALL,
     "alice request sudo 1h\n"
     "alice gate sudo user=team reserved => no: nobody becomes a service account of teamd\n"
     "root gate sudo user=team reserved => no\n"
     "alice open sudo user=team reserved => no\n"},

    /* ---- sessions ---- */
    {"a session is recorded under its elevation", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice open sudo => yes: under REQ00001\n"
     "trail => session.open alice yes\n"
     "detail => host:bastion-1/sudo; service sudo for root, by elevation, session 1\n"
     "session S1 => live under REQ00001\n"
     "gone S1\n"
     "trail => session.end alice done\n"
     "detail => host:bastion-1/sudo; session 1\n"
     "session S1 => ended under REQ00001\n"},
    {"a session without PAM_USER is recorded too", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice open sudo user= => yes\n"
     "detail => host:bastion-1/sudo; service sudo, by elevation, session 1\n"},
    {"what a session says of itself is made harmless", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice open sudo user=ro\033ot tty=\033[2J rhost=a\tb command=id\033[2J => yes\n"
     "detail => host:bastion-1/sudo; service sudo for ro?ot, by elevation, session 1, own words: "
     "id?[2J\n"
     "record S1 => alice sudo for ro?ot on ?[2J from a?b pid 100.7 uid 1001 login 1001.3 id?[2J\n"},
    {"all of a session is recorded", PLAIN,
     "alice request sudo,ssh 1h\nbob approve R1\n"
     "alice open sudo-i user=dave tty=pts/7 pid=42 => yes\n"
     "record S1 => alice sudo-i for dave on pts/7 from  pid 42.7 uid 1001 login 1001.3 \n"
     "root@unset open sshd user=alice tty=ssh rhost=192.0.2.7 pid=43 => yes\n"
     "record S2 => alice sshd for alice on ssh from 192.0.2.7 pid 43.7 uid 1001 login "
     "4294967295.3 \n"},
    {"sessions are numbered and never again", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice open sudo\nalice open sudo\ngone S1\ngone S2\nalice open sudo\nrestart\nalice open "
     "sudo\n"
     "session S4 => live\n"},
    {"closing is a hint", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice open sudo pid=5\n"
     "alice open sudo pid=6\n"
     "alice close pid=6 later\n"
     "session S2 => live\n"
     "alice close pid=7\n"
     "dave close pid=6\n"
     "session S2 => live\n"
     "alice close pid=6\n"
     "session S1 => live\n"
     "session S2 => closing under REQ00001\n"
     "alice close pid=6\n"
     "gone S2\n"
     "session S2 => ended\n"
     "alice close pid=6\n"},
    {"what is gone is gone once", PLAIN,
     "alice request sudo 1h\nbob approve R1\nalice open sudo\n"
     "gone S1\ngone S1\nlost S1\n"
     "trail => nothing\n"
     "session S1 => ended\n"},
    {"a session whose leader was gone after a restart is lost", PLAIN,
     "alice request sudo 1h\nbob approve R1\nalice open sudo\n"
     "reboot +1m\nlost S1\n"
     "detail => host:bastion-1/sudo; session 1, lost: it was gone after a restart\n"
     "session S1 => lost under REQ00001\n"
     "state R1 => active\n"},
    {"a session of root ends like any other", PLAIN,
     "root open sudo\n"
     "gone S1\n"
     "session S1 => ended\n"},
    {"a person has so many sessions and no more", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice many 512 => done\n"
     "alice open sudo => no: too many sessions are open; close some\n"
     "trail => session.open alice no\n"
     "alice gate sudo => yes\n"
     "gone S100\n"
     "alice open sudo => yes\n"},

    /* ---- the end of an elevation with sessions ---- */
    {"an elevation with sessions is ending until they are gone", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice open sudo pid=5\nalice open sudo pid=6\n"
     "alice close pid=6\n"
     "pass 1h\n"
     "state R1 => ending\n"
     "grants R1 => closing\n"
     "session S1 => terminating under REQ00001\n"
     "session S2 => terminating under REQ00001\n"
     "alice gate sudo => no\n"
     "tick\n"
     "wake => 10s 10s\n"
     "gone S1\n"
     "state R1 => ending\n"
     "gone S2\n"
     "trail => session.end alice done, request.end - done\n"
     "state R1 => ended\n"
     "grants R1 => closed\n"},
    {"a revoke with sessions is ending first", PLAIN,
     "alice request sudo 1h\nbob approve R1\nalice open sudo\n"
     "bob revoke R1 => done ending: revoked\n"
     "alice revoke R1 => state ending: it is ending; nothing to revoke\n"
     "bob approve R1 => state ending: it is ending; there is nothing to decide\n"
     "alice cancel R1 => state ending\n"
     "alice extend R1 1h => state ending\n"
     "restart\n"
     "state R1 => ending\n"
     "gone S1\n"
     "state R1 => revoked\n"
     "revoker R1 => bob\n"},
    {"an ending elevation whose requester loses eligibility ends as it began to", PLAIN,
     "alice request sudo 1h\nbob approve R1\nalice open sudo\npass 1h\n"
     "group alice -sre\ngroup alicia -sre\nlook alice\n"
     "state R1 => ending\n"
     "gone S1\n"
     "state R1 => ended\n"},
    {"sessions lost with the host let their elevation end", PLAIN,
     "alice request sudo 1h\nbob approve R1\nalice open sudo\npass 1h\n"
     "reboot +1m\n"
     "state R1 => ending\n"
     "lost S1\n"
     "state R1 => ended\n"},

    /* ---- elevations that overlap ---- */
    {"two elevations on one target: the gate goes by the one that ends last", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice request sudo 2h\nbob approve R2\n"
     "alice request sudo 30m\nbob approve R3\n"
     "alice gate sudo => yes: under REQ00002\n"
     "alice revoke R2\n"
     "alice gate sudo => yes: under REQ00001\n"
     "pass 45m\n"
     "alice gate sudo => yes: under REQ00001\n"},
    {"a session goes on under the elevation that is left", PLAIN,
     "alice request sudo 2h\nbob approve R1\n"
     "alice open sudo\n"
     "alice request sudo 1h\nbob approve R2\n"
     "bob revoke R1 => done revoked\n"
     "trail => request.ending bob done, session.move - done, request.revoke bob done\n"
     "session S1 => live under REQ00002\n"
     "pass 1h\n"
     "session S1 => terminating under REQ00002\n"
     "state R2 => ending\n"},
    {"a session for another class does not", PLAIN,
     "alice request sudo 2h\nbob approve R1\n"
     "alice open sudo\n"
     "alice request su 1h\nbob approve R2\n"
     "bob revoke R1 => done ending\n"
     "session S1 => terminating under REQ00001\n"},
    {"an terminating session comes back under a new elevation", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice open sudo\n"
     "pass 1h\n"
     "session S1 => terminating\n"
     "alice request sudo,su 1h\nbob approve R2\n"
     "tick\n"
     "session S1 => live under REQ00002\n"
     "state R1 => ended\n"},
    {"but not under one for something else", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice open sudo\n"
     "pass 1h\n"
     "alice request su 1h\nbob approve R2\n"
     "tick\n"
     "session S1 => terminating under REQ00001\n"
     "state R1 => ending\n"},
    {"a closing session that is handed over is still closing", PLAIN,
     "alice request sudo 2h\nbob approve R1\n"
     "alice open sudo\nalice close\n"
     "alice request sudo 1h\nbob approve R2\n"
     "bob revoke R1 => done revoked\n"
     "session S1 => closing under REQ00002\n"},
    {"somebody else's elevation takes over nothing", PLAIN,
     "alice request sudo 1h\nbob approve R1\nalice open sudo\n"
     "dave request sudo 4h\nbob approve R2\n"
     "pass 1h\n"
     "session S1 => terminating under REQ00001\n"},
    {"a session of a service that is in no class any more is terminating",
     ALL "class cockpit\n--\n" ALL,
     "alice request cockpit,sudo 1h => done active\n"
     "alice request cockpit 2h => done active\n"
     "root@unset open cockpit user=alice => yes: under REQ00002\n"
     "policy second\n"
     "alice revoke R2 => done ending\n"
     "session S1 => terminating under REQ00002\n"},
    {"sessions that may go on again do so when one of them ends, all of them",
     ALL "class cockpit\n--\n" ALL,
     "alice request cockpit 2h => done active\n"
     "alice request cockpit 1h => done active\n"
     "alice many 40 cockpit => done\n"
     "policy second\n"
     "alice revoke R1 => done ending\n"
     "session S1 => terminating\nsession S40 => terminating\n"
     "policy first\n"
     "gone S1\n"
     "session S2 => live under REQ00002\nsession S40 => live under REQ00002\n"
     "state R1 => revoked\n"},
    {"many sessions are marked in several steps", PLAIN,
     "alice request sudo 1h\nbob approve R1\n"
     "alice many 300 => done\n"
     "pass 1h\n"
     "state R1 => ending\n"
     "session S1 => terminating\nsession S300 => terminating\n"
     "tick\n"
     "wake => 10s 10s\n"
     "alice request sudo 1h\nbob approve R2\n"
     "tick\n"
     "session S1 => live under REQ00002\nsession S300 => live under REQ00002\n"
     "state R1 => ended\n"
     "bob revoke R2 => done ending\n"
     "session S1 => terminating\nsession S300 => terminating\n"},
};

int main(void)
{
    return play_rows("engine: gate", ROWS, sizeof ROWS / sizeof ROWS[0]);
}
