/* Asking for something: what may be submitted and what comes of it. script.h says how a row reads.
 */
#include "script.h"

#define RULES                                 \
    "rule leads bob,carol host:*/*,aws:*/*\n" \
    "admins grace\n"                          \
    "auditors frank\n"
#define PLAIN "may sre alice,dave,bob host:bastion-*/sudo,host:bastion-1/su 4h\n" RULES
#define FREE  "may sre alice,dave host:bastion-1/sudo 4h free\n" RULES
#define CLOUD "may sre alice host:*/sudo,aws:1111*/*,aws:ou-ab12-11111111/* 4h\n" RULES
#define AWS   "aws:111122223333/Admin"

static const struct row ROWS[] = {
    /* ---- what comes of it ---- */
    {"a request waits for those who may approve it", PLAIN,
     "alice request sudo 1h => done pending: waiting for bob or carol\n"
     "trail => request.submit alice done\n"
     "detail => host:bastion-1/sudo; because\n"
     "grants R1 => waiting\n"
     "waiting R1 => bob carol\n"
     "wake => 3h 3h\n"},
    {"a request that needs no approval is active at once", FREE,
     "alice request sudo 1h => done active: active for 1h\n"
     "trail => request.submit alice done, request.schedule - done, request.start - done, "
     "request.active - done\n"
     "window R1 => 1h left 1h\n"
     "waiting R1 => nobody\n"
     "alice gate sudo => yes: under REQ00001\n"},
    {"a request that needs no approval and starts later is scheduled", FREE,
     "alice request sudo 1h start=+30m => done scheduled: approved; starts in 30m\n"
     "alice gate sudo => no: request REQ00001 is approved and starts in 30m\n"},
    {"a start that has passed is a start now", FREE,
     "alice request sudo 1h start=-30m => done active\n"},
    {"settings can do without approval altogether", PLAIN "set approval no\n",
     "alice request sudo 1h => done active\n"},
    {"one target that needs approval makes the request need it",
     PLAIN "may extra alice host:bastion-1/su 1h free\n",
     "alice request sudo,su 1h => done pending\n"},
    {"approval is needed if the policy without it does not cover the duration",
     PLAIN "may quick alice host:bastion-1/sudo 1h free\n",
     "alice request sudo 2h => done pending\n"
     "alice request sudo 1h => done active\n"},
    {"two targets in one request are told in the trail", PLAIN,
     "alice request sudo,su 1h => done pending\n"
     "detail => host:bastion-1/sudo,host:bastion-1/su; because\n"},
    {"somebody may have several requests for the same target", PLAIN,
     "alice request sudo 1h => done pending\n"
     "alice request sudo 2h => done pending\n"},
    {"a ticket may be given though none is required", PLAIN,
     "alice request sudo 1h ticket=OPS-1 => done\n"
     "pass 1m\n"},

    /* ---- its form ---- */
    {"a request has a target", PLAIN,
     "alice request none 1h => usage: a request has 1 to 8 targets\n"
     "trail => nothing\n"},
    {"a request has eight targets at most", PLAIN,
     "alice request a,b,c,d,e,f,g,h,i 1h => usage: a request has 1 to 8 targets\n"},
    {"a request may have eight",
     "may sre alice host:*/* 4h\n"
     "rule leads bob host:*/*\n"
     "class c1\nclass c2\nclass c3\nclass c4\n",
     "alice request sudo,su,ssh,login,c1,c2,c3,c4 1h => done pending\n"
     "bob approve R1 => done active\n"
     "grants R1 => open open open open open open open open\n"},
    {"the same target twice is a mistake", PLAIN,
     "alice request sudo,sudo 1h => usage: the same target is named twice\n"
     "alice request sudo,host:BASTION-1/sudo 1h => usage: the same target is named twice\n"},
    {"a reason is required", PLAIN,
     "alice request sudo 1h reason= => usage: a reason is required; give one with --reason\n"},
    {"a duration is required", PLAIN,
     "alice request sudo 0s => usage: a duration is required; give one with --for\n"},
    {"a start 90 days ahead is planned", PLAIN,
     "alice request sudo 1h start=+90d => done pending\n"},
    {"a start further ahead is a mistake", PLAIN,
     "alice request sudo 1h start=+2160h1s => usage: a request can start at most 90 days ahead\n"},
    {"a ticket can be required", PLAIN "set ticket yes\n",
     "alice request sudo 1h => refused: a ticket is required; give one with --ticket\n"
     "alice request sudo 1h ticket=OPS-1 => done\n"},
    {"a ticket has to look like one", PLAIN,
     "alice request sudo 1h ticket=x wanted=^OPS => usage: that is no ticket here; it has to match "
     "^OPS\n"},

    /* ---- who asks ---- */
    {"root cannot ask", PLAIN "may root root host:*/* 1h\n",
     "root request sudo 1h => refused: root is nobody in particular, and can neither ask nor "
     "decide; do it as yourself\n"
     "trail => request.submit root refused\n"},
    {"a uid that the host does not know cannot ask", PLAIN,
     "4242 request sudo 1h => refused: this host does not know your uid, so no policy can name "
     "you\n"
     "trail => request.submit uid 4242 refused\n"},
    {"who became somebody else cannot ask for them", PLAIN,
     "alice@mallory request sudo 1h => refused: you are uid 1001 but logged in as uid 1008; log in "
     "as yourself\n"},
    {"asking needs a login uid", PLAIN,
     "alice@unset request sudo 1h => refused: your login uid is not set, so nobody can tell who "
     "logged in; pam_loginuid sets it, or an admin allows it with identity.loginuid = \"check\"\n"},
    {"unless the host has none", PLAIN "set loginuid check\n",
     "alice@unset request sudo 1h => done\n"
     "alice@mallory request sudo 1h => refused\n"},
    {"who is elevated does not ask", PLAIN,
     "alice! request sudo 1h => refused: who is elevated does not ask or decide; do it from your "
     "own login\n"},

    /* ---- what the policy says ---- */
    {"nobody gets what no policy names them for", PLAIN,
     "mallory request sudo 1h => refused: no policy lets mallory have host:bastion-1/sudo; see "
     "what "
     "you may ask for: teamctl targets\n"
     "trail => request.submit mallory refused\n"
     "detail => host:bastion-1/sudo; no policy lets mallory have host:bastion-1/sudo; see what you "
     "may ask for: "
     "teamctl targets\n"},
    {"a policy for one service is none for another", PLAIN, "alice request ssh 1h => refused\n"},
    {"a member of a group that the policy names may ask", "may sre @sre host:*/sudo 1h\n" RULES,
     "dave request sudo 1h => done\n"
     "mallory request sudo 1h => refused\n"},
    {"a second account of the same uid is the same person", "may sre alicia host:*/sudo 1h\n" RULES,
     "alice request sudo 1h => done\n"},
    {"longer than the policy allows is refused with what it allows", PLAIN,
     "alice request sudo 4h1s => refused: 4h1s is more than policy \"sre\" allows for "
     "host:bastion-1/sudo (4h); ask for --for 4h\n"
     "alice request sudo 4h => done\n"},
    {"of several policies the longest is named", PLAIN "may long alice host:*/sudo 6h\n",
     "alice request sudo 7h => refused: 7h is more than policy \"long\" allows for "
     "host:bastion-1/sudo (6h); ask for --for 6h\n"
     "alice request sudo 6h => done\n"},
    {"policies are never mixed: each target needs one that covers it whole",
     "may a alice host:bastion-1/sudo 1h\nmay b alice host:bastion-1/su 2h\n" RULES,
     "alice request sudo,su 2h => refused:~ policy \"a\"\n"
     "alice request sudo,su 1h => done\n"},
    {"settings cap every policy", PLAIN "set max 2h\n",
     "alice request sudo 3h => refused:~ (2h)\n"
     "alice request sudo 2h => done\n"},
    {"another host's targets are asked for there", PLAIN,
     "alice request host:bastion-2/sudo 1h => refused: this is bastion-1; ask for "
     "host:bastion-2/sudo on that host\n"},
    {"a host's name counts in any case", PLAIN,
     "alice request host:Bastion-1/sudo 1h => done\n"
     "bob approve R1 => done active\nalice gate sudo => yes\n"},
    {"what is no service class is a mistake", PLAIN "class cockpit\n",
     "alice request sud 1h => usage: sud is no service class here; they are sudo, su, ssh, login, "
     "cockpit\n"},
    {"AWS that is not configured is refused after the policy", CLOUD,
     "alice request " AWS " 1h => refused: AWS is not configured\n"
     "alice request sudo," AWS " 1h => refused: AWS is not configured\n"
     "alice request aws:222222223333/Admin 1h => refused:~ no policy lets alice\n"},
    /* ---- could anybody approve? ---- */
    {"what nobody could approve is refused at once", "may sre alice host:*/sudo 1h\n",
     "alice request sudo 1h => refused: nobody could approve host:bastion-1/sudo for you: the "
     "approver policies name too few people beside you; an admin has to add one\n"},
    {"the only approver cannot ask for themselves",
     "may sre alice,bob host:*/sudo 1h\nrule leads bob host:*/*\n",
     "bob request sudo 1h => refused:~ nobody could approve\n"
     "alice request sudo 1h => done\n"},
    {"the only approver by a second account cannot either",
     "may sre alice host:*/sudo 1h\nrule leads alicia host:*/*\n",
     "alice request sudo 1h => refused:~ nobody could approve\n"},
    {"root counts for no quorum", "may sre alice host:*/sudo 1h\nrule leads root host:*/*\n",
     "alice request sudo 1h => refused:~ nobody could approve\n"},
    {"a quorum larger than the people is refused",
     "may sre alice host:*/sudo 1h\n"
     "rule leads bob,carol host:*/* quorum 3\n",
     "alice request sudo 1h => refused:~ nobody could approve\n"},
    {"a mandatory rule that nobody can fill is refused",
     "may sre alice host:*/sudo 1h\nrule leads bob,carol host:*/*\n"
     "rule own alice host:*/sudo mandatory\n",
     "alice request sudo 1h => refused:~ nobody could approve\n"},
    {"a rule that nobody can fill hurts nobody if another can",
     "may sre alice host:*/sudo 1h\nrule leads bob,carol host:*/*\nrule own alice host:*/sudo\n",
     "alice request sudo 1h => done\n"},
    {"a rule for other requesters is no rule",
     "may sre alice,dave host:*/sudo 1h\n"
     "rule leads bob host:*/* of dave\n",
     "alice request sudo 1h => refused:~ nobody could approve\n"
     "dave request sudo 1h => done\n"},
    {"a rule for other targets is no rule",
     "may sre alice host:*/sudo,host:*/su 1h\nrule leads bob host:*/su\n",
     "alice request sudo,su 1h => refused:~ nobody could approve host:bastion-1/sudo\n"
     "alice request su 1h => done\n"},
    {"approvers whom the host cannot list are not named",
     "may sre alice host:*/sudo 1h\nrule leads @leads host:*/*\n",
     "group bob +unlisted\n"
     "group carol +unlisted\n"
     "list\n"
     "alice request sudo 1h => done pending: waiting for an approver\n"
     "waiting R1 => nobody\n"
     "carol approve R1 => done active\n"},

    /* ---- limits ---- */
    {"an id that is taken is not given again", PLAIN,
     "alice request sudo 1h => done\n"
     "dave request sudo 1h id=1 => failed: teamd has no room for more open requests; try again "
     "later\n"},
};

int main(void)
{
    return play_rows("engine", ROWS, sizeof ROWS / sizeof ROWS[0]);
}
