/* Sessions in containers: how they begin, what is opened inside of them, how people are warned, and
 * how they end. */
#include "script.h"

#define PEOPLE "rule leads @leads host:*/* \n"
#define PLAIN  "may all @sre host:*/* 4h\n" PEOPLE
#define ALL    "may all @sre host:*/* 4h free\n" PEOPLE

/* Opened and confirmed: S1 under R1, for an hour. */
#define IN \
    "alice request sudo 1h\nalice open sudo contained => yes: under REQ00001\nalice confirm S1\n"

#define TEN(x) x x x x x x x x x x

static const struct row ROWS[] = {
    /* ---- the beginning ---- */
    {"a session in a container begins when its leader is inside", ALL,
     "alice request sudo 1h\n"
     "alice open sudo contained => yes: under REQ00001\n"
     "session S1 => opening under REQ00001 of alice\n"
     "alice confirm S1 => done\n"
     "acts => nothing\n"
     "session S1 => live under REQ00001 of alice\n"
     "pass 30m\n"
     "session S1 => live\n"},
    {"without containers it begins at once", ALL,
     "alice request sudo 1h\n"
     "alice open sudo\n"
     "session S1 => live under REQ00001\n"},
    {"the scope of a login is its container, and there is nothing to confirm", ALL,
     "alice request ssh,login 1h\n"
     "root@unset open sshd user=alice scope=/session-3.scope contained => yes: under REQ00001\n"
     "session S1 => live under REQ00001 of alice contained by /session-3.scope\n"
     "root@unset open login user=alice scope=/session-4.scope pid=5 => yes\n"
     "session S2 => live under REQ00001 of alice contained by /session-4.scope\n"
     "pass 1h\nacts => term 2, term 1\n"},
    {"the scope in which sudo runs is not its own", ALL,
     "alice request sudo 1h\n"
     "alice open sudo scope=/session-3.scope contained => yes: under REQ00001\n"
     "session S1 => opening under REQ00001 of alice contained\n"},
    {"nor is that of who needs no elevation anybody's to end", ALL "exempt erin ssh\n",
     "root@unset open sshd user=erin scope=/session-3.scope contained => yes\n"
     "session S1 => live of erin\n"},
    {"the words of sudo and su are kept, those of others are not the caller's", ALL,
     "alice request sudo,su,ssh 1h\n"
     "alice open sudo command=sudo_id\n"
     "detail => host:bastion-1/sudo; service sudo for root, by elevation, session 1, own words: "
     "sudo_id\n"
     "record S1 => alice sudo for root on pts/1 from  pid 100.7 uid 1001 login 1001.3 sudo_id\n"
     "alice open su command=su_- pid=5\n"
     "record S2 => alice su for root on pts/1 from  pid 5.7 uid 1001 login 1001.3 su_-\n"
     "root@unset open sshd user=alice command=sshd:_alice pid=6\n"
     "detail => host:bastion-1/ssh; service sshd for alice, by elevation, session 3\n"
     "record S3 => alice sshd for alice on pts/1 from  pid 6.7 uid 1001 login 4294967295.3 \n"},
    {"who has no elevation needs none, and gets no container", ALL "exempt erin sudo\n",
     "erin open sudo contained => yes\n"
     "session S1 => live of erin\n"
     "root open sudo contained => yes\n"
     "session S2 => live of root\n"},
    {"to confirm twice is to confirm", ALL, IN "alice confirm S1 => done\nsession S1 => live\n"},
    {"another process does not confirm", ALL,
     "alice request sudo 1h\nalice open sudo contained pid=5\n"
     "alice confirm S1 pid=6 => refused: no such session\n"
     "alice confirm S1 pid=5 later => refused: no such session\n"
     "alice confirm S2 pid=5 => refused: no such session\n"
     "session S1 => opening\n"
     "alice confirm S1 pid=5 => done\n"},
    {"a leader outside of its container does not confirm", ALL,
     "alice request sudo 1h\nalice open sudo contained\n"
     "alice confirm S1 outside => refused: the process is not in its container\n"
     "trail => session.confirm alice refused\n"
     "detail => host:bastion-1/sudo; session 1\n"
     "session S1 => opening\n"},
    {"after a revoke nothing is confirmed", ALL,
     "alice request sudo 1h\nalice open sudo contained\n"
     "bob revoke R1\n"
     "acts => term 1\n"
     "alice confirm S1 => refused: the elevation has ended\n"
     "session S1 => terminating\n"},
    {"nor after the end of which nobody took notice yet", ALL,
     "alice request sudo 1h\nalice open sudo contained\n"
     "sleep 1h\n"
     "alice confirm S1 => refused: the elevation has ended\n"
     "session S1 => opening\n"},
    {"a session without an elevation is not confirmed", ALL,
     "root open sudo contained\n"
     "root confirm S1 => refused: the elevation has ended\n"},
    {"a closing session is not confirmed", ALL,
     IN "alice close\n"
        "alice confirm S1 => refused: the elevation has ended\n"},
    {"who does not come into the container within 10 s is ended", ALL,
     "alice request sudo 1h\nalice open sudo contained\n"
     "wake => 0s 0s\n"
     "tick\n"
     "wake => 10s 10s\n"
     "pass 9s\n"
     "session S1 => opening\n"
     "acts => nothing\n"
     "pass 1s\n"
     "acts => term 1\n"
     "session S1 => terminating under REQ00001\n"
     "alice confirm S1 => refused: the elevation has ended\n"
     "pass 10s\n"
     "acts => kill 1\n"
     "state R1 => active\n"
     "gone S1\n"
     "session S1 => ended under REQ00001\n"
     "state R1 => active\n"},
    {"what closes before it is confirmed is still opening", ALL,
     "alice request sudo 1h\nalice open sudo contained\nalice close\nsession S1 => opening\n"
     "gone S1\nsession S1 => ended\n"},

    /* ---- the ladder ---- */
    {"told, given the grace, killed, killed again, stuck, killed again, gone", ALL,
     IN "pass 1h\n"
        "trail => request.ending - done, session.terminate - done\n"
        "detail => host:bastion-1/sudo; session 1\n"
        "acts => term 1\n"
        "session S1 => terminating under REQ00001\n"
        "tick\nacts => nothing\nwake => 10s 10s\n"
        "pass 9s\nacts => nothing\n"
        "pass 1s\nacts => kill 1\ntrail => session.kill - done\nsession S1 => killing\n"
        "tick\nacts => nothing\nwake => 1s 1s\n"
        "pass 1s\nacts => kill 1\ntrail => nothing\n"
        "pass 1s\nacts => kill 1\n"
        "pass 1s\nacts => kill 1\n"
        "pass 1s\nacts => kill 1\nsession S1 => killing\n"
        "pass 1s\nacts => kill 1\ntrail => session.stuck - failed\nsession S1 => stuck\n"
        "wake => 5s 5s\n"
        "pass 4s\nacts => nothing\n"
        "pass 1s\nacts => kill 1\ntrail => nothing\nwake => 5s 5s\n"
        "pass 5s\nacts => kill 1\n"
        "state R1 => ending\n"
        "gone S1\n"
        "trail => session.end alice done, request.end - done\n"
        "session S1 => ended under REQ00001\n"
        "state R1 => ended\n"
        "tick\nacts => nothing\n"
        "wake => never never\n"},
    {"what is stuck is killed for as long as it takes", ALL,
     IN "pass 1h\npass 10s\n" TEN("pass 1s\n") TEN(TEN("pass 5s\n")) TEN(TEN("pass 5s\n"))
         TEN(TEN("pass 5s\n")) "pass 5s\nacts => kill 1\nsession S1 => stuck\n"},
    {"a jump of the clock is one step of the ladder and not many", ALL,
     IN "pass 1h\npass 2h\nacts => kill 1\nsession S1 => killing\n"
        "pass 2h\nacts => kill 1\nsession S1 => killing\n"},
    {"without a grace the kill follows at once", ALL "set grace 0s\n",
     IN "pass 1h\nacts => term 1, kill 1\nsession S1 => killing\n"},
    {"without a grace a revoke kills with the next look at the clock", ALL "set grace 0s\n",
     IN "bob revoke R1\nacts => term 1\nwake => 0s 0s\ntick\nacts => kill 1\n"},
    {"the grace is that of the policy", ALL "set grace 2m\n",
     IN "bob revoke R1\nwake => 0s 0s\ntick\nwake => 2m 2m\npass 119s\nacts => nothing\n"
        "pass 1s\nacts => kill 1\n"},
    {"who goes when told was terminated", ALL,
     IN "bob revoke R1\ngone S1\n"
        "detail => host:bastion-1/sudo; \n"
        "trail => session.end alice done, request.revoke bob done\n"},
    {"how a session ended is in the trail", ALL,
     IN "root open sudo pid=5\n"
        "alice request su 1h\nalice open sudo pid=6\n"
        "gone S3\ndetail => host:bastion-1/sudo; session 3\n"
        "alice open su contained pid=7 => yes: under REQ00002\n"
        "alice open su contained pid=8\nalice confirm S5 pid=8\n"
        "bob revoke R2\n"
        "gone S4\ndetail => host:bastion-1/su; session 4, terminated\n"
        "pass 10s\n"
        "alice open sudo pid=9\n"
        "gone S6\n"},
    {"who was killed is said to be", ALL,
     IN "alice open sudo contained pid=5\nalice confirm S2 pid=5\n"
        "bob revoke R1\npass 10s\nacts => kill 1, kill 2\n"
        "gone S2\ndetail => host:bastion-1/sudo; session 2, killed\n"
        "state R1 => ending\n"},
    {"a closing session is ended like any other", ALL,
     IN "alice close\nsession S1 => closing\nbob revoke R1\nacts => term 1\nsession S1 => "
        "terminating\n"
        "alice close\nsession S1 => terminating\n"
        "pass 10s\nacts => kill 1\n"},
    {"uncontained sessions are ended, too", ALL,
     "alice request sudo 1h\nalice open sudo\nbob revoke R1\nacts => term 1\n"
     "pass 10s\nacts => kill 1\n"},
    {"sessions that nobody has to have an elevation for go on", ALL "exempt erin sudo\n",
     "erin open sudo\nroot open sudo\npass 24h\nacts => nothing\nsession S1 => live\n"},
    {"three hundred are told, and three hundred are killed", ALL,
     "alice request sudo 1h\nalice many 300 => done\n"
     "bob revoke R1\n"
     "tick\n"
     "session S1 => terminating\nsession S300 => terminating\n"
     "pass 10s\n"
     "session S1 => killing\nsession S300 => killing\n"
     "tick\nacts => nothing\n"},

    /* ---- access that comes back ---- */
    {"access back in time stops it", ALL,
     IN "pass 1h\nsession S1 => terminating\n"
        "alice request sudo 1h\n"
        "tick\n"
        "session S1 => live under REQ00002\nstate R1 => ended\n"
        "pass 10s\nacts => nothing\n"
        "session S1 => live\n"},
    {"no way back from the killing", ALL,
     IN "pass 1h\npass 10s\nsession S1 => killing\n"
        "alice request sudo 1h\ntick\n"
        "session S1 => killing under REQ00001\n"
        "pass 1s\nacts => kill 1\n"
        "state R1 => ending\n"
        "gone S1\nstate R1 => ended\nstate R2 => active\n"},
    {"nor from being stuck", ALL,
     IN "pass 1h\npass 10s\n" TEN(
         "pass 1s\n") "session S1 => stuck\n"
                      "alice request sudo 1h\ntick\nsession S1 => stuck under REQ00001\n"},
    {"an opening session is handed over as it is", ALL,
     "alice request sudo 1h\nalice open sudo contained\n"
     "alice request sudo 2h\n"
     "bob revoke R1 => done revoked\n"
     "acts => nothing\n"
     "session S1 => opening under REQ00002\n"
     "alice confirm S1 => done\n"
     "session S1 => live under REQ00002\n"},
    {"between elevations that overlap a session is handed over, back and forth", ALL,
     IN "alice request sudo 2h\n"
        "pass 1h\n"
        "trail => request.ending - done, session.move - done, request.end - done\n"
        "acts => nothing\n"
        "session S1 => live under REQ00002\n"
        "alice request sudo 3h\n"
        "bob revoke R2\n"
        "acts => nothing\n"
        "session S1 => live under REQ00003\n"
        "bob revoke R3\n"
        "acts => term 1\n"},

    {"who revoked it is who ends its session", ALL,
     IN "bob revoke R1\n"
        "trail => request.ending bob done, session.terminate bob done\n"
        "pass 10s\ntrail => session.kill bob done\n"},
    {"nobody ends what nobody confirms", ALL,
     "alice request sudo 1h\nalice open sudo contained\npass 10s\n"
     "trail => session.terminate - done\n"},

    /* ---- inside ---- */
    {"root inside of a session is who came in by it", ALL,
     IN "root@alice! open su pid=5 in=S1 contained => yes: under REQ00001\n"
        "trail => session.open root yes\n"
        "detail => host:bastion-1/su; service su for root, by the elevation of its session, "
        "session 2\n"
        "session S2 => opening under REQ00001 of alice in S1\n"
        "root@alice! confirm S2 pid=5 => done\n"
        "session S2 => live under REQ00001 of alice in S1\n"
        "root@alice! close pid=5 in=S2\n"
        "session S2 => closing\n"},
    {"and ends with it", ALL,
     IN "root@alice! open sudo pid=5 in=S1 contained\nroot@alice! confirm S2 pid=5\n"
        "pass 1h\n"
        "acts => term 2, term 1\n"
        "gone S2\nstate R1 => ending\ngone S1\nstate R1 => ended\n"},
    {"root inside of root inside", ALL,
     IN "root@alice! open sudo pid=5 in=S1 contained\nroot@alice! confirm S2 pid=5\n"
        "root@alice! open sudo pid=6 in=S2 contained\n"
        "session S3 => opening under REQ00001 of alice in S2\n"},
    {"who has taken on another login uid in there opens nothing as somebody else", ALL,
     IN "dave request sudo 1h\n"
        "dave open sudo pid=5 in=S1 => no: this is inside a session of alice, with another login "
        "uid; log in anew\n"
        "trail => session.open dave no\n"
        "alice open sudo pid=5 in=S1 => yes\n"
        "root@dave open sudo pid=6 in=S1 => yes: under REQ00001\n"},
    {"but who is let in for a login does", ALL,
     IN "dave request ssh 1h\nroot@dave open sshd user=dave pid=5 in=S1 => yes: under REQ00002\n"},
    {"and who came without a login uid has another one than nobody", ALL "set loginuid check\n",
     "alice@unset request sudo 1h\nalice@unset open sudo contained => yes: under REQ00001\n"
     "alice@unset confirm S1\n"
     "alice open sudo pid=5 in=S1 => yes\n"},
    {"nothing is opened inside when the elevation is over", ALL,
     IN "bob revoke R1\n"
        "root@alice! open sudo pid=5 in=S1 => no: the elevation of this session has ended\n"
        "trail => session.open root no\n"
        "root@alice! gate sudo in=S1 => yes\n"
        "root open sudo pid=5 => yes\n"},
    {"nor when its time is over and nobody looked", ALL,
     IN "sleep 1h\nroot@alice! open sudo pid=5 in=S1 => no: the elevation of this session has "
        "ended\n"},
    {"nor in one that is being ended while its elevation goes on", ALL,
     "alice request sudo 1h\nalice open sudo contained\ntick\npass 10s\n"
     "session S1 => terminating\n"
     "root open sudo pid=5 in=S1 => no: the elevation of this session has ended\n"},
    {"in what closes something may yet be opened", ALL,
     IN "alice close\nroot@alice! open sudo pid=5 in=S1 => yes: under REQ00001\n"},
    {"a person inside goes by an elevation of their own", ALL,
     IN "alice request su 2h\n"
        "alice! open su pid=5 in=S1 contained => yes: under REQ00002\n"
        "session S2 => opening under REQ00002 of alice in S1\n"
        "dave! open su pid=6 in=S1 => no\n"},
    {"inside of a session that nobody knows root is root", ALL,
     "root open sudo in=S77 contained => yes\nsession S1 => live of root in S77\n"},
    {"inside of a session without an elevation root is root", ALL "exempt erin sudo\n",
     "erin open sudo\nroot@erin open sudo pid=5 in=S1 contained => yes\nsession S2 => live of root "
     "in S1\n"},
    {"a nested session of another class ends with an elevation that is handed over without it", ALL,
     IN "root@alice! open su pid=5 in=S1 contained\nroot@alice! confirm S2 pid=5\n"
        "alice request sudo 2h\n"
        "bob revoke R1 => done ending\n"
        "acts => term 2\n"
        "session S1 => live under REQ00002\n"
        "session S2 => terminating under REQ00001\n"
        "gone S2\nstate R1 => revoked\n"},
    {"root inside counts as who came in by it", ALL,
     "alice request sudo 1h\nalice many 512\n"
     "root@alice! open sudo pid=5 in=S1 => no: too many sessions are open; close some\n"
     "root open sudo pid=5 => yes\n"},
    {"a process in another's container closes nothing", ALL,
     IN "alice close pid=5 in=S1\nsession S1 => live\n"
        "alice close pid=100 in=S1\nsession S1 => closing\n"},

    /* ---- who is inside ---- */
    {"who is inside neither asks nor decides", ALL,
     "dave request sudo 1h start=+1h\n"
     "alice! request sudo 1h => refused: who is elevated does not ask or decide; do it from your "
     "own "
     "login\n"
     "bob! approve R1 => refused: who is elevated does not ask or decide; do it from your own "
     "login\n"
     "bob! reject R1 => refused\n"
     "alice request sudo 1h\n"
     "alice! extend R2 1h => refused\n"},
    {"but withdraws, gives back, looks and goes through the gate", PLAIN,
     "alice request sudo 1h\n"
     "alice! sees R1 => yes\n"
     "alice! cancel R1 => done cancelled\n"
     "alice request sudo 1h\nbob approve R2\n"
     "alice! gate sudo => yes\n"
     "alice! open sudo => yes\n"
     "alice! revoke R2 => done ending\n"},

    /* ---- warnings ---- */
    {"people are warned once for each moment", ALL "set warn 5m,1m\n",
     IN "tick\n"
        "wake => 55m 1h\n"
        "pass 54m\nacts => nothing\n"
        "pass 1m\nacts => warn 1 5m\n"
        "tick\nacts => nothing\n"
        "wake => 4m 5m\n"
        "pass 30s\nacts => nothing\n"
        "pass 210s\nacts => warn 1 1m\n"
        "pass 59s\nacts => nothing\n"
        "pass 1s\nacts => term 1\n"},
    {"two moments that are missed are one warning", ALL "set warn 5m,1m\n",
     IN "tick\npass 59m30s\nacts => warn 1 30s\ntick\nacts => nothing\n"},
    {"what is left is rounded up", ALL "set warn 1m\n",
     IN "tick\nsleep 58m59s\npass 1s\nacts => warn 1 1m\n"},
    {"moments before the beginning are not made up for", ALL "set warn 2h,1h,10m\n",
     IN "tick\nacts => nothing\npass 49m\nacts => nothing\npass 1m\nacts => warn 1 10m\n"},
    {"nor those that came while nobody looked", ALL "set warn 2h\n",
     "sleep 3h\n" IN "tick\nacts => nothing\n"},
    {"nor the one at the very beginning", ALL "set warn 1h\n",
     "sleep 3h\n" IN "tick\nacts => nothing\n"},
    {"each session of the elevation is told", ALL "set warn 5m\n",
     IN "alice open sudo pid=5\n"
        "root@alice! open sudo pid=6 in=S1 contained\nroot@alice! confirm S3 pid=6\n"
        "alice request su 2h\nalice open su pid=7\n"
        "root open sudo pid=8\n"
        "pass 55m\nacts => warn 3 5m, warn 2 5m, warn 1 5m\n"},
    {"an extension has moments of its own", ALL "set warn 5m\n",
     IN "pass 55m\nacts => warn 1 5m\n"
        "alice extend R1 1h\n"
        "tick\nacts => nothing\n"
        "pass 5m\nacts => nothing\n"
        "pass 54m\nacts => nothing\n"
        "pass 1m\nacts => warn 1 5m\n"},
    {"whom another elevation covers for longer is not told", ALL "set warn 5m\n",
     IN "alice request sudo 2h\n"
        "pass 55m\nacts => nothing\n"
        "pass 5m\nsession S1 => live under REQ00002\n"
        "pass 54m\nacts => nothing\npass 1m\nacts => warn 1 5m\n"},
    {"whom another covers for less is", ALL "set warn 5m\n",
     IN "alice request sudo 57m\npass 55m\nacts => warn 1 5m\n"},
    {"a session of a service that is in no class any more is not",
     ALL "class cockpit\nset warn 5m\n--\n" ALL "set warn 5m\n",
     "alice request cockpit,sudo 1h\n"
     "root@unset open cockpit user=alice\npolicy second\n"
     "pass 55m\nacts => nothing\n"},
    {"right after a restart nobody is warned of what is past", ALL "set warn 5m,1m\n",
     IN "pass 50m\nsleep 7m\nrestart\nacts => nothing\n"
        "wake => 2m 3m\n"
        "pass 2m\nacts => warn 1 1m\n"},
    {"nor again", ALL "set warn 5m\n",
     IN "pass 55m\nacts => warn 1 5m\nrestart\nacts => nothing\npass 1m\nacts => nothing\n"},
    {"nobody is warned of an end that is there", ALL "set warn 5m\n",
     IN "sleep 2h\ntick\nacts => term 1\n"},
    {"a clock that was set back makes nothing due", ALL "set warn 5m\n",
     IN "pass 50m\nwall -1h\nacts => nothing\n"},
    {"three hundred are warned once, in several steps", ALL "set warn 5m\n",
     "alice request sudo 1h\nalice many 300 => done\n"
     "pass 55m\n"
     "acts count => 300\n"
     "tick\nacts => nothing\n"},

    {"how a session ended is kept", ALL,
     IN "gone S1\nsession S1 => ended under REQ00001 of alice contained exited\n"
        "alice open sudo\nbob revoke R1\ngone S2\n"
        "session S2 => ended under REQ00001 of alice terminated\n"},
    {"also by being killed, or with the host", ALL,
     IN "bob revoke R1\npass 10s\ngone S1\n"
        "session S1 => ended under REQ00001 of alice contained killed\n"
        "alice request sudo 1h\nalice open sudo\nreboot +1m\nlost S2\n"
        "session S2 => lost under REQ00002 of alice lost\n"},

    /* ---- escapes ---- */
    {"an escape is noted once", ALL,
     IN "escape S1\n"
        "trail => session.escape alice noticed\n"
        "detail => host:bastion-1/sudo; session 1\n"
        "session S1 => live under REQ00001 of alice contained escaped\n"
        "escape S1 many\ntrail => nothing\n"
        "escape S7\ntrail => nothing\n"
        "restart\nescape S1\ntrail => nothing\n"
        "bob revoke R1\nacts => term 1\n"},

    {"so is that there may be one among too many", ALL,
     IN "escape S1 many\n"
        "trail => session.escape alice noticed\n"
        "detail => host:bastion-1/sudo; session 1: it has more processes than can be looked at\n"
        "session S1 => live under REQ00001 of alice contained escaped\n"},

    /* ---- restarts ---- */
    {"restarted while it opens", ALL,
     "alice request sudo 1h\nalice open sudo contained\n"
     "restart\n"
     "acts => nothing\nsession S1 => opening\nalice confirm S1 => done\nsession S1 => live\n"
     "pass 10s\nacts => nothing\n"},
    {"restarted while it opens, and never confirmed", ALL,
     "alice request sudo 1h\nalice open sudo contained\npass 4s\n"
     "restart\npass 5s\nacts => nothing\n"
     "pass 1s\nacts => term 1\nsession S1 => terminating\n"},
    {"restarted while it lives", ALL,
     IN "restart\nacts => nothing\nsession S1 => live\n"
        "pass 1h\nacts => term 1\n"},
    {"restarted while it closes", ALL,
     IN "alice close\nrestart\nacts => nothing\nsession S1 => closing\npass 1h\nacts => term 1\n"},
    {"restarted in the grace", ALL,
     IN "bob revoke R1\nrestart\nacts => kill 1\nsession S1 => killing\n"},
    {"restarted while it is killed", ALL,
     IN "bob revoke R1\npass 10s\nrestart\nacts => kill 1\nsession S1 => killing\n"
        "pass 1s\nacts => kill 1\npass 1s\npass 1s\npass 1s\nsession S1 => killing\n"
        "pass 1s\nsession S1 => stuck\n"},
    {"restarted while it is stuck", ALL,
     IN "bob revoke R1\npass 10s\n" TEN("pass 1s\n") "restart\nacts => kill 1\nsession S1 => "
                                                     "stuck\npass 5s\nacts => kill 1\n"},
    {"it ended while teamd was away", ALL,
     IN "sleep 2h\nrestart\nacts => term 1\nsession S1 => terminating\n"},
    {"the host was started again while it lived", ALL,
     IN "reboot +1m\nacts => nothing\nlost S1\n"
        "detail => host:bastion-1/sudo; session 1, lost: it was gone after a restart\n"
        "session S1 => lost\nstate R1 => active\n"},
    {"the host was started again while it opened", ALL,
     "alice request sudo 1h\nalice open sudo contained\nreboot +1m\nlost S1\n"
     "session S1 => lost\nstate R1 => active\n"},
    {"the host was started again while it closed", ALL,
     IN "alice close\nreboot +1m\nlost S1\nsession S1 => lost\n"},
    {"the host was started again in the grace", ALL,
     IN "bob revoke R1\nreboot +1m\nlost S1\nsession S1 => lost\nstate R1 => revoked\n"},
    {"the host was started again while it was killed", ALL,
     IN "bob revoke R1\npass 10s\nreboot +1m\nlost S1\nsession S1 => lost\nstate R1 => revoked\n"},
    {"a clock that was set back, and then a restart, make nothing longer", ALL,
     IN "wall -2h\nescape S1\nreboot +1m\nlost S1\ntick\nwake => 2h59m 1h\n"},
    {"the host was started again while it was stuck", ALL,
     IN "bob revoke R1\npass 10s\n" TEN("pass 1s\n") "reboot +1m\nlost S1\nsession S1 => lost\n"
                                                     "state R1 => revoked\n"},
};

int main(void)
{
    return play_rows("engine: sessions", ROWS, sizeof ROWS / sizeof ROWS[0]);
}
